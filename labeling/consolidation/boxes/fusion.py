"""Where an object's sides are, given several workers' boxes of it. Knows nothing of whether the object exists.

Each side s of cluster k is estimated alone, from members i with corrected side x_i and standard deviation d_i:
iteratively reweighted means with Student-t weights, w_i = (nu + 1) / (nu + u_i^2) / d_i^2, u_i = (x_i - truth) / d_i,
from a weighted median start (Lange, Little & Taylor 1989). Workers' biases are subtracted first, precise workers count
for more, and one far-off side is given little weight. A side that most members put on the image's border stays there.
When the members contradict each other beyond what their spread allows (one box around two animals, or two boxes), a
mean would fit neither: the member closest to the others (the medoid) is taken instead.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from labeling.consolidation.arrays import Bools, Floats, Ints, extents, group_sums, iou, weighted_median
from labeling.consolidation.workers.models import Population, Rates

FREEDOM = 4.0
"""Degrees of freedom (nu) of the Student-t weights."""

ROUNDS = 4
"""How often the weighted means are taken again."""

BORDER = 1.5
"""Pixels from the image's border within which a side counts as lying on it."""

MOST_CORRECTION = 0.25
"""No side is corrected by more than this share of the extent: biases were learned on boxes of other sizes."""

CONTRADICTION = 12.0
"""Mean squared residual (in sigmas) of a cluster of three or more above which the medoid is taken."""


@dataclass(frozen=True, slots=True)
class Fused:
    """`ltrb` (K, 4); `variance` (K, 4) of each side in square pixels; `share` (N,) of each member in its box; `medoid`
    (K,) where the box is that of one member."""

    ltrb: Floats
    variance: Floats
    share: Floats
    medoid: Bools


def fuse(
    ltrb: Floats,
    worker: Ints,
    group: Ints,
    groups: int,
    size: Floats,
    rates: Rates,
    population: Population,
    *,
    doubt: Floats | None = None,
) -> Fused:
    """Fuse boxes `ltrb` (N, 4) of `worker` (N,) into one box a `group` (N,); `size` (groups, 2) is the image's.

    `doubt` (N,) multiplies the standard deviation of each box's sides.
    """
    extent = extents(weighted_median(ltrb, 1 / rates.spread[worker], group, groups))
    sigma, style = population.edges(extent)
    without_style = ltrb - style[group]
    bias, spread = rates.bias[worker], rates.spread[worker]
    most = MOST_CORRECTION * extent[group]
    corrected = ltrb + np.clip(without_style - bias * sigma[group] - ltrb, -most, most)
    deviation = spread * sigma[group] * (1.0 if doubt is None else doubt[:, None])
    precision = 1 / deviation**2
    truth = weighted_median(corrected, precision, group, groups)
    for _ in range(ROUNDS):
        u = (corrected - truth[group]) / deviation
        weight = precision * (FREEDOM + 1) / (FREEDOM + u**2)
        total = group_sums(weight, group, groups)
        truth = group_sums(weight * corrected, group, groups) / total
    u = (corrected - truth[group]) / deviation
    members = np.bincount(group, minlength=groups)
    squared = group_sums((u**2).mean(axis=1), group, groups) / members
    medoid = (members >= 3) & (squared > CONTRADICTION)
    if medoid.any():
        truth[medoid] = _medoids(corrected, precision.mean(axis=1), group, medoid)[medoid]
    truth = _on_border(truth, total, ltrb, weight, group, size)
    share = (weight / total[group]).mean(axis=1)
    return Fused(truth, 1 / total, share, medoid)


def _medoids(corrected: Floats, weight: Floats, group: Ints, wanted: Bools) -> Floats:
    """The member with the greatest weighted mean IoU with its cluster, for `wanted` clusters (others are left 0)."""
    out = np.zeros((len(wanted), 4))
    for k in np.flatnonzero(wanted):
        members = np.flatnonzero(group == k)
        agreement = iou(corrected[members][:, None], corrected[members][None]) @ weight[members]
        out[k] = corrected[members[agreement.argmax()]]
    return out


def _on_border(truth: Floats, total: Floats, ltrb: Floats, weight: Floats, group: Ints, size: Floats) -> Floats:
    """Put a side on the image's border where members with more than half of the `total` weight do; keep boxes valid.

    The box of one worker alone stays where it was drawn: nobody else says that its side belongs there.
    """
    border = np.concatenate([np.zeros_like(size), size], axis=1)
    several = np.bincount(group, minlength=len(size)) > 1
    at = (np.abs(ltrb - border[group]) <= BORDER) & several[group, None]
    truth = np.where(group_sums(weight * at, group, len(size)) > total / 2, border, truth)
    truth = np.clip(truth, 0.0, np.tile(size, 2))
    low, high = np.minimum(truth[:, :2], truth[:, 2:]), np.maximum(truth[:, :2], truth[:, 2:])
    thin = np.maximum(0.5 - (high - low) / 2, 0.0)
    return np.concatenate([low - thin, high + thin], axis=1)
