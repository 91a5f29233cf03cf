"""Traces by OpenTelemetry, where requirements-otel.txt is installed and its standard OTEL_* variables ask for them.

A span holds the name of a route, a function or a kind of program and keys of rows; never an address, a body, a secret.
Everything here does nothing where traces are off.
"""

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any

VARIABLES = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
SERVER, PRODUCER, CONSUMER, INTERNAL = "SERVER", "PRODUCER", "CONSUMER", "INTERNAL"
"""What a span stands for, in OpenTelemetry's words."""

log = logging.getLogger(__name__)
_lock = threading.Lock()
_tracer: Any = None


def asked(environment: Mapping[str, str]) -> bool:
    """Whether the environment asks for traces: it names an OTLP endpoint and switches nothing off."""
    off = environment.get("OTEL_SDK_DISABLED", "").lower() == "true"
    other = environment.get("OTEL_TRACES_EXPORTER", "otlp").strip() not in ("", "otlp")
    return not off and not other and any(environment.get(name) for name in VARIABLES)


def installed() -> bool:
    """Whether what makes and sends traces is there."""
    try:
        return find_spec("opentelemetry.sdk") is not None and (
            find_spec("opentelemetry.exporter.otlp.proto.http") is not None
        )
    except ModuleNotFoundError:
        return False


def wanted(environment: Mapping[str, str]) -> bool:
    """Whether traces are made: they are asked for and can be."""
    return asked(environment) and installed()


@contextmanager
def span(
    name: str,
    *,
    on: bool,
    kind: str = INTERNAL,
    process: str = "",
    carried: Mapping[str, str] | None = None,
    attributes: Mapping[str, object] = MappingProxyType({}),
) -> Iterator[Any]:
    """A piece of work as a span, None while `on` is false. `carried`: what `carrier` gave where the work was asked for.

    An exception that leaves it is noted by its type alone: its text may hold what is nobody's business.
    """
    if not on:
        yield None
        return
    from opentelemetry.trace import SpanKind
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    parent = TraceContextTextMapPropagator().extract(carrier=dict(carried)) if carried else None
    with _the_tracer(process).start_as_current_span(
        name,
        context=parent,
        kind=SpanKind[kind],
        attributes={key: value for key, value in attributes.items() if isinstance(value, str | int | float | bool)},
        record_exception=False,
        set_status_on_exception=False,
    ) as current:
        try:
            yield current
        except Exception as error:
            failed(current, type(error).__name__)
            raise


def failed(current: Any, why: str = "") -> None:
    """Say that a span is of work that has failed."""
    from opentelemetry.trace import Status, StatusCode

    current.set_status(Status(StatusCode.ERROR, why or None))


def carrier(*, on: bool) -> dict[str, str]:
    """The span of now in the W3C's words (traceparent), for work that is done elsewhere; {} without one."""
    found: dict[str, str] = {}
    if on:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        TraceContextTextMapPropagator().inject(found)
    return found


def trace_id(current: Any) -> str | None:
    """The id of the trace of a span, as log lines name it; None without a span."""
    return None if current is None else format(current.get_span_context().trace_id, "032x")


def _the_tracer(process: str) -> Any:
    """Made at the first span: a process that forks before has nothing that would not outlive the fork."""
    global _tracer
    with _lock:
        if _tracer is None:
            _tracer = _new_tracer(process)
        return _tracer


def _new_tracer(process: str) -> Any:
    """One that notes nothing where the OTEL_ variables cannot be used: the work itself goes on."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.trace import NoOpTracer

    # OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES come after, so that an operator has the last word.
    ours = Resource({SERVICE_NAME: "waggle", "service.namespace": "waggle", "waggle.process": process or "other"})
    try:
        provider = TracerProvider(resource=ours.merge(OTELResourceDetector().detect()))
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    except Exception:
        log.exception("no traces are made: the OTEL_ variables cannot be used")
        return NoOpTracer()
    return provider.get_tracer("waggle")
