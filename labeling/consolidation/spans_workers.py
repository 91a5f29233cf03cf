"""What is known of each worker who marks spans, and of the crowd: sums of counts, rates shrunk towards the crowd's.

Who finds a span and who marks what is none are the same sums as for boxes (`Skill`); a span adds how often a worker's
boundaries are exactly right. Labels are Dawid & Skene's, as for votes. Knows no texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from labeling.consolidation.votes import VoteWorkers
from labeling.consolidation.workers import Population, Skill, WorkerModels, skill_from_json, skill_to_json

EXACT = 0.85
"""Chance that a boundary is exactly right, of a crowd never measured."""
EXACT_STRENGTH = 10.0
LEAST_EXACT, MOST_EXACT = 0.2, 0.995


@dataclass(slots=True)
class SpanWorkers:
    """`drawing` is who marks what (the rates of boxes; its edges are not used), `labels` the confusion of labels, and
    `exact` holds for each worker (right boundaries, boundaries), "" being the crowd."""

    drawing: WorkerModels = field(default_factory=lambda: WorkerModels(Population(hard=1.0)))
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
        p = self.drawing.population
        return {
            "version": 1,
            "population": {name: round(float(getattr(p, name)), 6) + 0.0 for name in _RATES},
            "workers": {name: skill_to_json(skill) for name, skill in sorted(self.drawing.skills.items())},
            "labels": self.labels.to_json(),
            "exact": {name: [round(n, 6) + 0.0 for n in counts] for name, counts in sorted(self.exact.items())},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> SpanWorkers:
        """Read `to_json`'s output; raises ValueError for another version."""
        if data.get("version") != 1:
            raise ValueError(f"span workers: found version {data.get('version')!r}, expected 1")
        population = Population()
        for name in _RATES:
            setattr(population, name, float(data["population"][name]))
        skills: dict[str, Skill] = {name: skill_from_json(one) for name, one in data["workers"].items()}
        exact = {name: (float(right), float(total)) for name, (right, total) in data["exact"].items()}
        return cls(WorkerModels(population, skills), VoteWorkers.from_json(data["labels"]), exact)


_RATES = ("hit", "false", "real", "objects", "hard")
