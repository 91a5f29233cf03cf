"""How large the body of a request may be: little from strangers, JSON and forms up to a limit, files where a route
takes them.

The middleware refuses before anything is read. The web server asks the same question before it keeps a large body.
"""

import logging
from collections.abc import Callable
from io import BytesIO
from typing import Any, TypeVar

from django.conf import settings
from django.contrib import auth
from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import RequestDataTooBig
from django.core.handlers.wsgi import WSGIRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import resolve
from django.utils.module_loading import import_string

from frontend import tokens
from frontend.rates import address_of
from marketplace import strict
from marketplace.services import access_keys

logger = logging.getLogger(__name__)
View = TypeVar("View")

UNASKED = 64 * 1024
"""Bytes that are taken from everybody, signed in or not."""


class NotSignedIn(RequestDataTooBig):
    """The body is larger than what is taken from strangers."""


def takes_files(view: View) -> View:
    """Mark a view, or a class of views, whose body may be as large as WAGGLE_UPLOAD_MAX_BYTES says."""
    view.takes_files = True  # type: ignore[attr-defined]
    return view


class BodyLimit:
    """Middleware: a body that is too large for its sender or its route is refused without being read."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Raises NotSignedIn and RequestDataTooBig, which become answers with status 401 and 413."""
        length = _announced(request)
        if length > UNASKED and length > (most := most_bytes(request)):
            logger.warning("refused a body of %d bytes from %s", length, address_of(request))
            if most == UNASKED:
                raise NotSignedIn(f"the body has {length:,} bytes, at most {most:,} are taken without signing in")
            way_out = "" if most == settings.UPLOAD_MAX_BYTES else "; files go to /api/v1/uploads"
            raise RequestDataTooBig(f"the body has {length:,} bytes, at most {most:,} are taken here{way_out}")
        return self.get_response(request)


def most_bytes(request: HttpRequest) -> int:
    """The bytes that this caller may send to this address. Reads nothing of the body."""
    if not _signed_in(request):
        return UNASKED
    return settings.UPLOAD_MAX_BYTES if _route_takes_files(request) else settings.DATA_UPLOAD_MAX_MEMORY_SIZE


def most_of_environ(environ: dict[str, Any]) -> int:
    """`most_bytes` of a request that no middleware has seen yet."""
    request = WSGIRequest({**environ, "wsgi.input": BytesIO()})
    store: type[SessionBase] = import_string(f"{settings.SESSION_ENGINE}.SessionStore")
    request.session = store(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
    return most_bytes(request)


def _announced(request: HttpRequest) -> int:
    return strict.whole_number(request.META.get("CONTENT_LENGTH") or "0", allowed=strict.INT64) or 0


def _signed_in(request: HttpRequest) -> bool:
    if tokens.secret_of(request) is not None:
        return tokens.token_of(request) is not None
    if key_id := tokens.signing_key_of(request):
        # Who really signed is found out by the AWS wire, which needs the body for it.
        return access_keys.is_live(key_id)
    return auth.get_user(request).is_authenticated


def _route_takes_files(request: HttpRequest) -> bool:
    try:
        view = resolve(request.path_info).func
    except Http404:
        return False
    return bool(getattr(getattr(view, "view_class", view), "takes_files", False))
