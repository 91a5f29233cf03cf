"""How many of the next images to set aside for calibration, and whether another round will pay at all.

Labels of the machine are only used when people's labels of a random sample prove them good enough (thresholds.py,
bounds.py). That sample is paid for: each of its images might have been labeled by machine, and is not there to learn
from. Vishwakarma et al., "Promises and Pitfalls of Threshold-based Auto-labeling", 2023, show that this can cost more
than automation saves. So the images for calibration are planned with the total in view: what people are paid for the
rounds to come, and for what is not labeled by machine after them.

What is expected, from the calibration images of the newest round that it did not label by machine:

- *The risk of the surest share.* At each cut-off the mean loss of the images above it, with half a wrong image more in
  one image more (Jeffreys' prior), so that three right images out of three are no proof.
- *The next models.* Their risk falls as a power of the images learned from, (L / L')^b, which holds for many
  learners (Hestness et al., "Deep Learning Scaling is Predictable, Empirically", 2017). b is fitted to the rounds so
  far and held near USUAL_EXPONENT while there are few.
- *The test.* The chance that so many calibration images pass it, when the risk is what is expected.

The saving is a mean over what may happen, so it is below what a lucky round saves. Counted in images of the pool: all
of them cost the same, those that are set aside perhaps more. Knows no money, jobs or models.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import ndtr, stdtrit
from scipy.stats import binom

from learning.selection.quality import Floats

USUAL_EXPONENT = 0.4
EXPONENT_WEIGHT = float(np.log(2) ** 2)
"""The usual exponent counts as much as what is seen when the number of labeled images doubles once."""
LEAST_SPREAD = 0.1
LEAST_QUALITY_IMAGES = 8
"""As thresholds.MIN_IMAGES: with fewer a mean quality is not promised."""
POINTS = 25
"""Cut-offs that are looked at."""
LEAST_PRICE = 0.01
"""Work that costs nearly nothing counts as this share of other work, so that savings are finite."""
STEPS = 20
"""Numbers of calibration images, and of rounds, that are looked at."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Of the surest `coverage` (k,) of the images the mean loss `risk` (k,), and its standard deviation `spread`."""

    coverage: Floats
    risk: Floats
    spread: Floats

    @classmethod
    def of(cls, scores: Floats, losses: Floats) -> Curve:
        """From n calibration images: how sure the machine is of each, and the loss of its label, both (n,) in 0..1."""
        count = len(scores)
        sizes = np.unique(np.linspace(1, count, min(POINTS, count)).round().astype(int)) if count else np.zeros(0, int)
        ordered = losses[np.argsort(-scores, kind="stable")]
        risk = [(ordered[:size].sum() + 0.5) / (size + 1) for size in sizes]
        spread = [max(float(ordered[:size].std()), LEAST_SPREAD) for size in sizes]
        return cls(sizes / max(count, 1), np.array(risk, dtype=np.float64), np.array(spread, dtype=np.float64))


class Test(Protocol):
    """What labels have to pass to be used."""

    def chance(self, images: Floats, risk: Floats, spread: Floats) -> Floats:
        """(k,) the chance that so many calibration images pass, by the mean and deviation of their losses."""


@dataclass(frozen=True, slots=True)
class ErrorRate:
    """At most the share `target` of the labels is wrong, with confidence 1 - `alpha`, by the exact binomial test."""

    target: float
    alpha: float

    def chance(self, images: Floats, risk: Floats, spread: Floats) -> Floats:
        """See Test."""
        count = np.floor(images)
        most = binom.ppf(self.alpha, count, self.target)
        most = np.where(binom.cdf(most, count, self.target) <= self.alpha, most, most - 1)
        found: Floats = np.where(most >= 0, binom.cdf(most, count, risk), 0.0)
        return found


