"""Array functions that several consolidators share: boxes as arrays, sums by group, chances and logits.

Boxes are rows of (left, top, right, bottom), in short `ltrb`. Knows nothing of workers, labels or what a box is of.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

NINE_IN_TEN = 1.645
"""Standard errors either side of an estimate that hold the truth nine times in ten, if errors are normal."""

LOWEST_CHANCE, HIGHEST_CHANCE = 0.002, 0.998
"""`logit` moves chances into this range, so that no single worker can decide a question alone."""


def logistic(x: ArrayLike) -> Floats:
    """1 / (1 + exp(-x)) without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(np.asarray(x, float) / 2)))


def logit(chance: ArrayLike) -> Floats:
    """log(chance / (1 - chance)), the chance kept within LOWEST_CHANCE and HIGHEST_CHANCE."""
    kept = np.clip(np.asarray(chance, float), LOWEST_CHANCE, HIGHEST_CHANCE)
    return np.asarray(np.log(kept) - np.log1p(-kept))


def group_sums(values: Floats, group: Ints, groups: int) -> Floats:
    """Sum `values` (N,) or (N, C) by group: (groups,) or (groups, C).

    Each sum adds its members in order, so that its bytes do not depend on what else is in the batch.
    """
    if values.ndim == 1:
        return np.asarray(np.bincount(group, values, groups), np.float64)
    columns = [np.bincount(group, column, groups) for column in values.T]
    return np.stack(columns, axis=1).astype(np.float64) if columns else np.zeros((groups, 0))


def weighted_median(x: Floats, weight: Floats, group: Ints, groups: int) -> Floats:
    """Per group and column, the middle of lower and upper weighted median. x, weight (N, C) -> (groups, C)."""
    out = np.empty((groups, x.shape[1]))
    for column in range(x.shape[1]):
        order = np.lexsort((x[:, column], group))
        values, weights, groups_sorted = x[order, column], weight[order, column], group[order]
        running = np.cumsum(weights)
        total = np.bincount(groups_sorted, weights, groups)
        before = np.concatenate([[0.0], np.cumsum(total)[:-1]])
        share = (running - before[groups_sorted]) / total[groups_sorted]
        first = np.searchsorted(groups_sorted, np.arange(groups))
        lower = first + np.bincount(groups_sorted, share < 0.5 - 1e-9, groups).astype(np.int64)
        upper = first + np.bincount(groups_sorted, share < 0.5 + 1e-9, groups).astype(np.int64)
        last = first + np.bincount(groups_sorted, minlength=groups) - 1
        out[:, column] = (values[np.minimum(lower, last)] + values[np.minimum(upper, last)]) / 2
    return out


def iou(a: Floats, b: Floats) -> Floats:
    """Intersection over union of boxes given as (..., 4) ltrb."""
    width = np.minimum(a[..., 2], b[..., 2]) - np.maximum(a[..., 0], b[..., 0])
    height = np.minimum(a[..., 3], b[..., 3]) - np.maximum(a[..., 1], b[..., 1])
    shared = np.maximum(width, 0.0) * np.maximum(height, 0.0)
    area_a = (a[..., 2] - a[..., 0]) * (a[..., 3] - a[..., 1])
    area_b = (b[..., 2] - b[..., 0]) * (b[..., 3] - b[..., 1])
    return np.asarray(shared / (area_a + area_b - shared))


def extents(ltrb: Floats) -> Floats:
    """(width, height, width, height) of boxes (K, 4): the length that the spread of each side is relative to."""
    size = ltrb[:, 2:] - ltrb[:, :2]
    return np.concatenate([size, size], axis=1)


def overlapping_pairs(ltrb: Floats, image: Ints) -> tuple[Ints, Ints]:
    """Every pair (i < j) of boxes in the same image that overlap. `ltrb` is (N, 4), `image` (N,) ascending.

    A sweep over the left edges of all images at once; memory grows with the number of pairs, not with N squared.
    """
    if not len(ltrb):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    lefts = ltrb[:, 0] - ltrb[:, 0].min()
    rights = ltrb[:, 2] - ltrb[:, 0].min()
    offset = image * (rights.max() + 1.0)
    order = np.argsort(lefts + offset, kind="stable")
    starts, ends = (lefts + offset)[order], (rights + offset)[order]
    reach = np.searchsorted(starts, ends, side="left")
    count = np.maximum(reach - np.arange(len(starts)) - 1, 0)
    first = np.repeat(np.arange(len(starts)), count)
    second = np.arange(len(first)) - np.repeat(np.cumsum(count) - count, count) + first + 1
    a, b = order[first], order[second]
    touch = (ltrb[a, 1] < ltrb[b, 3]) & (ltrb[b, 1] < ltrb[a, 3])
    a, b = a[touch], b[touch]
    return np.minimum(a, b), np.maximum(a, b)
