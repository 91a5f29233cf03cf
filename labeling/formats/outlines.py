"""How alike two outlines are: overlap of polygons, distance of lines. Vertices are rows of (x, y) in pixels.

Both look at a fixed number of points, so that no outline, however many vertices it has and however it crosses itself,
takes long. It must not know labels, answers or files.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

GRID = 128
"""Points a side at which two polygons are compared: their overlap is right to about a hundredth."""

STEPS = 48
"""Points along each line at which two lines are compared."""


def polygon_overlap(one: ArrayLike, other: ArrayLike) -> float:
    """Intersection over union of the areas inside two polygons, 0 to 1; where an outline crosses itself, by the
    even-odd rule. Of polygons without an area: 1 for the same vertices, else 0."""
    a, b = _rows(one), _rows(other)
    if a.shape == b.shape and bool((a == b).all()):
        return 1.0
    low = np.minimum(a.min(axis=0), b.min(axis=0))
    side = np.maximum(a.max(axis=0), b.max(axis=0)) - low
    if bool((np.minimum(a.max(axis=0), b.max(axis=0)) <= np.maximum(a.min(axis=0), b.min(axis=0))).any()):
        return 0.0
    x, y = (low[axis] + side[axis] * (np.arange(GRID) + 0.5) / GRID for axis in (0, 1))
    first, second = _inside(a, x, y), _inside(b, x, y)
    union = np.count_nonzero(first | second)
    return float(np.count_nonzero(first & second) / union) if union else 0.0


def line_distance(one: ArrayLike, other: ArrayLike) -> float:
    """How far two lines lie apart in pixels: the mean distance of points along each to the nearest of the other's.

    The direction in which a line was drawn does not matter.
    """
    a, b = _along(_rows(one)), _along(_rows(other))
    apart = np.hypot(a[:, None, 0] - b[None, :, 0], a[:, None, 1] - b[None, :, 1])
    return float((apart.min(axis=0).mean() + apart.min(axis=1).mean()) / 2)


def _rows(vertices: ArrayLike) -> Floats:
    rows = np.asarray(vertices, dtype=np.float64).reshape(-1, 2)
    if len(rows) == 0:
        raise ValueError("an outline needs at least one point")
    return rows


def _inside(vertices: Floats, x: Floats, y: Floats) -> Bools:
    """(len(y), len(x)): whether each point lies inside, by counting the edges to its left. Both ascend evenly."""
    start, end = vertices, np.roll(vertices, -1, axis=0)
    crosses = (start[None, :, 1] <= y[:, None]) != (end[None, :, 1] <= y[:, None])
    row, edge = np.nonzero(crosses)
    (x1, y1), (x2, y2) = start[edge].T, end[edge].T
    at = x1 + (y[row] - y1) / (y2 - y1) * (x2 - x1)
    first_right = np.searchsorted(x, at, side="left")
    turns = np.zeros((len(y), len(x) + 1), np.int64)
    np.add.at(turns, (row, first_right), 1)
    return np.asarray(np.cumsum(turns[:, :-1], axis=1) % 2 == 1)


def _along(vertices: Floats) -> Floats:
    """STEPS points at equal distances along a line: (STEPS, 2)."""
    pieces = np.hypot(*np.diff(vertices, axis=0).T) if len(vertices) > 1 else np.zeros(0)
    run = np.concatenate([[0.0], np.cumsum(pieces)])
    places = np.linspace(0.0, run[-1], STEPS)
    return np.stack([np.interp(places, run, vertices[:, axis]) for axis in (0, 1)], axis=1)
