"""Follows the log of a job on the cluster into the log of its run, while it is written."""

import asyncio
import logging
import threading
from pathlib import Path
from typing import Any

from learning.nodes.parcels import BEGIN

log = logging.getLogger(__name__)

PAUSE_SECONDS = 2.0
END_SECONDS = 10.0
"""How long the rest of the log is waited for, once the job has ended."""


class JobLog:
    """Appends what a job writes to a file; what the cluster itself says before the program starts is left out."""

    def __init__(self, client: Any, submission: str, path: Path):
        self._client, self._submission, self._path = client, submission, path
        self._written = 0  # characters of the job's log that have been dealt with
        self._held: str | None = ""  # what came before BEGIN; None once that has come
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, name=f"log of {submission}", daemon=True)

    def start(self) -> None:
        """Follow it, in a thread of its own."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._thread.start()

    def finish(self, last: str = "") -> None:
        """The job has ended: wait for the rest, and write a last line."""
        self._over.set()
        self._thread.join(END_SECONDS)
        if last:
            self._write(f"{last}\n")

    def _follow(self) -> None:
        while True:
            try:
                asyncio.run(self._tail())
            except Exception as error:  # noqa: BLE001 - of aiohttp, of the client, of a job that is not there yet
                log.debug("%s: the log is followed again in a moment: %s", self._submission, error)
            else:
                if self._over.is_set():
                    return
            if self._over.wait(PAUSE_SECONDS) and self._over.is_set():
                return

    async def _tail(self) -> None:
        # The cluster begins at the beginning each time.
        passed = 0
        async for text in self._client.tail_job_logs(self._submission):
            known = max(0, self._written - passed)
            passed += len(text)
            if new := text[known:]:
                self._take(new)
                self._written = passed

    def _take(self, text: str) -> None:
        if self._held is not None:
            self._held += text
            _, found, rest = self._held.partition(f"{BEGIN}\n")
            if not found:
                return
            self._held, text = None, rest
        self._write(text)

    def _write(self, text: str) -> None:
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write(text)
