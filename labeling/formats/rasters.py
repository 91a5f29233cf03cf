"""Outlines and cut-outs as masks of whole images, found column by column without laying the picture out.

It must not know labels or files.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from labeling.formats.masks import MAX_PIXELS
from labeling.formats.segments import counts_of

Ints = NDArray[np.int64]

MOST_CROSSINGS = 5_000_000
"""Edges times the columns that each crosses: what one outline may take of time and memory."""


def mask_of(rings: Sequence[Sequence[tuple[float, float]]], size: tuple[int, int]) -> str:
    """COCO's run lengths of the pixels inside at least one of the rings, of an image of (width, height).

    Within one ring the even-odd rule holds. Raises ValueError for an outline with far too many edges.
    """
    width, height = size
    if not 0 < width * height <= MAX_PIXELS:
        raise ValueError(f"a mask of {width} x {height} pixels, 1 to {MAX_PIXELS:,} are possible")
    begins, ends = [], []
    for ring in rings:
        crossed = _crossings(np.asarray(ring, np.float64).reshape(-1, 2), width, height)
        begins.append(crossed[::2])
        ends.append(crossed[1::2])
    at = np.concatenate([*begins, *ends]) if begins else np.zeros(0, np.int64)
    step = np.concatenate([np.full(sum(map(len, begins)), 1), np.full(sum(map(len, ends)), -1)])
    places, inverse = np.unique(at, return_inverse=True)
    depth = np.cumsum(np.bincount(inverse, weights=step, minlength=len(places))).astype(np.int64)
    inside = depth > 0
    changes = inside != np.concatenate([[False], inside[:-1]]) if len(inside) else inside
    found = places[changes]
    return counts_of(found[found < width * height], width * height)


def mask_at(cut: NDArray[np.uint8], left: int, top: int, size: tuple[int, int]) -> str:
    """COCO's run lengths of a mask of a part of an image of (width, height): `cut`, by rows, begins at (left, top).

    Raises ValueError when it reaches out of the image.
    """
    width, height = size
    rows, columns = cut.shape
    if min(left, top) < 0 or left + columns > width or top + rows > height:
        raise ValueError(f"the mask reaches out of the image ({width} x {height})")
    edges = np.diff(np.pad((cut != 0).astype(np.int8), ((1, 1), (0, 0))), axis=0)
    row, column = np.nonzero(edges)
    # Where one column ends and the next one goes on there is no end: both are the same pixel.
    at, times = np.unique((left + column) * height + top + row, return_counts=True)
    found = at[times % 2 == 1]
    return counts_of(found[found < width * height], width * height)


def _crossings(vertices: NDArray[np.float64], width: int, height: int) -> Ints:
    """The pixels, numbered column by column, at which a ring is entered and left in turn, ascending."""
    start, end = vertices, np.roll(vertices, -1, axis=0)
    low, high = np.minimum(start[:, 0], end[:, 0]), np.maximum(start[:, 0], end[:, 0])
    # Column c is crossed where its centre, c + 0.5, lies in [low, high).
    first = np.clip(np.ceil(low - 0.5), 0, width).astype(np.int64)
    after = np.clip(np.ceil(high - 0.5), 0, width).astype(np.int64)
    number = after - first
    if int(number.sum()) > MOST_CROSSINGS:
        raise ValueError(f"the outline has {len(vertices):,} points and crosses far too many columns: simplify it")
    edge = np.repeat(np.arange(len(vertices)), number)
    column = np.arange(len(edge)) - np.repeat(np.cumsum(number) - number, number) + first[edge]
    (x1, y1), (x2, y2) = start[edge].T, end[edge].T
    y = y1 + (column + 0.5 - x1) / (x2 - x1) * (y2 - y1)
    row = np.clip(np.ceil(y - 0.5), 0, height).astype(np.int64)
    return np.sort(column * height + row)
