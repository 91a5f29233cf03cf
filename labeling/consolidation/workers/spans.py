"""What is known of each worker who marks spans, and of the crowd: sums of counts, rates shrunk towards the crowd's.

Recall and false positives are the same sums as for boxes (`Skill`); spans add how often a worker's boundaries are
exactly right. Labels are Dawid & Skene's, as for votes. Knows no texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from labeling.consolidation.workers.models import POPULATION_NAMES_IN_VERSION_1, Population, WorkerModels
from labeling.consolidation.workers.skills import VERSION, number, numbers, read_version, skill_from_json, skill_to_json
from labeling.consolidation.workers.votes import VoteWorkers

EXACT = 0.85
"""Chance that a boundary is exactly right, of a crowd of which no answer has been seen."""

EXACT_STRENGTH = 10.0
"""Boundaries of EXACT that are added to the crowd's, and of the crowd's that are added to a worker's."""

LEAST_EXACT, MOST_EXACT = 0.2, 0.995
"""The chance that a boundary is exactly right is always within these."""

RATES = ("recall", "false_positive_rate", "real", "objects", "difficulty")
"""The fields of the population that spans use."""


@dataclass(slots=True)
class SpanWorkers:
    """`marking` is who marks what (the rates of boxes; its edges are not used), `labels` the confusion of labels, and
    `exact` holds for each worker (right boundaries, boundaries), "" being the crowd."""

    marking: WorkerModels = field(default_factory=lambda: WorkerModels(Population(difficulty=1.0)))
    labels: VoteWorkers = field(default_factory=VoteWorkers)
    exact: dict[str, tuple[float, float]] = field(default_factory=dict)

    def exactness(self, worker: str | None = None) -> float:
        """Chance that one boundary by `worker` (None: anybody) is exactly right, given that the span is there."""
        right, total = self.exact.get("", (0.0, 0.0))
        crowd = (right + EXACT_STRENGTH * EXACT) / (total + EXACT_STRENGTH)
        if worker:
            right, total = self.exact.get(worker, (0.0, 0.0))
            crowd = (right + EXACT_STRENGTH * crowd) / (total + EXACT_STRENGTH)
        return min(max(crowd, LEAST_EXACT), MOST_EXACT)

    def saw_boundary(self, worker: str, right: float, weight: float) -> None:
        """Add one boundary of weight `weight`, of which `right` was right."""
        for name in ("", worker):
            before = self.exact.get(name, (0.0, 0.0))
            self.exact[name] = (before[0] + right, before[1] + weight)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, sorted, rounded to 6 digits: the same model gives the same bytes."""
        p = self.marking.population
        return {
            "version": VERSION,
            "population": {name: number(getattr(p, name)) for name in RATES},
            "workers": {name: skill_to_json(skill) for name, skill in sorted(self.marking.skills.items())},
            "labels": self.labels.to_json(),
            "exact": {name: numbers(counts) for name, counts in sorted(self.exact.items())},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> SpanWorkers:
        """Read `to_json`'s output, also that of version 1; raises ValueError for another version."""
        version = read_version(data, "span workers")
        names = POPULATION_NAMES_IN_VERSION_1 if version == 1 else {}
        population = Population()
        for name in RATES:
            setattr(population, name, float(data["population"][names.get(name, name)]))
        skills = {name: skill_from_json(one, version) for name, one in data["workers"].items()}
        exact = {name: (float(right), float(total)) for name, (right, total) in data["exact"].items()}
        return cls(WorkerModels(population, skills), VoteWorkers.from_json(data["labels"]), exact)
