"""What is known of each worker who draws boxes, and of the crowd as a whole; plain sums, so models add and update.

Everything about a worker is a sum of counts (a `Skill`); a rate is those counts shrunk towards the population, so
that a worker with three answers is near it and one with three hundred is judged by the record. Knows no images.

Edges are measured in units of the crowd's own spread for a box of that size,
`sigma_s(box)^2 = pixel_s^2 + (relative_s * extent_s)^2` for side s of left, top, right, bottom, `extent` being the
width for left and right and the height for top and bottom. A worker's edge is

    x_s = truth_s + style_s(box) + sigma_s(box) * (bias_ws + spread_ws * noise)

`style` is how this crowd differs from the experts of the golds (linear in 1, width, height; zero without golds).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from labeling.consolidation.clusters import Floats, Ints
from labeling.consolidation.odds import logistic, logit
from labeling.consolidation.shape import MOMENTS

HIT_STRENGTH = 8.0
FALSE_STRENGTH = 25.0
"""Pseudo-counts behind a worker's rates."""
BIAS_STRENGTH = 4.0
SPREAD_STRENGTH = 6.0
ACCURACY_STRENGTH = 10.0
CONFUSION_STRENGTH = 20.0
CLASS_EASE_STRENGTH = 20.0
CLASS_HIT_STRENGTH = 60.0
"""Pseudo-counts behind how easy a class is to find, and behind how much better or worse a worker is at it."""
CLASS_STRENGTH = 5.0


@dataclass(slots=True)
class Skill:
    """Sums for one worker: `hits` of `chances` objects drawn, `falses` of `false_chances` distractors drawn, edge
    residuals in units of sigma (`edges` weights, sums, squares, each (4,)), label counts by (true, given), and by
    class how many objects beyond doubt were drawn, and of how many (2,)."""

    images: float = 0.0
    hits: float = 0.0
    chances: float = 0.0
    falses: float = 0.0
    false_chances: float = 0.0
    edges: float = 0.0
    edge_sum: Floats = field(default_factory=lambda: np.zeros(4))
    edge_square: Floats = field(default_factory=lambda: np.zeros(4))
    confusion: dict[tuple[str, str], float] = field(default_factory=dict)
    by_class: dict[str, Floats] = field(default_factory=dict)

    def add(self, other: Skill, sign: float = 1.0) -> None:
        """Add (or with sign -1 take back) what `other` saw."""
        for name in ("images", "hits", "chances", "falses", "false_chances", "edges"):
            setattr(self, name, getattr(self, name) + sign * getattr(other, name))
        self.edge_sum = self.edge_sum + sign * other.edge_sum
        self.edge_square = self.edge_square + sign * other.edge_square
        for key, count in other.confusion.items():
            self.confusion[key] = self.confusion.get(key, 0.0) + sign * count
        for label, counts in other.by_class.items():
            self.by_class[label] = self.by_class.get(label, np.zeros(2)) + sign * counts

    def accuracy(self, crowd: float) -> float:
        """Share of right labels on real objects, shrunk towards the accuracy of the crowd."""
        agreed = sum(n for (true, said), n in self.confusion.items() if true == said)
        strength = ACCURACY_STRENGTH
        return (max(agreed, 0.0) + strength * crowd) / (max(sum(self.confusion.values()), agreed, 0.0) + strength)


@dataclass(slots=True)
class Population:
    """The crowd: what a worker nobody has met yet is expected to do. Defaults are for a crowd never measured."""

    hit: float = 0.85
    false: float = 0.10
    real: float = 0.80
    """Share of real objects among things that anybody drew."""
    objects: float = 3.0
    """Objects an image."""
    accuracy: float = 0.90
    """Chance that a label given to a real object is the right one."""
    hard: float = 1.5
    """Standard deviation, in logits, of how hard objects are to find."""
    pixel: Floats = field(default_factory=lambda: np.full(4, 1.5))
    relative: Floats = field(default_factory=lambda: np.full(4, 0.06))
    style: Floats = field(default_factory=lambda: np.zeros((4, 3)))
    classes: dict[str, float] = field(default_factory=dict)
    """How many real objects of each class were seen."""
    by_class: dict[str, Floats] = field(default_factory=dict)
    """Objects beyond doubt of each class that were drawn, and that could have been, over all workers (2,)."""
    shapes: dict[str, Floats] = field(default_factory=dict)
    slips: Floats = field(default_factory=lambda: np.zeros(MOMENTS))
    """Moments of the form of real boxes by class, and of slips; see shape.py."""


@dataclass(slots=True)
class Calibration:
    """How the model's log-odds and what a cluster looks like become the chance of being right; see existence.py."""

    weights: tuple[float, ...] = ()
    threshold: float = 0.5


