"""The consensus of key points: alike by distance of one label, merged into the median of each coordinate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from labeling.consolidation.arrays import Floats
from labeling.consolidation.shapes.answers import Comparison, Likeness, Size, diagonal
from labeling.consolidation.shapes.consolidator import ShapeConsolidator
from labeling.formats.shapes import Keypoint

ALGORITHM = "keypoints/1"
"""The version that labels are stored with. Results that differ need another version."""

REACH = 0.06
"""Points farther from each other than this share of the image's diagonal have nothing in common."""


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

    def merged(self, members: Sequence[Keypoint], compare: Comparison[Keypoint]) -> Keypoint:
        """The median of x and of y: one worker who is far off moves it little."""
        x, y = np.median([(one.x, one.y) for one in members], axis=0).tolist()
        return Keypoint(members[0].label, x, y)


CONSOLIDATOR = ShapeConsolidator(ALGORITHM, DistanceLikeness())

consolidate = CONSOLIDATOR.consolidate
fit_workers = CONSOLIDATOR.fit_workers
should_ask_more = CONSOLIDATOR.should_ask_more
skill_rows = CONSOLIDATOR.skill_rows
