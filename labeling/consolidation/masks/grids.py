"""Coarse pictures of masks: the share of each cell that is painted, made from the ends of runs and never from pixels.

A grid covers a part of the image with square cells. Its cost depends on how many cells it has and on how ragged masks
are, not on how large the picture is. Knows no workers and no classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from labeling.consolidation.arrays import Bools, Floats, Ints

Cells = NDArray[np.float32]

REACH = 2.5
"""Standard deviations after which a smoothing ends."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Cells of `side` pixels over the columns from `left` and the rows from `top` on, of an image (width, height)."""

    size: tuple[int, int]
    left: int
    top: int
    columns: int
    rows: int
    side: int

    @property
    def bottom(self) -> int:
        """The row after the last one."""
        return min(self.top + self.rows * self.side, self.size[1])

    @property
    def right(self) -> int:
        """The column after the last one."""
        return min(self.left + self.columns * self.side, self.size[0])

    def areas(self) -> Floats:
        """(columns, rows): the pixels of each cell, fewer at the image's edges."""
        across = np.minimum(self.left + (np.arange(self.columns) + 1) * self.side, self.size[0])
        down = np.minimum(self.top + (np.arange(self.rows) + 1) * self.side, self.size[1])
        return np.outer(np.diff(across, prepend=self.left), np.diff(down, prepend=self.top)).astype(np.float64)


def over(size: tuple[int, int], starts: Ints, lengths: Ints, *, side: int, margin: int) -> Grid:
    """The grid round these spans of pixels, `margin` pixels more on each side where the image has them."""
    width, height = size
    last = starts + lengths - 1
    left, right = int(starts[0]) // height, int(last[-1]) // height + 1
    top, bottom = 0, height
    if not (starts // height != last // height).any():
        top, bottom = int((starts % height).min()), int((last % height).max()) + 1
    left, top = max(0, left - margin), max(0, top - margin)
    right, bottom = min(width, right + margin), min(height, bottom + margin)
    return Grid(size, left, top, -(-(right - left) // side), -(-(bottom - top) // side), side)


def covered(grid: Grid, ends: Ints, counts: Ints) -> Cells:
    """(masks, columns, rows): the share of each cell that each mask has. `ends` are the pixels, counted column by
    column, at which a mask begins, ends, begins again and so on; `counts` how many of them each mask has, even ones."""
    (width, height), cells, masks = grid.size, grid.rows + 1, len(counts)
    # As if the masks lay beside each other in one image.
    pixel, sign = _within_columns(ends + np.repeat(np.arange(masks) * width * height, counts), height)
    column = pixel // height - ((sign > 0) & (pixel % height == 0))
    mask = column // width
    across = column - mask * width
    inside = (across >= grid.left) & (across < grid.right)
    mask, across, column, pixel, sign = mask[inside], across[inside], column[inside], pixel[inside], sign[inside]
    y = np.clip(pixel - column * height, grid.top, grid.bottom) - grid.top
    cell, part = y // grid.side, y % grid.side
    # The share of a cell above y is a sum from below: `part` here, and a whole side in each cell above.
    flat = (mask * grid.columns + (across - grid.left) // grid.side) * cells + cell
    shape = masks, grid.columns, cells
    sums = np.bincount(flat, sign * part, masks * grid.columns * cells).reshape(shape)
    above = np.bincount(flat, sign * (grid.side - part), masks * grid.columns * cells).reshape(shape)
    sums[:, :, :-1] += above[:, :, 1:]
    made = sums[:, :, ::-1].cumsum(axis=2)[:, :, ::-1]
    return np.asarray(made[:, :, :-1] / grid.areas(), np.float32)


def _within_columns(ends: Ints, height: int) -> tuple[Ints, Ints]:
    """The same runs cut where a column ends: where runs begin (sign -1) and end (1)."""
    first, last = ends[::2], ends[1::2] - 1
    from_column, to_column = first // height, last // height
    crossing = from_column != to_column
    if crossing.any():
        whole = first[~crossing], last[~crossing]
        more = to_column[crossing] - from_column[crossing] + 1
        column = np.repeat(from_column[crossing], more) + _counting(more)
        first = np.concatenate([whole[0], np.maximum(np.repeat(first[crossing], more), column * height)])
        last = np.concatenate([whole[1], np.minimum(np.repeat(last[crossing], more), (column + 1) * height - 1)])
    pixel = np.concatenate([first, last + 1])
    # An end at the foot of a column belongs to it, and not to the head of the next one.
    return pixel, np.concatenate([np.full(len(first), -1), np.ones(len(first), np.int64)])


def _counting(lengths: Ints) -> Ints:
    """0, 1, ... for each of the lengths."""
    return np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)


def smoothed(cells: Cells, deviation: float) -> Cells:
    """Each picture (the last two axes) smoothed by a Gaussian of this standard deviation in cells."""
    for axis in (-1, -2):
        cells = gaussian_filter1d(cells, deviation, axis=axis, mode="nearest", truncate=REACH)
    return cells


def widened(marked: Bools, cells: int) -> Bools:
    """What is marked in a picture (columns, rows), and all cells within a square of so many cells round it."""
    found = marked.astype(np.int32)
    for axis in (0, 1):
        size = found.shape[axis]
        total = np.insert(found.cumsum(axis=axis), 0, 0, axis=axis)
        low = np.maximum(np.arange(size) - cells, 0)
        high = np.minimum(np.arange(size) + cells + 1, size)
        found = (np.take(total, high, axis=axis) > np.take(total, low, axis=axis)).astype(np.int32)
    return np.asarray(found > 0)


def ends_where_positive(grid: Grid, field: Cells) -> Ints:
    """The ends of the runs of pixels in which a field is positive that is known at the middles of cells and runs
    straight between them."""
    column = np.arange(grid.left, grid.right)
    place = np.clip((column + 0.5 - grid.left) / grid.side - 0.5, 0, grid.columns - 1)
    low = np.minimum(place.astype(np.int64), max(grid.columns - 2, 0))
    part = (place - low).astype(np.float32)[:, None]
    values = field[low] * (1 - part) + field[np.minimum(low + 1, grid.columns - 1)] * part
    positive = values > 0
    at, row = np.nonzero(positive[:, 1:] != positive[:, :-1])
    here, below = values[at, row].astype(np.float64), values[at, row + 1].astype(np.float64)
    y = grid.top + grid.side * (row + 0.5 + here / (here - below))
    y = np.clip(np.ceil(y - 0.5).astype(np.int64), grid.top, grid.bottom)
    head, foot = np.flatnonzero(positive[:, 0]), np.flatnonzero(positive[:, -1])
    height = grid.size[1]
    pixel = [column[at] * height + y, column[head] * height + grid.top, column[foot] * height + grid.bottom]
    return np.sort(np.concatenate(pixel))
