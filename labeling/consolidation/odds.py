"""Chances and their logits. Knows nothing of what they are chances of."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from labeling.consolidation.clusters import Floats

LOWEST, HIGHEST = 0.002, 0.998
"""Nobody is taken to be surer than this."""


def logistic(x: ArrayLike) -> Floats:
    """1 / (1 + exp(-x)) without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(np.asarray(x, float) / 2)))


def logit(rate: ArrayLike) -> Floats:
    """log(rate / (1 - rate)), the rate kept within LOWEST and HIGHEST."""
    kept = np.clip(np.asarray(rate, float), LOWEST, HIGHEST)
    return np.asarray(np.log(kept) - np.log1p(-kept))
