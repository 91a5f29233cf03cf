"""Django's error handlers: each kind of client is told in its own way what went wrong before or outside of a view."""

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse

from frontend.aws import views as wire
from frontend.rest import errors as rest

WIRE = "/aws"
"""Where the AWS wire begins."""


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A request that could not be read."""
    if not _of_wire(request):
        return rest.bad_request(request, exception)
    if isinstance(exception, RequestDataTooBig):
        return wire.too_large(request, exception)
    return wire.unreadable(request)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """An address without a route; under WIRE every address has one."""
    return rest.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """A fault of ours."""
    return wire.failed(request) if _of_wire(request) else rest.server_error(request)


def _of_wire(request: HttpRequest) -> bool:
    return request.path == WIRE or request.path.startswith(f"{WIRE}/")
