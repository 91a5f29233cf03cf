"""The consensus of polylines: alike by how near they run, the merged one is their mean."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from labeling.consolidation.arrays import Floats
from labeling.consolidation.shapes.answers import Comparison, Habits, Likeness, Size, diagonal, mean_of
from labeling.consolidation.shapes.consolidator import ShapeConsolidator
from labeling.formats import outlines
from labeling.formats.shapes import Polygon

ALGORITHM = "polylines/2"
"""The version that labels are stored with. Results that differ need another version."""

REACH = 0.06
"""Lines that run farther from each other than this share of the image's diagonal have nothing in common."""


class LineLikeness(Likeness[Polygon]):
    """1 less the distance of the lines in units of REACH."""

    def between(self, one: Polygon, other: Polygon, size: Size) -> float:
        """See outlines.line_distance."""
        return max(0.0, 1 - outlines.line_distance(one.vertices, other.vertices) / self.reach(size))

    def points(self, shape: Polygon) -> Floats:
        """Its vertices."""
        return np.array(shape.vertices, np.float64)

    def reach(self, size: Size) -> float:
        """A share of the diagonal."""
        return REACH * diagonal(size)

    def merged(self, members: Sequence[Polygon], compare: Comparison[Polygon], habits: Habits | None = None) -> Polygon:
        """Their mean outline."""
        return mean_of(members, compare)


CONSOLIDATOR = ShapeConsolidator(ALGORITHM, LineLikeness())

consolidate = CONSOLIDATOR.consolidate
fit_workers = CONSOLIDATOR.fit_workers
should_ask_more = CONSOLIDATOR.should_ask_more
skill_rows = CONSOLIDATOR.skill_rows
