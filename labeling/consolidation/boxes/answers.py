"""What goes into and comes out of the consolidation of boxes, and the answers of many images as flat arrays.

Boxes are in displayed pixels. In array shapes N is the number of boxes, M of answers (worker x image), W of workers.
Nothing here judges.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from labeling.consolidation.answers import WorkerAnswer, latest_answers, require_distinct
from labeling.consolidation.arrays import Bools, Floats, Ints
from labeling.formats.label_attributes import Values
from labeling.formats.shapes import Box

BoxAnswer = WorkerAnswer[tuple[Box, ...]]

UNKNOWN = -1
"""The label number of a box whose label the job does not have: it says where, not what."""


@dataclass(frozen=True, slots=True)
class ImageAnswers:
    """The answers to one image of `image_size` (width, height) pixels, as `fit_workers` and `consolidate_many` read it.

    `gold` is the expert's (or an adjudication's) set of boxes where there is one: None means unknown, () means that
    there is nothing to be found.
    """

    answers: tuple[BoxAnswer, ...]
    image_size: tuple[float, float]
    gold: tuple[Box, ...] | None = None
    key: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class ConsolidatedBox(Box):
    """A box of the consensus. `confidence` is the calibrated chance that it is right (IoU >= 0.5, right class);
    `cluster` is its index in the explanation's `clusters`."""

    confidence: float = 0.0
    cluster: int = 0


@dataclass(frozen=True, slots=True)
class Consolidated:
    """The consensus on one image, with why. `explanation` is plain JSON with a stable order of keys."""

    boxes: tuple[ConsolidatedBox, ...]
    explanation: dict[str, Any]
    algorithm: str


@dataclass(frozen=True, slots=True)
class AnswerArrays:
    """The answers on many images as flat arrays, in an order that depends on the boxes alone.

    `images` is the number of images, `size` (images, 2) their width and height. `ltrb` (N, 4) are left, top, right,
    bottom, clipped to the image; `image`, `worker`, `label` (N,) are numbers of images, of `workers` and of `labels`
    (or UNKNOWN), and `attributes` what was said of each beside. `answer_image`, `answer_worker` (M,) list who answered
    which image, boxes or not. `ignored` lists (image, worker name, left, top, width, height) of the boxes that lie
    outside their image.
    """

    images: int
    workers: list[str]
    labels: tuple[str, ...]
    size: Floats
    ltrb: Floats
    image: Ints
    worker: Ints
    label: Ints
    attributes: list[Values]
    answer_image: Ints
    answer_worker: Ints
    ignored: list[tuple[int, str, float, float, float, float]]


def flatten(images: Sequence[ImageAnswers], labels: Sequence[str]) -> AnswerArrays:
    """The newest answer of each worker to each of `images`, as arrays.

    Raises ValueError for labels that repeat, for an image without a positive size and for a box without a finite,
    positive area.
    """
    require_distinct(labels)
    number_of = {label: number for number, label in enumerate(labels)}
    rows: list[tuple[float, float, float, float, int, int, int]] = []
    said: list[Values] = []
    answers: list[tuple[int, int]] = []
    names: dict[str, int] = {}
    for number, one in enumerate(images):
        if not (one.image_size[0] > 0 and one.image_size[1] > 0):
            raise ValueError(f"image {one.key or number}: size {one.image_size} must be positive")
        for answer in latest_answers(one.answers, _order):
            worker = names.setdefault(answer.worker, len(names))
            answers.append((number, worker))
            rows.extend(
                (b.left, b.top, b.width, b.height, number, worker, number_of.get(b.label, UNKNOWN))
                for b in answer.value
            )
            said.extend(b.attributes for b in answer.value)
    workers = sorted(names)
    rank = np.empty(len(names), np.int64)
    rank[[names[name] for name in workers]] = np.arange(len(workers))
    table = np.array(rows, np.float64).reshape(-1, 7)
    who = np.array(answers, np.int64).reshape(-1, 2)
    size = np.array([one.image_size for one in images], np.float64).reshape(-1, 2)
    return _clipped(table, said, rank, who, size, workers, tuple(labels))


def edges_of(boxes: Sequence[Box]) -> Floats:
    """Left, top, right, bottom of `boxes` (N, 4). Raises ValueError for a box without a finite, positive area."""
    ltwh = np.array([(b.left, b.top, b.width, b.height) for b in boxes], np.float64).reshape(-1, 4)
    return _checked_edges(ltwh)


def _checked_edges(ltwh: Floats) -> Floats:
    finite: Bools = np.asarray(np.isfinite(ltwh).all(axis=1))
    good: Bools = finite & (ltwh[:, 2:] > 0).all(axis=1)
    if not good.all():
        worst = int(good.argmin())
        values = tuple(ltwh[worst].tolist())
        if finite[worst]:
            raise ValueError(f"box {values}: width and height must be greater than 0")
        raise ValueError(f"box {values} is not finite")
    return np.concatenate([ltwh[:, :2], ltwh[:, :2] + ltwh[:, 2:]], axis=1)


def _clipped(
    table: Floats,
    said: Sequence[Values],
    rank: Ints,
    who: Ints,
    size: Floats,
    workers: list[str],
    labels: tuple[str, ...],
) -> AnswerArrays:
    ltrb = _checked_edges(table[:, :4])
    image, worker, label = table[:, 4:].astype(np.int64).T
    worker = rank[worker]
    clipped = np.clip(ltrb, 0.0, np.tile(size[image], 2))
    inside: Bools = (clipped[:, 2] - clipped[:, 0] > 0) & (clipped[:, 3] - clipped[:, 1] > 0)
    ignored = [
        (int(image[i]), workers[worker[i]], *(float(v) for v in (*ltrb[i, :2], *(ltrb[i, 2:] - ltrb[i, :2]))))
        for i in np.flatnonzero(~inside)
    ]
    kept = np.flatnonzero(inside)
    clipped, image, worker, label = clipped[inside], image[inside], worker[inside], label[inside]
    columns = (worker, label, clipped[:, 3], clipped[:, 2], clipped[:, 1], clipped[:, 0], image)
    order = np.lexsort(columns)
    return AnswerArrays(
        images=len(size),
        workers=workers,
        labels=labels,
        size=size,
        ltrb=clipped[order],
        image=image[order],
        worker=worker[order],
        label=label[order],
        attributes=[said[i] for i in kept[order].tolist()],
        answer_image=who[:, 0],
        answer_worker=rank[who[:, 1]],
        ignored=sorted(ignored),
    )


def _order(boxes: tuple[Box, ...]) -> tuple[int, list[tuple[float, float, float, float, str, str]]]:
    """Among equal revisions of one worker the one with more boxes counts, then the one whose boxes sort last."""
    return len(boxes), sorted((b.left, b.top, b.width, b.height, b.label, repr(b.attributes)) for b in boxes)
