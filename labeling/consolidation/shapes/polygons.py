"""The consensus of polygons: alike by the overlap of their areas, the merged one is their mean."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from labeling.consolidation.arrays import Floats
from labeling.consolidation.shapes.answers import Comparison, Habits, Likeness, Size, mean_of
from labeling.consolidation.shapes.consolidator import ShapeConsolidator
from labeling.formats import outlines
from labeling.formats.shapes import Polygon

ALGORITHM = "polygons/2"
"""The version that labels are stored with. Results that differ need another version."""


class AreaLikeness(Likeness[Polygon]):
    """Intersection over union of the areas."""

    def between(self, one: Polygon, other: Polygon, size: Size) -> float:
        """See outlines.polygon_overlap."""
        return outlines.polygon_overlap(one.vertices, other.vertices)

    def points(self, shape: Polygon) -> Floats:
        """Its vertices."""
        return np.array(shape.vertices, np.float64)

    def reach(self, size: Size) -> float:
        """One pixel: polygons that do not touch have nothing in common, and one without an area needs bounds."""
        return 1.0

    def merged(self, members: Sequence[Polygon], compare: Comparison[Polygon], habits: Habits | None = None) -> Polygon:
        """Their mean outline."""
        return mean_of(members, compare)


CONSOLIDATOR = ShapeConsolidator(ALGORITHM, AreaLikeness())

consolidate = CONSOLIDATOR.consolidate
fit_workers = CONSOLIDATOR.fit_workers
should_ask_more = CONSOLIDATOR.should_ask_more
skill_rows = CONSOLIDATOR.skill_rows
