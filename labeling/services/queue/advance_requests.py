"""Requests to advance the owner of a queue. Each queue has at most one message waiting, however many answers arrive."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from labeling.models import AdvanceRequest, Task
from labeling.services.queue import planned_advances
from labeling.services.queue.locking import advance_lock
from marketplace import queue

ADVANCE = "labeling.background.advance_queue"
STALE = timedelta(minutes=2)
"""An older request has lost its message, as when the message queue was emptied; the sweep then makes a new one."""

AT_ONCE = 500
"""Lost requests that one sweep makes anew."""

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


def request_each(queue_ids: Iterable[int]) -> None:
    """As `request_advance` for each of these queues, in one transaction and a few statements."""
    ids = sorted(queue_ids)
    if not ids:
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """SELECT pg_advisory_xact_lock_shared(hashtext('labeling_advance_request'), id::integer)
               FROM (SELECT unnest(%s::bigint[]) AS id ORDER BY 1) AS queues""",
            [ids],
        )
        cursor.execute(
            """INSERT INTO labeling_advancerequest (queue_id, requested_at)
               SELECT id, %s FROM unnest(%s::bigint[]) AS id ORDER BY id ON CONFLICT DO NOTHING RETURNING queue_id""",
            [timezone.now(), ids],
        )
        queue.enqueue_each(ADVANCE, [queue_id for (queue_id,) in cursor.fetchall()])


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


def advance(queue_id: int, steps: Callable[[], None], next_look: Callable[[], datetime | None]) -> None:
    """Call `steps()`, which takes every step that is possible now, until no request waits; MAX_PASSES times at most.

    Returns at once while another process holds the advance lock. That process checks for new requests after it has
    released the lock, so it sees a request made before the release, and a later one finds the lock free. `next_look()`
    is when there may be a step of which no request tells, None for never.
    """
    for _ in range(MAX_PASSES):
        with advance_lock(queue_id) as acquired:
            if not acquired:
                return
            planned_advances.advancing(queue_id)
            take_request(queue_id)
            steps()
            planned_advances.settle(queue_id, next_look)
        if not is_requested(queue_id):
            return
    send_again(queue_id)


def sweep() -> None:
    """Request an advance of every queue that is due, and again where a message was lost.

    A request whose message is lost is told from one whose turn has not come: while messages wait for longer than STALE,
    none is taken for lost, or each sweep would add as many to those that wait.
    """
    due = set(planned_advances.take_due())
    due |= set(Task.objects.filter(due=True).order_by().values_list("queue", flat=True).distinct()[:AT_ONCE])
    request_each(due)
    if not queue.is_behind(STALE):
        stale = AdvanceRequest.objects.filter(requested_at__lt=timezone.now() - STALE).order_by("requested_at")
        for queue_id in stale.values_list("pk", flat=True)[:AT_ONCE]:
            _request_again(queue_id)


def _request_again(queue_id: int) -> None:
    with transaction.atomic():
        stale = AdvanceRequest.objects.filter(pk=queue_id, requested_at__lt=timezone.now() - STALE)
        # A request that was taken meanwhile is gone, and a new one has its own message.
        if stale.update(requested_at=timezone.now()):
            send_again(queue_id)
