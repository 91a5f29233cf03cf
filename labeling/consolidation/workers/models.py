"""What is known of the crowd and of each worker who draws boxes or marks spans, as rates.

Rates are made of the sums of counts in skills.py: a worker's counts shrunk towards the population, so that a worker
with three answers is near it and one with three hundred is judged by the record. Edges are measured in units of the
crowd's own spread for a box of that size; in the symbols of docs/consensus.md, for side s of left, top, right, bottom,

    sigma_s(box)^2 = pixel_s^2 + (relative_s * extent_s)^2
    x_s = truth_s + style_s(box) + sigma_s(box) * (bias_ws + spread_ws * noise)

`extent` being the width for left and right and the height for top and bottom. Knows no images and no objects.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, field
from typing import Any

import numpy as np

from labeling.consolidation.arrays import Floats, Ints, logistic, logit
from labeling.consolidation.workers.proposers import UNPROVEN, UNSEEN, Checks, Precision
from labeling.consolidation.workers.skills import (
    VERSION,
    Skill,
    number,
    numbers,
    read_version,
    skill_from_json,
    skill_to_json,
)

MOMENTS = 6
"""Numbers that describe the shapes of many boxes: a count, two sums, three sums of products (boxes/confidence.py)."""

POPULATION_RATES = ("recall", "false_positive_rate", "real", "objects", "accuracy", "difficulty")
"""The fields of a Population that are single numbers."""

POPULATION_NAMES_IN_VERSION_1 = {
    "recall": "hit",
    "false_positive_rate": "false",
    "difficulty": "hard",
    "distractor_shape": "slips",
}
"""The names of fields that version 1 of the stored JSON calls something else."""

RECALL_STRENGTH = 8.0
"""Objects that the population's recall counts for beside a worker's own."""

FALSE_POSITIVE_STRENGTH = 25.0
"""Distractors that the population's false positive rate counts for beside a worker's own."""

BIAS_STRENGTH = 4.0
"""Edges without bias that are added to a worker's own."""

SPREAD_STRENGTH = 6.0
"""Edges with the population's spread that are added to a worker's own."""

ACCURACY_STRENGTH = 10.0
"""Labels with the crowd's accuracy that are added to a worker's own."""

CONFUSION_STRENGTH = 20.0
"""Labels with the worker's accuracy that are added to each row of the worker's confusion matrix."""

CLASS_DIFFICULTY_STRENGTH = 20.0
"""Objects of the crowd's recall over all classes that are added to each class's own."""

CLASS_RECALL_STRENGTH = 60.0
"""Objects of the expected recall that are added to a worker's own of a class."""

CLASS_STRENGTH = 5.0
"""Objects that are added to each class when its frequency is taken."""

NO_RECORD = Skill()
"""The counts of a worker who has not been seen yet. Nobody may add to it."""


@dataclass(slots=True)
class Population:
    """The rates of the crowd. The defaults are for a crowd of which no answer has been seen."""

    recall: float = 0.85
    """Share of the objects that a worker draws."""
    false_positive_rate: float = 0.10
    """Share of the distractors that a worker draws."""
    real: float = 0.80
    """Share of real objects among the things that anybody drew."""
    objects: float = 3.0
    """Objects an image."""
    accuracy: float = 0.90
    """Chance that a label given to a real object is the right one."""
    difficulty: float = 1.5
    """Standard deviation, in logits, of how difficult objects are to find."""
    pixel: Floats = field(default_factory=lambda: np.full(4, 1.5))
    """The part of the spread of each side that does not depend on the size of the box, in pixels."""
    relative: Floats = field(default_factory=lambda: np.full(4, 0.06))
    """The part of the spread of each side that grows with the extent of the box."""
    style: Floats = field(default_factory=lambda: np.zeros((4, 3)))
    """How far this crowd's sides lie from the experts', linear in (1, width, height). Zero without golds."""
    classes: dict[str, float] = field(default_factory=dict)
    """How many real objects of each class were seen."""
    by_class: dict[str, Floats] = field(default_factory=dict)
    """Objects beyond doubt of each class that were found, and that could have been, over all workers (2,)."""
    shapes: dict[str, Floats] = field(default_factory=dict)
    """Moments of the shapes of real boxes, by class (MOMENTS,)."""
    distractor_shape: Floats = field(default_factory=lambda: np.zeros(MOMENTS))
    """Moments of the shapes of distractors."""

    def edges(self, extent: Floats) -> tuple[Floats, Floats]:
        """Of boxes of `extent` (K, 4): the standard deviation `sigma` of an ordinary worker's sides, and the `style`,
        how far this crowd's sides lie from the experts'. Both (K, 4), in pixels."""
        sigma = np.sqrt(self.pixel**2 + (self.relative * extent) ** 2)
        design = np.stack([np.ones(len(extent)), extent[:, 0], extent[:, 1]], axis=1)
        return sigma, design @ self.style.T


