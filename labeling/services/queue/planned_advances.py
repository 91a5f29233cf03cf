"""When the owner of a queue is looked at without anybody's request: for what comes with time, and what is lost.

Each owner says when that is whenever it has been advanced, so the sweep reads the queues that are due and no others.
Knows neither owners nor what they do.
"""

import random
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from labeling.models import PlannedAdvance

SOON = timedelta(seconds=30)
"""Less than the time between two sweeps: the next one comes back to whoever waits for something that tells nobody."""

SELDOM = timedelta(hours=6)
"""At most so long an owner is left alone that every change makes a request of."""

AT_ONCE = 500
"""Queues that one sweep looks at; the others, longest due first, follow in the next."""


def soon() -> datetime:
    """At the next sweep."""
    return timezone.now() + SOON


def seldom() -> datetime:
    """Some hours from now, at another time for each, so that owners that were made together are not due together."""
    return timezone.now() + SELDOM * random.uniform(0.5, 1)


def advancing(queue_id: int) -> None:
    """The owner is about to be advanced: whoever is killed meanwhile is followed by the next sweep."""
    _write(queue_id, soon())


def settle(queue_id: int, next_at: Callable[[], datetime | None]) -> None:
    """Plan the next look once an advance has taken its steps; `next_at` reads when it is, None for never.

    It reads under the lock of the plan, so nothing is missed that opens work at the same time: `no_later` waits for the
    lock, or is waited for.
    """
    with transaction.atomic():
        if PlannedAdvance.objects.select_for_update(no_key=True).filter(pk=queue_id).exists():
            _write(queue_id, next_at())


def no_later(queue_id: int, at: datetime) -> None:
    """Plan a look at the owner by this time, in the caller's transaction; an earlier one that is planned stays."""
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO labeling_plannedadvance AS p (queue_id, at) VALUES (%s, %s)
               ON CONFLICT (queue_id) DO UPDATE SET at = least(p.at, excluded.at)""",
            [queue_id, at],
        )


def take_due(now: datetime | None = None) -> list[int]:
    """The queues that are due, at most AT_ONCE; they are due again soon unless an advance plans otherwise."""
    now = now or timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE labeling_plannedadvance p SET at = %s
               FROM (SELECT queue_id FROM labeling_plannedadvance WHERE at <= %s ORDER BY at LIMIT %s
                     FOR NO KEY UPDATE SKIP LOCKED) AS due
               WHERE p.queue_id = due.queue_id RETURNING p.queue_id""",
            [now + SOON, now, AT_ONCE],
        )
        return sorted(queue_id for (queue_id,) in cursor.fetchall())


def _write(queue_id: int, at: datetime | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO labeling_plannedadvance (queue_id, at)
               SELECT id, %s FROM labeling_workqueue WHERE id = %s
               ON CONFLICT (queue_id) DO UPDATE SET at = excluded.at""",
            [at, queue_id],
        )
