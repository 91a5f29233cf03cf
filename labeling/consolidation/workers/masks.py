"""What is known of each worker who paints masks: which parts they paint, where their outlines lie, how much is right.

Counts are of classes, of instances or of parts of them an image, not of pixels: the pixels of one object are not
independent evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from labeling.consolidation.arrays import Floats
from labeling.consolidation.workers.skills import SkillRow

QUALITY = 0.75
"""F1 of a crowd of which no answer has been seen."""

CROWD_STRENGTH = 10.0
"""Things of the prior that are added to the crowd's counts."""

WORKER_STRENGTH = 4.0
"""Things of the crowd that are added to a worker's counts."""

RECALL, FALSE, REAL = 0.85, 0.08, 0.6
"""Chance that a part which is there is painted, one which is not, and that a part which somebody painted is there, of a
crowd of which no answer has been seen."""

FALSE_RANGE = (0.008, 0.9)
RECALL_RANGE = (0.03, 0.985)

CROWD_EDGES, BIAS_STRENGTH, SPREAD_STRENGTH = 1.0, 1.5, 3.0
"""Outlines of the prior that are added to a worker's."""

SPREAD_RANGE = (0.5, 2.5)
TRUST_RANGE = (0.02, 1.3)

VERSION = 2
"""Of the stored JSON. Version 1 knows neither parts nor outlines."""


@dataclass(slots=True)
class Parts:
    """Sums over the parts of masks: `found` of the `chances` that were there, `false` of the `others` that were not."""

    found: float = 0.0
    chances: float = 0.0
    false: float = 0.0
    others: float = 0.0


@dataclass(slots=True)
class Edge:
    """Sums over `outlines`: of how far outside of the label they lie, `off`, as shares of the area's thickness; of how
    much they waver along their way, `waver`, a variance in units of smoothed masks; and of the logarithm of how far
    those of all workers scatter, again as a share of the thickness."""

    outlines: float = 0.0
    off: float = 0.0
    waver: float = 0.0
    scatter: float = 0.0

    def add(self, other: Edge) -> None:
        """Add the sums of another."""
        self.outlines += other.outlines
        self.off += other.off
        self.waver += other.waver
        self.scatter += other.scatter


@dataclass(frozen=True, slots=True)
class Traits:
    """What is believed of the workers of an image, (W,) each: chances of painting a part that is there and one that is
    not, how much they are worth against the ordinary worker, how far outside they draw, as a share of an area's
    thickness, and how much they waver against the crowd. `real` is the chance that a part which somebody painted is
    there, `scatter` how far outlines scatter, as a share of the thickness, None where nothing is known."""

    recall: Floats
    false: Floats
    trust: Floats
    bias: Floats
    spread: Floats
    real: float
    scatter: float | None = None

    def members(self, rows: Any) -> Traits:
        """Those of some of the workers."""
        return replace(
            self,
            recall=self.recall[rows],
            false=self.false[rows],
            trust=self.trust[rows],
            bias=self.bias[rows],
            spread=self.spread[rows],
        )


@dataclass(slots=True)
class Painted:
    """Sums over the things of one class: `found` of the `chances` that were there, and `right` of the `drawn`."""

    found: float = 0.0
    chances: float = 0.0
    right: float = 0.0
    drawn: float = 0.0

    def add(self, other: Painted) -> None:
        """Add the sums of another."""
        self.found += other.found
        self.chances += other.chances
        self.right += other.right
        self.drawn += other.drawn


@dataclass(frozen=True, slots=True)
class Crowd:
    """What follows from all workers together: F1, recall and precision of what they painted, chances that a part is
    painted which is there, which is not, what the middle worker's answer tells of a part, in log-odds, how far outside
    the middle one draws, and how much outlines waver and scatter (see Edge)."""

    quality: float
    recall: float
    precision: float
    found: float
    false: float
    information: float
    bias: float
    waver: float
    scatter: float | None


