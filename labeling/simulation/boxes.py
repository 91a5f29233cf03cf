"""Simulated people who draw boxes: objects they overlook, boxes about nothing, edges that are off, wrong classes.

The same model of a worker as the consolidation of boxes has (labeling/consolidation/workers/models.py), so that what it
has learned of a crowd can be simulated. What it does not have: things that many people take for an object.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from labeling.consolidation.arrays import Floats, Ints, extents
from labeling.consolidation.workers.models import WorkerModels
from labeling.formats.shapes import Box
from labeling.simulation.base import (
    CAREFUL,
    CARELESS,
    MIXED,
    SPAMMED,
    Assumption,
    Figure,
    SimulatedObject,
    Simulation,
    believed,
    moved,
    returning,
    shifted,
    spread_share,
    success,
    with_spammers,
)
from labeling.simulation.matching import labeled, tally

SIZE = (1024, 768)
"""Width and height of every simulated picture, in pixels."""

SMALLEST = 2.0
"""A side of fewer pixels is no box."""

BUNCHING = 2.0
"""Shape of the gamma distribution of how many objects a picture holds: smaller is more uneven."""

FEWEST_IMAGES = 20.0
"""Images that earlier jobs must have had in all, before a crowd is learned from them."""

ASSUMED_EXTENT, EXTENT_SPREAD = 0.14, 0.45
"""Median side of an object as a share of its picture's, and the standard deviation of its logarithm."""


@dataclass(frozen=True, slots=True)
class BoxWorker:
    """One simulated worker. `recall` and `accuracy` are shares, `false_positives` boxes an image; `scatter` and `bias`
    (left, top, right, bottom) are in units of the crowd's sigma. `evidence` is how many objects they rest on,
    `activity` how many answers the worker gives against others, 0 where nobody knows."""

    recall: float
    false_positives: float
    scatter: float
    bias: tuple[float, float, float, float]
    accuracy: float
    spammer: bool = False
    evidence: float = 0.0
    activity: float = 0.0


@dataclass(frozen=True, slots=True)
class BoxRates:
    """A crowd. `..._spread` are standard deviations among its workers: of the logit of shares, of the logarithm of
    others. sigma of a side is sqrt(pixel^2 + (relative * extent)^2). `known` workers are drawn from where there are
    any; `doubt` scales how far the rates may be off."""

    recall: float = 0.87
    recall_spread: float = 0.5
    false_positives: float = 0.05
    false_positives_spread: float = 0.7
    pixel: float = 1.0
    relative: float = 0.05
    scatter_spread: float = 0.3
    bias: float = 0.3
    accuracy: float = 0.95
    accuracy_spread: float = 0.5
    difficulty: float = 1.2
    objects: float = 3.0
    doubt: float = 1.0
    known: tuple[BoxWorker, ...] = ()


