"""What goes into and comes out of the consolidation of boxes, and the answers of many images as flat arrays.

Boxes are in displayed pixels. In array shapes N is the number of boxes, M of answers (worker x image), W of workers.
Nothing here judges.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from labeling.consolidation.answers import Proposal, WorkerAnswer, latest_answers, require_distinct
from labeling.consolidation.arrays import Bools, Floats, Ints
from labeling.formats.label_attributes import Values
from labeling.formats.shapes import Box

BoxAnswer = WorkerAnswer[tuple[Box, ...]]

_Place = tuple[str, float, float, float, float]

UNKNOWN = -1
"""The label number of a box whose label the job does not have: it says where, not what."""


@dataclass(frozen=True, slots=True)
class ImageAnswers:
    """The answers to one image of `image_size` (width, height) pixels, as `fit_workers` and `consolidate_many` read it.

    `gold` is the expert's (or an adjudication's) set of boxes where there is one: None means unknown, () means that
    there is nothing to be found. `proposals` are what models said of it; of those that nobody has seen the label is
    independent.
    """

    answers: tuple[BoxAnswer, ...]
    image_size: tuple[float, float]
    gold: tuple[Box, ...] | None = None
    key: str = field(default="", compare=False)
    proposals: tuple[Proposal[tuple[Box, ...]], ...] = ()

    @property
    def shown(self) -> Proposal[tuple[Box, ...]] | None:
        """The proposal that people began with, if any did."""
        return next((one for one in self.proposals if one.seen_by), None)


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
    (or UNKNOWN), `score` (N,) confidences (NaN: none), and `attributes` what was said of each beside. `answer_image`,
    `answer_worker` (M,) list who answered which image, boxes or not. `ignored` lists (image, worker name, left, top,
    width, height) of the boxes that lie outside their image.

    A model whose proposal people began with is one of the workers, by `proposer` (W,). `began` (M,) are the answers
    that began with it. A box of it that such an answer has exactly as it was shown is not listed again: `copied` (C, 2)
    has the number of the box and that of the worker.
    """

    images: int
    workers: list[str]
    labels: tuple[str, ...]
    size: Floats
    ltrb: Floats
    image: Ints
    worker: Ints
    label: Ints
    score: Floats
    attributes: list[Values]
    answer_image: Ints
    answer_worker: Ints
    ignored: list[tuple[int, str, float, float, float, float]]
    proposer: Bools
    began: Bools
    copied: Ints


def flatten(images: Sequence[ImageAnswers], labels: Sequence[str]) -> AnswerArrays:
    """The newest answer of each worker to each of `images`, as arrays.

    Raises ValueError for labels that repeat, for an image without a positive size and for a box without a finite,
    positive area.
    """
    require_distinct(labels)
    number_of = {label: number for number, label in enumerate(labels)}
    listed = _Listed(number_of)
    for number, one in enumerate(images):
        if not (one.image_size[0] > 0 and one.image_size[1] > 0):
            raise ValueError(f"image {one.key or number}: size {one.image_size} must be positive")
        shown, at = one.shown, {}
        if shown is not None:
            at = listed.add(number, shown.model, shown.value)
            listed.proposers.add(shown.model)
        for answer in latest_answers(one.answers, _order):
            began = shown is not None and answer.worker in shown.seen_by
            listed.add(number, answer.worker, answer.value, at if began else None)
    workers = sorted(listed.names)
    rank = np.empty(len(workers), np.int64)
    rank[[listed.names[name] for name in workers]] = np.arange(len(workers))
    size = np.array([one.image_size for one in images], np.float64).reshape(-1, 2)
    return _clipped(listed, rank, size, workers, tuple(labels))


class _Listed:
    """The rows of all boxes, the answers, and which boxes of a proposal answers have as they were shown."""

    def __init__(self, number_of: Mapping[str, int]) -> None:
        self.number_of = number_of
        self.names: dict[str, int] = {}
        self.proposers: set[str] = set()
        self.rows: list[tuple[float, float, float, float, int, int, int, float]] = []
        self.said: list[Values] = []
        self.answers: list[tuple[int, int, bool]] = []
        self.copied: list[tuple[int, int]] = []

    def add(
        self, image: int, name: str, boxes: Sequence[Box], shown: Mapping[_Place, int] | None = None
    ) -> dict[_Place, int]:
        """List an answer that began with the boxes `shown`, if it did; returns the rows of its own boxes by place."""
        worker = self.names.setdefault(name, len(self.names))
        self.answers.append((image, worker, shown is not None))
        left, own = dict(shown or {}), {}
        for box in boxes:
            place = (box.label, box.left, box.top, box.width, box.height)
            if not box.attributes and (row := left.pop(place, None)) is not None:
                self.copied.append((row, worker))
                continue
            own[place] = len(self.rows)
            label = self.number_of.get(box.label, UNKNOWN)
            score = np.nan if box.confidence is None else box.confidence
            self.rows.append((box.left, box.top, box.width, box.height, image, worker, label, score))
            self.said.append(box.attributes)
        return own


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


def _clipped(listed: _Listed, rank: Ints, size: Floats, workers: list[str], labels: tuple[str, ...]) -> AnswerArrays:
    table = np.array(listed.rows, np.float64).reshape(-1, 8)
    who = np.array(listed.answers, np.int64).reshape(-1, 3)
    ltrb = _checked_edges(table[:, :4])
    image, worker, label = table[:, 4:7].astype(np.int64).T
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
    place = np.full(len(table), -1, np.int64)
    place[kept[order]] = np.arange(len(order))
    copied = np.array(listed.copied, np.int64).reshape(-1, 2)
    copied = np.stack([place[copied[:, 0]], rank[copied[:, 1]]], axis=1)
    return AnswerArrays(
        images=len(size),
        workers=workers,
        labels=labels,
        size=size,
        ltrb=clipped[order],
        image=image[order],
        worker=worker[order],
        label=label[order],
        score=table[inside, 7][order],
        attributes=[listed.said[i] for i in kept[order].tolist()],
        answer_image=who[:, 0],
        answer_worker=rank[who[:, 1]],
        ignored=sorted(ignored),
        proposer=np.array([name in listed.proposers for name in workers], bool),
        began=who[:, 2].astype(bool),
        copied=copied[copied[:, 0] >= 0],
    )


def _order(boxes: tuple[Box, ...]) -> tuple[int, list[tuple[float, float, float, float, str, str]]]:
    """Among equal revisions of one worker the one with more boxes counts, then the one whose boxes sort last."""
    return len(boxes), sorted((b.left, b.top, b.width, b.height, b.label, repr(b.attributes)) for b in boxes)
