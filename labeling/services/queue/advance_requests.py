"""Requests to advance the owner of a queue. Each queue has at most one message waiting, however many answers arrive."""

from collections.abc import Callable
from datetime import timedelta

from django.db import connection, transaction
from django.utils import timezone

from labeling.models import AdvanceRequest
from labeling.services.queue.locking import advance_lock
from marketplace import queue

ADVANCE = "labeling.background.advance_queue"
STALE = timedelta(minutes=2)
"""An older request has lost its message, as when the message queue was emptied; the sweep then makes a new one."""

MAX_PASSES = 10
"""Passes that one call makes over the work of an owner, so that other work has its turn."""


def request_advance(queue_id: int) -> None:
    """Request an advance of the queue's owner, in the caller's transaction; no message is sent while one waits."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock_shared(hashtext('labeling_advance_request'), %s::integer)", [queue_id]
        )
        cursor.execute(
            "INSERT INTO labeling_advancerequest (queue_id, requested_at) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            [queue_id, timezone.now()],
        )
        new = cursor.rowcount == 1
    if new:
        queue.enqueue(ADVANCE, queue_id)


def take_request(queue_id: int) -> None:
    """Delete the request before the owner is advanced, so that every later change makes a new request.

    A transaction that finds a request waiting sends no message of its own and relies on this advance to see its
    changes. It holds the lock in shared mode until it commits, so taking the lock exclusively waits for that commit.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtext('labeling_advance_request'), %s::integer)", [queue_id]
            )
        AdvanceRequest.objects.filter(queue_id=queue_id).delete()


def is_requested(queue_id: int) -> bool:
    """Whether a request waits."""
    return AdvanceRequest.objects.filter(queue_id=queue_id).exists()


def send_again(queue_id: int) -> None:
    """Send a message for a request that waits, in place of the one it had.

    That one may have come, and done nothing, while the caller held the advance lock.
    """
    queue.enqueue(ADVANCE, queue_id)


def advance(queue_id: int, steps: Callable[[], None]) -> None:
    """Call `steps()`, which takes every step that is possible now, until no request waits; MAX_PASSES times at most.

    Returns at once while another process holds the advance lock. That process checks for new requests after it has
    released the lock, so it sees a request made before the release, and a later one finds the lock free.
    """
    for _ in range(MAX_PASSES):
        with advance_lock(queue_id) as acquired:
            if not acquired:
                return
            take_request(queue_id)
            steps()
        if not is_requested(queue_id):
            return
    send_again(queue_id)
