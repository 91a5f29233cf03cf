"""Carries a run's log and samples from its folder into the store, while it runs and at its end.

Knows files and addresses; what a program is for it does not know. A store that does not answer never ends a run: what
could not be carried is carried the next time.
"""

import logging
import time
from pathlib import Path
from typing import Any

from learning.contract import JobFolder
from learning.samples import FOLDER, IMAGE, INDEX, MOST_BYTES
from learning.services import run_records
from learning.services.programs.executor import LOG
from marketplace import storage
from marketplace.errors import DomainError

log = logging.getLogger(__name__)

PAUSE_SECONDS = 3.0
READ_BYTES = 1 << 20
MOST_LOG_BYTES = 64 << 20  # of the whole log its end is kept
METRIC = run_records.METRIC.encode()


class Recorder:
    """Keeps what there is to see of one run, whose account is loaded."""

    def __init__(self, run: Any, folder: JobFolder) -> None:
        self._run, self._folder = run, folder
        self._tail = Tail(folder.output / LOG)
        self._carried: dict[str, int] = {}  # file of the samples -> its time of change in ns
        self._next = 0.0

    def carry(self) -> None:
        """Called several times a second while the program runs: now and then carry what is new."""
        if time.monotonic() < self._next:
            return
        self._attempt(whole=False)
        self._next = time.monotonic() + PAUSE_SECONDS

    def keep(self) -> None:
        """The program has ended: carry what is new, and the whole log."""
        self._attempt(whole=True)

    def _attempt(self, *, whole: bool) -> None:
        try:
            self._carry_tail()
            self._carry_samples()
            if whole:
                self._carry_log()
        except (DomainError, OSError) as error:
            log.warning("%s %s: log and samples are not kept: %s", self._run._meta.verbose_name, self._run.pk, error)

    def _carry_tail(self) -> None:
        if (tail := self._tail.changed()) is not None:
            storage.write(run_records.uri(self._run, run_records.TAIL), tail, content_type="text/plain; charset=utf-8")
            self._tail.written = tail

    def _carry_samples(self) -> None:
        folder = self._folder.output / FOLDER
        if not folder.is_dir():
            return
        # The index last: what it names is there then.
        for path in sorted(folder.iterdir(), key=lambda path: path.name == INDEX):
            if not (path.name == INDEX or IMAGE.fullmatch(path.name)) or path.is_symlink():
                continue
            found = path.stat()
            if found.st_size > MOST_BYTES or self._carried.get(path.name) == found.st_mtime_ns:
                continue
            kind = "application/json" if path.name == INDEX else "image/jpeg"
            storage.write(run_records.uri(self._run, FOLDER, path.name), path.read_bytes(), content_type=kind)
            self._carried[path.name] = found.st_mtime_ns

    def _carry_log(self) -> None:
        path = self._folder.output / LOG
        if not path.exists():
            return
        with path.open("rb") as stream:
            stream.seek(max(0, path.stat().st_size - MOST_LOG_BYTES))
            storage.write(run_records.uri(self._run, run_records.LOG), stream, content_type="text/plain; charset=utf-8")


class Tail:
    """The last lines of a growing log, without those that repeat metrics; never more than TAIL_BYTES."""

    def __init__(self, path: Path) -> None:
        self._path, self._offset = path, 0
        self._rest, self._lines = b"", b""
        self.written: bytes | None = None

    def changed(self) -> bytes | None:
        """The tail now; None when it is what was written last."""
        if not self._path.exists():
            return None
        with self._path.open("rb") as stream:
            stream.seek(self._offset)
            while block := stream.read(READ_BYTES):
                self._offset += len(block)
                self._take(block)
        # A line that has not ended is shown as far as it goes: a progress bar may never end one.
        rest = b"" if self._rest.startswith(METRIC) else self._rest
        now = (self._lines + rest)[-run_records.TAIL_BYTES :]
        return None if now == (self.written or b"") else now

    def _take(self, block: bytes) -> None:
        *whole, self._rest = (self._rest + block).split(b"\n")
        self._rest = self._rest[-run_records.TAIL_BYTES :]
        told = b"".join(line + b"\n" for line in whole if not line.startswith(METRIC))
        self._lines = (self._lines + told)[-run_records.TAIL_BYTES :]