@dataclass(slots=True)
class MaskWorkers:
    """`workers` has the sums by class of each worker, `images` how many images each answered, `parts` the sums of the
    parts of masks by worker and class, `edges` those of outlines, `things` the parts that are there, and all that were
    seen. Sums of parts and outlines are replaced by `know_parts` and `know_edges`."""

    workers: dict[str, dict[str, Painted]] = field(default_factory=dict)
    images: dict[str, float] = field(default_factory=dict)
    parts: dict[str, dict[str, Parts]] = field(default_factory=dict)
    edges: dict[str, Edge] = field(default_factory=dict)
    things: tuple[float, float] = (0.0, 0.0)
    _known: Crowd | None = field(default=None, compare=False, repr=False)
    _rates: dict[tuple[str, str], tuple[float, float]] = field(default_factory=dict, compare=False, repr=False)

    def add(self, worker: str, by_class: Mapping[str, Painted]) -> None:
        """Add what one answer showed."""
        mine = self.workers.setdefault(worker, {})
        for label, one in by_class.items():
            mine.setdefault(label, Painted()).add(one)
        self.images[worker] = self.images.get(worker, 0.0) + 1
        self._forget()

    def know_parts(self, parts: dict[str, dict[str, Parts]], things: tuple[float, float]) -> None:
        """Put these sums of parts in the place of those before."""
        self.parts, self.things = parts, things
        self._forget()

    def know_edges(self, edges: dict[str, Edge]) -> None:
        """Put these sums of outlines in the place of those before."""
        self.edges = edges
        self._forget()

    def _forget(self) -> None:
        """What was worked out of earlier sums counts no more."""
        self._known = None
        self._rates.clear()

    def crowd(self) -> Crowd:
        """What follows from all workers together; kept until something is added."""
        if self._known is None:
            self._known = self._summary()
        return self._known

    def _summary(self) -> Crowd:
        painted = _total(one for by_class in self.workers.values() for one in by_class.values())
        found, chances, false, others = _summed(one for mine in self.parts.values() for one in mine.values())
        rates = _share(found, chances, RECALL, 2 * WORKER_STRENGTH), _share(false, others, FALSE, WORKER_STRENGTH)
        each = np.array([self._shrunk(mine, "", rates) for mine in self.parts.values()] or [rates]).T
        edges = [self.edges[name] for name in sorted(self.edges)]
        outlines = sum(one.outlines for one in edges)
        return Crowd(
            quality=_f1(painted, QUALITY, CROWD_STRENGTH),
            recall=_share(painted.found, painted.chances, QUALITY, CROWD_STRENGTH),
            precision=_share(painted.right, painted.drawn, QUALITY, CROWD_STRENGTH),
            found=rates[0],
            false=rates[1],
            information=float(np.median(_information(*each))),
            bias=float(np.median([_bias(one) for one in edges])) if edges else 0.0,
            waver=(sum(one.waver for one in edges) + 0.1 * CROWD_EDGES) / (outlines + CROWD_EDGES),
            scatter=float(np.exp(sum(one.scatter for one in edges) / outlines)) if outlines else None,
        )

    def _shrunk(self, mine: Mapping[str, Parts], label: str, rates: tuple[float, float]) -> tuple[float, float]:
        """A worker's chances: over all classes towards the crowd's, at this class towards these."""
        for some in (mine.values(), [mine[label]] if label in mine and len(mine) > 1 else []):
            found, chances, false, others = _summed(some)
            rates = (
                _share(found, chances, rates[0], WORKER_STRENGTH),
                _share(false, others, rates[1], WORKER_STRENGTH),
            )
        return _within(rates[0], RECALL_RANGE), _within(rates[1], FALSE_RANGE)

    def quality(self, worker: str | None = None) -> float:
        """F1, shrunk: of the crowd, or of one worker."""
        everybody = self.crowd().quality
        return everybody if worker is None else _f1(self._of(worker), everybody, WORKER_STRENGTH)

    def recall(self, worker: str | None = None, label: str | None = None) -> float:
        """Share of what is there that is painted, shrunk; of one class towards that of all."""
        share = self.crowd().recall
        if worker is not None:
            mine = self._of(worker)
            share = _share(mine.found, mine.chances, share, WORKER_STRENGTH)
        if worker is not None and label is not None:
            one = self.workers.get(worker, {}).get(label, Painted())
            share = _share(one.found, one.chances, share, WORKER_STRENGTH)
        return share

    def precision(self, worker: str | None = None) -> float:
        """Share of what is painted that is right, shrunk."""
        share = self.crowd().precision
        if worker is None:
            return share
        mine = self._of(worker)
        return _share(mine.right, mine.drawn, share, WORKER_STRENGTH)

    def standard_error(self, worker: str) -> float:
        """Of `quality`: what a share of so many counts, the prior's with them, is off by."""
        mine, quality = self._of(worker), self.quality(worker)
        return float(np.sqrt(quality * (1 - quality) / ((mine.chances + mine.drawn) / 2 + WORKER_STRENGTH + 1)))

    def real(self) -> float:
        """The chance that a part which somebody painted is there, shrunk."""
        there, seen = self.things
        return float(np.clip((there + 3 * REAL) / (seen + 3), 0.05, 0.97))

    def part_rates(self, worker: str, label: str = "") -> tuple[float, float]:
        """Chances that a worker paints a part of this class: one that is there, and one that is not. Where nobody has
        counted the worker's parts they follow from how much they paint and how much of it is right. Kept until
        something is added."""
        if (worker, label) not in self._rates:
            self._rates[worker, label] = self._part_rates(worker, label)
        return self._rates[worker, label]

    def _part_rates(self, worker: str, label: str) -> tuple[float, float]:
        crowd = self.crowd()
        if worker in self.parts:
            return self._shrunk(self.parts[worker], label, (crowd.found, crowd.false))
        wrong = (1 - self.precision(worker)) / (1 - crowd.precision)
        found = self.recall(worker) if worker in self.workers else crowd.found
        return _within(found, RECALL_RANGE), _within(crowd.false * wrong, FALSE_RANGE)

    def traits(self, workers: Iterable[str], label: str = "") -> Traits:
        """What is believed of these workers at this class."""
        crowd, names = self.crowd(), list(workers)
        recall, false = np.array([self.part_rates(name, label) for name in names]).reshape(len(names), 2).T
        trust = np.clip(_information(recall, false) / crowd.information, *TRUST_RANGE)
        mine = [self.edges.get(name, Edge()) for name in names]
        bias = np.array([_bias(one) - crowd.bias if one.outlines else 0.0 for one in mine])
        waver = np.array([one.waver / crowd.waver for one in mine])
        outlines = np.array([one.outlines for one in mine])
        spread = np.sqrt((waver + SPREAD_STRENGTH) / (outlines + SPREAD_STRENGTH))
        return Traits(recall, false, trust, bias, np.clip(spread, *SPREAD_RANGE), self.real(), crowd.scatter)

    def weights(self, workers: Iterable[str]) -> list[float]:
        """How much each worker's answer counts, 1 for the ordinary one and one whom nobody knows."""
        return [round(float(one), 6) for one in self.traits(workers).trust]

    def _of(self, worker: str) -> Painted:
        return _total(self.workers.get(worker, {}).values())

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, sorted, rounded to 6 digits."""
        names = sorted({*self.workers, *self.parts, *self.edges})
        return {
            "version": VERSION,
            "things": _rounded(self.things),
            "workers": {
                worker: {
                    "images": round(self.images.get(worker, 0.0), 6),
                    "classes": _by_class(self.workers.get(worker, {})),
                    "parts": _by_class(self.parts.get(worker, {})),
                    "edge": _rounded(_fields(self.edges.get(worker, Edge()))),
                }
                for worker in names
            },
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> MaskWorkers:
        """Read `to_json`'s output, version 1 too; raises ValueError for another version."""
        if data.get("version") not in (1, VERSION):
            raise ValueError(f"mask workers: found version {data.get('version')!r}, expected 1 or {VERSION}")
        stored = data["workers"]
        there, seen = map(float, data.get("things", (0, 0)))
        edges = {worker: Edge(*map(float, known["edge"])) for worker, known in stored.items() if "edge" in known}
        return cls(
            {
                worker: {label: Painted(*map(float, numbers)) for label, numbers in known["classes"].items()}
                for worker, known in stored.items()
            },
            {worker: float(known["images"]) for worker, known in stored.items()},
            {
                worker: {label: Parts(*map(float, numbers)) for label, numbers in known["parts"].items()}
                for worker, known in stored.items()
                if known.get("parts")
            },
            {worker: edge for worker, edge in edges.items() if edge.outlines},
            (there, seen),
        )


