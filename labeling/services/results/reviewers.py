"""Reviewers: workers whom an account lets decide about the answers to one of its jobs, as its own members do.

They decide through the services of deciding.py. They never see golds, nor answers to a task that they worked on: who
decides about those would gain by it. And whoever was named answers no task of the queue any more (visibility.py),
because they have seen what others answered and would gain from a seat that is free again.
"""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from labeling.conduct.rules import Action
from labeling.models import (
    AnswerReview,
    ConductFinding,
    DataObject,
    FindingStatus,
    QueueReviewer,
    ReviewStatus,
    WorkQueue,
)
from labeling.services import notices
from labeling.services.queue import leases, visibility
from labeling.services.results import review_lists
from labeling.services.results.review_lists import ReviewFilter
from marketplace.errors import Invalid, NotFound, WrongState
from marketplace.models import Crowd, Worker, WorkteamMember
from marketplace.ranges import Range
from marketplace.services import audit, eligibility

REVIEWERS = Range(0, 50)
"""Reviewers that a queue has at a time."""

BY_REVIEWER = "worker:"
"""What the name of whoever decided about an answer begins with, where that was a reviewer."""


# --- named by the account ---------------------------------------------------------------------------------------------


def add(*, queue: WorkQueue, worker: Worker, by: str) -> QueueReviewer:
    """Let a worker review the answers to the queue; safe to repeat. The tasks of it that they hold go to others.

    Raises WrongState for a queue without a review, Invalid for too many reviewers and for a worker whom the account
    may not name: they are neither on a team of its own nor, for public work that is open to them, hold one of its
    qualifications; or they are staff of the vendor that answers.
    """
    if queue.review_days is None:
        raise WrongState("this job has no review: its answers are paid at once", field="worker")
    if not _trusting(worker).filter(pk=queue.pk).exists():
        raise Invalid(_untrusted(queue, worker.public_id), field="worker")
    now = timezone.now()
    with transaction.atomic():
        # The lock lets two changes of one queue's reviewers happen one after the other, so that each counts the others.
        WorkQueue.objects.select_for_update(no_key=True).get(pk=queue.pk)
        row = QueueReviewer.objects.select_related("worker__user").filter(queue=queue, worker=worker).first()
        if row is not None and row.removed_at is None:
            return row
        if of_queue(queue).count() >= REVIEWERS.high:
            raise Invalid(f"a job has at most {REVIEWERS.high} reviewers", field="worker")
        row = row or QueueReviewer(queue=queue, worker=worker)
        row.added_at, row.added_by, row.removed_at = now, by, None
        row.save()
        audit.record(queue, by=by, because=f"worker:{worker.pk} named to review answers")
        notices.reviewer_named(queue, worker)
    # Afterwards, so that no further task is claimed meanwhile.
    leases.return_held(worker_id=worker.pk, queue_id=queue.pk)
    return row


def remove(*, queue: WorkQueue, worker: Worker, by: str) -> None:
    """Let the worker decide no more; what they decided stands. Raises NotFound for one who is no reviewer."""
    with transaction.atomic():
        removed = of_queue(queue).filter(worker=worker).update(removed_at=timezone.now())
        if not removed:
            raise NotFound(f"worker {worker.public_id} does not review this job", field="worker")
        audit.record(queue, by=by, because=f"worker:{worker.pk} reviews answers no more")


def of_queue(queue: WorkQueue) -> QuerySet[QueueReviewer]:
    """The reviewers of a queue with their workers, in the order in which they were named."""
    return (
        QueueReviewer.objects.filter(queue=queue, removed_at=None).select_related("worker").order_by("added_at", "pk")
    )


def candidate(queue: WorkQueue, public_id: str) -> Worker:
    """A worker by public id whom the queue's account may name. Raises Invalid for any other, existing or not."""
    worker = Worker.objects.filter(public_id=public_id).first()
    if worker is None or not _trusting(worker).filter(pk=queue.pk).exists():
        raise Invalid(_untrusted(queue, public_id), field="worker")
    return worker


def named(queue: WorkQueue, public_id: str) -> Worker:
    """A reviewer of the queue by public id. Raises NotFound."""
    row = of_queue(queue).filter(worker__public_id=public_id).first()
    if row is None:
        raise NotFound(f"there is no reviewer {public_id[:40]} of this job", field="worker")
    worker: Worker = row.worker
    return worker


def _untrusted(queue: WorkQueue, public_id: str) -> str:
    who = "be on one of your own work teams"
    if queue.workteam.public:
        who += ", or hold one of your own qualifications and be among those whom the job is open to"
    if queue.workteam.of_vendor:
        who += ", and not be staff of the vendor"
    return f"worker {public_id[:40]} cannot review this job: a reviewer has to {who}"


