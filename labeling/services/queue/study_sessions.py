"""What a claim and a submit of a panel's participant ask of their study session, and how a session ends.

A session's row is locked before anything of its queue (locking.py), so that what a participant has done and holds is
counted as it is. Knows nothing of links and pages.
"""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from labeling import transitions
from labeling.models import Assignment, AssignmentStatus, PanelSession
from labeling.services.queue import leases
from marketplace.errors import SessionOver, TaskLimit
from marketplace.services import panels

AT_ONCE = 500
"""Sessions that one sweep ends."""


def lock_active(*, worker_id: int, queue_id: int) -> PanelSession | None:
    """The worker's session on the queue that is under way, locked; None where there is none. Needs a transaction."""
    rows = PanelSession.objects.select_for_update(no_key=True).filter(worker=worker_id, queue=queue_id)
    return rows.filter(status="Active").order_by("-pk").first()


def admit(*, worker_id: int, queue_id: int, key: str, now: datetime) -> None:
    """Let the participant claim a task. Needs the claim's transaction, which keeps the session locked.

    `key` is the claim's: a task that was claimed with it already is not counted. Raises SessionOver for somebody whose
    session is over, TaskLimit when they hold all that is left of it.
    """
    session = lock_active(worker_id=worker_id, queue_id=queue_id)
    if session is None or session.expires_at <= now:
        raise SessionOver("your session of this study is over")
    held = Assignment.objects.filter(
        worker=worker_id, queue=queue_id, state=AssignmentStatus.LEASED, lease_expires_at__gt=now
    )
    if key:
        held = held.exclude(claim_key=key)
    if session.tasks_done + held.count() >= session.tasks_wanted:
        raise TaskLimit("you hold the last tasks of your session; submit them or return one first")


def count_answer(session: PanelSession) -> None:
    """Count an answer in the transaction of its submit, which has locked the session; the last one completes it."""
    session.tasks_done += 1
    session.save(update_fields=["tasks_done"])
    if session.tasks_done >= session.tasks_wanted:
        _move(session, "Completed", left_by=panels.COMPLETED, by=f"worker:{session.worker_id}")


def end(session: PanelSession, to: str, *, left_by: str = "", reason: str = "", by: str) -> None:
    """End a session that is under way; the tasks that the participant holds go to others at once. Safe to repeat.

    Raises WrongState for a session that has ended in another way.
    """
    with transaction.atomic():
        _move(session, to, left_by=left_by, reason=reason, by=by)
        held = Assignment.objects.filter(
            worker=session.worker_id, queue=session.queue_id, state=AssignmentStatus.LEASED
        )
        seats = list(held.order_by("pk").values_list("pk", flat=True))
        if seats:
            now = timezone.now()
            leases.end_seats(queue_id=session.queue_id, seats=seats, to=AssignmentStatus.RETURNED, now=now)


def expire_overdue(now: datetime | None = None) -> int:
    """End the sessions whose time is over; returns how many. Run by the sweep, safe to run any number of times."""
    now = now or timezone.now()
    overdue = PanelSession.objects.filter(status="Active", expires_at__lte=now).order_by("pk")
    ended = 0
    for key in list(overdue.values_list("pk", flat=True)[:AT_ONCE]):
        with transaction.atomic():
            rows = PanelSession.objects.select_for_update(no_key=True, skip_locked=True)
            session = rows.filter(pk=key, status="Active").first()
            if session is not None:
                end(session, "TimedOut", by="system")
                ended += 1
    return ended


def _move(session: PanelSession, to: str, *, left_by: str = "", reason: str = "", by: str) -> None:
    transitions.PANEL_SESSION.advance(session, to, by=by, because=reason, left_by=left_by, reason=reason)
