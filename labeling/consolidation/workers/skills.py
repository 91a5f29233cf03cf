"""What is known of one worker as plain sums of counts, which can be added over images, batches and jobs.

Knows no images, and no rates: how counts become rates is in models.py.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from labeling.consolidation.arrays import Floats

VERSION = 2
"""Version of the stored JSON of worker models. Version 1 has other names for the same counts."""

NAMES_IN_VERSION_1 = {"found": "hits", "false_positives": "falses", "distractors": "false_chances"}
"""The names of counts that version 1 of the stored JSON calls something else."""


@dataclass(frozen=True, slots=True)
class SkillRow:
    """One worker's counts for one label ("" is all labels together), to be added to those of other jobs.

    `answers` is the number of objects that the worker answered. The worker found `found` of the `chances` things (of
    this label) that were there: recall is found / chances. `false_positive_chances` counts the occasions to name
    something that was not there (or has another label), `false_positives` how often the worker did. All are expected
    counts and have fractions. Where false positives are not counted by label, both are 0.
    """

    worker: str
    label: str
    answers: float
    found: float
    chances: float
    false_positives: float
    false_positive_chances: float

    @property
    def standard_error(self) -> float:
        """Standard error of found / chances: the standard deviation of Beta(found + 1, chances - found + 1)."""
        whole = max(self.chances, self.found, 0.0)
        share = (max(self.found, 0.0) + 1) / (whole + 2)
        return math.sqrt(share * (1 - share) / (whole + 3))


@dataclass(slots=True)
class Skill:
    """Sums for one worker who draws boxes or marks spans.

    Of `chances` objects the worker found `found`; of `distractors` (things that are no object and that somebody could
    take for one) the worker drew `false_positives`. `edges` is the weight of the edges that were measured, `edge_sum`
    and `edge_square` (4,) are the sums of their residuals in units of sigma and of the squares. `confusion` counts
    labels by (true, given). `by_class` holds for each class how many objects beyond doubt were found, and of how many.
    """

    images: float = 0.0
    found: float = 0.0
    chances: float = 0.0
    false_positives: float = 0.0
    distractors: float = 0.0
    edges: float = 0.0
    edge_sum: Floats = field(default_factory=lambda: np.zeros(4))
    edge_square: Floats = field(default_factory=lambda: np.zeros(4))
    confusion: dict[tuple[str, str], float] = field(default_factory=dict)
    by_class: dict[str, Floats] = field(default_factory=dict)

    def add(self, other: Skill, sign: float = 1.0) -> None:
        """Add the counts of `other`, or with sign -1 subtract them."""
        for name in COUNTS:
            setattr(self, name, getattr(self, name) + sign * getattr(other, name))
        self.edge_sum = self.edge_sum + sign * other.edge_sum
        self.edge_square = self.edge_square + sign * other.edge_square
        for key, count in other.confusion.items():
            self.confusion[key] = self.confusion.get(key, 0.0) + sign * count
        for label, counts in other.by_class.items():
            self.by_class[label] = self.by_class.get(label, np.zeros(2)) + sign * counts


COUNTS = ("images", "found", "chances", "false_positives", "distractors", "edges")
"""The fields of a Skill that are single numbers."""


def sum_by_class(skills: Iterable[Skill]) -> dict[str, Floats]:
    """The `by_class` counts of all workers together."""
    total = Skill()
    for skill in skills:
        total.add(Skill(by_class=skill.by_class))
    return total.by_class


def rows_of_skills(skills: Mapping[str, Skill]) -> list[SkillRow]:
    """Each worker's row over all labels, then one for each label of `by_class`, workers and labels sorted."""
    rows = []
    for worker, skill in sorted(skills.items()):
        whole = (skill.found, skill.chances, skill.false_positives, skill.distractors)
        rows.append(SkillRow(worker, "", float(skill.images), *map(float, whole)))
        for label, (found, chances) in sorted(skill.by_class.items()):
            rows.append(SkillRow(worker, label, float(skill.images), float(found), float(chances), 0.0, 0.0))
    return rows


def number(value: float) -> float:
    """Rounded to 6 digits for storing; -0.0 becomes 0.0."""
    return round(float(value), 6) + 0.0


def numbers(values: Iterable[float]) -> list[float]:
    """Each value as `number` stores it."""
    return [number(value) for value in values]


def skill_to_json(skill: Skill) -> dict[str, Any]:
    """One worker's sums as plain JSON, rounded to 6 digits."""
    counts = {name: number(getattr(skill, name)) for name in COUNTS}
    confusion = [[true, given, number(n)] for (true, given), n in sorted(skill.confusion.items())]
    edges = {"edge_sum": numbers(skill.edge_sum), "edge_square": numbers(skill.edge_square)}
    by_class = {label: numbers(row) for label, row in sorted(skill.by_class.items())}
    return {**counts, **edges, "confusion": confusion, **({"by_class": by_class} if by_class else {})}


def skill_from_json(data: Mapping[str, Any], version: int) -> Skill:
    """Read one worker's sums, as `version` of the stored JSON names them."""
    names = NAMES_IN_VERSION_1 if version == 1 else {}
    return Skill(
        **{name: float(data[names.get(name, name)]) for name in COUNTS},
        edge_sum=np.array(data["edge_sum"], float),
        edge_square=np.array(data["edge_square"], float),
        confusion={(true, given): float(n) for true, given, n in data["confusion"]},
        by_class={label: np.array(row, float) for label, row in data.get("by_class", {}).items()},
    )


def read_version(data: Mapping[str, Any], what: str) -> int:
    """The version of stored worker models. Raises ValueError for one that cannot be read."""
    version = data.get("version")
    if version not in (1, VERSION):
        raise ValueError(f"{what}: found version {version!r}, expected 1 or {VERSION}")
    return int(version)
