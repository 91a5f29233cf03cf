"""A Python function of a requester's job in a process of its own: python child.py PATH MODULES.

It reads one event a line from the standard input and writes one answer a line to the standard output, both JSON.
It must not import Django: so it starts at once, and a function that hangs or crashes takes nothing else with it.
"""

import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

log = logging.getLogger(__name__)

MOST_CHARACTERS = 300
"""Of an error that a function raised."""

Handler = Callable[[Any, "Context"], Any]


class Context:
    """What a Lambda handler is told beside the event."""

    memory_limit_in_mb = "0"
    log_group_name = log_stream_name = ""
    identity = client_context = None

    def __init__(self, path: str, request_id: str, seconds: float):
        self.function_name = path
        self.function_version = "$LATEST"
        self.invoked_function_arn = path
        self.aws_request_id = request_id
        self._ends = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        """How long the function may still take."""
        return max(0, round((self._ends - time.monotonic()) * 1000))


def load(path: str) -> Handler:
    """The function behind a dotted path. Raises ImportError or AttributeError."""
    module, _, name = path.rpartition(".")
    found: Handler = getattr(import_module(module), name)
    return found


def answer(handler: Handler, path: str, asked: dict[str, Any]) -> str:
    """The line for one event: {"answer": ...}, or {"failed": why}."""
    try:
        made = handler(asked["event"], Context(path, asked["id"], asked["seconds"]))
        return json.dumps({"answer": made}, allow_nan=False)
    except Exception as error:
        log.exception("the function %s failed", path)
        return failed(error)


def failed(error: Exception) -> str:
    """The line for an event that gets no answer."""
    return json.dumps({"failed": f"{type(error).__name__}: {error}"[:MOST_CHARACTERS]})


def _end_with(parent: int) -> None:
    """End this process when the one that asks is gone, however: a function that hangs must not stay for ever."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def main(path: str) -> None:
    """Answer events until there are no more."""
    threading.Thread(target=_end_with, args=[os.getppid()], daemon=True).start()
    # What the function prints must not come between the answers.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    broken, handler = "", None
    try:
        handler = load(path)
    except Exception as error:
        log.exception("the function %s cannot be loaded", path)
        broken = failed(error)
    for line in sys.stdin:
        out.write((answer(handler, path, json.loads(line)) if handler is not None else broken) + "\n")
        out.flush()


if __name__ == "__main__":
    sys.path[:] = sys.argv[2].split(os.pathsep)
    main(sys.argv[1])
