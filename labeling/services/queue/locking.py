"""The order of locks in this room, and the two that are not rows. Knows no rule of the domain.

Every path takes what it needs of these in this order, so none can deadlock with another:
the advance lock of a job (one process moves a job on at a time; claims and submits do not take it),
the job's row, the queue lock (positions become visible in the order they are drawn),
the worker's cursor, tasks in id order, seats in id order, ledger pockets.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def advance_lock(job_id: int) -> Iterator[None]:
    """Be the only one who moves this job on. Held by the connection, so a killed process lets go of it at once."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtext('labeling_advance'), %s::integer)", [job_id])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtext('labeling_advance'), %s::integer)", [job_id])


def lock_queue(job_id: int) -> None:
    """Until the end of the transaction nobody else gives positions in the job's queue or takes seats back."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT labeling_queue_lock(%s)", [job_id])
