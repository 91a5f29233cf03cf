"""The rules of a search that look at objectives alone: when a training is given up, and when the search ends. Pure."""

from collections.abc import Sequence
from statistics import median

Point = tuple[float, float]
"""(epoch, value of the objective)."""
LEAST_EARLIER = 4
"""So many trainings must have come as far before one is given up: a median of fewer says little."""
CONVERGED_AFTER = 10
"""The search has converged when so many trainings in a row, and three for each searched hyperparameter, ..."""
CONVERGED_GAIN = 0.01
"""... improved the best objective by less than this share of the distance between best and median."""


def falls_behind(curve: Sequence[Point], earlier: Sequence[Sequence[Point]], *, maximize: bool) -> bool:
    """SageMaker's median rule, for the newest point of a training's `curve`.

    The training falls behind when its objective is worse than the median of the running averages that the `earlier`
    trainings had up to the same epoch. Those that ended before it are left out, and nothing is said before
    LEAST_EARLIER have come so far.
    """
    if not curve:
        return False
    epoch, value = max(curve)
    averages = []
    for other in earlier:
        seen = [at_value for at, at_value in other if at <= epoch]
        if seen and max(at for at, _ in other) >= epoch:
            averages.append(sum(seen) / len(seen))
    if len(averages) < LEAST_EARLIER:
        return False
    middle = median(averages)
    return value < middle if maximize else value > middle


def since_best(values: Sequence[float], *, maximize: bool) -> int:
    """How many trainings have ended since the best one did; `values` in the order of their ends."""
    if not values:
        return 0
    best = max(values) if maximize else min(values)
    return len(values) - 1 - values.index(best)


def has_converged(values: Sequence[float], *, searched: int, maximize: bool) -> bool:
    """Whether the best of the newest trainings is hardly better than the best before them; see CONVERGED_AFTER."""
    newest = max(CONVERGED_AFTER, 3 * searched)
    if len(values) < 2 * newest:
        return False
    signed = [value if maximize else -value for value in values]
    before, now = max(signed[:-newest]), max(signed)
    return now - before <= CONVERGED_GAIN * (now - median(signed))
