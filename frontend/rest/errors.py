"""Every error of the REST API as problem+json (RFC 9457): type, title, status, detail, errors[{field, reason}]."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework import exceptions, status
from rest_framework.response import Response

from marketplace import errors

STATUS = {
    errors.Invalid: (status.HTTP_400_BAD_REQUEST, "Invalid input"),
    errors.NotFound: (status.HTTP_404_NOT_FOUND, "Not found"),
    errors.Forbidden: (status.HTTP_403_FORBIDDEN, "Forbidden"),
    errors.InUse: (status.HTTP_409_CONFLICT, "Conflict"),
    errors.LimitExceeded: (status.HTTP_409_CONFLICT, "Limit exceeded"),
}


def problem(*, code: int, title: str, detail: str, kind: str, fields: list[tuple[str, str]] | None = None) -> Response:
    """A problem document as a response. `kind` is the last part of its type URI."""
    body = {
        "type": f"urn:waggle:problem:{kind}",
        "title": title,
        "status": code,
        "detail": detail,
        "errors": [{"field": field, "reason": reason} for field, reason in fields or []],
    }
    return Response(body, status=code, content_type="application/problem+json")


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
        code, title = next(STATUS[c] for c in type(error).__mro__ if c in STATUS)
        kind = title.lower().replace(" ", "-")
        return problem(code=code, title=title, detail=error.message, kind=kind, fields=error.errors)
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if not isinstance(error, exceptions.APIException):
        return None
    fields = _flatten(error.detail) if isinstance(error, exceptions.ValidationError) else []
    detail = "; ".join(f"{f}: {r}" if f else r for f, r in fields) or str(error.detail)
    kind = str(error.default_code).replace("_", "-")
    response = problem(
        code=error.status_code,
        title=error.default_code.replace("_", " ").capitalize(),
        detail=detail,
        kind=kind,
        fields=fields,
    )
    if isinstance(error, exceptions.Throttled) and error.wait is not None:
        response["Retry-After"] = str(int(error.wait) + 1)
    if header := getattr(error, "auth_header", None):
        response["WWW-Authenticate"] = header
    return response
