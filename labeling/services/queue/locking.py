"""The order of locks in this room, and the two that are not rows. Knows no rule of the domain.

Every path takes what it needs of these in this order, so none can deadlock with another:
the advance lock of a queue's owner (one process advances it at a time; claims and submits do not take it),
the owner's row, the queue's row, the position lock (positions become visible in the order they are drawn),
the worker's cursor, tasks in id order, seats in id order, ledger accounts.
"""

from contextlib import AbstractContextManager

from django.db import connection

from marketplace import locks


def advance_lock(queue_id: int) -> AbstractContextManager[bool]:
    """Whether this process is the only one that advances the owner of the queue, until the block ends. Never waits:
    who is told False leaves the work to the one that holds the lock."""
    return locks.only_one(f"advance-queue:{queue_id}")


def lock_positions(queue_id: int) -> None:
    """Until the end of the transaction nobody else draws positions in the queue or takes seats back."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT labeling_queue_lock(%s)", [queue_id])
