"""The crowd as a whole: what a worker is expected to do of whom nothing is known yet. Knows no single worker.

Edges are measured in units of the crowd's own spread for a box of that size,

    sigma_s(box)^2 = pixel_s^2 + (relative_s * extent_s)^2

for side s of left, top, right, bottom, `extent` being the width for left and right and the height for top and bottom.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from labeling.consolidation.arrays import Floats
from labeling.consolidation.workers.skills import number, numbers

MOMENTS = 6
"""Numbers that describe the shapes of many boxes: a count, two sums, three sums of products (boxes/confidence.py)."""

RATES = ("recall", "false_positive_rate", "real", "objects", "accuracy", "difficulty")
"""The fields of a Population that are single numbers."""

NAMES_IN_VERSION_1 = {
    "recall": "hit",
    "false_positive_rate": "false",
    "difficulty": "hard",
    "distractor_shape": "slips",
}
"""The names of fields that version 1 of the stored JSON calls something else."""


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

    def sigma(self, extent: Floats) -> Floats:
        """Standard deviation of an ordinary worker's sides, in pixels, for boxes of `extent` (K, 4): (K, 4)."""
        return np.sqrt(self.pixel**2 + (self.relative * extent) ** 2)

    def style_of(self, extent: Floats) -> Floats:
        """How far this crowd's sides lie from the experts', in pixels, for boxes of `extent` (K, 4): (K, 4)."""
        design = np.stack([np.ones(len(extent)), extent[:, 0], extent[:, 1]], axis=1)
        shift: Floats = design @ self.style.T
        return shift


def population_to_json(population: Population) -> dict[str, Any]:
    """Plain JSON, classes sorted, numbers rounded to 6 digits."""
    return {
        **{name: number(getattr(population, name)) for name in RATES},
        **{name: numbers(getattr(population, name)) for name in ("pixel", "relative")},
        "style": [numbers(row) for row in population.style],
        "classes": {label: number(n) for label, n in sorted(population.classes.items())},
        "by_class": {label: numbers(row) for label, row in sorted(population.by_class.items())},
        "shapes": {label: numbers(row) for label, row in sorted(population.shapes.items())},
        "distractor_shape": numbers(population.distractor_shape),
    }


def population_from_json(data: Mapping[str, Any], version: int) -> Population:
    """Read `population_to_json`'s output, as `version` of the stored JSON names its fields."""
    names = NAMES_IN_VERSION_1 if version == 1 else {}
    distractor_shape = data.get(names.get("distractor_shape", "distractor_shape"), np.zeros(MOMENTS))
    return Population(
        **{name: float(data[names.get(name, name)]) for name in RATES},
        pixel=np.array(data["pixel"], float),
        relative=np.array(data["relative"], float),
        style=np.array(data["style"], float),
        classes={label: float(n) for label, n in data.get("classes", {}).items()},
        by_class={label: np.array(row, float) for label, row in data.get("by_class", {}).items()},
        shapes={label: np.array(row, float) for label, row in data.get("shapes", {}).items()},
        distractor_shape=np.array(distractor_shape, float),
    )
