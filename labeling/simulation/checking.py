"""A simulated person who checks boxes that a model proposes: keeps what is good enough, corrects, deletes and adds.

What the person would draw from nothing is given: it has their misses and the scatter of their edges. A proposed box
that overlaps what they would draw well enough stays as it is, one that is visibly off is drawn anew. A proposed object
that they would have overlooked is now looked at. People are anchored: they leave some false boxes, and look a little
less for what is missing. The rates are assumptions, not measurements.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from labeling.consolidation.arrays import Floats
from labeling.formats import geometry
from labeling.formats.shapes import Box

GOOD_ENOUGH = 0.8
"""A proposed box stays as it is when it overlaps what the person would draw by this much; two drawings of the same
object by ordinary people overlap about as much."""

SAME = 0.3
"""From this overlap on a box is a poor box of the object, not one of something else."""

REAL = 0.5
"""A proposed box is about an object that it overlaps by this much."""

LEAVES_FALSE = 0.15
"""The share of the false boxes that an anchored person leaves."""

OVERLOOKS = 0.1
"""The share of the objects that were not proposed, and that the person would have drawn from nothing, which they now
overlook."""

SCATTER = 0.05
"""Standard deviation of the sides of a box that is drawn anew without having been drawn from nothing, in its extent."""


def checked(begun: Sequence[Box], said: Sequence[Box], truth: Sequence[Box]) -> list[Box]:
    """The answer of a person who begins with the boxes `begun`, and would draw `said` from nothing.

    It is the same every time it is asked for.
    """
    rng = np.random.default_rng(zlib.crc32(repr((list(begun), list(said))).encode()))
    overlap = _overlaps(begun, said)
    rows, columns = linear_sum_assignment(overlap, maximize=True)
    own = {int(r): int(c) for r, c in zip(rows, columns, strict=True) if overlap[r, c] >= SAME}
    found = []
    for place, box in enumerate(begun):
        if place in own:
            mine = said[own[place]]
            found.append(box if overlap[place, own[place]] >= GOOD_ENOUGH and mine.label == box.label else mine)
        elif (real := _about(box, truth)) is not None:
            good = _overlaps([box], [real])[0, 0] >= GOOD_ENOUGH and real.label == box.label
            found.append(box if good else _drawn(real, rng))
        elif rng.random() < LEAVES_FALSE:
            found.append(box)
    added = [box for place, box in enumerate(said) if place not in own.values()]
    return [*found, *(box for box in added if rng.random() >= OVERLOOKS)]


def _overlaps(some: Sequence[Box], others: Sequence[Box]) -> Floats:
    return geometry.iou_matrix(geometry.corners(some), geometry.corners(others)).reshape(len(some), len(others))


def _about(box: Box, truth: Sequence[Box]) -> Box | None:
    """The object that a box is about, if it is about one."""
    overlap = _overlaps([box], truth)[0]
    best = int(overlap.argmax()) if len(overlap) else -1
    return truth[best] if len(overlap) and overlap[best] >= REAL else None


def _drawn(box: Box, rng: np.random.Generator) -> Box:
    left, top, right, bottom = box.corners
    off = rng.normal(0.0, SCATTER, 4) * np.array([box.width, box.height, box.width, box.height])
    left, top = max(left + off[0], 0.0), max(top + off[1], 0.0)
    right, bottom = max(min(right + off[2], right), left + 1.0), max(min(bottom + off[3], bottom), top + 1.0)
    return Box.from_corners(box.label, *(round(float(side), 1) for side in (left, top, right, bottom)))
