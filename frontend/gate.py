"""Refuses requests whose address, headers or form fields hold what no route can mean, before any view sees them.

Bodies in JSON are checked by the REST parser with the same rules, which are in marketplace.strict.
"""

import codecs
from collections.abc import Callable, Iterable
from typing import Any

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse, QueryDict

from marketplace import strict

CHARSETS = frozenset({"utf-8", "ascii"})
"""Encodings of a body, by the names of Python's codecs. Others are not for text, or can write what UTF-8 cannot."""


class RequestGate:
    """Middleware. A bad part of a path is an unknown address (404); a bad header, query or form field is a 400."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Check what comes before the routes: headers first, because the page of a 404 reads the session's cookie."""
        _check_headers(request)
        if strict.text_problem(request.path_info):
            raise Http404("the address holds a NUL character")
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Iterable[Any], kwargs: dict[str, Any]
    ) -> None:
        """Check the parts of the address and, for pages, the query and the form (this runs after the CSRF check)."""
        for name, value in kwargs.items():
            if isinstance(value, int) and value not in strict.INT64:
                raise Http404(f"{name} has more digits than any identifier")
        if not getattr(view, "csrf_exempt", False):
            _check_fields("query", request.GET)
            _check_fields("form", request.POST)


def _check_headers(request: HttpRequest) -> None:
    for name, value in request.META.items():
        if name.startswith("HTTP_") and isinstance(value, str) and "\0" in value:
            raise BadRequest(f"the header {name} holds a NUL character")
    # A quoted cookie may write characters as octal numbers.
    for name, value in request.COOKIES.items():
        if problem := strict.text_problem(value):
            # The page that says so asks who is signed in; an empty session also makes the browser forget the cookie.
            request.session = type(request.session)(None)
            raise BadRequest(f"the cookie {name!r} {problem}")
    charset = (request.content_params or {}).get("charset")
    if charset is not None and _codec(charset) not in CHARSETS:
        raise BadRequest(f"the body has the charset {charset!r}, UTF-8 expected")


def _codec(charset: str) -> str:
    try:
        return codecs.lookup(charset).name
    except (LookupError, ValueError):
        return ""


def _check_fields(place: str, given: QueryDict) -> None:
    for name, values in given.lists():
        for text in (name, *values):
            if problem := strict.text_problem(str(text)):
                raise BadRequest(f"a field of the {place} {problem}")
