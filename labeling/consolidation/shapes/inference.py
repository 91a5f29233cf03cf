"""Which shapes of different workers are about the same thing, and what the workers together say of it.

Shapes are clustered by average link (clustering.py), at most one of a worker in a cluster. Whether a thing is there
follows from who drew it and who did not (existence.py); of workers nobody knows at least half have to draw it. Its
label is the one that most of them gave.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic

import numpy as np

from labeling.consolidation.answers import WorkerAnswer, require_distinct
from labeling.consolidation.arrays import Floats, Ints, iou, logistic, overlapping_pairs
from labeling.consolidation.clustering import link
from labeling.consolidation.existence import Pairs, existence_log_odds
from labeling.consolidation.shapes.answers import Comparison, Habits, Likeness, Size, diagonal
from labeling.consolidation.workers.models import WorkerModels
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
    chance: float | None = None
    """That it is there, None of workers nobody knows."""

    @property
    def kept(self) -> bool:
        """Whether it has a label and is more likely there than not, or at least half of those who answered drew it."""
        enough = 2 * len(self.members) >= self.answered if self.chance is None else self.chance >= 0.5
        return self.shape is not None and enough

    @property
    def drawn(self) -> float:
        """The chance that it is there; of workers nobody knows the share of those who drew it, smoothed: one more
        worker is added who half did."""
        return self.chance if self.chance is not None else (len(self.members) + 0.5) / (self.answered + 1)

    @property
    def agreed(self) -> float:
        """The same of those who also gave it its label."""
        same = sum(one.shape.label == self.label for one in self.members)
        if self.chance is not None:
            return self.chance * (same + 0.5) / (len(self.members) + 0.5)
        return (same + 0.5) / (self.answered + 1)

    @property
    def confidence(self) -> float:
        """How much of the shape the workers agree on: `agreed`, each of them counted by the likeness of what they
        drew with the merged shape."""
        alike = sum(one.likeness for one in self.members if one.shape.label == self.label)
        if self.chance is not None:
            return self.chance * (alike + 0.5) / (len(self.members) + 0.5)
        return (alike + 0.5) / (self.answered + 1)


def candidates(
    answers: Sequence[WorkerAnswer[tuple[Shape, ...]]],
    *,
    likeness: Likeness[Shape],
    labels: Sequence[str],
    image_size: Size,
    workers: WorkerModels | None = None,
) -> list[Candidate[Shape]]:
    """What the newest answer of each worker says of one image, things in the order of their places. `workers` is what
    is known of them.

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
    known = workers if workers is not None and workers.skills else None
    found = [_candidate(mine, len(answers), compare, labels, known) for mine in members]
    if known is None or len(answers) < 2 or not found:
        return found
    chances = _chances(found, [one.worker for one in answers], labels, known)
    return [replace(one, chance=chance) for one, chance in zip(found, chances, strict=True)]


def _chances(
    found: Sequence[Candidate[Shape]], names: Sequence[str], labels: Sequence[str], workers: WorkerModels
) -> list[float]:
    rates = workers.rates(names, labels)
    column = {label: place for place, label in enumerate(labels)}
    recall = np.array(
        [rates.recall_by_class[: len(names), column[one.label]] if one.label else rates.recall for one in found]
    )
    drew = np.array([[name in {member.worker for member in one.members} for name in names] for one in found])
    pairs = Pairs(
        np.repeat(np.arange(len(found)), len(names)),
        recall.ravel(),
        np.tile(rates.false_positive_rate, len(found)),
        drew.ravel(),
    )
    return [float(one) for one in logistic(existence_log_odds(pairs, workers.population, len(found)))]


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
    mine: Sequence[tuple[str, Shape]],
    answered: int,
    compare: Comparison[Shape],
    labels: Sequence[str],
    workers: WorkerModels | None,
) -> Candidate[Shape]:
    given = [shape.label for _, shape in mine if shape.label in labels]
    # Of labels with as many votes the first one of the job.
    label = max(labels, key=given.count) if given else None
    agreed = [(worker, shape) for worker, shape in mine if shape.label == label]
    habits = None
    if workers is not None and given:
        rates = workers.rates([worker for worker, _ in agreed])
        habits = Habits(rates.bias[:, :2], rates.spread[:, :2].mean(axis=1))
    merged = compare.likeness.merged([shape for _, shape in agreed], compare, habits) if given else None
    members = tuple(
        Member(worker, shape, 0.0 if merged is None else compare(shape, merged))
        for worker, shape in sorted(mine, key=lambda row: row[0])
    )
    return Candidate(members, answered, label, merged)
