"""Which shapes of different workers are about the same thing, and what the workers together say of it.

Shapes are clustered by average link (clustering.py), at most one of a worker in a cluster. Every worker counts the
same: a thing is there where at least half of those who answered drew it, its label is the one that most of them gave.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic

import numpy as np

from labeling.consolidation.answers import WorkerAnswer, require_distinct
from labeling.consolidation.arrays import Floats, Ints, iou, overlapping_pairs
from labeling.consolidation.clustering import link
from labeling.consolidation.shapes.answers import Comparison, Likeness, Size, diagonal
from labeling.formats.shapes import Shape

MOST_PAIRS = 20_000
"""So many pairs of shapes of one image are compared at most, those first whose bounds overlap most."""


@dataclass(frozen=True, slots=True)
class Member(Generic[Shape]):
    """A shape in a cluster, and how like it is to the merged shape."""

    worker: str
    shape: Shape
    likeness: float


@dataclass(frozen=True, slots=True)
class Candidate(Generic[Shape]):
    """One thing that somebody drew. `answered` workers saw the image; `shape` is the merged one, None where nobody gave
    it a label of the job."""

    members: tuple[Member[Shape], ...]
    answered: int
    label: str | None
    shape: Shape | None

    @property
    def kept(self) -> bool:
        """Whether at least half of those who answered drew it, and it has a label."""
        return self.shape is not None and 2 * len(self.members) >= self.answered

    @property
    def drawn(self) -> float:
        """The share of workers who drew it, smoothed: one more worker is added who half did."""
        return (len(self.members) + 0.5) / (self.answered + 1)

    @property
    def agreed(self) -> float:
        """The same share of those who also gave it its label."""
        return (sum(one.shape.label == self.label for one in self.members) + 0.5) / (self.answered + 1)

    @property
    def confidence(self) -> float:
        """How much of the shape the workers agree on: `agreed`, each of them counted by the likeness of what they
        drew with the merged shape."""
        alike = sum(one.likeness for one in self.members if one.shape.label == self.label)
        return (alike + 0.5) / (self.answered + 1)


def candidates(
    answers: Sequence[WorkerAnswer[tuple[Shape, ...]]],
    *,
    likeness: Likeness[Shape],
    labels: Sequence[str],
    image_size: Size,
) -> list[Candidate[Shape]]:
    """What the newest answer of each worker says of one image, things in the order of their places.

    Raises ValueError for labels that repeat and for an image size that is not positive.
    """
    require_distinct(labels)
    diagonal(image_size)
    rows = [(one.worker, shape) for one in answers for shape in sorted(one.value, key=likeness.key)]
    compare = Comparison(likeness, image_size)
    group = _clustered(rows, compare, labels)
    members: list[list[tuple[str, Shape]]] = [[] for _ in range(int(group.max(initial=-1)) + 1)]
    for row, number in zip(rows, group.tolist(), strict=True):
        members[number].append(row)
    members.sort(key=lambda mine: min((likeness.key(shape), worker) for worker, shape in mine))
    return [_candidate(mine, len(answers), compare, labels) for mine in members]


def affinity(one: Shape, other: Shape, compare: Comparison[Shape], labels: Mapping[str, int]) -> float:
    """Likeness with the labels taken into account; a label that the job does not have says where, not what."""
    across = one.label in labels and other.label in labels and one.label != other.label
    factor = compare.likeness.across_labels if across else 1.0
    return factor * compare(one, other) if factor else 0.0


def _clustered(rows: Sequence[tuple[str, Shape]], compare: Comparison[Shape], labels: Sequence[str]) -> Ints:
    """Cluster number of every row, ascending by first member: (N,)."""
    if not rows:
        return np.empty(0, np.int64)
    numbers = {name: place for place, name in enumerate(sorted({worker for worker, _ in rows}))}
    worker = np.array([numbers[name] for name, _ in rows], np.int64)
    ltrb: Floats = np.array([compare.likeness.bounds(shape, compare.size) for _, shape in rows], np.float64)
    a, b = overlapping_pairs(ltrb, np.zeros(len(rows), np.int64))
    other = worker[a] != worker[b]
    a, b = a[other], b[other]
    nearest = np.lexsort((b, a, -iou(ltrb[a], ltrb[b])))[:MOST_PAIRS]
    a, b = a[nearest], b[nearest]
    known = {label: place for place, label in enumerate(labels)}
    alike = [affinity(rows[i][1], rows[j][1], compare, known) for i, j in zip(a.tolist(), b.tolist(), strict=True)]
    return link(worker, a, b, np.array(alike, np.float64) / compare.likeness.gate, 1.0)


def _candidate(
    mine: Sequence[tuple[str, Shape]], answered: int, compare: Comparison[Shape], labels: Sequence[str]
) -> Candidate[Shape]:
    given = [shape.label for _, shape in mine if shape.label in labels]
    # Of labels with as many votes the first one of the job.
    label = max(labels, key=given.count) if given else None
    agreed = [shape for _, shape in mine if shape.label == label]
    merged = compare.likeness.merged(agreed, compare) if given else None
    members = tuple(
        Member(worker, shape, 0.0 if merged is None else compare(shape, merged))
        for worker, shape in sorted(mine, key=lambda row: row[0])
    )
    return Candidate(members, answered, label, merged)
