"""Whether new images look as the training images do: a two-sample test for each feature, corrected for their number.

Kolmogorov-Smirnov by feature with Holm's step-down correction (Holm, "A simple sequentially rejective multiple test
procedure", 1979). Knows neither images nor models.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

ALPHA = 0.01
"""The chance that a drift is reported where there is none, over all features together."""

LEAST = 20
"""Images of each side from which on something is said."""


@dataclass(frozen=True)
class Difference:
    """One feature: both means, the largest distance of the distributions (0 to 1), its corrected p-value, whether it
    drifts."""

    feature: str
    reference: float
    incoming: float
    distance: float
    p: float
    drifts: bool


def compare(reference: NDArray[np.float64], incoming: NDArray[np.float64], features: Sequence[str]) -> list[Difference]:
    """Both of shape (images, features), NaN where a feature is not known. One with too few values never drifts."""
    tests = [_test(reference[:, place], incoming[:, place]) for place in range(len(features))]
    corrected = holm([p for _, p in tests])
    return [
        Difference(
            feature,
            _mean(reference[:, place]),
            _mean(incoming[:, place]),
            tests[place][0],
            corrected[place],
            corrected[place] < ALPHA,
        )
        for place, feature in enumerate(features)
    ]


def _test(reference: NDArray[np.float64], incoming: NDArray[np.float64]) -> tuple[float, float]:
    one, other = reference[np.isfinite(reference)], incoming[np.isfinite(incoming)]
    if min(len(one), len(other)) < LEAST:
        return 0.0, 1.0
    found = stats.ks_2samp(one, other)
    return float(found.statistic), float(found.pvalue)


def _mean(values: NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else 0.0


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values as they have to be compared with one alpha for all of them."""
    order = np.argsort(p_values, kind="stable")
    corrected, highest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[int(place)]))
        corrected[int(place)] = highest
    return corrected