@dataclass(frozen=True, slots=True)
class Rates:
    """One row a worker: `hit`, `false` (W,), `bias`, `spread` (W, 4)."""

    hit: Floats
    false: Floats
    bias: Floats
    spread: Floats


class WorkerModels:
    """The crowd and its workers. `to_json` gives plain JSON (sorted, rounded), `from_json` reads it back."""

    def __init__(
        self,
        population: Population | None = None,
        skills: Mapping[str, Skill] | None = None,
        calibration: Calibration | None = None,
    ) -> None:
        self.population = population or Population()
        self.skills: dict[str, Skill] = dict(skills or {})
        self.calibration = calibration or Calibration()

    def rates(self, workers: Sequence[str]) -> Rates:
        """Shrunk rates of `workers` in their order; strangers get the population's."""
        p, nobody = self.population, Skill()
        skills = [self.skills.get(worker, nobody) for worker in workers]
        hits, chances, falses, false_chances, edges = (
            np.array([getattr(skill, name) for skill in skills], float)
            for name in ("hits", "chances", "falses", "false_chances", "edges")
        )
        sums = np.array([skill.edge_sum for skill in skills]).reshape(-1, 4)
        squares = np.array([skill.edge_square for skill in skills]).reshape(-1, 4)
        # Sums taken back (a replaced revision) were measured under an older model: no count may end below nothing.
        chances, false_chances, edges = (np.maximum(n, 0.0) for n in (chances, false_chances, edges))
        hits, falses = np.clip(hits, 0.0, chances), np.clip(falses, 0.0, false_chances)
        bias = sums / (edges + BIAS_STRENGTH)[:, None]
        around = np.maximum(squares - 2 * bias * sums + edges[:, None] * bias**2, 0.0)
        spread = np.sqrt((SPREAD_STRENGTH + around) / (SPREAD_STRENGTH + edges)[:, None])
        return Rates(
            hit=(hits + HIT_STRENGTH * p.hit) / (chances + HIT_STRENGTH),
            false=(falses + FALSE_STRENGTH * p.false) / (false_chances + FALSE_STRENGTH),
            bias=bias,
            spread=np.clip(spread, 0.2, 10.0),
        )

    def class_hits(self, rates: Rates, workers: Sequence[str], labels: Sequence[str]) -> Floats:
        """How often each of `workers`, whose rates over all classes are `rates`, draws objects of each class:
        (workers + 1, labels + 1). The last row is a worker nobody has met, the last column an object of any class.

        In logits: the worker's rate, plus how much easier or harder the class is for the crowd, plus how much better or
        worse the worker is at it than that makes expect; both shrunk.
        """
        crowd = self.population.by_class
        drawn, chances = sum(crowd.values(), np.zeros(2))
        usual = (drawn + 1) / (chances + 1)
        counts = np.zeros((len(workers) + 1, len(labels), 2))
        for row, worker in enumerate(workers):
            seen = self.skills[worker].by_class if worker in self.skills else {}
            for column, label in enumerate(labels):
                if label in seen:
                    counts[row, column] = seen[label]
        of_class = np.array([crowd.get(label, (0.0, 0.0)) for label in labels]).reshape(-1, 2)
        counts, of_class = np.maximum(counts, 0.0), np.maximum(of_class, 0.0)
        shift = logit((of_class[:, 0] + CLASS_EASE_STRENGTH * usual) / (of_class[:, 1] + CLASS_EASE_STRENGTH))
        shift = shift - logit(usual)
        own = counts.sum(axis=1)
        own_rate = (own[:, 0] + CLASS_HIT_STRENGTH * usual) / (own[:, 1] + CLASS_HIT_STRENGTH)
        expected = logistic(logit(own_rate)[:, None] + shift)
        found = (counts[..., 0] + CLASS_HIT_STRENGTH * expected) / (counts[..., 1] + CLASS_HIT_STRENGTH)
        overall = logit(np.append(rates.hit, self.population.hit))[:, None]
        by_class = logistic(overall + shift + logit(found) - logit(expected))
        return np.concatenate([by_class, logistic(overall)], axis=1)

    def label_prior(self, labels: Sequence[str]) -> Floats:
        """log P(class) of a real object, shrunk towards all alike: (labels,)."""
        counts = np.array([self.population.classes.get(label, 0.0) for label in labels]) + CLASS_STRENGTH
        return np.asarray(np.log(counts / counts.sum()))

    def label_likelihood(self, workers: Sequence[str], labels: Sequence[str], pairs: Ints) -> Floats:
        """log P(given label | true label) for `pairs` (P, 2) of worker and label numbers: (P, labels).

        A worker's confusion rows are shrunk towards the worker's accuracy, and that towards the crowd's.
        """
        n, strength, nobody = len(labels), CONFUSION_STRENGTH, Skill()
        number = {label: i for i, label in enumerate(labels)}
        accuracy = self.population.accuracy if n > 1 else 1.0
        out = np.empty((len(pairs), n))
        for row, (worker, given) in enumerate(pairs):
            skill = self.skills.get(workers[worker], nobody)
            own = skill.accuracy(accuracy)
            prior = np.full(n, strength * (1 - own) / max(n - 1, 1))
            prior[given] = strength * own
            total = np.full(n, strength)
            for (true, said), count in skill.confusion.items():
                at = number.get(true)
                if at is not None and said in number:
                    total[at] += count
                    if number[said] == given:
                        prior[at] += count
            out[row] = np.log(np.maximum(prior, 1e-9) / total)
        return out

    def update(self, seen: Mapping[str, Skill], *, replaced: Mapping[str, Skill] | None = None) -> None:
        """Add what one more consolidation saw of its workers; `replaced` is what an earlier revision of it had seen."""
        for sign, batch in ((-1.0, replaced or {}), (1.0, seen)):
            for worker, skill in batch.items():
                self.skills.setdefault(worker, Skill()).add(skill, sign)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, workers sorted, numbers rounded to 6 digits: the same model gives the same bytes."""
        p = self.population
        return {
            "version": 1,
            "population": {
                **{name: _number(getattr(p, name)) for name in _SCALARS},
                **{name: _numbers(getattr(p, name)) for name in ("pixel", "relative")},
                "style": [_numbers(row) for row in p.style],
                "classes": {label: _number(n) for label, n in sorted(p.classes.items())},
                "by_class": {label: _numbers(row) for label, row in sorted(p.by_class.items())},
                "shapes": {label: _numbers(row) for label, row in sorted(p.shapes.items())},
                "slips": _numbers(p.slips),
            },
            "calibration": {
                "weights": _numbers(self.calibration.weights),
                "threshold": _number(self.calibration.threshold),
            },
            "workers": {worker: skill_to_json(self.skills[worker]) for worker in sorted(self.skills)},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> WorkerModels:
        """Read `to_json`'s output, also that of earlier algorithms; raises ValueError for another version."""
        if data.get("version") != 1:
            raise ValueError(f"worker models: found version {data.get('version')!r}, expected 1")
        stored = data["population"]
        population = Population(
            **{name: float(stored[name]) for name in _SCALARS},
            pixel=np.array(stored["pixel"], float),
            relative=np.array(stored["relative"], float),
            style=np.array(stored["style"], float),
            classes={label: float(n) for label, n in stored.get("classes", {}).items()},
            by_class={label: np.array(row, float) for label, row in stored.get("by_class", {}).items()},
            shapes={label: np.array(row, float) for label, row in stored.get("shapes", {}).items()},
            slips=np.array(stored.get("slips", np.zeros(MOMENTS)), float),
        )
        calibration = Calibration(
            weights=tuple(map(float, data["calibration"]["weights"])),
            threshold=float(data["calibration"]["threshold"]),
        )
        return cls(population, {w: skill_from_json(s) for w, s in data["workers"].items()}, calibration)


