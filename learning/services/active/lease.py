"""Who advances a loop or a tuning job: one process at a time, by a lease in its row, renewed while the work goes on.

A lease and not an advisory lock, because a step may take minutes (it writes manifests and reads predictions): a lock of
the session breaks behind a PgBouncer in transaction mode, and one of the transaction would keep a transaction open and
idle for as long. A process that is killed stops renewing, and LEASE_SECONDS later another one gets the row. Times are
the database's, so that the clocks of the machines need not agree. Knows nothing of what is done under the lease.
"""

import logging
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, connection, models
from django.db.models import F, Q
from django.db.models.functions import Now

from learning.models import Advanced, LearningLoop

log = logging.getLogger(__name__)

LEASE_SECONDS = 30.0
RENEW_SECONDS = 5.0


class Lease:
    """The right to advance one row, which `owner` holds until it is released or has not been renewed in time."""

    def __init__(self, row_id: int, of: type[Advanced]):
        self.row_id, self.of, self.owner = row_id, of, uuid.uuid4().hex
        self._ended = threading.Event()

    def renew(self) -> bool:
        """Whether the lease was still ours; if so, it is good for LEASE_SECONDS from now."""
        return bool(self._mine().update(advancing_until=_expiry()))

    def advance_requests(self) -> int | None:
        """How many requests the row has had; None when it is gone."""
        found: int | None = self._rows().values_list("advance_requests", flat=True).first()
        return found

    def release(self, *, unless_requested_since: int | None = None) -> bool:
        """Give the lease up. With a number of requests: only if there has been none since; returns whether it was."""
        rows = self._mine()
        if unless_requested_since is not None:
            rows = rows.filter(advance_requests=unless_requested_since)
        return bool(rows.update(advancing_by="", advancing_until=None))

    def _take(self) -> bool:
        free = Q(advancing_by="") | Q(advancing_until__lt=Now())
        return bool(self._rows().filter(free).update(advancing_by=self.owner, advancing_until=_expiry()))

    def _mine(self) -> "models.QuerySet[Any]":
        return self._rows().filter(advancing_by=self.owner)

    def _rows(self) -> "models.QuerySet[Any]":
        return self.of._default_manager.filter(pk=self.row_id)

    def _keep_renewing(self) -> None:
        try:
            while not self._ended.wait(RENEW_SECONDS):
                try:
                    if not self.renew():
                        return
                except DatabaseError as error:
                    # The next renewal may succeed in time; if not, `renew` tells the one who works under the lease.
                    noun = self.of._meta.verbose_name
                    log.warning("the lease of %s %s could not be renewed: %s", noun, self.row_id, error)
                    connection.close()
        finally:
            connection.close()


def request(row_id: int, of: type[Advanced] = LearningLoop) -> bool:
    """Count a request to advance the row, so that whoever is advancing it looks once more; False when it is gone."""
    return bool(of._default_manager.filter(pk=row_id).update(advance_requests=F("advance_requests") + 1))


@contextmanager
def advancing(row_id: int, of: type[Advanced] = LearningLoop) -> Iterator[Lease | None]:
    """The lease of the row; None, without any wait, while somebody else holds it. Released at the end."""
    lease = Lease(row_id, of)
    if not lease._take():
        yield None
        return
    # The first renewal comes after RENEW_SECONDS: most advances end before, and need no second connection.
    renewing = threading.Thread(target=lease._keep_renewing, name=f"lease of {row_id}", daemon=True)
    renewing.start()
    try:
        yield lease
    finally:
        lease._ended.set()
        renewing.join()
        lease.release()


def _expiry() -> models.expressions.CombinedExpression:
    return Now() + timedelta(seconds=LEASE_SECONDS)
