"""Background work ends: an unexpected error is tried again a few times, then the work is given up with the reason.

Knows neither jobs nor data sets: whoever starts the work says what giving up means.
"""

import logging
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.db.models import F
from django.utils import timezone

from labeling.models import FailedAttempt
from labeling.services.one_by_one import reason_of
from marketplace.storage import StoreUnavailable

log = logging.getLogger(__name__)

MOST = 5
"""After so many failures in a row the work is given up."""

PASSING = (OperationalError, InterfaceError, StoreUnavailable, OSError, MemoryError)
"""The machine, the database or the store gave out: the reason is shown, but nothing fails for good because of it."""


KILLED = "the process that worked on it was ended each time: by the time limit, for its memory, or by a restart"


def attempt(
    work: str,
    row_id: int,
    run: Callable[[], object],
    *,
    give_up: Callable[[str, bool], None],
    count_kills: bool = False,
) -> bool:
    """Call `run()`; returns whether it succeeded after failures that were counted.

    An unexpected error is counted and raised, so that the message queue records it. From the MOST-th one in a row
    `give_up(reason, passing)` is called instead; `passing` says that the error is one of PASSING. `work` and `row_id`
    name what is counted. With `count_kills` a start that neither succeeds nor fails counts too, because the process was
    killed; then the caller makes sure that nobody else is at the same work.
    """
    if count_kills and _count(work, row_id, KILLED) > MOST:
        give_up(KILLED, True)
        return False
    try:
        run()
    except Exception as error:
        failures = _count(work, row_id, reason_of(error), begun=count_kills)
        log.exception("%s(%d) failed for the %d. time in a row", work, row_id, failures)
        if failures < MOST:
            raise
        give_up(reason_of(error), isinstance(error, PASSING))
        return False
    deleted, _ = FailedAttempt.objects.filter(work=work, row_id=row_id).delete()
    return deleted > 0


def _count(work: str, row_id: int, reason: str, *, begun: bool = False) -> int:
    """The failures in a row, with this one; one that has `begun` was counted already."""
    now = timezone.now()
    row, _ = FailedAttempt.objects.get_or_create(work=work, row_id=row_id, defaults={"failed_at": now})
    FailedAttempt.objects.filter(pk=row.pk).update(
        failures=F("failures") + (0 if begun else 1), reason=reason, failed_at=now
    )
    row.refresh_from_db(fields=["failures"])
    return row.failures
