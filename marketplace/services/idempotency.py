"""Requests that carry a key happen once: a repeat gets the first one's answer. Knows no request and no response.

The record and the effect commit in one transaction, so a crash between them is impossible.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import orjson
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from marketplace import strict
from marketplace.errors import Invalid, KeyReused
from marketplace.models import Account, IdempotentRequest, User
from marketplace.ranges import Range

KEY_LENGTH = Range(1, 200)
"""Characters of a key: what the column holds."""

FIELD = "Idempotency-Key"
DELETED_AT_ONCE = 20_000
T = TypeVar("T")


@dataclass(frozen=True)
class Answer:
    """A stored answer: its status code and its body as plain JSON."""

    status_code: int
    body: Any


def check_key(key: str) -> str:
    """The key itself. Raises Invalid for one that cannot be stored; an empty one means: there is none."""
    if problem := strict.text_problem(key):
        raise Invalid(problem, field=FIELD)
    if len(key) > KEY_LENGTH.longest:
        raise Invalid(f"the key has {len(key)} characters, at most {KEY_LENGTH.longest} expected", field=FIELD)
    return key


def fingerprint(*, method: str, path: str, body: Any) -> str:
    """A hash of what is asked for, so that the same key on another request is noticed."""
    content = orjson.dumps(body, option=orjson.OPT_SORT_KEYS, default=str)
    return hashlib.sha256(f"{method} {path} ".encode() + content).hexdigest()


def once(
    *,
    user: User,
    account: Account | None,
    key: str,
    fingerprint: str,
    act: Callable[[], T],
    answer: Callable[[T], Answer],
) -> T | Answer:
    """Do `act` in a transaction, unless this user has done it for this account with this key before.

    Returns what `act` returned the first time and for an empty key, the stored Answer for a repeat; of two that come at
    once the second waits for the first. `answer` says what is to be stored of a result. Raises KeyReused when the key
    belongs to a request with another fingerprint, and whatever `act` raises; nothing is stored then, so that the
    request can be tried again with the same key.
    """
    with transaction.atomic():
        if not key:
            return act()
        IdempotentRequest.objects.bulk_create(
            [IdempotentRequest(user=user, account=account, key=key, fingerprint=fingerprint)], ignore_conflicts=True
        )
        row = IdempotentRequest.objects.select_for_update(of=("self",)).get(user=user, account=account, key=key)
        if row.fingerprint != fingerprint:
            raise KeyReused("this key was used for another request", field=FIELD)
        if row.status_code is not None:
            return Answer(row.status_code, row.body)
        result = act()
        stored = answer(result)
        row.status_code = stored.status_code
        row.body = orjson.loads(orjson.dumps(stored.body, default=str, option=orjson.OPT_UTC_Z))
        row.save(update_fields=["status_code", "body"])
        return result


def forget_old() -> None:
    """Delete records of requests that nobody repeats any more: WAGGLE_IDEMPOTENCY_HOURS old, oldest first."""
    before = timezone.now() - timedelta(hours=settings.IDEMPOTENCY_HOURS)
    old = IdempotentRequest.objects.filter(created_at__lte=before).order_by("created_at")
    IdempotentRequest.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:DELETED_AT_ONCE])).delete()
