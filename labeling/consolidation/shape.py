"""Does a box have the size and proportions of this job's objects? Learned with the labels, from the answers alone.

A real box of class c has (log width, log height) from a Student-t round the mean of that class, a slip from one round
the mean of all slips; the log-ratio of the two says what the form of a candidate adds to who drew it. Each is shrunk
towards the whole it is a part of (slips and all real boxes towards everything, a class towards all real boxes), so that
a class with three boxes is judged like the rest. Knows arrays only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from labeling.consolidation.clusters import Floats, Ints

STRENGTH = 20.0
"""Pseudo-boxes behind a mean and spread."""
FREEDOM = 5.0
LIMIT = 2.0
"""Form alone never multiplies the odds by more than e^2: small objects are not slips because they are rare."""
MOMENTS = 6


def form(ltrb: Floats) -> Floats:
    """log width and log height of boxes (K, 4), those below a pixel taken as a pixel: (K, 2)."""
    return np.asarray(np.log(np.maximum(ltrb[:, 2:] - ltrb[:, :2], 1.0)))


def moments(form: Floats, weight: Floats) -> Floats:
    """Weighted count, sums (2) and sums of products (xx, xy, yy) of `form` (K, 2): (MOMENTS,)."""
    x, y = form.T
    return np.array([float((weight * column).sum()) for column in (np.ones(len(x)), x, y, x * x, x * y, y * y)])


def log_ratio(ltrb: Floats, label: Ints, labels: Sequence[str], real: Mapping[str, Floats], slips: Floats) -> Floats:
    """log p(form | real, its class) / p(form | slip) within LIMIT, for boxes (K, 4) of class number `label` (K,).

    `real` holds moments by class, `slips` those of slips. Nothing learned yet: 0 for all.
    """
    pooled = sum(real.values(), np.zeros(MOMENTS))
    if not pooled[0] or not slips[0]:
        return np.zeros(len(ltrb))
    x = form(ltrb)
    whole = _settled(pooled + slips, np.zeros(2), np.eye(2), 0.0)
    objects = _settled(pooled, *whole, STRENGTH)
    density = _log_density(x, *objects)
    for number, name in enumerate(labels):
        mine = np.flatnonzero(label == number)
        if len(mine) and name in real:
            density[mine] = _log_density(x[mine], *_settled(real[name], *objects, STRENGTH))
    return np.clip(density - _log_density(x, *_settled(slips, *whole, STRENGTH)), -LIMIT, LIMIT)


def _settled(seen: Floats, mean: Floats, spread: Floats, strength: float) -> tuple[Floats, Floats]:
    """Mean (2,) and covariance (2, 2) of moments, shrunk by `strength` pseudo-boxes towards those given."""
    total = seen[0] + strength
    middle = (seen[1:3] + strength * mean) / total
    second = seen[[3, 4, 4, 5]].reshape(2, 2) + strength * (spread + np.outer(mean, mean))
    return middle, second / total - np.outer(middle, middle) + 1e-3 * np.eye(2)


def _log_density(x: Floats, mean: Floats, spread: Floats) -> Floats:
    """Bivariate Student-t, up to a constant that all have in common: (K,)."""
    a, b, c = spread[0, 0], spread[0, 1], spread[1, 1]
    determinant = a * c - b * b
    u, v = (x - mean).T
    distance = (c * u * u - 2 * b * u * v + a * v * v) / determinant
    out: Floats = -0.5 * np.log(determinant) - (FREEDOM + 2) / 2 * np.log1p(distance / FREEDOM)
    return out
