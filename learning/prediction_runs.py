"""A prediction over a manifest: continued after the last complete line, with its progress and stop.

It must not know what predicts, nor pixels or texts.
"""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from itertools import islice
from typing import Protocol, TypeVar

from learning.contract import BadInput, JobFolder, MetricWriter, Prediction, cut_half_line, read_predictions
from learning.program import Stop

REPORT_SECONDS = 1.0


class Subject(Protocol):
    """What is predicted: a line of the manifest."""

    @property
    def source_ref(self) -> str: ...

    @property
    def object_id(self) -> int | None: ...


Item = TypeVar("Item", bound=Subject)


def predict_all(
    folder: JobFolder,
    *,
    items: Callable[[], Iterable[Item]],
    predicted: Callable[[Iterable[Item]], Iterable[list[Prediction]]],
    stop: Stop,
) -> None:
    """Write output/predictions.jsonl, a line for each of `items()`, which is called several times.

    `predicted` gives the predictions of items in their order, some at a time; they are written as they come. A bad
    line of the manifest is reported before any work is done. Raises BadInput when the lines that are there are of
    another manifest.
    """
    total = sum(1 for _ in items())
    done = _lines_done(folder, items)
    with closing(MetricWriter(folder, sys.stdout)) as metrics, folder.predictions.open("a", encoding="utf-8") as out:
        report = Report(metrics, total, done)
        for some in predicted(islice(items(), done, None)):
            out.writelines(one.to_line() for one in some)
            out.flush()
            done += len(some)
            report.done(done)
            if stop():
                folder.write_stopped(step=done, epoch=0)
                return
        report.done(done, last=True)


class Report:
    """Progress about once a second, of `total` lines of which `done` were there at the start."""

    def __init__(self, metrics: MetricWriter, total: int, done: int) -> None:
        self._metrics, self._total, self._last_done, self._since = metrics, total, done, time.monotonic()

    def done(self, count: int, *, last: bool = False) -> None:
        """So many lines are predicted."""
        elapsed = time.monotonic() - self._since
        if elapsed < REPORT_SECONDS and not last:
            return
        if count > self._last_done:
            speed = (count - self._last_done) / max(elapsed, 1e-6)
            self._metrics.write("predict:objects_per_second", speed, step=count, epoch=0)
        self._metrics.write("predict:progress", count / max(1, self._total), step=count, epoch=0)
        self._last_done, self._since = count, time.monotonic()


def chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """The items, at most `size` at a time."""
    items = iter(items)
    while chunk := list(islice(items, size)):
        yield chunk


def _lines_done(folder: JobFolder, items: Callable[[], Iterable[Item]]) -> int:
    """How many predictions an earlier start has written."""
    done = cut_half_line(folder.predictions)
    if not done:
        return 0
    *_, last = read_predictions(folder.predictions)
    item = next(islice(items(), done - 1, None), None)
    if item is None or (item.source_ref, item.object_id) != (last.source_ref, last.object_id):
        raise BadInput(f"predictions.jsonl has {done} lines of another manifest: start in a fresh folder")
    return done
