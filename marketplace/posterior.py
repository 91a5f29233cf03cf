"""What is believed of a share after some looks at it: the Beta distribution, its prior and its interval. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from scipy.special import betaincinv

PRIOR_RIGHT, PRIOR_WRONG = 1.0, 0.5
"""What is believed of a worker without evidence: right two times in three, and worth no more than one and a half
looks."""

TAIL = 0.05
"""The share of the distribution below, and above, the 90 % interval."""


class Belief(NamedTuple):
    """Mean of the distribution and its 90 % interval."""

    mean: float
    low: float
    high: float


def beliefs(right: Sequence[float], wrong: Sequence[float]) -> list[Belief]:
    """What is believed after so many right and wrong looks, each a sum of weights, of several shares at once."""
    above, below = [PRIOR_RIGHT + one for one in right], [PRIOR_WRONG + one for one in wrong]
    low, high = betaincinv(above, below, TAIL), betaincinv(above, below, 1 - TAIL)
    return [
        Belief(a / (a + b), float(bottom), float(top))
        for a, b, bottom, top in zip(above, below, low, high, strict=True)
    ]
