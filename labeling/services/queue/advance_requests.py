"""At most one message "advance the owner of this queue" waits, however many answers arrive. Knows only queue ids."""

from datetime import timedelta

from django.db import connection, transaction
from django.utils import timezone

from labeling.models import AdvanceRequest
from marketplace import queue

ADVANCE = "labeling.background.advance_queue"
STALE = timedelta(minutes=2)
"""A request older than this lost its message (the message queue was emptied): the sweep sends a new one."""


def request_advance(queue_id: int) -> None:
    """Ask for the queue's owner to be advanced, in the caller's transaction; nothing happens while a request waits."""
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
    """Remove the request before the owner is looked at, so that whatever happens from then on makes a new one.

    A transaction that found the request waiting sent no message of its own, because it relies on this look to see what
    it has written. It holds the lock shared until it commits; taking the lock exclusively waits for its commit.
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
