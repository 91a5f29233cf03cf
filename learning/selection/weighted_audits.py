"""Audits that look more often where a label is doubted, with bounds that are exact for any number of labels.

PAC labels (Candes, Ilyas, Zrnic, "Probably Approximately Correct Labels", 2025, arXiv 2506.10908) ask experts about
labels with a chance that follows the model's doubt, and weight what they find by one over that chance. So here: k times
one of N labels is drawn, label i with the chance q_i, and its loss times 1 / (N q_i) has the mean of all N losses,
whatever the doubts are worth. Half of q is uniform, so that no weight is above 2.

**The bounds** are by betting (Waudby-Smith, Ramdas, "Estimating means of bounded random variables by betting", JRSS B
2024): whoever bets at fair odds on the draws, in the order they were made, multiplies the stake by more than 1 / alpha
with a chance of at most alpha (Ville's inequality). What would make somebody that rich is rejected. Nothing is
asymptotic. How much is bet follows the draws before (their predictable plug-in, equation 24).

Whether this takes fewer labels than a uniform sample with its exact binomial bounds depends on how unequal the doubts
are: `fewest` finds out by drawing audits with losses as the doubts have them. Knows nothing of models, jobs or pages.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learning.selection.quality import Bools, Floats

UNIFORM = 0.5
"""The share of the draws that does not look at the doubts."""
_GRID = np.linspace(0, 1, 1001)
"""Bounds are found to a thousandth of the largest weighted loss, on the safe side."""
_MOST_BET = 0.75
"""Of what may be bet without losing everything."""
_TRIED = 24
"""So many audits are drawn to see how wide their intervals are."""


@dataclass(frozen=True, slots=True)
class Draws:
    """k draws in their order: `places` (k,) of the labels, and the `weights` (k,) of their losses, 0 to `most`."""

    places: NDArray[np.int64]
    weights: Floats
    most: float

    def keep(self, known: Bools) -> Draws:
        """Without the draws of labels that are not `known` (labels,)."""
        kept = known[self.places]
        return Draws(self.places[kept], self.weights[kept], self.most)


def draw(doubts: Floats, size: int, rng: np.random.Generator) -> Draws:
    """`size` draws of the labels with these `doubts` (n,), the chances in 0..1 that each is wrong.

    Raises ValueError for no label, or a doubt outside 0..1.
    """
    if not len(doubts) or doubts.min() < 0 or doubts.max() > 1:
        raise ValueError("at least one label expected, with doubts from 0 to 1")
    # The chance with the least variance is in proportion to the root of the mean square of a loss (Neyman).
    spread = np.sqrt(doubts) + 1e-9
    chances = UNIFORM / len(doubts) + (1 - UNIFORM) * spread / spread.sum()
    weights = 1 / (len(doubts) * chances)
    places = rng.choice(len(doubts), size=size, p=chances / chances.sum())
    return Draws(places, weights[places], float(weights.max()))


def estimate(draws: Draws, losses: Floats) -> float:
    """The mean loss of all labels by those drawn, whose `losses` (n,) in 0..1 are by place; NaN without a draw."""
    return float((draws.weights * losses[draws.places]).mean()) if len(draws.places) else float("nan")


def upper(draws: Draws, losses: Floats, alpha: float) -> float:
    """A value that the mean loss of all labels exceeds with a chance of at most `alpha`; 1 without a draw."""
    rejected = _wealth(draws.weights * losses[draws.places] / draws.most, alpha) >= -np.log(alpha)
    first = int(rejected.argmax()) if rejected.any() else len(_GRID) - 1
    return float(min(1.0, _GRID[first] * draws.most))


def lower(draws: Draws, losses: Floats, alpha: float) -> float:
    """A value that the mean loss of all labels falls short of with a chance of at most `alpha`; 0 without a draw."""
    rejected = _wealth(1 - draws.weights * losses[draws.places] / draws.most, alpha) >= -np.log(alpha)
    first = int(rejected.argmax()) if rejected.any() else len(_GRID) - 1
    return float(max(0.0, (1 - _GRID[first]) * draws.most))


def _wealth(found: Floats, alpha: float) -> Floats:
    """(grid,) the logarithm of the most that a bet on a lower mean of `found` (k,) in 0..1 ever was worth, at each mean
    of the grid. It rises with the mean."""
    if not len(found):
        return np.zeros(len(_GRID))
    times = np.arange(1, len(found) + 1)
    mean = (0.5 + np.cumsum(found)) / (times + 1)
    spread = (0.25 + np.cumsum((found - mean) ** 2)) / (times + 1)
    # Each bet knows the draws before it only.
    before = np.concatenate([[0.25], spread[:-1]])
    bets = np.sqrt(2 * np.log(1 / alpha) / (before * len(found)))
    allowed = _MOST_BET / np.maximum(1 - _GRID, 1e-9)
    gains = np.log1p(np.minimum(bets[:, None], allowed) * (_GRID - found[:, None]))
    most: Floats = np.cumsum(gains, axis=0).max(axis=0, initial=0.0)
    return most


def fewest(doubts: Floats, *, width: float, confidence: float, at_most: int, seed: int = 0) -> int | None:
    """How many draws make an interval at most `width` wide on average, if labels are as often wrong as `doubts` (n,)
    say; None where `at_most` are too few. Each bound is kept with `confidence` by itself."""
    if at_most < 1 or not len(doubts):
        return None

    def wide(size: int) -> float:
        rng = np.random.default_rng([seed, size])
        found = []
        for _ in range(_TRIED):
            losses = (rng.random(len(doubts)) < doubts).astype(np.float64)
            drawn = draw(doubts, size, rng)
            found.append(upper(drawn, losses, 1 - confidence) - lower(drawn, losses, 1 - confidence))
        return float(np.mean(found))

    if wide(at_most) > width:
        return None
    few, many = 0, at_most
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (few, middle) if wide(middle) <= width else (middle, many)
    return many
