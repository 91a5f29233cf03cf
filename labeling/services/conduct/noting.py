"""Notes, in a submit's own transaction, what the page counted and that the worker is to be looked at.

A queue has at most one message waiting, however many answers arrive. Knows no rule: what the message does is in
checks.py.
"""

from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from labeling.conduct.observed import Activity
from labeling.models import ConductCheck
from marketplace import queue

CHECK = "labeling.background.check_conduct"
EVERY = timedelta(seconds=1)
"""A queue's workers are looked at no more often than this. A person answers no faster, and one look after another at a
busy queue would take the processor from those who claim and submit."""

STALE = timedelta(minutes=2)
"""An older note has lost its message, as when the message queue was emptied; the sweep then makes a new one."""


NOTE = "labeling_note_conduct(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
"""Notes a submit, as a part of the statement that submits; true when `send` is to be called."""


def arguments(
    *, seat_id: int, worker_id: int, queue_id: int, activity: Activity | None, now: datetime
) -> list[int | float | datetime | None]:
    """Of NOTE: whose submit it is, and what the page counted."""
    counted: tuple[int | float | None, ...] = (None,) * 6
    if activity is not None:
        counted = (
            activity.moves,
            activity.trusted,
            activity.untrusted,
            activity.keys,
            activity.focus_seconds,
            activity.active_seconds,
        )
    return [seat_id, worker_id, queue_id, now, *counted]


def send(queue_id: int) -> None:
    """Send the message that makes the queue's workers looked at, in the transaction of the note."""
    queue.enqueue(CHECK, queue_id, after=EVERY)


def sweep() -> None:
    """Send a message for every queue whose notes have waited too long."""
    stale = ConductCheck.objects.filter(requested_at__lt=timezone.now() - STALE)
    for queue_id in sorted(set(stale.values_list("queue_id", flat=True))):
        send(queue_id)


def take(queue_id: int) -> list[int]:
    """The workers that wait, whose notes are deleted first, so that every later submit makes a new one."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('labeling_conduct_check'), %s::integer)", [queue_id])
        cursor.execute("DELETE FROM labeling_conductcheck WHERE queue_id = %s RETURNING worker_id", [queue_id])
        return sorted(worker for (worker,) in cursor.fetchall())
