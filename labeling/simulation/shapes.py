"""Simulated people who draw outlines or set points: things they overlook, shapes about nothing, vertices that are off.

The same for polygons, polylines and key points; each says how one of its own looks. How hard a thing is to find is the
same for everybody who looks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Generic

import numpy as np

from labeling.consolidation.arrays import Floats
from labeling.consolidation.shapes.answers import Likeness, diagonal
from labeling.consolidation.shapes.fit import matched
from labeling.consolidation.workers.models import WorkerModels
from labeling.formats.shapes import Drawing, Keypoint, Polygon, Shape
from labeling.simulation.base import (
    CAREFUL,
    CARELESS,
    MIXED,
    SPAMMED,
    Assumption,
    Figure,
    known_again,
    moved,
    shifted,
    spread_share,
    with_spammers,
)
from labeling.simulation.things import ThingSimulation, taken_for

SIZE = (1024, 768)
"""Width and height of every simulated picture, in pixels."""

RADIUS = 0.09
"""Half the extent of a usual outline, as a share of the picture's diagonal."""

FEWEST_IMAGES = 20.0
"""Images that earlier jobs must have had in all, before a crowd is learned from them."""


@dataclass(frozen=True, slots=True)
class ShapeWorker:
    """One simulated worker: shares of things drawn and of right classes, shapes about nothing an image, and scatter in
    units of the crowd's. `evidence` is the number of things that they rest on, `activity` how many answers the worker
    gives against others, 0 where nobody knows."""

    recall: float
    accuracy: float
    false_positives: float
    scatter: float = 1.0
    spammer: bool = False
    evidence: float = 0.0
    activity: float = 0.0


@dataclass(frozen=True, slots=True)
class ShapeRates:
    """A crowd. `relative` is how far a vertex is off as a share of the shape's extent; `spread` is among workers and
    `difficulty` among things, both in logits; `shapes` are those of an image. `doubt` scales how far the rates may be
    off; `known` workers are drawn from where there are any."""

    recall: float = 0.87
    accuracy: float = 0.95
    false_positives: float = 0.1
    relative: float = 0.035
    spread: float = 0.5
    difficulty: float = 1.0
    shapes: float = 3.0
    doubt: float = 1.0
    known: tuple[ShapeWorker, ...] = ()


