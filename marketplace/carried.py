"""What a message of the queue carries of the work that it was asked for in, and what a worker does with it.

The ids on the lines of the log, and the span, go from a request to the messages it enqueues, and on to theirs.
"""

import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from marketplace import logs, metric_folders, metrics, tracing

IDS = ("request_id", "account")
"""The ids that go along; all others are of what the message itself is about."""

log = logging.getLogger(__name__)


@dataclass
class _Work:
    stack: ExitStack
    function: str
    began: float


_now: list[_Work] = []
"""The message that this process works on; one at a time."""


def carried() -> dict[str, Any]:
    """What a message takes with it from here."""
    ids = {name: value for name, value in logs.bound().items() if name in IDS}
    return {"ids": ids, "span": tracing.carrier(on=settings.TRACED)}


def begin(function: Callable[..., object] | None, path: str, arguments: tuple[Any, ...], given: dict[str, Any]) -> None:
    """A worker begins with a message: put the ids of what it is about on every line, and open its span."""
    while _now:
        # One that was cut off by its time limit.
        end(done=False)
    stack = ExitStack()
    ids = logs.ids_of_call(function, arguments) if function is not None else {}
    stack.enter_context(logs.alone(**{**given.get("ids", {}), **ids, "function": path}))
    span = stack.enter_context(_span(path, ids, given))
    logs.bind(trace=tracing.trace_id(span))
    _now.append(_Work(stack, path, time.perf_counter()))


def _span(path: str, ids: dict[str, int], given: dict[str, Any]) -> AbstractContextManager[Any]:
    return tracing.span(
        path,
        on=settings.TRACED,
        kind=tracing.CONSUMER,
        process=metric_folders.kind_of(settings.METRICS_FOLDER) or "queue",
        carried=given.get("span"),
        attributes={f"waggle.{name}": key for name, key in ids.items()},
    )


def end(*, done: bool, error: str = "") -> None:
    """The message is done, or has failed with this error: count it, say so, and close its span."""
    if not _now:
        return
    work = _now.pop()
    seconds = time.perf_counter() - work.began
    metrics.count_message(work.function, done=done, seconds=seconds)
    if error:
        log.error("a background function failed after %.1f s\n%s", seconds, error)
    else:
        log.debug("done in %.3f s", seconds)
    failure = None if done else _Failed(work.function)
    with suppress(_Failed):
        work.stack.__exit__(type(failure) if failure else None, failure, None)


class _Failed(Exception):
    """Tells the span of a message that it has failed; never leaves this file."""