class BoxSimulation(Simulation[list[Box], WorkerModels, BoxRates]):
    """Boxes: F1 at IoU 0.5, and the mean IoU of the boxes that are right."""

    figures: ClassVar[tuple[Figure, ...]] = (
        Figure("f1", "F1 at IoU 0.5", counted=True),
        Figure("mean_iou", "Mean IoU", counted=False),
    )
    presets: ClassVar[Mapping[str, BoxRates]] = {
        CAREFUL: BoxRates(recall=0.94, false_positives=0.02, relative=0.03, accuracy=0.98),
        MIXED: BoxRates(),
        CARELESS: BoxRates(recall=0.75, false_positives=0.15, pixel=2.0, relative=0.08, accuracy=0.88),
        SPAMMED: BoxRates(),
    }

    def things(self, rates: BoxRates) -> float:
        """Objects an image and boxes about nothing, at least one."""
        return max(1.0, rates.objects * rates.recall + rates.false_positives)

    def describe(self, rates: BoxRates) -> tuple[Assumption, ...]:
        """Of the ordinary worker, and how many objects a picture holds."""
        return (
            Assumption("Objects found by one worker", rates.recall, share=True),
            Assumption("Right class", rates.accuracy, share=True),
            Assumption("False boxes per picture", rates.false_positives, share=False),
            Assumption("Scatter of the edges, share of the box", rates.relative, share=True),
            Assumption("Objects per picture", rates.objects, share=False),
        )

    def vary(self, rates: BoxRates, rng: np.random.Generator) -> BoxRates:
        """Recall and class by a quarter of a logit, all others by a tenth to a third; known workers move together."""
        recall, accuracy = rng.normal(0.0, 0.25 * rates.doubt, 2)
        false_positives = float(np.exp(rng.normal(0.0, 0.3 * rates.doubt)))
        return replace(
            rates,
            recall=shifted(rates.recall, recall),
            accuracy=shifted(rates.accuracy, accuracy),
            false_positives=rates.false_positives * false_positives,
            relative=moved(rates.relative, 0.15 * rates.doubt, rng),
            pixel=moved(rates.pixel, 0.15 * rates.doubt, rng),
            difficulty=moved(rates.difficulty, 0.2 * rates.doubt, rng),
            objects=moved(rates.objects, 0.1 * rates.doubt, rng),
            known=tuple(
                replace(
                    one,
                    recall=shifted(one.recall, recall),
                    accuracy=shifted(one.accuracy, accuracy),
                    false_positives=one.false_positives * false_positives,
                )
                for one in rates.known
            ),
        )

    def workers(self, rates: BoxRates, rng: np.random.Generator, spammers: Sequence[bool]) -> list[BoxWorker]:
        """Known workers where there are any, else people around the crowd's rates."""
        number = len(spammers)
        if rates.known:
            chosen = [_as_believed(one, rng) for one in returning(rates.known, number, rng)]
        else:
            recall = spread_share(rates.recall, rates.recall_spread, rng, number)
            accuracy = spread_share(rates.accuracy, rates.accuracy_spread, rng, number)
            scatter = np.exp(rng.normal(0.0, rates.scatter_spread, number))
            false = rates.false_positives * np.exp(rng.normal(0.0, rates.false_positives_spread, number))
            bias = rng.normal(0.0, rates.bias, (number, 4))
            chosen = [
                BoxWorker(float(r), float(f), float(s), tuple(b.tolist()), float(a))
                for r, f, s, b, a in zip(recall, false, scatter, bias, accuracy, strict=True)
            ]
        return with_spammers(chosen, spammers)

    def objects(
        self, rates: BoxRates, rng: np.random.Generator, number: int, labels: Sequence[str]
    ) -> list[SimulatedObject[list[Box]]]:
        """Pictures with a gamma-Poisson number of boxes anywhere on them, classes alike."""
        mean = rates.objects * rng.gamma(BUNCHING, 1 / BUNCHING, number)
        return [SimulatedObject(_anywhere(rng, int(count), labels, SIZE), SIZE) for count in rng.poisson(mean)]

    def answers(
        self,
        rates: BoxRates,
        rng: np.random.Generator,
        workers: Sequence[BoxWorker],
        objects: Sequence[SimulatedObject[list[Box]]],
        seats: Ints,
        labels: Sequence[str],
    ) -> list[list[list[Box]]]:
        """See Simulation.answers; how hard an object is to find is drawn here, the same for all workers."""
        places = np.repeat(np.arange(len(objects)), [len(one.truth) for one in objects])
        ltrb = np.array([box.corners for one in objects for box in one.truth], float).reshape(-1, 4)
        named = [box.label for one in objects for box in one.truth]
        size = np.array([one.size for one in objects], float).reshape(-1, 2)
        hardness = rng.normal(size=len(ltrb))
        drawn: list[list[list[Box]]] = [[[] for _ in range(seats.shape[1])] for _ in objects]
        columns = {
            name: np.array([getattr(worker, name) for worker in workers], float)
            for name in ("recall", "accuracy", "scatter", "bias", "spammer", "false_positives")
        }
        sigma = np.sqrt(rates.pixel**2 + (rates.relative * extents(ltrb)) ** 2)
        for seat in range(seats.shape[1]):
            who = seats[places, seat]
            finds = success(columns["recall"][who], rates.difficulty, hardness)
            finds = finds * (1 - columns["spammer"][who])
            off = columns["bias"][who] + columns["scatter"][who][:, None] * rng.normal(size=ltrb.shape)
            edges = np.clip(ltrb + sigma * off, 0.0, np.tile(size[places], 2))
            keep = (rng.random(len(ltrb)) < finds) & (edges[:, 2:] - edges[:, :2] >= SMALLEST).all(axis=1)
            wrong = rng.random(len(ltrb)) >= columns["accuracy"][who]
            others = rng.integers(1, max(len(labels), 2), len(ltrb))
            for box in np.flatnonzero(keep):
                label = _other(named[box], int(others[box]), labels) if wrong[box] else named[box]
                drawn[places[box]][seat].append(Box.from_corners(label, *np.round(edges[box], 1).tolist()))
            spams = columns["spammer"][seats[:, seat]] > 0
            about = np.where(spams, rates.objects, columns["false_positives"][seats[:, seat]])
            for place, count in enumerate(rng.poisson(about).tolist()):
                drawn[place][seat] += _anywhere(rng, count, labels, objects[place].size)
        return drawn

    def score(self, truth: Sequence[list[Box]], found: Sequence[list[Box] | None]) -> Floats:
        """An object without a label counts as one on which nothing was found."""
        rows = tally([labeled(one or ()) for one in found], [labeled(one) for one in truth])
        right, made, gold, overlap = rows.T
        return np.stack([np.stack([2 * right, made + gold], axis=1), np.stack([overlap, right], axis=1)], axis=1)

    def learn(self, jobs: Sequence[WorkerModels], labels: Sequence[str]) -> BoxRates | None:
        """Each worker's shrunk rates in each job; the crowd's are the means over jobs, by images."""
        weights = np.array([sum(skill.images for skill in models.skills.values()) for models in jobs], float)
        if weights.sum() < FEWEST_IMAGES:
            return None
        populations = [models.population for models in jobs]

        def mean(values: Sequence[float]) -> float:
            return float(np.average(values, weights=weights))

        return BoxRates(
            recall=mean([p.recall for p in populations]),
            accuracy=mean([p.accuracy for p in populations]) if len(labels) > 1 else 1.0,
            false_positives=mean([_false_positives(models) for models in jobs]),
            pixel=mean([float(p.pixel.mean()) for p in populations]),
            relative=mean([float(p.relative.mean()) for p in populations]),
            difficulty=max(0.3, mean([p.difficulty for p in populations])),
            objects=max(0.1, mean([p.objects for p in populations])),
            doubt=0.8,
            known=tuple(worker for models in jobs for worker in _known(models)),
        )


