"""From a few simulated jobs of a few objects to the 90 % interval of one job of many.

Each figure of a job is a sum over its objects divided by another. What differs between jobs has two sources: the crowd
and the difficulty, which no number of objects averages out, and the objects, whose part shrinks with their number. A
one-way analysis of variance tells them apart on the simulated jobs; the interval is then made for the number of objects
that the real job has. Shares are handled as asin(sqrt(share)), which keeps them within 0 and 1 and their spread even,
positive numbers by their logarithm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from labeling.consolidation.arrays import Floats

LEVEL = 0.90
"""The chance with which an outcome lies in its interval."""

TAIL = (1 - LEVEL) / 2

LEAST_BETWEEN = 1 / 3
"""Of the variance between simulated jobs at least this share is taken to be between real ones, too. Without it,
intervals of LEVEL hold 84 % where crowds differ little and the job is large."""

FEWEST_JOBS = 3
"""So many simulated jobs must have had something to be right or wrong about."""

UNSEEN = 1.5
"""Wrong things, and as many right ones, that are added to those seen."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An outcome lies between `low` and `high` in 90 of 100 jobs; `expected` is in the middle of what is likely."""

    low: float
    expected: float
    high: float

    def scaled(self, factor: float) -> Interval:
        """All three times a positive factor."""
        return Interval(self.low * factor, self.expected * factor, self.high * factor)


@dataclass(frozen=True, slots=True)
class Predicted:
    """The distribution of a figure of one job: Student's t around `middle`, in transformed units."""

    middle: float
    deviation: float
    freedom: int
    share: bool

    def interval(self) -> Interval:
        """The interval of LEVEL."""
        off = float(stdtrit(self.freedom, 1 - TAIL)) * self.deviation
        low, middle, high = self._back(np.array([self.middle - off, self.middle, self.middle + off])).tolist()
        return Interval(low, middle, high)

    def draws(self, rng: np.random.Generator, number: int) -> Floats:
        """`number` outcomes."""
        return self._back(self.middle + self.deviation * rng.standard_t(self.freedom, number))

    def _back(self, values: Floats) -> Floats:
        return np.sin(np.clip(values, 0.0, np.pi / 2)) ** 2 if self.share else np.exp(values)


def predicted_share(rows: Floats, objects: int, *, counted: bool) -> Predicted:
    """Of a figure between 0 and 1 of which `rows` (jobs, n, 2) hold what each object adds to the upper and the lower
    sum, for a job of `objects`. `counted`: the figure counts things that are right or wrong."""
    rows = rows[rows[:, :, 1].sum(axis=1) > 0]
    if len(rows) < FEWEST_JOBS:
        # Nothing is there to be right or wrong: nothing is known.
        return Predicted(np.pi / 4, np.pi / 4, FEWEST_JOBS, True)
    value, scatter, below = _ratios(rows)
    value = np.clip(value, 0.0, 1.0)
    if counted:
        # Without an error in sight there still are some: as if a few more things had been seen, half of them wrong.
        things = float(below.mean() * rows.shape[0] * rows.shape[1])
        wrong = ((1 - value.mean()) * things + UNSEEN) / (things + 2 * UNSEEN)
        scatter = np.maximum(scatter, wrong * (1 - wrong) / below)
    slope = 1 / (4 * np.maximum(value * (1 - value), 1e-3))
    return _predicted(np.arcsin(np.sqrt(value)), scatter * slope, rows, objects, share=True)


def predicted_number(rows: Floats, objects: int, *, doubt: float) -> Predicted:
    """The same of a positive number. `doubt` is what the simulation itself may be off by, as a standard deviation of
    the number's logarithm."""
    value, scatter, _ = _ratios(rows)
    value = np.maximum(value, 1e-9)
    return _predicted(np.log(value), scatter / value**2, rows, objects, share=False, doubt=doubt)


def _ratios(rows: Floats) -> tuple[Floats, Floats, Floats]:
    """Of each job: the figure, the variance that one object gives it, and the mean of the lower sum an object."""
    upper, lower = rows[:, :, 0], rows[:, :, 1]
    below = np.maximum(lower.mean(axis=1), 1e-9)
    value = upper.mean(axis=1) / below
    return value, ((upper - value[:, None] * lower) ** 2).mean(axis=1) / below**2, below


def _predicted(
    seen: Floats, scatter: Floats, rows: Floats, objects: int, *, share: bool, doubt: float = 0.0
) -> Predicted:
    """From each job's figure `seen` and what one object scatters it by, both in transformed units."""
    jobs, simulated = rows.shape[:2]
    of_an_object = float(scatter.mean())
    spread = float(seen.var(ddof=1))
    # The difference of two uncertain variances is too small as often as not: part of the spread is always the crowd's.
    between = max(spread - of_an_object / simulated, LEAST_BETWEEN * spread)
    variance = between * (1 + 1 / jobs) + of_an_object * (1 / objects + 1 / (simulated * jobs)) + doubt**2
    return Predicted(float(seen.mean()), float(np.sqrt(variance)), jobs - 1, share)


def of_draws(values: Floats) -> Interval:
    """The interval that holds LEVEL of the drawn `values`, and their median."""
    low, middle, high = np.quantile(values, [TAIL, 0.5, 1 - TAIL]).tolist()
    return Interval(low, middle, high)
