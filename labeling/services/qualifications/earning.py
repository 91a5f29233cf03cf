"""Qualifications that a worker's own work earns: their approval rate, or the number of tasks they have done.

For a type of an account only the work for that account counts, for one of the operator all of it. The worker asks for
the qualification; while they hold it, its value follows their work.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q
from django.utils import timezone

from labeling.models import AnswerReview, Assignment, AssignmentStatus, ReviewStatus
from marketplace.errors import WrongState
from marketplace.models import GrantedBy, Qualification, QualificationType, Worker
from marketplace.services import qualifications

LEAST_DECIDED = 10
"""Answers of a worker that must have been accepted or rejected before they have an approval rate."""

RENEWED_AFTER = timedelta(days=1)
"""How old a figure may be."""

CHUNK = 200
"""Figures that one sweep renews."""


@dataclass(frozen=True)
class Figure:
    """The worker's figure for a type: a percentage or a number of tasks; None while there are too few answers."""

    value: int | None
    basis: int
    """How many answers it rests on."""


def figure(*, row: QualificationType, worker: Worker) -> Figure:
    """What the worker's work gives for this type now. Raises WrongState for a type that is not granted by work."""
    if row.granted_by == GrantedBy.APPROVAL_RATE:
        reviews = AnswerReview.objects.filter(worker=worker)
        if row.account_id is not None:
            reviews = reviews.filter(queue__account=row.account_id)
        accepted, decided = (
            reviews.filter(state__in=states).count()
            for states in ([ReviewStatus.ACCEPTED], [ReviewStatus.ACCEPTED, ReviewStatus.REJECTED])
        )
        return Figure(100 * accepted // decided if decided >= LEAST_DECIDED else None, decided)
    if row.granted_by == GrantedBy.TASKS_DONE:
        seats = Assignment.objects.filter(worker=worker, state=AssignmentStatus.SUBMITTED)
        if row.account_id is not None:
            seats = seats.filter(queue__account=row.account_id)
        pending = Q(reviews__state=ReviewStatus.PENDING)
        counted = seats.aggregate(done=Count("pk", filter=~pending, distinct=True))["done"]
        return Figure(counted, counted)
    raise WrongState("this qualification is not granted for a figure of your work", field="qualification_type")


def refusal(*, row: QualificationType, worker: Worker, found: Figure) -> str | None:
    """Why a worker with this figure is not granted the qualification now; None when they are."""
    try:
        qualifications.require_open(row=row, worker=worker)
    except WrongState as error:
        return error.message
    if found.value is None:
        return f"{found.basis} of your answers were accepted or rejected, at least {LEAST_DECIDED} are needed"
    return f"your figure is {found.value}, at least {row.mark} is needed" if found.value < row.mark else None


def ask(*, row: QualificationType, worker: Worker) -> Qualification:
    """Grant the qualification to a worker whose figure reaches its mark. Raises WrongState, saying why, for others."""
    found = figure(row=row, worker=worker)
    if (reason := refusal(row=row, worker=worker, found=found)) is not None:
        raise WrongState(reason, field="qualification_type")
    return qualifications.grant(row=row, worker=worker, value=found.value or 0, how="by their work", by="system")


def renew(now: datetime | None = None) -> int:
    """Let the values of qualifications whose figure is older than a day follow it; returns how many were looked at.

    Run by the sweep; safe to repeat.
    """
    at = now or timezone.now()
    due = qualifications.due_for_renewal(at, since=at - RENEWED_AFTER).select_related("qualification_type", "worker")
    rows = list(due.order_by("pk")[:CHUNK])
    for held in rows:
        found = figure(row=held.qualification_type, worker=held.worker)
        qualifications.renew(held=held, value=found.value, now=at)
    return len(rows)
