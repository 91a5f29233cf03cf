"""Simulated people who paint masks: what they overlook, how far off they paint, what they take for another class.

Errors on one thing are not independent: what is hard to see is so for everybody. A thing is the mask of a class or of
an object; people paint it whole, a little beside where it is.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from labeling.consolidation.arrays import Floats
from labeling.consolidation.masks import instances, semantic
from labeling.consolidation.workers.masks import MaskWorkers
from labeling.formats import segments
from labeling.formats.shapes import Segmentation
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

SIZE = (96, 72)
"""Width and height of every simulated picture, in pixels: small, since only shares of pixels matter."""

FEWEST_IMAGES = 20.0
"""Answers that earlier jobs must have had in all, before a crowd is learned from them."""

EDGE = 0.05
"""How far beside a thing people paint, as a share of its side, where nothing is known of it."""

MOST_THINGS = 40
"""Things of a simulated picture, and false ones of an answer, at most."""

Pixels = NDArray[np.uint8]
Thing = tuple[str, NDArray[np.bool_]]
"""A class and its pixels (height, width)."""


@dataclass(frozen=True, slots=True)
class MaskWorker:
    """One simulated worker. `evidence` is how many things its recall rests on, `activity` how many answers it gives
    against others, 0 where nobody knows; the rest as in MaskRates."""

    recall: float
    edge: float
    accuracy: float
    false_positives: float
    spammer: bool = False
    evidence: float = 0.0
    activity: float = 0.0


@dataclass(frozen=True, slots=True)
class MaskRates:
    """A crowd. `edge` is how far beside a thing it is painted, as a share of its side (the root of its area);
    `false_positives` and `things` are of a picture. `spread` is among workers and `difficulty` among things, both in
    logits. `doubt` scales how far the rates may be off; `known` workers are drawn from where there are any."""

    recall: float = 0.88
    edge: float = EDGE
    accuracy: float = 0.96
    false_positives: float = 0.1
    spread: float = 0.5
    difficulty: float = 1.0
    things: float = 2.5
    doubt: float = 1.0
    known: tuple[MaskWorker, ...] = ()


class MaskSimulation(ThingSimulation[Segmentation, MaskWorkers, MaskRates, Thing]):
    """What semantic and instance segmentation have in common."""

    size = SIZE
    presets: ClassVar[Mapping[str, MaskRates]] = {
        CAREFUL: MaskRates(recall=0.96, edge=0.03, accuracy=0.99, false_positives=0.03),
        MIXED: MaskRates(),
        CARELESS: MaskRates(recall=0.75, edge=0.1, accuracy=0.9, false_positives=0.3),
        SPAMMED: MaskRates(),
    }

    @abstractmethod
    def painted(self, things: Iterable[Thing], size: tuple[int, int], labels: Sequence[str]) -> Segmentation:
        """The things as one answer; later ones are painted over earlier ones."""

    @abstractmethod
    def own(self, edge: float) -> float:
        """The share of a thing that still counts as found when it is painted so far beside it."""

    def describe(self, rates: MaskRates) -> tuple[Assumption, ...]:
        """Of the ordinary worker and of the pictures."""
        return (
            Assumption("Things painted by one worker", rates.recall, share=True),
            Assumption("Right class", rates.accuracy, share=True),
            Assumption("Distance beside a thing, of its side", rates.edge, share=True),
            Assumption("False masks per image", rates.false_positives, share=False),
            Assumption("Things per image", rates.things, share=False),
        )

    def vary(self, rates: MaskRates, rng: np.random.Generator) -> MaskRates:
        """Recall and accuracy by a quarter of a logit, for all known workers together."""
        recall, accuracy = rng.normal(0.0, 0.25 * rates.doubt, 2)
        edge = moved(1.0, 0.2 * rates.doubt, rng)
        return replace(
            rates,
            recall=shifted(rates.recall, recall),
            accuracy=shifted(rates.accuracy, accuracy),
            edge=rates.edge * edge,
            difficulty=moved(rates.difficulty, 0.2 * rates.doubt, rng),
            things=moved(rates.things, 0.1 * rates.doubt, rng),
            known=tuple(replace(one, recall=shifted(one.recall, recall), edge=one.edge * edge) for one in rates.known),
        )

    def workers(self, rates: MaskRates, rng: np.random.Generator, spammers: Sequence[bool]) -> list[MaskWorker]:
        """Known workers where there are any, else people around the crowd's rates."""
        number = len(spammers)
        if rates.known:
            chosen = known_again(rates.known, "recall", number, rng)
        else:
            recall, accuracy = (spread_share(share, rates.spread, rng, number) for share in _shares(rates))
            factor = np.exp(rng.normal(0.0, rates.spread, (2, number)))
            chosen = [
                MaskWorker(float(r), float(e), float(a), float(f))
                for r, e, a, f in zip(
                    recall, rates.edge * factor[0], accuracy, rates.false_positives * factor[1], strict=True
                )
            ]
        return with_spammers(chosen, spammers)

    def usual(self, rates: MaskRates) -> float:
        """Things of a picture."""
        return rates.things

    def parts(self, truth: Segmentation) -> list[Thing]:
        """The label and the pixels of each segment."""
        drawn = segments.layout(truth, range(1, len(truth.segments) + 1))
        return [(segment.label, drawn == n) for n, segment in enumerate(truth.segments, start=1)]

    def seen(
        self,
        rates: MaskRates,
        rng: np.random.Generator,
        worker: MaskWorker,
        thing: Thing,
        size: tuple[int, int],
        labels: Sequence[str],
    ) -> Thing:
        """Moved, cut off at the edge of the picture, perhaps as another class."""
        label, mask = thing
        off = np.rint(rng.normal(0.0, worker.edge, 2) * np.sqrt(mask.sum())).astype(int)
        return taken_for(label, worker.accuracy, labels, rng), _moved(mask, int(off[0]), int(off[1]))

    def anywhere(
        self, rng: np.random.Generator, count: int, size: tuple[int, int], labels: Sequence[str]
    ) -> list[Thing]:
        """Ellipses, MOST_THINGS at most."""
        width, height = size
        rows, columns = np.ogrid[:height, :width]
        things: list[Thing] = []
        for _ in range(min(count, MOST_THINGS)):
            x, y = rng.uniform(0, width), rng.uniform(0, height)
            across, down = rng.uniform(0.08, 0.2, 2) * min(width, height)
            inside = ((columns - x) / across) ** 2 + ((rows - y) / down) ** 2 <= 1
            things.append((labels[int(rng.integers(0, len(labels)))], inside))
        return things

    def together(
        self, seen: Sequence[Thing], false: Sequence[Thing], size: tuple[int, int], labels: Sequence[str]
    ) -> Segmentation:
        """What is there is painted over what is not."""
        return self.painted([*false, *seen], size, labels)

    def learn(self, jobs: Sequence[MaskWorkers], labels: Sequence[str]) -> MaskRates | None:
        """Each worker's shrunk recall in each job, and what they painted that was not there; the way they paint beside
        a thing is assumed, and its part of the recall taken off."""
        if sum(sum(models.images.values()) for models in jobs) < FEWEST_IMAGES:
            return None
        known = tuple(worker for models in jobs for worker in _known(models, EDGE, self.own(EDGE)))
        weights = [one.evidence for one in known] if any(one.evidence for one in known) else None
        chances = sum(one.evidence for one in known)
        answers = sum(sum(models.images.values()) for models in jobs)
        return MaskRates(
            recall=float(np.average([one.recall for one in known], weights=weights)),
            accuracy=1.0,
            edge=EDGE,
            false_positives=float(np.mean([one.false_positives for one in known])),
            things=max(0.1, chances / answers),
            known=known,
        )


