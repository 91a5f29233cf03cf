"""The interval of a share that rests on few answers."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaincinv

WIDTH = 0.9
"""Chance that the interval has what it is about."""


def interval(share: float, answers: float) -> tuple[float, float]:
    """(low, high): where a share lies with a chance of WIDTH that was found with so many answers, rounded to 4 digits.

    Of the Beta distribution whose prior is Jeffreys'; it always has the share itself.
    """
    tail = (1 - WIDTH) / 2
    yes, no = answers * share + 0.5, answers * (1 - share) + 0.5
    low, high = (float(betaincinv(yes, no, part)) for part in (tail, 1 - tail))
    return round(min(low, share), 4) + 0.0, round(max(high, share), 4) + 0.0


def worth(weights: ArrayLike) -> float:
    """How many answers of equal weight say as much as answers with these weights."""
    given = np.asarray(weights, float)
    return float(given.sum() ** 2 / (given**2).sum()) if given.any() else 0.0
