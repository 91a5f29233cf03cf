"""One prediction as several jobs of a cluster: pieces of its manifest, predicted beside each other, joined in order.

A piece that fails is started again alone. What a piece has predicted stays in the store until the run is over, so that
a later start of the run, by whatever learner, does only what is left. Knows folders and jobs; no rows, no pixels.
"""

import logging
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import orjson

from learning.contract import EXIT_BAD_INPUT, EXIT_DONE, PREDICT, JobFolder, MetricWriter, read_metrics
from learning.nodes.parcels import PIECES, Order, is_input
from learning.prediction_runs import Report
from learning.services.programs.executor import LOG, NotRun, Program
from learning.serving.shards import content_of, count_lines

log = logging.getLogger(__name__)

TRIES = 4
"""After how many failures of one piece the run has failed."""
MOST_STARTS = 1000
"""More than the jobs that a piece has in one start of the run: its parcels are numbered by both."""
PROGRESS = "predict:progress"
PAUSE_SECONDS = 10.0
"""Before a piece is tried again for which the cluster had no room."""


@dataclass
class Piece:
    """Lines of the manifest in `root`: `lines` of them, the first of which is `first` (from zero).

    They are the bytes from `begin` to `end` of the manifest. `key` names the piece by what its lines say, so that the
    predictions of other lines are never taken for its own. `starts` counts the jobs of this start of the run,
    `failures` those that have failed.
    """

    root: Path
    number: int
    first: int
    lines: int
    begin: int
    end: int
    key: str
    starts: int = 1
    failures: int = 0
    not_before: float = 0.0
    offset: int = 0
    progress: float = 0.0

    @property
    def folder(self) -> Path:
        """Where its results are put, at the learner."""
        return self.root / PIECES / self.key

    @property
    def name(self) -> str:
        """How it is called in logs."""
        return f"lines {self.first + 1} to {self.first + self.lines}"

    def is_whole(self) -> bool:
        """Whether all of its predictions are there."""
        found = JobFolder(self.folder).predictions
        return found.exists() and count_lines(found) == self.lines

    def input(self) -> tuple[Callable[[Path], bool], Mapping[str, bytes]]:
        """Which files of the folder its job reads, and its part of the manifest by its name in the folder."""
        manifest = JobFolder(self.root).manifest(PREDICT)
        with manifest.open("rb") as stream:
            stream.seek(self.begin)
            text = stream.read(self.end - self.begin)
        own = set(_images(text, self.root))
        channel = manifest.parent.relative_to(self.root)

        def wanted(path: Path) -> bool:
            return is_input(path) and (not path.is_relative_to(channel) or path in own)

        return wanted, {str(manifest.relative_to(self.root)): text}

    def seen(self) -> float:
        """The share of it that is predicted, as far as it was told."""
        found, self.offset = read_metrics(JobFolder(self.folder).metrics, offset=self.offset)
        self.progress = max([self.progress, *(one.value for one in found if one.name == PROGRESS)])
        return self.progress


def _images(text: bytes, root: Path) -> Iterator[Path]:
    """The files below `root` that manifest lines name. What cannot be read is the program's to complain about."""
    for line in text.splitlines():
        try:
            body = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        for value in body.values() if isinstance(body, dict) else ():
            if isinstance(value, str) and value.startswith(f"{root}/"):
                yield Path(value).relative_to(root)


def pieces_of(folder: Path, lines: int) -> list[Piece]:
    """The manifest in pieces of so many lines; empty for one that is not longer than that, or `lines` 0."""
    if not lines:
        return []
    found: list[Piece] = []
    with JobFolder(folder).manifest(PREDICT).open("rb") as stream:
        while some := [line for _, line in zip(range(lines), stream, strict=False)]:
            begin, size = found[-1].end if found else 0, sum(map(len, some))
            first = found[-1].first + found[-1].lines if found else 0
            # The folder has another name at another learner.
            key = f"{len(found):06d}-{content_of(some, folder)[:16]}"
            found.append(Piece(folder, len(found), first, len(some), begin, begin + size, key))
    return found if len(found) > 1 else []


class Job(Program, Protocol):
    """A job that was submitted; see ray_jobs.RayProgram."""

    submission: str


class Starter(Protocol):
    """What starts jobs; see ray_jobs.RayExecutor."""

    jobs: int

    def start_piece(self, piece: Piece, folder: Path, order: Order, *, run: str, number: int) -> Job: ...

    def kept_piece(self, piece: Piece, *, run: str) -> None: ...

    def client(self) -> Any: ...

    def end(self, client: Any, submissions: Sequence[str]) -> None: ...


@dataclass
class _Held:
    """The jobs that run, by the piece's number, and the pieces that wait."""

    running: dict[int, tuple[Piece, Job]] = field(default_factory=dict)
    waiting: list[Piece] = field(default_factory=list)


