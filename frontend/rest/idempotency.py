"""Idempotency-Key: a repeated request gets the first one's answer, and nothing happens twice.

The record and the effect commit in one transaction, so a crash between them is impossible.
"""

import functools
import hashlib
from collections.abc import Callable
from typing import Any

import orjson
from django.db import transaction
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.errors import Invalid, KeyReused
from marketplace.models import IdempotentRequest

HEADER = "HTTP_IDEMPOTENCY_KEY"


def key_of(request: Request) -> str:
    """The request's key, "" when it has none. Raises Invalid for one that is too long."""
    key = request.META.get(HEADER, "")
    if len(key) > 200:
        raise Invalid("the key is longer than 200 characters", field="Idempotency-Key")
    return key


def fingerprint(request: Request) -> str:
    """A hash of method, path and body: the same key for another request is a mistake worth naming."""
    body = orjson.dumps(request.data, option=orjson.OPT_SORT_KEYS, default=str)
    return hashlib.sha256(f"{request.method} {request.get_full_path()} ".encode() + body).hexdigest()


def idempotent(view: Callable[..., Response]) -> Callable[..., Response]:
    """Decorate a view method: with an Idempotency-Key its answer is stored, and replayed when the key comes again."""

    @functools.wraps(view)
    def wrapper(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = key_of(request)
        if not key:
            with transaction.atomic():
                return view(self, request, *args, **kwargs)
        with transaction.atomic():
            IdempotentRequest.objects.bulk_create(
                [IdempotentRequest(user=request.user, key=key, fingerprint=fingerprint(request))],
                ignore_conflicts=True,
            )
            row = IdempotentRequest.objects.select_for_update().get(user=request.user, key=key)
            if row.fingerprint != fingerprint(request):
                raise KeyReused("this key was used for another request", field="Idempotency-Key")
            if row.status_code is not None:
                replay = Response(row.body, status=row.status_code)
                replay["Idempotency-Replayed"] = "true"
                return replay
            response = view(self, request, *args, **kwargs)
            row.status_code = response.status_code
            row.body = orjson.loads(orjson.dumps(response.data, default=str))
            row.save(update_fields=["status_code", "body"])
            return response

    return wrapper