def _as_believed(one: BoxWorker, rng: np.random.Generator) -> BoxWorker:
    return replace(
        one,
        recall=believed(one.recall, one.evidence, rng),
        accuracy=believed(one.accuracy, one.evidence, rng) if one.accuracy < 1 else 1.0,
    )


def _known(models: WorkerModels) -> list[BoxWorker]:
    """The workers of one job with their shrunk rates, workers in a fixed order."""
    names = sorted(name for name, skill in models.skills.items() if skill.images >= 1)
    rates = models.rates(names)
    usual = sum(models.skills[name].images for name in names) / max(len(names), 1)
    known = []
    for place, name in enumerate(names):
        skill = models.skills[name]
        agreed = sum(n for (true, given), n in skill.confusion.items() if true == given)
        labelled = sum(skill.confusion.values())
        accuracy = (agreed + 10 * models.population.accuracy) / (labelled + 10) if labelled else 1.0
        known.append(
            BoxWorker(
                recall=float(rates.recall[place]),
                false_positives=max(skill.false_positives, 0.0) / skill.images,
                scatter=float(rates.spread[place].mean()),
                bias=(
                    float(rates.bias[place][0]),
                    float(rates.bias[place][1]),
                    float(rates.bias[place][2]),
                    float(rates.bias[place][3]),
                ),
                accuracy=min(max(accuracy, 0.0), 1.0),
                evidence=max(skill.chances, 0.0),
                activity=skill.images / usual,
            )
        )
    return known


def _false_positives(models: WorkerModels) -> float:
    """Boxes an image about no object, over all workers."""
    images = sum(skill.images for skill in models.skills.values())
    return sum(max(skill.false_positives, 0.0) for skill in models.skills.values()) / max(images, 1.0)


def _anywhere(rng: np.random.Generator, count: int, labels: Sequence[str], size: tuple[int, int]) -> list[Box]:
    """`count` boxes of a usual size anywhere on a picture of `size` pixels."""
    if not count:
        return []
    share = ASSUMED_EXTENT * np.exp(rng.normal(0.0, EXTENT_SPREAD, count))[:, None]
    shorter = min(size)
    sides = np.clip(share * np.exp(rng.normal(0.0, 0.2, (count, 2))) * shorter, 4.0, max(4.0, 0.9 * shorter))
    corner = rng.random((count, 2)) * np.maximum(np.array(size) - sides, 0.0)
    kinds = rng.integers(0, len(labels), count).tolist()
    return [
        Box(labels[kind], *np.round(row, 1).tolist())
        for kind, row in zip(kinds, np.concatenate([corner, sides], axis=1), strict=True)
    ]


def _other(label: str, step: int, labels: Sequence[str]) -> str:
    """Another label than this one, `step` places on; the same where there is only one."""
    return labels[(labels.index(label) + step) % len(labels)]
