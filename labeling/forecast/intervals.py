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


def predicted(rows: Floats, objects: int, *, share: bool) -> Predicted:
    """Of a figure of which `rows` (jobs, n, 2) hold what each object adds to the upper and the lower sum, for a job of
    `objects`. `share`: the figure is between 0 and 1, else it is positive."""
    jobs, simulated = rows.shape[:2]
    upper, lower = rows[:, :, 0], rows[:, :, 1]
    below = np.maximum(lower.mean(axis=1), 1e-9)
    value = upper.mean(axis=1) / below
    scatter = ((upper - value[:, None] * lower) ** 2).mean(axis=1) / below**2
    if share:
        value = np.clip(value, 0.0, 1.0)
        seen, slope = np.arcsin(np.sqrt(value)), 1 / (4 * np.maximum(value * (1 - value), 1e-3))
    else:
        value = np.maximum(value, 1e-9)
        seen, slope = np.log(value), 1 / value**2
    of_an_object = float((scatter * slope).mean())
    between = max(float(seen.var(ddof=1)) - of_an_object / simulated, 0.0)
    variance = between * (1 + 1 / jobs) + of_an_object * (1 / objects + 1 / (simulated * jobs))
    return Predicted(float(seen.mean()), float(np.sqrt(variance)), jobs - 1, share)


def of_draws(values: Floats) -> Interval:
    """The interval that holds LEVEL of the drawn `values`, and their median."""
    low, middle, high = np.quantile(values, [TAIL, 0.5, 1 - TAIL]).tolist()
    return Interval(low, middle, high)
