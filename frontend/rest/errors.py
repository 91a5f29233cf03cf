"""Every error of the REST API as problem+json (RFC 9457): type, title, status, detail, errors[{field, reason}].

The types are listed in problems.py; pages have error pages of their own.
"""

import logging
from typing import Any

import psycopg
from django.conf import settings
from django.core import exceptions as django_errors
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template import loader
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response

from frontend import bodies
from frontend.rest.problems import KINDS
from marketplace import errors

CONTENT_TYPE = "application/problem+json"
RETRY_SECONDS = 5
# DRF's words for what has a name here already.
NAMES = {"invalid": "invalid-input"}
log = logging.getLogger(__name__)
TOO_LARGE = (django_errors.RequestDataTooBig, django_errors.TooManyFieldsSent, django_errors.TooManyFilesSent)


def document(
    kind: str, detail: str, *, code: int | None = None, fields: list[tuple[str, str]] | None = None
) -> dict[str, Any]:
    """A problem document; `kind` is one of problems.KINDS."""
    known = KINDS[kind]
    return {
        "type": known.uri,
        "title": known.title,
        "status": code or known.status,
        "detail": detail,
        "errors": [{"field": field, "reason": reason} for field, reason in fields or []],
    }


def _response(body: dict[str, Any]) -> Response:
    return Response(body, status=body["status"], content_type=CONTENT_TYPE)


def plain(kind: str, detail: str) -> HttpResponse:
    """A problem as a response of Django's, for what does not go through DRF."""
    body = document(kind, detail)
    return JsonResponse(body, status=body["status"], content_type=CONTENT_TYPE)


def _flatten(detail: Any, path: str = "") -> list[tuple[str, str]]:
    """DRF's nested error detail as (dotted field, reason) pairs."""
    if isinstance(detail, dict):
        pairs = []
        for name, inner in detail.items():
            own = "" if name == "non_field_errors" else str(name)
            pairs += _flatten(inner, ".".join(p for p in (path, own) if p))
        return pairs
    if isinstance(detail, list):
        pairs = []
        for number, inner in enumerate(detail):
            pairs += _flatten(inner, f"{path}.{number}" if isinstance(inner, dict) else path)
        return pairs
    return [(path, str(detail))]


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. Returns None for what is a fault of ours, which Django then reports as 500."""
    if isinstance(error, errors.DomainError):
        response = _response(document(error.kind, error.message, fields=error.errors))
        if isinstance(error, errors.Unavailable):
            response["Retry-After"] = str(RETRY_SECONDS)
        return response
    if isinstance(error, django_errors.TooManyFilesSent):
        way_out = "send the others in further requests with the `folder` of the first answer"
        return _response(document("content-too-large", f"{_most_files()}: {way_out}"))
    if isinstance(error, OSError) and errors.means_full(error):
        # The disk that uploads are received on before they are stored.
        return _response(document(errors.StoreFull.kind, f"the server has no room for this: {error.strerror}"))
    if isinstance(error, DatabaseError) and (reason := _database_problem(error)):
        log.exception("the database cannot be used")
        response = _response(document(*reason))
        response["Retry-After"] = str(RETRY_SECONDS)
        return response
    if isinstance(error, TOO_LARGE):
        return _response(document("content-too-large", str(error)))
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, django_errors.PermissionDenied):
        error = exceptions.PermissionDenied()
    if not isinstance(error, exceptions.APIException):
        return None
    fields = _flatten(error.detail) if isinstance(error, exceptions.ValidationError) else []
    detail = "; ".join(f"{f}: {r}" if f else r for f, r in fields) or str(error.detail)
    word = str(error.default_code).replace("_", "-")
    response = _response(document(NAMES.get(word, word), detail, code=error.status_code, fields=fields))
    if isinstance(error, exceptions.Throttled) and error.wait is not None:
        response["Retry-After"] = str(int(error.wait) + 1)
    if header := getattr(error, "auth_header", None):
        response["WWW-Authenticate"] = header
    return response


def _database_problem(error: DatabaseError) -> tuple[str, str] | None:
    """Kind and detail of a failure that passes, such as a restart; None for a fault of ours."""
    if isinstance(error.__cause__, psycopg.errors.DiskFull):
        return errors.StoreFull.kind, "the database has no room for this"
    if isinstance(error, OperationalError | InterfaceError):
        return errors.Unavailable.kind, "the database cannot be reached; try again"
    return None


# --- what never reaches a view of DRF: Django's own handlers, named in the root urlconf -------------------------------


def _most_files() -> str:
    return f"one request may have at most {settings.DATA_UPLOAD_MAX_NUMBER_FILES} files"


def _of_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A request Django could not read."""
    if not _of_api(request):
        if isinstance(exception, django_errors.TooManyFilesSent):
            reason = f"Too many files: {_most_files()}. Pack them into a zip file, or switch on JavaScript."
            return HttpResponse(loader.render_to_string("400.html", {"reason": reason}), status=400)
        if isinstance(exception, django_errors.RequestDataTooBig):
            reason = f"What your browser sent is too large: {exception}."
            return HttpResponse(loader.render_to_string("400.html", {"reason": reason}), status=413)
        return defaults.bad_request(request, exception)
    if isinstance(exception, bodies.NotSignedIn):
        response = plain("not-authenticated", str(exception))
        response["WWW-Authenticate"] = "Bearer"
        return response
    if isinstance(exception, TOO_LARGE):
        return plain("content-too-large", str(exception))
    return plain("parse-error", "the request cannot be read")


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """An address without a route."""
    if not _of_api(request):
        return defaults.page_not_found(request, exception)
    return plain("not-found", f"there is nothing at {request.path}")


def server_error(request: HttpRequest) -> HttpResponse:
    """A fault of ours."""
    if not _of_api(request):
        return defaults.server_error(request)
    return plain("error", "the error has been logged; try again in a moment")