class SemanticSimulation(MaskSimulation):
    """Masks of classes: F1 of their pixels."""

    figures: ClassVar[tuple[Figure, ...]] = (Figure("f1", "F1 of pixels", counted=False),)

    def painted(self, things: Iterable[Thing], size: tuple[int, int], labels: Sequence[str]) -> Segmentation:
        """One segment for each class."""
        pixels: Pixels = np.zeros((size[1], size[0]), np.uint8)
        for label, mask in things:
            pixels[mask] = labels.index(label) + 1
        return segments.from_pixels(pixels, dict(enumerate(labels, start=1)))

    def own(self, edge: float) -> float:
        """What a square shares with itself after it was moved."""
        return float((1 - np.sqrt(2 / np.pi) * edge) ** 2)

    def score(self, truth: Sequence[Segmentation], found: Sequence[Segmentation | None]) -> Floats:
        """An image without a label counts as one in which nothing was painted."""
        rows = []
        for true, one in zip(truth, found, strict=True):
            counts = semantic.shared(one or Segmentation(true.size), true).values()
            right, given, there = (sum(count[part] for count in counts) for part in range(3))
            pixels = true.size[0] * true.size[1]
            rows.append([2 * right / pixels, (given + there) / pixels])
        return np.array(rows, float)[:, None, :]