def rows_of_masks(models: MaskWorkers, labels: Sequence[str]) -> list[SkillRow]:
    """Each worker's counts over all classes, then for each of `labels`; workers sorted."""
    rows = []
    for worker in sorted(models.workers):
        images = models.images.get(worker, 0.0)
        by_class = models.workers[worker]
        for label, one in [("", _total(by_class.values())), *((label, by_class.get(label)) for label in labels)]:
            if one is not None:
                rows.append(SkillRow(worker, label, images, one.found, one.chances, one.drawn - one.right, one.drawn))
    return rows


def _total(sums: Iterable[Painted]) -> Painted:
    total = Painted()
    for one in sums:
        total.add(one)
    return total


def _f1(sums: Painted, believed: float, strength: float) -> float:
    return _share(sums.found + sums.right, sums.chances + sums.drawn, believed, strength)


def _share(part: float, whole: float, believed: float, strength: float) -> float:
    return (part + strength * believed) / (whole + strength)


def _within(value: float, limits: tuple[float, float]) -> float:
    return float(np.clip(value, *limits))


def _information(recall: Floats, false: Floats) -> Floats:
    """How much more likely a part is there when it was painted than when it was not, in log-odds."""
    return np.log(recall) - np.log(false) - np.log1p(-recall) + np.log1p(-false)


def _bias(one: Edge) -> float:
    return one.off / (one.outlines + BIAS_STRENGTH)


def _summed(parts: Iterable[Parts]) -> tuple[float, float, float, float]:
    total = np.sum([_fields(one) for one in parts] or [[0.0] * 4], axis=0)
    return (float(total[0]), float(total[1]), float(total[2]), float(total[3]))


def _fields(one: Painted | Parts | Edge) -> list[float]:
    return [getattr(one, name) for name in one.__slots__]


def _by_class(sums: Mapping[str, Painted | Parts]) -> dict[str, list[float]]:
    return {label: _rounded(_fields(one)) for label, one in sorted(sums.items())}


def _rounded(numbers: Iterable[float]) -> list[float]:
    return [round(number, 6) + 0.0 for number in numbers]
