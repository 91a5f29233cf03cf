"""The consensus of key points: alike by distance of one label, merged into a mean in which far ones count less."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from labeling.consolidation.arrays import Floats
from labeling.consolidation.shapes.answers import Comparison, Habits, Likeness, Size, diagonal
from labeling.consolidation.shapes.averaging import robust_mean
from labeling.consolidation.shapes.consolidator import ShapeConsolidator
from labeling.formats.shapes import Keypoint

ALGORITHM = "keypoints/2"
"""The version that labels are stored with. Results that differ need another version."""

REACH = 0.06
"""Points farther from each other than this share of the image's diagonal have nothing in common."""


UNIT = 12.0
"""Units of people's habits in a reach."""


class DistanceLikeness(Likeness[Keypoint]):
    """1 less the distance of the points in units of REACH. The label says which point is meant, so that points with
    two labels are never about the same one."""

    across_labels = 0.0

    def between(self, one: Keypoint, other: Keypoint, size: Size) -> float:
        """By their distance."""
        return max(0.0, 1 - float(np.hypot(one.x - other.x, one.y - other.y)) / self.reach(size))

    def points(self, shape: Keypoint) -> Floats:
        """The point."""
        return np.array([(shape.x, shape.y)], np.float64)

    def reach(self, size: Size) -> float:
        """A share of the diagonal."""
        return REACH * diagonal(size)

    def merged(
        self, members: Sequence[Keypoint], compare: Comparison[Keypoint], habits: Habits | None = None
    ) -> Keypoint:
        """The mean, far ones counting less: each moved back by its worker's bias, precise workers first."""
        points = np.array([(one.x, one.y) for one in members])
        weights = None
        if habits is not None:
            points = points - habits.bias * self.reach(compare.size) / UNIT
            weights = habits.spread**-2
        # Rounded in an order of its own: sums of numbers depend on it.
        order = np.lexsort((*points.T, *([] if weights is None else [weights])))
        x, y = robust_mean(points[order], None if weights is None else weights[order]).round(2).tolist()
        return Keypoint(members[0].label, x + 0.0, y + 0.0)

    def residual(self, shape: Keypoint, merged: Keypoint, size: Size) -> Floats:
        """In twelfths of the reach: about what people are off by."""
        return np.array([shape.x - merged.x, shape.y - merged.y]) * UNIT / self.reach(size)


CONSOLIDATOR = ShapeConsolidator(ALGORITHM, DistanceLikeness())

consolidate = CONSOLIDATOR.consolidate
fit_workers = CONSOLIDATOR.fit_workers
should_ask_more = CONSOLIDATOR.should_ask_more
skill_rows = CONSOLIDATOR.skill_rows