@dataclass(frozen=True, slots=True)
class MeanLoss:
    """The mean loss is at most `target`, by a Student bound of the given confidence (quality.lower_bound)."""

    target: float
    confidence: float

    def chance(self, images: Floats, risk: Floats, spread: Floats) -> Floats:
        """See Test."""
        count = np.maximum(np.floor(images), 2)
        # The bound has one image of the worst loss added.
        mean, error = (risk * count + 1) / (count + 1), spread / np.sqrt(count)
        passing = ndtr((self.target - mean) / error - stdtrit(count, self.confidence))
        found: Floats = np.where(images >= LEAST_QUALITY_IMAGES, passing, 0.0)
        return found


def expected_share(curve: Curve, test: Test, images: float, *, better: float = 1.0) -> float:
    """The share of the pool that is labeled by machine, by so many calibration images and `better` times the risk."""
    if not len(curve.coverage):
        return 0.0
    risk = np.minimum(curve.risk * better, 1.0)
    return float((curve.coverage * test.chance(curve.coverage * images, risk, curve.spread)).max())


def exponent(history: Sequence[tuple[int, float]]) -> float:
    """How fast the loss falls with the images learned from: b, 0 or above, by (images, loss in 0..1) of each model."""
    known = [(np.log(images), np.log(max(loss, 1e-3))) for images, loss in history if images > 0]
    table = np.array(known, dtype=np.float64).reshape(-1, 2)
    more, less = np.diff(table[:, 0]), -np.diff(table[:, 1])
    fitted = (USUAL_EXPONENT * EXPONENT_WEIGHT + (more * less).sum()) / (EXPONENT_WEIGHT + (more**2).sum())
    return float(max(fitted, 0.0))


@dataclass(frozen=True, slots=True)
class State:
    """Where a loop is. `learned` images were learned from, `calibration` images are left, `pool` images have no label.

    Each further round gives people `batch` images, of which at most `most_calibration` are set aside; there may be
    `rounds` more. `exponent`: see there. `relative_price` is what people cost for an image of the pool, over what they
    cost for one that is set aside: less where they check the machine's labels and must not see those of the latter.
    """

    learned: int
    calibration: int
    pool: int
    batch: int
    most_calibration: int
    rounds: int
    exponent: float
    relative_price: float = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """The cheapest way on: so many `rounds`, each with so many images for `calibration`.

    After them the machine is expected to label `share` of what is left, which saves people the price of `saving` images
    of the pool. `pays` is whether that is worth it.
    """

    rounds: int
    calibration: int
    share: float
    saving: float
    pays: bool


def plan(state: State, curve: Curve, tests: Sequence[Test], *, least_saving: float) -> Plan:
    """The cheapest number of further rounds, and of calibration images in each.

    `tests` are those of the next rounds in turn; the last one holds for all after it. It pays when at least
    `least_saving`, a share of the pool, is saved. With no calibration image left nothing is known: then the next round
    sets aside as many as it may, and counts as paying. The same with a pool that one batch empties: there is no later
    one to decide about. Raises ValueError without a test.
    """
    if not tests:
        raise ValueError("a plan needs the test of the next round")
    batches = min(state.rounds, -(-state.pool // max(state.batch, 1)))
    if not len(curve.coverage):
        return Plan(min(batches, 1), state.most_calibration, 0.0, 0.0, state.rounds > 0)
    best = Plan(0, 0, 0.0, 0.0, False)
    dearer = 1 / max(state.relative_price, LEAST_PRICE) - 1
    for rounds in np.unique(np.linspace(1, batches, min(STEPS, batches)).astype(int)).tolist() if batches > 0 else []:
        left = max(state.pool - rounds * state.batch, 0)
        for aside in np.unique(np.linspace(0, state.most_calibration, STEPS + 1).astype(int)).tolist():
            learned = state.learned + rounds * (state.batch - aside)
            better = (max(state.learned, 1) / max(learned, 1)) ** state.exponent
            images = state.calibration + rounds * aside
            share = expected_share(curve, tests[min(rounds, len(tests)) - 1], images, better=better)
            saving = left * share - rounds * aside * dearer
            # Ties go to fewer rounds, then to fewer images set aside: both come first.
            if saving > best.saving + 1e-9:
                best = Plan(rounds, aside, share, saving, saving >= least_saving * state.pool)
    return best
