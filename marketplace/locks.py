"""At most one process at a time does a thing, whoever comes second does something else. Never waits.

The lock belongs to a transaction on a connection of its own, which does nothing else: the database frees it the moment
the process dies, it works behind PgBouncer in transaction mode, and the holder's own transactions may begin and end as
they like. That transaction has no snapshot and writes nothing, so it keeps no dead rows alive.
"""

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from django.db import DatabaseError, connection

log = logging.getLogger(__name__)


def only_one(name: str) -> AbstractContextManager[bool]:
    """Whether the caller is the only one at work on `name` until the block ends; False when somebody else is."""
    return _held("pg_try_advisory_xact_lock", name)


def one_of_many(name: str) -> AbstractContextManager[bool]:
    """Whether nobody is the `only_one` at work on `name` until the block ends; any number may be so at a time."""
    return _held("pg_try_advisory_xact_lock_shared", name)


@contextmanager
def _held(function: str, name: str) -> Iterator[bool]:
    holder = connection.copy()
    try:
        holder.set_autocommit(False)
        with holder.cursor() as cursor:
            cursor.execute(f"SELECT {function}(hashtextextended(%s, 0))", [name])
            mine = bool(cursor.fetchone()[0])
        yield mine
    finally:
        try:
            # The answer to it says that the lock is free; the server notices a closed connection a moment later.
            holder.rollback()
        except DatabaseError:
            log.warning("the connection that held the lock %r was lost", name, exc_info=True)
        finally:
            holder.close()
