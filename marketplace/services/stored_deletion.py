"""Deleting objects of the store that rows no longer name. Waits while a backup is made.

A backup copies the store after it has read the database: what the database named then must still be there. Whoever
deletes objects that rows have named does it here.
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from datetime import timedelta

from marketplace import addresses, locks, queue, storage

LOCK = "store-deletions"
PAUSE = timedelta(minutes=1)
"""After this a deletion that had to wait is tried again."""

DELETE = "marketplace.background.delete_stored"


def allowed() -> AbstractContextManager[bool]:
    """Whether the caller may delete objects until the block ends: no backup is made, and none begins."""
    return locks.one_of_many(LOCK)


def delete(uris: Iterable[str]) -> None:
    """Delete objects at once, or queue it while that is not allowed. Safe to repeat.

    The rows that named them are gone, or name them no more, and that is committed.
    """
    with allowed() as now:
        for uri in uris:
            if now:
                storage.delete(uri)
            else:
                # Relative, because the message may be read where the store has been restored to.
                queue.enqueue(DELETE, addresses.relative(uri), tried_again=True, after=PAUSE)


def delete_later(uris: Iterable[str]) -> None:
    """Queue the deletion of objects in the transaction that makes rows name them no more."""
    for uri in uris:
        queue.enqueue(DELETE, addresses.relative(uri), tried_again=True)


def delete_kept(kept: str) -> None:
    """Delete the object of an address as it is kept; the queue's part of `delete`."""
    delete([addresses.absolute(kept)])
