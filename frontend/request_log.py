"""The first of all middleware: the id of a request on every line of the log, its count, its time and its span.

What is logged of a request is its method and the pattern of its route: addresses hold invitations, links to passwords
and signatures. Who is signed in is not asked here, because it costs a query; the scope services note the account.
"""

import re
import time
import uuid
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django_structlog.middlewares import RequestMiddleware
from structlog.contextvars import clear_contextvars

from marketplace import logs, metric_folders, metrics, tracing

HEADER = "X-Request-Id"
GIVEN = re.compile(r"[A-Za-z0-9._-]{8,64}")
"""Ids that are taken over from a proxy or a client; others could write anything into the log."""


class RequestLog(RequestMiddleware):
    """Middleware, of django-structlog: what is ours is what is logged, and that answers tell the id."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, with its id in the header X-Request-Id."""
        began = time.perf_counter()
        self.prepare(request)
        process = metric_folders.kind_of(settings.METRICS_FOLDER)
        carried = {"traceparent": request.headers["traceparent"]} if "traceparent" in request.headers else None
        with tracing.span(
            str(request.method), on=settings.TRACED, kind=tracing.SERVER, process=process, carried=carried
        ) as span:
            logs.bind(trace=tracing.trace_id(span))
            response: HttpResponse = self.get_response(request)  # type: ignore[assignment]
            route = logs.route_of(request)
            if span is not None:
                _describe(span, request, response, route)
        response.headers[HEADER] = request.waggle_id  # type: ignore[attr-defined]
        metrics.count_request(route, str(request.method), response.status_code, time.perf_counter() - began)
        self.handle_response(request, response)
        return response

    def prepare(self, request: HttpRequest) -> None:
        """Give the request its id: that of the header, or a new one."""
        clear_contextvars()
        given = request.headers.get(HEADER, "")
        request.waggle_id = given if GIVEN.fullmatch(given) else uuid.uuid4().hex  # type: ignore[attr-defined]
        logs.bind(request_id=request.waggle_id)  # type: ignore[attr-defined]

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: dict[str, Any]) -> None:
        """Note which rows the address names."""
        logs.bind(**logs.ids_of(kwargs))

    def process_got_request_exception(self, sender: type[Any], request: HttpRequest, **kwargs: Any) -> None:
        """Nothing: Django logs the error itself, within the request and so with its id."""

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        """The method and the pattern of the route."""
        return f"{request.method} {logs.route_of(request)}"


def _describe(span: Any, request: HttpRequest, response: HttpResponse, route: str) -> None:
    span.update_name(f"{request.method} {route}")
    span.set_attribute("http.request.method", str(request.method))
    span.set_attribute("http.route", route)
    span.set_attribute("http.response.status_code", response.status_code)
    span.set_attribute("waggle.request_id", request.waggle_id)  # type: ignore[attr-defined]
    for name, key in logs.ids_of(request.resolver_match.kwargs if request.resolver_match else {}).items():
        span.set_attribute(f"waggle.{name}", key)
    if response.status_code >= 500:
        tracing.failed(span)