_SCALARS = ("hit", "false", "real", "objects", "accuracy", "hard")
_COUNTS = ("images", "hits", "chances", "falses", "false_chances", "edges")


def sum_by_class(skills: Iterable[Skill]) -> dict[str, Floats]:
    """The `by_class` counts of all workers together."""
    total = Skill()
    for skill in skills:
        total.add(Skill(by_class=skill.by_class))
    return total.by_class


def _number(value: float) -> float:
    return round(float(value), 6) + 0.0


def _numbers(values: Iterable[float]) -> list[float]:
    return [_number(value) for value in values]


def skill_to_json(skill: Skill) -> dict[str, Any]:
    """One worker's sums as plain JSON, rounded to 6 digits."""
    counts = {name: _number(getattr(skill, name)) for name in _COUNTS}
    confusion = [[true, said, _number(n)] for (true, said), n in sorted(skill.confusion.items())]
    edges = {"edge_sum": _numbers(skill.edge_sum), "edge_square": _numbers(skill.edge_square)}
    by_class = {label: _numbers(row) for label, row in sorted(skill.by_class.items())}
    return {**counts, **edges, "confusion": confusion, **({"by_class": by_class} if by_class else {})}


def skill_from_json(data: Mapping[str, Any]) -> Skill:
    """Read one worker's sums."""
    return Skill(
        **{name: float(data[name]) for name in _COUNTS},
        edge_sum=np.array(data["edge_sum"], float),
        edge_square=np.array(data["edge_square"], float),
        confusion={(true, said): float(n) for true, said, n in data["confusion"]},
        by_class={label: np.array(row, float) for label, row in data.get("by_class", {}).items()},
    )
