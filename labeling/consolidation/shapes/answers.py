"""What goes into and comes out of the consolidation of drawn shapes: polygons, polylines, key points.

Shapes are in displayed pixels. A `Likeness` says all that one kind of shape has to say of itself; nothing else here or
beside knows which kind it is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any, ClassVar, Generic

import numpy as np

from labeling.consolidation.answers import WorkerAnswer, latest_answers
from labeling.consolidation.arrays import Floats
from labeling.consolidation.shapes.averaging import mean_outline
from labeling.formats.shapes import Polygon, Shape

WORTH = 0.02
"""Likeness with those who drew it that a mean may have less than the one of them that is most like the others, which
has the likeness of one with itself."""

Size = tuple[float, float]
"""Width and height of an image in pixels."""


@dataclass(frozen=True, slots=True)
class ImageShapes(Generic[Shape]):
    """The answers to one image. `gold` is the true set of shapes where it is known, () where there is nothing."""

    answers: tuple[WorkerAnswer[tuple[Shape, ...]], ...]
    image_size: Size
    gold: tuple[Shape, ...] | None = None
    key: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class ConsolidatedShapes(Generic[Shape]):
    """The consensus on one image, with why. `clusters` are the indices of `shapes` in the explanation's clusters;
    `confidence` is the mean over the shapes, None without any."""

    shapes: tuple[Shape, ...]
    clusters: tuple[int, ...]
    confidence: float | None
    explanation: dict[str, Any]
    algorithm: str
    confidence_low: float | None = None
    confidence_high: float | None = None
    difficulty: float | None = None


@dataclass(frozen=True, slots=True)
class Habits:
    """Of those who drew some shapes: how far to the right and down of others' (M, 2), and how widely against the crowd
    (M,), in the units of Likeness.residual."""

    bias: Floats
    spread: Floats


class Likeness(ABC, Generic[Shape]):
    """How alike two shapes of one kind are, whatever their labels, and what becomes of several that are about the same
    thing."""

    gate: ClassVar[float] = 0.25
    """Mean likeness from which shapes are about the same thing."""
    right: ClassVar[float] = 0.5
    """Likeness with a true shape from which a shape is right."""
    across_labels: ClassVar[float] = 0.6
    """Factor on the likeness of shapes with two labels: 0 where these are never about the same thing."""

    @abstractmethod
    def between(self, one: Shape, other: Shape, size: Size) -> float:
        """1 for the same place, 0 for nothing in common; the same with the two exchanged."""

    @abstractmethod
    def points(self, shape: Shape) -> Floats:
        """Its vertices: (V, 2)."""

    @abstractmethod
    def reach(self, size: Size) -> float:
        """How many pixels a shape may lie from another that is like it, at most."""

    @abstractmethod
    def merged(self, members: Sequence[Shape], compare: Comparison[Shape], habits: Habits | None = None) -> Shape:
        """The shape that stands for all `members`, at least one, which have the same label; `habits` are of those who
        drew them, in the same order."""

    def residual(self, shape: Shape, merged: Shape, size: Size) -> Floats | None:
        """Where a member lies against the merged or true shape, to the right and down (2,), in units in which people's
        habits are told; None where a kind of shape has none."""
        return None

    def bounds(self, shape: Shape, size: Size) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of the place in which all shapes like it have a part, half the reach round it."""
        points, more = self.points(shape), self.reach(size) / 2
        (left, top), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
        return left - more, top - more, right + more, bottom + more

    def key(self, shape: Shape) -> tuple[Any, ...]:
        """The canonical order: ties are broken on it, so that the order of answers changes nothing."""
        points = self.points(shape)
        return (
            *points.mean(axis=0).tolist(),
            len(points),
            points.ravel().tolist(),
            shape.label,
            repr(shape.attributes),
        )

    def latest(self, answers: Iterable[WorkerAnswer[tuple[Shape, ...]]]) -> list[WorkerAnswer[tuple[Shape, ...]]]:
        """One answer a worker, sorted by worker; of equal revisions the one with more shapes, then the one whose
        shapes sort last. Raises ValueError for a shape with a coordinate that is not finite."""
        found = latest_answers(answers, lambda shapes: (len(shapes), sorted(map(self.key, shapes))))
        for answer in found:
            for shape in answer.value:
                if not np.isfinite(self.points(shape)).all():
                    raise ValueError(f"{shape.label!r} of {answer.worker!r}: a coordinate is not finite")
        return found


def diagonal(size: Size) -> float:
    """Of the image, in pixels. Raises ValueError for a size that is not positive."""
    if not (size[0] > 0 and size[1] > 0):
        raise ValueError(f"the image's size {size} must be positive")
    return float(np.hypot(*size))


class Comparison(Generic[Shape]):
    """The likenesses of the shapes on one image of this size. Each pair is compared once, since that takes long."""

    def __init__(self, likeness: Likeness[Shape], size: Size) -> None:
        self.likeness = likeness
        self.size = size
        self._known: dict[tuple[int, int], tuple[Shape, Shape, float]] = {}

    def __call__(self, one: Shape, other: Shape) -> float:
        """See Likeness.between."""
        if one is other:
            return 1.0
        # By identity; the shapes are kept beside, so that none of them makes room for another one.
        key = (min(id(one), id(other)), max(id(one), id(other)))
        if key not in self._known:
            self._known[key] = one, other, self.likeness.between(one, other, self.size)
        return self._known[key][2]


def mean_of(members: Sequence[Polygon], compare: Comparison[Polygon]) -> Polygon:
    """The mean outline of the members; the medoid where that is more like them."""
    middle = medoid(members, compare)
    others = [
        np.array(one.vertices, np.float64) for one in sorted(members, key=compare.likeness.key) if one is not middle
    ]
    reference = np.array(middle.vertices, np.float64)
    found = mean_outline(reference, others, closed=middle.closed)
    if found is reference:
        return middle
    mean = replace(middle, vertices=tuple((float(x), float(y)) for x, y in found))
    alike = [sum(compare(one, candidate) for one in members) for candidate in (mean, middle)]
    return mean if alike[0] >= alike[1] - len(members) * WORTH else middle


def medoid(members: Sequence[Shape], compare: Comparison[Shape]) -> Shape:
    """The member that is most like all others on average; of equals the first in canonical order."""
    ordered = sorted(members, key=compare.likeness.key)
    total = np.zeros(len(ordered))
    for i, j in combinations(range(len(ordered)), 2):
        total[[i, j]] += compare(ordered[i], ordered[j])
    return ordered[int(np.round(total, 9).argmax())]