class InstanceSimulation(MaskSimulation):
    """Masks of objects: F1 of those that overlap by half with a true one."""

    figures: ClassVar[tuple[Figure, ...]] = (Figure("f1", "F1 of objects", counted=True),)

    def painted(self, things: Iterable[Thing], size: tuple[int, int], labels: Sequence[str]) -> Segmentation:
        """One segment for each thing."""
        pixels: Pixels = np.zeros((size[1], size[0]), np.uint8)
        given = list(things)[: segments.MOST_SEGMENTS]
        for number, (_label, mask) in enumerate(given, start=1):
            pixels[mask] = number
        found = segments.from_pixels(pixels, {n: str(n) for n in range(1, len(given) + 1)})
        named = tuple(replace(one, label=given[int(one.label) - 1][0]) for one in found.segments)
        return replace(found, segments=named)

    def own(self, edge: float) -> float:
        """All of it, as long as it overlaps by half."""
        return 1.0

    def score(self, truth: Sequence[Segmentation], found: Sequence[Segmentation | None]) -> Floats:
        """An image without a label counts as one in which nothing was painted."""
        rows = []
        for true, one in zip(truth, found, strict=True):
            given = one or Segmentation(true.size)
            right = sum(1 for _ in instances.matches(given, true))
            rows.append([2 * right, len(given.segments) + len(true.segments)])
        return np.array(rows, float)[:, None, :]


def _shares(rates: MaskRates) -> tuple[float, float]:
    return rates.recall, min(rates.accuracy, 1 - 1e-6)


def _known(models: MaskWorkers, edge: float, own: float) -> list[MaskWorker]:
    """The workers of one job with their shrunk rates, workers in a fixed order."""
    usual = sum(models.images.values()) / max(len(models.images), 1)
    found = []
    for name in sorted(models.workers):
        sums = list(models.workers[name].values())
        images = models.images[name]
        found.append(
            MaskWorker(
                recall=min(0.99, models.recall(name) / own),
                edge=edge,
                accuracy=1.0,
                false_positives=(1 - models.precision(name) / own) * sum(one.drawn for one in sums) / images,
                evidence=float(sum(one.chances for one in sums)),
                activity=images / usual,
            )
        )
    return [replace(one, false_positives=max(one.false_positives, 0.0)) for one in found]


def _moved(mask: NDArray[np.bool_], down: int, right: int) -> NDArray[np.bool_]:
    height, width = mask.shape
    down, right = int(np.clip(down, -height, height)), int(np.clip(right, -width, width))
    made = np.zeros_like(mask)
    source = mask[max(0, -down) : height - max(0, down), max(0, -right) : width - max(0, right)]
    made[max(0, down) : height - max(0, -down), max(0, right) : width - max(0, -right)] = source
    return made