class ShapeSimulation(ThingSimulation[Drawing[Shape], WorkerModels, ShapeRates, Shape], Generic[Shape]):
    """F1 of the shapes that are right, and how like the right ones are to the true ones on average.

    `outline` gives the vertices (V, 2) of a new shape around the origin, of extent about 2; `made` is the shape with a
    label and vertices.
    """

    size = SIZE
    figures: ClassVar[tuple[Figure, ...]] = (
        Figure("f1", "F1 of right shapes", counted=True),
        Figure("likeness", "Mean likeness of right shapes", counted=False),
    )
    presets: ClassVar[Mapping[str, ShapeRates]] = {
        CAREFUL: ShapeRates(recall=0.95, accuracy=0.98, false_positives=0.03, relative=0.02),
        MIXED: ShapeRates(),
        CARELESS: ShapeRates(recall=0.75, accuracy=0.88, false_positives=0.3, relative=0.05),
        SPAMMED: ShapeRates(),
    }

    def __init__(
        self,
        likeness: Likeness[Shape],
        outline: Callable[[np.random.Generator], Floats],
        made: Callable[[str, Floats], Shape],
    ) -> None:
        self.likeness = likeness
        self.outline = outline
        self.made = made

    def describe(self, rates: ShapeRates) -> tuple[Assumption, ...]:
        """Of the ordinary worker and of the pictures."""
        return (
            Assumption("Things found by one worker", rates.recall, share=True),
            Assumption("Right class", rates.accuracy, share=True),
            Assumption("False shapes per picture", rates.false_positives, share=False),
            Assumption("Scatter of the points, share of the shape", rates.relative, share=True),
            Assumption("Shapes per picture", rates.shapes, share=False),
        )

    def vary(self, rates: ShapeRates, rng: np.random.Generator) -> ShapeRates:
        """Recall and class by a quarter of a logit, for all known workers together; all others by a tenth or more."""
        recall, accuracy = rng.normal(0.0, 0.25 * rates.doubt, 2)
        return replace(
            rates,
            recall=shifted(rates.recall, recall),
            accuracy=shifted(rates.accuracy, accuracy),
            relative=moved(rates.relative, 0.15 * rates.doubt, rng),
            difficulty=moved(rates.difficulty, 0.2 * rates.doubt, rng),
            shapes=moved(rates.shapes, 0.1 * rates.doubt, rng),
            known=tuple(
                replace(one, recall=shifted(one.recall, recall), accuracy=shifted(one.accuracy, accuracy))
                for one in rates.known
            ),
        )

    def workers(self, rates: ShapeRates, rng: np.random.Generator, spammers: Sequence[bool]) -> list[ShapeWorker]:
        """Known workers where there are any, else people around the crowd's rates."""
        number = len(spammers)
        if rates.known:
            return with_spammers(known_again(rates.known, "recall", number, rng), spammers)
        recall, accuracy = (spread_share(share, rates.spread, rng, number) for share in (rates.recall, rates.accuracy))
        false, scatter = np.exp(rng.normal(0.0, rates.spread, (2, number)))
        chosen = [
            ShapeWorker(float(r), float(a), float(rates.false_positives * f), float(s))
            for r, a, f, s in zip(recall, accuracy, false, scatter, strict=True)
        ]
        return with_spammers(chosen, spammers)

    def usual(self, rates: ShapeRates) -> float:
        """Shapes of a picture."""
        return rates.shapes

    def parts(self, truth: Drawing[Shape]) -> tuple[Shape, ...]:
        """The shapes."""
        return truth.shapes

    def seen(
        self,
        rates: ShapeRates,
        rng: np.random.Generator,
        worker: ShapeWorker,
        thing: Shape,
        size: tuple[int, int],
        labels: Sequence[str],
    ) -> Shape:
        """As a whole off by as much as each vertex by itself."""
        points = self.likeness.points(thing)
        extent = float(np.hypot(*(points.max(axis=0) - points.min(axis=0)))) or RADIUS * diagonal(size)
        sigma = rates.relative * worker.scatter * extent / np.sqrt(2)
        points = points + sigma * (rng.normal(size=2) + rng.normal(size=points.shape))
        return self.made(taken_for(thing.label, worker.accuracy, labels, rng), _inside(points, size))

    def together(
        self, seen: Sequence[Shape], false: Sequence[Shape], size: tuple[int, int], labels: Sequence[str]
    ) -> Drawing[Shape]:
        """One drawing."""
        return Drawing((*seen, *false), size)

    def score(self, truth: Sequence[Drawing[Shape]], found: Sequence[Drawing[Shape] | None]) -> Floats:
        """A picture without a label counts as one on which nothing was drawn."""
        rows = []
        for true, one in zip(truth, found, strict=True):
            given = one.shapes if one is not None else ()
            alike = right_ones(given, true, self.likeness)
            rows.append([[2 * len(alike), len(given) + len(true.shapes)], [sum(alike), len(alike)]])
        return np.array(rows, float)

    def learn(self, jobs: Sequence[WorkerModels], labels: Sequence[str]) -> ShapeRates | None:
        """Each worker's shrunk rates in each job; the crowd's are the means over jobs, by images. How far vertices are
        off is not learned."""
        weights = np.array([sum(skill.images for skill in models.skills.values()) for models in jobs], float)
        if weights.sum() < FEWEST_IMAGES:
            return None
        populations = [models.population for models in jobs]
        known = tuple(worker for models in jobs for worker in _known(models, len(labels)))

        def mean(values: Sequence[float]) -> float:
            return float(np.average(values, weights=weights))

        return ShapeRates(
            recall=mean([p.recall for p in populations]),
            accuracy=mean([p.accuracy for p in populations]) if len(labels) > 1 else 1.0,
            false_positives=float(np.mean([one.false_positives for one in known])) if known else 0.1,
            shapes=max(0.1, mean([p.objects for p in populations])),
            doubt=0.8,
            known=known,
        )

    def anywhere(
        self, rng: np.random.Generator, count: int, size: tuple[int, int], labels: Sequence[str]
    ) -> tuple[Shape, ...]:
        """Shapes of a usual extent."""
        shapes = []
        for _ in range(count):
            radius = RADIUS * diagonal(size) * float(np.exp(rng.normal(0.0, 0.3)))
            outline = radius * self.outline(rng)
            low, high = outline.min(axis=0), outline.max(axis=0)
            centre = -low + rng.random(2) * np.maximum(np.array(size) - (high - low), 0.0)
            shapes.append(self.made(labels[int(rng.integers(0, len(labels)))], _inside(outline + centre, size)))
        return tuple(shapes)


