"""Idempotency-Key on a view method. What a key means is decided by marketplace.services.idempotency."""

import functools
from collections.abc import Callable
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from frontend.rest.scope import account_of
from marketplace.errors import DomainError
from marketplace.models import Account
from marketplace.services import idempotency

HEADER = "HTTP_IDEMPOTENCY_KEY"


def key_of(request: Request) -> str:
    """The request's key, "" when it has none. Raises Invalid for one that is too long."""
    return idempotency.check_key(request.META.get(HEADER, ""))


def _account(request: Request) -> Account | None:
    """The account that the request acts for, None for one that needs none or that the view is going to refuse."""
    try:
        return account_of(request)
    except DomainError:
        return None


def _answer(response: Response) -> idempotency.Answer:
    return idempotency.Answer(response.status_code, response.data)


def idempotent(view: Callable[..., Response]) -> Callable[..., Response]:
    """Decorate a view method: with an Idempotency-Key its answer is stored, and replayed when the key comes again."""

    @functools.wraps(view)
    def wrapper(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = key_of(request)
        path = request.get_full_path()
        done = idempotency.once(
            user=request.user,
            account=_account(request) if key else None,
            key=key,
            fingerprint=idempotency.fingerprint(method=request.method, path=path, body=request.data) if key else "",
            act=functools.partial(view, self, request, *args, **kwargs),
            answer=_answer,
        )
        if isinstance(done, Response):
            return done
        replay = Response(done.body, status=done.status_code)
        replay["Idempotency-Replayed"] = "true"
        return replay

    # Kept by whatever wraps the method next, so that a test can see it.
    wrapper.__dict__["idempotent"] = True
    return wrapper