def _trusting(worker: Worker) -> QuerySet[WorkQueue]:
    """The queues whose accounts may name the worker; asked again whenever they review, so that trust can end."""
    admitted = eligibility.refusal_expression(worker_id=worker.pk, audience="audience_id", account="account_id")
    of_team = Q(account__in=eligibility.accounts_of_teams(worker))
    of_public = Q(workteam__crowd=Crowd.PUBLIC, account__in=eligibility.accounts_qualifying(worker), admitted=None)
    employers = WorkteamMember.objects.filter(worker=worker, workteam__crowd=Crowd.PRIVATE).values("workteam__account")
    closed = ConductFinding.objects.filter(
        worker=worker, queue=OuterRef("pk"), state=FindingStatus.ACTIVE, action=Action.BLOCK
    )
    queues = WorkQueue.objects.exclude(review_days=None).alias(admitted=admitted)
    trusted = queues.filter(of_team | of_public).filter(~Exists(closed))
    return trusted.exclude(workteam__crowd=Crowd.VENDOR, workteam__account__in=employers)


# --- what a reviewer sees ---------------------------------------------------------------------------------------------


def queues_of(worker: Worker, address: str | None = None) -> QuerySet[WorkQueue]:
    """The queues that the worker reviews now, with their accounts, newest first.

    Without those of teams whose networks the `address` of the request is outside of (None: no request).
    """
    return visibility.with_outside(_reviewed_by(worker), address).filter(outside=False).order_by("-pk")


def queue_of(worker: Worker, queue_id: int, address: str | None = None) -> WorkQueue:
    """A queue that the worker reviews. Raises NotFound, Forbidden where the `address` is kept from it."""
    found = visibility.with_outside(_reviewed_by(worker), address).filter(pk=queue_id).first()
    if found is None:
        raise NotFound(f"there are no answers to work {queue_id} for you to review")
    visibility.require_inside(found, address)
    return found


def _reviewed_by(worker: Worker) -> QuerySet[WorkQueue]:
    mine = QueueReviewer.objects.filter(worker=worker, removed_at=None).values("queue")
    return _trusting(worker).filter(pk__in=mine).select_related("account", "workteam")


def reviews_any(worker: Worker) -> bool:
    """Whether an account has named the worker to review one of its queues, for the menu; asks nothing further."""
    return QueueReviewer.objects.filter(worker=worker, removed_at=None).exists()


def waiting(worker: Worker, rows: Iterable[WorkQueue]) -> dict[int, int]:
    """How many answers to each of these queues wait for the worker's decision, by the queue's key, in one query."""
    keys = [row.pk for row in rows]
    pending = review_lists.kept(ReviewFilter(state=ReviewStatus.PENDING, reviewer=worker.pk)).filter(queue__in=keys)
    counted = dict(pending.order_by().values_list("queue").annotate(answers=Count("pk")))
    return {key: counted.get(key, 0) for key in keys}


def review(worker: Worker, review_id: int, address: str | None = None) -> AnswerReview:
    """An answer, with its queue, that the worker may decide about. Raises NotFound, Forbidden as `queue_of` does."""
    row = AnswerReview.objects.filter(pk=review_id).values_list("queue", flat=True).first()
    if row is not None:
        of_mine = review_lists.reviews(queue_of(worker, row, address), ReviewFilter(reviewer=worker.pk))
        found = of_mine.select_related("queue").filter(pk=review_id).first()
        if found is not None:
            return found
    raise NotFound(f"there is no answer {review_id} for you to review")


def may_see(*, worker: Worker, data_object: DataObject) -> bool:
    """Whether the worker may see the picture of an object because they review the answers to its job."""
    return _reviewed_by(worker).filter(pk=data_object.job.queue_id).exists()


def deciders(rows: Iterable[AnswerReview]) -> dict[int, str]:
    """The public ids of the reviewers who decided about these answers, by the review's key, in one query."""
    by = {row.pk: row.decided_by.removeprefix(BY_REVIEWER) for row in rows if row.decided_by.startswith(BY_REVIEWER)}
    ids = dict(Worker.objects.filter(pk__in=set(by.values())).values_list("pk", "public_id"))
    return {pk: ids[int(key)] for pk, key in by.items() if int(key) in ids}


def actor(worker: Worker) -> str:
    """How decisions name a reviewer."""
    return f"{BY_REVIEWER}{worker.pk}"