def right_ones(given: Sequence[Shape], truth: Drawing[Shape], likeness: Likeness[Shape]) -> list[float]:
    """The likeness of each given shape that is right, with its true shape: of one label, one to one."""
    alike = []
    for label in sorted({shape.label for shape in truth.shapes}):
        mine, true = ([shape for shape in shapes if shape.label == label] for shapes in (given, truth.shapes))
        alike += [value for _, _, value in matched(mine, true, likeness, (), truth.size) if value >= likeness.right]
    return alike


def polygons(likeness: Likeness[Polygon]) -> ShapeSimulation[Polygon]:
    """Blobs of eight vertices."""

    def outline(rng: np.random.Generator) -> Floats:
        turn = np.linspace(0.0, 2 * np.pi, 8, endpoint=False) + rng.random()
        return (rng.uniform(0.75, 1.0, 8) * np.stack([np.cos(turn), np.sin(turn)])).T

    return ShapeSimulation(likeness, outline, lambda label, points: Polygon(label, _tuples(points)))


def polylines(likeness: Likeness[Polygon]) -> ShapeSimulation[Polygon]:
    """Lines of four vertices that run more or less straight."""

    def outline(rng: np.random.Generator) -> Floats:
        along = np.stack([np.linspace(-1.0, 1.0, 4), rng.normal(0.0, 0.2, 4)], axis=1)
        turn = rng.uniform(0.0, np.pi)
        return along @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])

    return ShapeSimulation(likeness, outline, lambda label, points: Polygon(label, _tuples(points), closed=False))


def keypoints(likeness: Likeness[Keypoint]) -> ShapeSimulation[Keypoint]:
    """Single points."""
    return ShapeSimulation(
        likeness, lambda rng: np.zeros((1, 2)), lambda label, points: Keypoint(label, *_tuples(points)[0])
    )


def _inside(points: Floats, size: tuple[int, int]) -> Floats:
    return np.asarray(np.round(np.clip(points, 0.0, np.array(size, float)), 1), np.float64)


def _tuples(points: Floats) -> tuple[tuple[float, float], ...]:
    return tuple((float(x), float(y)) for x, y in points)


def _known(models: WorkerModels, labels: int) -> list[ShapeWorker]:
    """The workers of one job with their shrunk rates, workers in a fixed order."""
    names = sorted(name for name, skill in models.skills.items() if skill.images >= 1)
    rates = models.rates(names)
    usual = sum(models.skills[name].images for name in names) / max(len(names), 1)
    known = []
    for place, name in enumerate(names):
        skill = models.skills[name]
        told = sum(skill.confusion.values())
        right = sum(n for (true, given), n in skill.confusion.items() if true == given)
        accuracy = (right + 10 * models.population.accuracy) / (told + 10) if labels > 1 else 1.0
        known.append(
            ShapeWorker(
                recall=float(rates.recall[place]),
                accuracy=min(max(accuracy, 0.0), 1.0),
                false_positives=max(skill.false_positives, 0.0) / skill.images,
                evidence=max(skill.chances, 0.0),
                activity=skill.images / usual,
            )
        )
    return known
