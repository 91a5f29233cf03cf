"""Asking a function: a POST to an address, signed as webhooks are, or a Python function in a process of its own.

Run by the message queue only, never inside a transaction. Knows neither jobs nor objects.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import orjson
from django.conf import settings
from django.utils import timezone
from standardwebhooks import Webhook

from labeling.services.functions import child
from marketplace import fetch, sealing
from marketplace.errors import DomainError

MAX_ANSWER = 16 * 1024 * 1024
"""Bytes of an answer."""

EXCERPT = 200
"""Characters of an answer that an error quotes."""

AT_ONCE = 8
"""Requests to one address that are under way at a time."""

PASSING = frozenset({408, 425, 429})
"""Statuses below 500 by which a server asks to be asked again."""


ENVIRONMENT = ("PATH", "HOME", "LANG", "PYTHONPATH")
"""What the process of a Python function has of our environment, beside what the operator names."""


class CallFailed(Exception):
    """There is no answer. `again` says that the next try may have one."""

    def __init__(self, reason: str, *, again: bool):
        super().__init__(reason)
        self.again = again


Call = Callable[[dict[str, Any], str], Any]
"""Called with the event and the id of the message, returns the answer as JSON has it. Raises CallFailed."""


@dataclass(frozen=True)
class Asker:
    """A function that can be asked; so many of the calls may be made at the same time, from threads."""

    call: Call
    at_once: int


def is_address(path: str) -> bool:
    """Whether a function is an address, and not a Python path."""
    return "://" in path


@contextmanager
def opened(path: str, *, secret: str) -> Iterator[Asker]:
    """The function at `path`; `secret` is the sealed one of its job. What it needed is ended with the block."""
    if is_address(path):
        yield Asker(lambda event, message: _post(path, secret, event, message), AT_ONCE)
        return
    process = _Process(path)
    try:
        yield Asker(process.call, 1)
    finally:
        process.end()


def _post(url: str, secret: str, event: dict[str, Any], message: str) -> Any:
    body, now = orjson.dumps(event), timezone.now()
    try:
        answer = fetch.fetch(
            url,
            method="POST",
            body=body,
            headers={
                "Content-Type": "application/json",
                "webhook-id": message,
                "webhook-timestamp": str(int(now.timestamp())),
                "webhook-signature": Webhook(sealing.unseal(secret)).sign(message, now, body.decode()),
            },
            max_bytes=MAX_ANSWER,
            seconds=settings.FUNCTION_SECONDS,
        )
    except fetch.FetchFailed as error:
        raise CallFailed(error.message, again=True) from None
    except DomainError as error:
        raise CallFailed(error.message, again=False) from None
    if not 200 <= answer.status < 300:
        text = answer.body[: 4 * EXCERPT].decode(errors="replace").replace("\0", "\ufffd")[:EXCERPT]
        reason = f"it answered {answer.status}{f': {text}' if text else ''}"
        raise CallFailed(reason, again=answer.status >= 500 or answer.status in PASSING)
    try:
        return orjson.loads(answer.body)
    except orjson.JSONDecodeError as error:
        raise CallFailed(f"its answer is no JSON: {error}", again=False) from None


def _environment() -> dict[str, str]:
    """Without the rest: the address of the database, keys of the store and of payments are no function's business."""
    return {name: os.environ[name] for name in (*ENVIRONMENT, *settings.FUNCTION_ENVIRONMENT) if name in os.environ}


class _Process:
    """A Python function in a child process, which is started for the first event and after one that was ended."""

    def __init__(self, path: str):
        self._path = path
        self._running: subprocess.Popen[str] | None = None

    def call(self, event: dict[str, Any], message: str) -> Any:
        """See Call."""
        if self._path not in settings.FUNCTIONS:
            raise CallFailed("it is not among WAGGLE_FUNCTIONS, which the operator allows", again=True)
        running = self._started()
        asked = {"event": event, "id": message, "seconds": settings.FUNCTION_SECONDS}
        late = threading.Event()

        def end_late() -> None:
            late.set()
            self._kill(running)

        over = threading.Timer(settings.FUNCTION_SECONDS, end_late)
        over.start()
        try:
            assert running.stdin is not None and running.stdout is not None
            running.stdin.write(json.dumps(asked) + "\n")
            running.stdin.flush()
            line = running.stdout.readline(MAX_ANSWER + 1)
        except BrokenPipeError:
            line = ""
        finally:
            over.cancel()
        if not line.endswith("\n"):
            self.end()
            if late.is_set():
                raise CallFailed(f"it took longer than {settings.FUNCTION_SECONDS} seconds", again=True)
            if line:
                raise CallFailed(f"its answer is larger than {MAX_ANSWER:,} bytes", again=False)
            raise CallFailed("its process ended without an answer", again=True)
        answer = json.loads(line)
        if "failed" in answer:
            raise CallFailed(f"it raised {answer['failed']}", again=True)
        return answer["answer"]

    def _started(self) -> "subprocess.Popen[str]":
        if self._running is None:
            self._running = subprocess.Popen(
                # It is told where this process finds its modules, the function's own among them.
                [sys.executable, child.__file__, self._path, os.pathsep.join(sys.path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                start_new_session=True,
                env=_environment(),
            )
        return self._running

    @staticmethod
    def _kill(running: "subprocess.Popen[str]") -> None:
        # Its group, so that nothing that the function started lives on and holds the pipe.
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)

    def end(self) -> None:
        """End the child process, if it runs."""
        running, self._running = self._running, None
        if running is not None:
            self._kill(running)
            running.wait()
            for pipe in (running.stdin, running.stdout):
                if pipe is not None:
                    with suppress(BrokenPipeError):
                        pipe.close()
