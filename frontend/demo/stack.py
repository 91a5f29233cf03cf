"""The whole system as child processes: those of the Procfile under their supervisor, waited for until it answers."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import urllib3

from marketplace import command_line, installation

PROCESSES = command_line.processes()
START_SECONDS = 180
"""A busy machine with slow disks takes more than a minute."""


class StackFailed(RuntimeError):
    """The system did not come up; the message says what to look at."""


def answers(url: str) -> bool:
    """Whether a web server answers at this address."""
    try:
        urllib3.PoolManager(retries=False, timeout=2).request("GET", url)
    except urllib3.exceptions.HTTPError:
        return False
    return True


@contextmanager
def running(*, url: str, log: Path, environment: dict[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """Start web, queue and learner, wait until the web answers, and stop all of them at the end.

    Raises StackFailed when something else already listens there, or the system does not answer within START_SECONDS.
    """
    if answers(url):
        raise StackFailed(
            f"something already answers at {url}; stop it first, or set WAGGLE_PUBLIC_URL and WAGGLE_BIND"
        )
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "marketplace.supervise", *PROCESSES],
            cwd=installation.FILES,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not answers(url):
            if process.poll() is not None:
                raise StackFailed(f"the system stopped while starting; see {log}")
            if time.monotonic() > deadline:
                raise StackFailed(f"{url} did not answer within {START_SECONDS} seconds; see {log}")
            time.sleep(0.2)
        yield process
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End the system: ask politely, then insist."""
    for attempt, seconds in ((signal.SIGINT, 15), (signal.SIGTERM, 10), (signal.SIGKILL, 5)):
        if process.poll() is not None:
            return
        try:
            os.killpg(process.pid, attempt)
            process.wait(seconds)
        except (subprocess.TimeoutExpired, ProcessLookupError):
            continue
