"""What goes into and comes out of the consensus of boxes: plain values, checked when made.

Knows nothing of jobs, files or databases. Boxes are in displayed pixels, `left, top, width, height`, any origin.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Explanation = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Box:
    """One box of one worker, or of an expert. Raises ValueError for a box without a finite, positive area."""

    left: float
    top: float
    width: float
    height: float
    label: str

    def __post_init__(self) -> None:
        values = (self.left, self.top, self.width, self.height)
        if not all(map(math.isfinite, values)):
            raise ValueError(f"box {values} is not finite")
        if self.width <= 0 or self.height <= 0:
            raise ValueError(f"box {values}: width and height must be greater than 0")


@dataclass(frozen=True, slots=True)
class WorkerAnswer:
    """All boxes of one worker on one image; no boxes is an answer too: "there is nothing here".

    Where a worker appears more than once on an image the highest `revision` counts, and among equal revisions the
    one whose boxes sort last: a rule that does not depend on the order in which answers are read.
    """

    worker: str
    boxes: tuple[Box, ...] = ()
    revision: int = 0


@dataclass(frozen=True, slots=True)
class ConsolidatedBox:
    """A box of the consensus. `confidence` is the calibrated chance that it is right (IoU >= 0.5, right class);
    `cluster` is its index in the explanation's `clusters`."""

    left: float
    top: float
    width: float
    height: float
    label: str
    confidence: float
    cluster: int


@dataclass(frozen=True, slots=True)
class Consolidated:
    """The consensus on one image, with why. `explanation` is plain JSON with a stable order of keys."""

    boxes: tuple[ConsolidatedBox, ...]
    explanation: dict[str, Any]
    algorithm: str


@dataclass(frozen=True, slots=True)
class ImageAnswers:
    """One image as `fit_workers` and `consolidate_many` read it.

    `gold` is the expert's (or an adjudication's) set of boxes where there is one: None means unknown, () means that
    the expert saw nothing there.
    """

    answers: tuple[WorkerAnswer, ...]
    image_size: tuple[float, float]
    gold: tuple[Box, ...] | None = None
    key: str = field(default="", compare=False)


def latest_answers(answers: Iterable[WorkerAnswer]) -> list[WorkerAnswer]:
    """One answer a worker, the last revision of each, sorted by worker. See WorkerAnswer for ties."""
    latest: dict[str, WorkerAnswer] = {}
    for answer in answers:
        kept = latest.get(answer.worker)
        if kept is None or _rank(answer) > _rank(kept):
            latest[answer.worker] = answer
    return [latest[worker] for worker in sorted(latest)]


def box_key(box: Box) -> tuple[float, float, float, float, str]:
    """The canonical order of boxes, on which every tie in this package is broken."""
    return (box.left, box.top, box.width, box.height, box.label)


def _rank(answer: WorkerAnswer) -> tuple[int, int, list[tuple[float, float, float, float, str]]]:
    return answer.revision, len(answer.boxes), sorted(map(box_key, answer.boxes))
