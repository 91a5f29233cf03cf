"""The order in which this room takes locks, and the locks that are not rows. Knows no rule of the domain.

Every code path takes the locks it needs in this order, so no two of them can deadlock:
the advance lock of a queue's owner (one process advances it at a time; claims and submits do not take it),
a panel's row, a participant's study session, the owner's row, the queue's row,
the position lock (positions become visible in the order they are drawn), batches in id order, the lock on the price
(submits share it), the worker's cursor, tasks in id order, seats in id order, reviews of answers in id order, appeals,
ledger accounts, the queue's planned advance.

An owner's data objects have no place in the order, and need none: opening a batch locks Unlabeled ones before the
queue's row, finishing tasks locks PendingHuman ones after the tasks, so neither waits for an object of the other.
"""

from contextlib import AbstractContextManager

from django.db import connection

from marketplace import locks


def advance_lock(queue_id: int) -> AbstractContextManager[bool]:
    """Try to be the only process that advances the owner of the queue, until the block ends. Never waits.

    The block gets True when it holds the lock. On False it must do nothing: another process is advancing the owner.
    """
    return locks.only_one(f"advance-queue:{queue_id}")


def lock_positions(queue_id: int) -> None:
    """Until the transaction ends, let no other one draw positions in the queue or free its seats."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT labeling_queue_lock(%s)", [queue_id])


def lock_price(queue_id: int) -> None:
    """Until the transaction ends, let nobody hand in an answer in the queue; waits for those on their way."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('labeling_price'), %s::integer)", [queue_id])