@dataclass(slots=True)
class Calibration:
    """How the features of a candidate become the chance that it is real (boxes/confidence.py)."""

    weights: tuple[float, ...] = ()
    """A weight for each feature; none before a fit on golds."""
    threshold: float = 0.5
    """The confidence, the chance that object and class are right, from which a box is kept."""


@dataclass(frozen=True, slots=True)
class Rates:
    """One row a worker: `recall`, `false_positive_rate` (W,), `bias`, `spread` (W, 4).

    `recall_by_class` is (W + 1, labels + 1): its last row is a worker without a record, its last column an object of
    any class. `recall` and `false_positive_rate` are taken of `chances` objects and `distractors` distractors (W,),
    those of the population included.
    """

    recall: Floats
    recall_by_class: Floats
    false_positive_rate: Floats
    bias: Floats
    spread: Floats
    chances: Floats
    distractors: Floats


class WorkerModels:
    """The crowd and its workers. `to_json` gives plain JSON (sorted, rounded), `from_json` reads it back."""

    def __init__(
        self,
        population: Population | None = None,
        skills: Mapping[str, Skill] | None = None,
        calibration: Calibration | None = None,
        proposers: Mapping[str, Skill] | None = None,
        checks: Checks | None = None,
        precisions: Mapping[str, Precision] | None = None,
        placings: Mapping[str, Precision] | None = None,
    ) -> None:
        self.population = population or Population()
        self.skills: dict[str, Skill] = dict(skills or {})
        self.calibration = calibration or Calibration()
        # Models whose boxes people were shown, or might have been, by name; counted where people did not see them.
        self.proposers: dict[str, Skill] = dict(proposers or {})
        self.checks = checks or Checks()
        # Of each proposer by the scores of its boxes: the share about an object, and of these the share that lies well.
        self.precisions: dict[str, Precision] = dict(precisions or {})
        self.placings: dict[str, Precision] = dict(placings or {})

    def precision(self, proposer: str) -> Precision:
        """How many of the boxes of a model are about an object, as far as people labeled without seeing them."""
        if (fitted := self.precisions.get(proposer)) is not None:
            return fitted
        skill = self.proposers.get(proposer, UNPROVEN)
        found, false = max(skill.found, 0.0), max(skill.false_positives, 0.0)
        return Precision(float(np.log(found + 1e-3) - np.log(false + 1e-3)), 0.0, 0.0)

    def placing(self, proposer: str) -> Precision:
        """How many of the boxes of a model that are about an object lie well; before anything is seen as many as of its
        boxes are about one."""
        return self.placings.get(proposer, UNSEEN)

    def _record(self, worker: str) -> Skill:
        return self.skills.get(worker) or self.proposers.get(worker, NO_RECORD)

    def rates(self, workers: Sequence[str], labels: Sequence[str] = ()) -> Rates:
        """Shrunk rates of `workers` in their order, with the recall of each of `labels`; workers without a record get
        the population's."""
        p = self.population
        skills = [self._record(worker) for worker in workers]
        found, chances, false_positives, distractors, edges = (
            np.array([getattr(skill, name) for skill in skills], float)
            for name in ("found", "chances", "false_positives", "distractors", "edges")
        )
        sums = np.array([skill.edge_sum for skill in skills]).reshape(-1, 4)
        squares = np.array([skill.edge_square for skill in skills]).reshape(-1, 4)
        # Subtracted counts (of a replaced revision) came from an older model, so a difference can fall below 0.
        chances, distractors, edges = (np.maximum(n, 0.0) for n in (chances, distractors, edges))
        found, false_positives = np.clip(found, 0.0, chances), np.clip(false_positives, 0.0, distractors)
        bias = sums / (edges + BIAS_STRENGTH)[:, None]
        around = np.maximum(squares - 2 * bias * sums + edges[:, None] * bias**2, 0.0)
        spread = np.sqrt((SPREAD_STRENGTH + around) / (SPREAD_STRENGTH + edges)[:, None])
        recall = (found + RECALL_STRENGTH * p.recall) / (chances + RECALL_STRENGTH)
        return Rates(
            recall=recall,
            recall_by_class=self._recall_by_class(recall, workers, labels),
            false_positive_rate=(false_positives + FALSE_POSITIVE_STRENGTH * p.false_positive_rate)
            / (distractors + FALSE_POSITIVE_STRENGTH),
            bias=bias,
            spread=np.clip(spread, 0.2, 10.0),
            chances=chances + RECALL_STRENGTH,
            distractors=distractors + FALSE_POSITIVE_STRENGTH,
        )

    def standard_error(self, worker: str) -> float:
        """Of a worker's recall over all classes: what a share of so many counts, the population's with them, is off
        by."""
        recall = float(self.rates([worker]).recall[0])
        chances = max(self.skills.get(worker, NO_RECORD).chances, 0.0)
        return float(np.sqrt(recall * (1 - recall) / (chances + RECALL_STRENGTH + 1)))

    def _recall_by_class(self, recall: Floats, workers: Sequence[str], labels: Sequence[str]) -> Floats:
        """See `Rates`, from the `recall` (W,) of `workers` over all classes.

        In logits: the worker's recall, plus how much easier the class is for the crowd, plus how much better the worker
        is at it than these two predict. Both additions are shrunk.
        """
        crowd = self.population.by_class
        found, chances = sum(crowd.values(), np.zeros(2))
        usual = (found + 1) / (chances + 1)
        counts = np.zeros((len(workers) + 1, len(labels), 2))
        for row, worker in enumerate(workers):
            seen = self._record(worker).by_class
            for column, label in enumerate(labels):
                if label in seen:
                    counts[row, column] = seen[label]
        of_class = np.array([crowd.get(label, (0.0, 0.0)) for label in labels]).reshape(-1, 2)
        counts, of_class = np.maximum(counts, 0.0), np.maximum(of_class, 0.0)
        strength = CLASS_DIFFICULTY_STRENGTH
        ease = logit((of_class[:, 0] + strength * usual) / (of_class[:, 1] + strength)) - logit(usual)
        own = counts.sum(axis=1)
        own_recall = (own[:, 0] + CLASS_RECALL_STRENGTH * usual) / (own[:, 1] + CLASS_RECALL_STRENGTH)
        expected = logistic(logit(own_recall)[:, None] + ease)
        shrunk = (counts[..., 0] + CLASS_RECALL_STRENGTH * expected) / (counts[..., 1] + CLASS_RECALL_STRENGTH)
        overall = logit(np.append(recall, self.population.recall))[:, None]
        by_class = overall + ease + logit(shrunk) - logit(expected)
        return logistic(np.concatenate([by_class, overall], axis=1))

    def label_chances(self, workers: Sequence[str], labels: Sequence[str], votes: Ints) -> tuple[Floats, Floats]:
        """log P(class) of a real object (labels,), and log P(given label | true label) (P, labels) for `votes` (P, 2)
        of worker and label numbers.

        Class frequencies are shrunk towards all classes alike, a worker's confusion rows towards the worker's accuracy,
        and that towards the crowd's.
        """
        frequency = np.array([self.population.classes.get(label, 0.0) for label in labels]) + CLASS_STRENGTH
        n, strength = len(labels), CONFUSION_STRENGTH
        number_of = {label: i for i, label in enumerate(labels)}
        crowd = self.population.accuracy if n > 1 else 1.0
        likelihood = np.empty((len(votes), n))
        for row, (worker, given) in enumerate(votes):
            skill = self._record(workers[worker])
            accuracy = _accuracy(skill, crowd)
            counts = np.full(n, strength * (1 - accuracy) / max(n - 1, 1))
            counts[given] = strength * accuracy
            total = np.full(n, strength)
            for (true, other), count in skill.confusion.items():
                at = number_of.get(true)
                if at is not None and other in number_of:
                    total[at] += count
                    if number_of[other] == given:
                        counts[at] += count
            likelihood[row] = np.log(np.maximum(counts, 1e-9) / total)
        return np.log(frequency / frequency.sum()), likelihood

    def update(self, seen: Mapping[str, Skill], *, replaced: Mapping[str, Skill] | None = None) -> None:
        """Add the counts of one more consolidation; `replaced` are those of an earlier revision of it, to subtract."""
        for sign, batch in ((-1.0, replaced or {}), (1.0, seen)):
            for worker, skill in batch.items():
                self.skills.setdefault(worker, Skill()).add(skill, sign)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, workers sorted, numbers rounded to 6 digits: the same model gives the same bytes."""
        return {
            "version": VERSION,
            "population": population_to_json(self.population),
            "calibration": {
                "weights": numbers(self.calibration.weights),
                "threshold": number(self.calibration.threshold),
            },
            "workers": {worker: skill_to_json(self.skills[worker]) for worker in sorted(self.skills)},
            **self._proposed_to_json(),
        }

    def _proposed_to_json(self) -> dict[str, Any]:
        """Nothing where nothing was ever proposed."""
        if not self.proposers and self.checks == Checks():
            return {}
        return {
            "proposers": {name: skill_to_json(self.proposers[name]) for name in sorted(self.proposers)},
            **{
                key: {name: numbers(astuple(some[name])) for name in sorted(some)}
                for key, some in (("precisions", self.precisions), ("placings", self.placings))
            },
            "checks": {name: number(value) for name, value in asdict(self.checks).items()},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> WorkerModels:
        """Read `to_json`'s output, also that of versions 1 and of earlier algorithms.

        Raises ValueError for another version.
        """
        version = read_version(data, "worker models")
        calibration = Calibration(
            weights=tuple(map(float, data["calibration"]["weights"])),
            threshold=float(data["calibration"]["threshold"]),
        )
        skills = {worker: skill_from_json(skill, version) for worker, skill in data["workers"].items()}
        proposers = {name: skill_from_json(skill, version) for name, skill in data.get("proposers", {}).items()}
        checks = Checks(**{name: float(value) for name, value in data.get("checks", {}).items()})
        precisions, placings = (
            {name: Precision(*map(float, row)) for name, row in data.get(key, {}).items()}
            for key in ("precisions", "placings")
        )
        population = population_from_json(data["population"], version)
        return cls(population, skills, calibration, proposers, checks, precisions, placings)


def _accuracy(skill: Skill, crowd: float) -> float:
    """Share of right labels on real objects, shrunk towards the accuracy of the crowd."""
    agreed = sum(n for (true, given), n in skill.confusion.items() if true == given)
    strength = ACCURACY_STRENGTH
    return (max(agreed, 0.0) + strength * crowd) / (max(sum(skill.confusion.values()), agreed, 0.0) + strength)


def population_to_json(population: Population) -> dict[str, Any]:
    """Plain JSON, classes sorted, numbers rounded to 6 digits."""
    return {
        **{name: number(getattr(population, name)) for name in POPULATION_RATES},
        **{name: numbers(getattr(population, name)) for name in ("pixel", "relative")},
        "style": [numbers(row) for row in population.style],
        "classes": {label: number(n) for label, n in sorted(population.classes.items())},
        "by_class": {label: numbers(row) for label, row in sorted(population.by_class.items())},
        "shapes": {label: numbers(row) for label, row in sorted(population.shapes.items())},
        "distractor_shape": numbers(population.distractor_shape),
    }


def population_from_json(data: Mapping[str, Any], version: int) -> Population:
    """Read `population_to_json`'s output, as `version` of the stored JSON names its fields."""
    names = POPULATION_NAMES_IN_VERSION_1 if version == 1 else {}
    distractor_shape = data.get(names.get("distractor_shape", "distractor_shape"), np.zeros(MOMENTS))
    return Population(
        **{name: float(data[names.get(name, name)]) for name in POPULATION_RATES},
        pixel=np.array(data["pixel"], float),
        relative=np.array(data["relative"], float),
        style=np.array(data["style"], float),
        classes={label: float(n) for label, n in data.get("classes", {}).items()},
        by_class={label: np.array(row, float) for label, row in data.get("by_class", {}).items()},
        shapes={label: np.array(row, float) for label, row in data.get("shapes", {}).items()},
        distractor_shape=np.array(distractor_shape, float),
    )