class Divided:
    """A program of several jobs. Its exit status is 0 once all predictions are joined, or when it was told to end."""

    def __init__(self, starter: Starter, folder: Path, pieces: Sequence[Piece], *, order: Order, run: str, number: int):
        self._starter, self._folder, self.pieces = starter, JobFolder(folder), list(pieces)
        self._order, self._run, self._number = order, run, number
        self._folder.output.mkdir(parents=True, exist_ok=True)
        for piece in self.pieces:
            if not piece.is_whole():
                starter.kept_piece(piece, run=run)
        self._held = _Held(waiting=[piece for piece in self.pieces if not piece.is_whole()])
        self._status: int | None = None
        self._failure: tuple[int, str] | None = None
        self._stopping = False
        self._total = sum(piece.lines for piece in self.pieces)
        self._metrics = MetricWriter(self._folder, None)
        self._done = self._predicted()
        self._report = Report(self._metrics, self._total, self._done)
        there = len(self.pieces) - len(self._held.waiting)
        self._say(f"{self._total} lines in {len(self.pieces)} jobs, of which {there} were done before")

    def poll(self) -> int | None:
        """See Program.poll. Raises NotRun when the cluster takes none of the jobs."""
        if self._status is None:
            self._begin()
            for number, (piece, job) in list(self._held.running.items()):
                # A failure of one ends the others.
                if number in self._held.running:
                    self._look(piece, job)
            self._done = max(self._done, self._predicted())
            self._report.done(self._done)
            if not self._held.running and (self._stopping or self._failure or not self._held.waiting):
                self._status = self._concluded()
        return self._status

    def terminate(self) -> None:
        """See Program.terminate."""
        self._stopping = True
        for _, job in self._held.running.values():
            job.terminate()

    def kill(self) -> None:
        """See Program.kill."""
        self._end_all()
        if self._status is None:
            self._status = -signal.SIGKILL
            self._metrics.close()

    def _begin(self) -> None:
        held, now = self._held, time.monotonic()
        for piece in list(held.waiting):
            if self._stopping or self._failure or len(held.running) >= self._starter.jobs:
                return
            if piece.not_before > now:
                continue
            try:
                job = self._starter.start_piece(
                    piece, self._folder.root, self._order, run=self._run, number=self._number
                )
            except NotRun:
                if not held.running:
                    raise
                piece.not_before = now + PAUSE_SECONDS
                return
            held.waiting.remove(piece)
            held.running[piece.number] = piece, job

    def _look(self, piece: Piece, job: Job) -> None:
        try:
            status = job.poll()
        except NotRun as error:
            del self._held.running[piece.number]
            self._again(piece, str(error), pause=PAUSE_SECONDS)
            return
        if status is None:
            return
        del self._held.running[piece.number]
        self._take_log(piece)
        if (status == EXIT_DONE and piece.is_whole()) or self._stopping or self._failure:
            return
        piece.failures += 1
        reason = JobFolder(piece.folder).read_failure() or f"its job ended with status {status}"
        if status == EXIT_BAD_INPUT or piece.failures >= TRIES:
            self._failure = status or 1, f"{piece.name} of the manifest: {reason}"
            self._end_all()
            return
        self._again(piece, reason, pause=2.0 ** (piece.failures - 1))

    def _again(self, piece: Piece, reason: str, *, pause: float) -> None:
        """This piece alone is started once more."""
        piece.starts += 1
        piece.offset, piece.not_before = 0, time.monotonic() + pause
        self._held.waiting.insert(0, piece)
        self._say(f"{piece.name}: {reason}; started again")

    def _end_all(self) -> None:
        jobs = [job for _, job in self._held.running.values()]
        self._held.running.clear()
        try:
            self._starter.end(self._starter.client(), [job.submission for job in jobs])
        except NotRun as error:
            # They are ended before the run is started again.
            log.warning("the jobs of %s cannot be ended now: %s", self._run, error)
        for job in jobs:
            job.kill()

    def _concluded(self) -> int:
        if self._failure:
            status, reason = self._failure
            self._say(reason)
            self._folder.write_failure(reason)
        elif all(piece.is_whole() for piece in self.pieces):
            status = EXIT_DONE
            self._join()
            self._report.done(self._total, last=True)
        else:
            status = EXIT_DONE
            self._folder.write_stopped(step=self._done, epoch=0)
        self._metrics.close()
        return status

    def _join(self) -> None:
        """All predictions in the manifest's order, in one file; each piece has counted its lines from zero."""
        target = self._folder.predictions
        beside = target.with_name(f".{target.name}.tmp")
        with beside.open("wb") as out:
            for piece in self.pieces:
                with JobFolder(piece.folder).predictions.open("rb") as lines:
                    for line in lines:
                        body = orjson.loads(line)
                        body["index"] += piece.first
                        out.write(orjson.dumps(body) + b"\n")
        beside.replace(target)
        shutil.rmtree(self._folder.root / PIECES, ignore_errors=True)

    def _predicted(self) -> int:
        waiting, running = ({piece.number for piece in some} for some in (self._held.waiting, self._running()))
        done = sum(one.lines for one in self.pieces if one.number not in waiting | running)
        return done + sum(int(one.seen() * one.lines) for one in self._running())

    def _running(self) -> list[Piece]:
        return [piece for piece, _ in self._held.running.values()]

    def _take_log(self, piece: Piece) -> None:
        """Pieces write beside each other: the words of each are kept together."""
        path = piece.folder / "output" / LOG
        if not path.exists():
            return
        self._say(f"--- {piece.name}, job {piece.starts}")
        with path.open("rb") as found, (self._folder.output / LOG).open("ab") as out:
            shutil.copyfileobj(found, out)
        path.unlink()

    def _say(self, message: str) -> None:
        with (self._folder.output / LOG).open("a", encoding="utf-8") as out:
            out.write(f"{message}\n")
