"""Where an object's edges are, given several workers' boxes of it: bias taken off, precise workers first, no one corner
able to spoil the rest. Works on flat arrays; knows nothing of whether the object exists.

Each side s of cluster k is estimated alone, from members i with corrected edge x_i and standard deviation d_i:
iteratively reweighted means with Student-t weights, w_i = (nu + 1) / (nu + u_i^2) / d_i^2, u_i = (x_i - truth) / d_i,
from a weighted median start (Lange, Little & Taylor 1989). A side that most members put on the image's border stays
there. When the members contradict each other beyond what their spread allows (one box round two animals, or two
boxes), a mean would fit nobody: the member closest to the others (the medoid) is taken instead.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labeling.consolidation.clusters import Floats, Ints, iou
from labeling.consolidation.workers import Population, Rates

FREEDOM = 4.0
ROUNDS = 4
BORDER = 1.5
"""Pixels from the image's border within which an edge counts as lying on it."""
MOST_CORRECTION = 0.25
"""No edge is moved by more than this share of the extent, whatever the records of workers say of tiny boxes."""
CONTRADICTION = 12.0
"""Mean squared residual (in sigmas) of a cluster of three or more above which the medoid is taken."""


@dataclass(frozen=True, slots=True)
class Fused:
    """`ltrb` (K, 4); `variance` (K, 4) of each edge in square pixels; `share` (N,) of each member in its box;
    `residual` (N, 4) raw edge minus style minus truth in sigmas; `sigma` (K, 4); `medoid` (K,)."""

    ltrb: Floats
    variance: Floats
    share: Floats
    residual: Floats
    sigma: Floats
    medoid: NDArray[np.bool_]


def sums(values: Floats, group: Ints, groups: int) -> Floats:
    """Sum `values` (N,) or (N, C) by group, adding in order: the same bytes whatever else is in the batch."""
    if values.ndim == 1:
        return np.asarray(np.bincount(group, values, groups), np.float64)
    columns = [np.bincount(group, column, groups) for column in values.T]
    return np.stack(columns, axis=1).astype(np.float64) if columns else np.zeros((groups, 0))


def extents(ltrb: Floats) -> Floats:
    """Width, height, width, height: what each side's spread is relative to."""
    wh = ltrb[:, 2:] - ltrb[:, :2]
    return np.concatenate([wh, wh], axis=1)


def edge_sigma(extent: Floats, population: Population) -> Floats:
    """Standard deviation of an ordinary worker's edges, (K, 4) pixels."""
    return np.sqrt(population.pixel**2 + (population.relative * extent) ** 2)


def style_shift(extent: Floats, population: Population) -> Floats:
    """How far this crowd's edges lie from the experts', (K, 4) pixels."""
    design = np.stack([np.ones(len(extent)), extent[:, 0], extent[:, 1]], axis=1)
    shift: Floats = design @ population.style.T
    return shift


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


def fuse(
    ltrb: Floats, worker: Ints, group: Ints, groups: int, size: Floats, rates: Rates, population: Population
) -> Fused:
    """Fuse boxes `ltrb` (N, 4) of `worker` (N,) into one box a `group`; `size` (groups, 2) is the image's."""
    raw = weighted_median(ltrb, 1 / rates.spread[worker], group, groups)
    extent = extents(raw)
    sigma = edge_sigma(extent, population)
    styled = ltrb - style_shift(extent, population)[group]
    bias, spread = rates.bias[worker], rates.spread[worker]
    most = MOST_CORRECTION * extent[group]
    corrected = ltrb + np.clip(styled - bias * sigma[group] - ltrb, -most, most)
    deviation = spread * sigma[group]
    precision = 1 / deviation**2
    truth = weighted_median(corrected, precision, group, groups)
    for _ in range(ROUNDS):
        u = (corrected - truth[group]) / deviation
        weight = precision * (FREEDOM + 1) / (FREEDOM + u**2)
        total = sums(weight, group, groups)
        truth = sums(weight * corrected, group, groups) / total
    u = (corrected - truth[group]) / deviation
    members = np.bincount(group, minlength=groups)
    squared = sums((u**2).mean(axis=1), group, groups) / members
    medoid = (members >= 3) & (squared > CONTRADICTION)
    if medoid.any():
        truth[medoid] = _medoids(corrected, precision.mean(axis=1), group, medoid)[medoid]
    truth = _on_border(truth, ltrb, weight, group, size)
    share = (weight / total[group]).mean(axis=1)
    residual = (styled - truth[group]) / sigma[group]
    return Fused(truth, 1 / total, share, residual, sigma, medoid)


def _medoids(corrected: Floats, weight: Floats, group: Ints, wanted: NDArray[np.bool_]) -> Floats:
    """The member with the greatest weighted mean IoU with its cluster, for `wanted` clusters (others are left 0)."""
    out = np.zeros((len(wanted), 4))
    for k in np.flatnonzero(wanted):
        members = np.flatnonzero(group == k)
        agreement = iou(corrected[members][:, None], corrected[members][None]) @ weight[members]
        out[k] = corrected[members[agreement.argmax()]]
    return out


def _on_border(truth: Floats, ltrb: Floats, weight: Floats, group: Ints, size: Floats) -> Floats:
    """Put a side on the image's border where members with more than half of the weight do; keep boxes valid."""
    border = np.concatenate([np.zeros_like(size), size], axis=1)
    at = np.abs(ltrb - border[group]) <= BORDER
    total = sums(weight, group, len(size))
    truth = np.where(sums(weight * at, group, len(size)) > total / 2, border, truth)
    truth = np.clip(truth, 0.0, np.tile(size, 2))
    low, high = np.minimum(truth[:, :2], truth[:, 2:]), np.maximum(truth[:, :2], truth[:, 2:])
    thin = np.maximum(0.5 - (high - low) / 2, 0.0)
    return np.concatenate([low - thin, high + thin], axis=1)
