"""Pairs of workers whose answers agree far more than their accuracies allow: one person with two accounts, or copying.

Pure. For each task that two workers both answered it is only looked at whether their answers are close. A worker who is
often right is often close to everybody; how often, is estimated from the other pairs. With c_i the share of close
answers between i and everybody but j, and c the share over all pairs, i and j are expected to be close with the chance
c_i * c_j / c if they work independently: close answers come from both being right. The number of close answers is held
against the binomial distribution with that chance (which is cautious: tasks of different difficulty spread it less),
and the chance of so many is multiplied by the number of pairs that were tested (Bonferroni). So in a crowd of
independent workers, a pair is reported with a chance of at most FALSE_ALARM.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Protocol

from scipy.stats import binom

FALSE_ALARM = 0.01
"""The chance that any pair of a crowd of independent workers is reported."""

COMMON = 8
"""Tasks that both must have answered."""

ELSEWHERE = 20
"""Comparisons with others that there must be of each."""

CLOSE = 0.9
"""From which agreement on (0 to 1, as the task type measures it) two answers are close."""


class Agreement(Protocol):
    """How alike two answers are, 0 to 1; TaskType.agreement."""

    def __call__(self, one: Any, other: Any) -> float: ...


@dataclass(frozen=True, slots=True)
class Pair:
    """Two workers who agree too much: `close` of `common` tasks, where `expected` (a share) was to be expected;
    `chance` of so many among all pairs."""

    one: str
    other: str
    common: int
    close: int
    expected: float
    chance: float


def colluding(tasks: Sequence[Mapping[str, Any]], agreement: Agreement) -> list[Pair]:
    """The pairs that agree too much, most striking first. `tasks`: the answers of each, by the worker's name.

    Two answers that say that there is nothing are close, and common; leave them out where that says little.
    """
    counts: dict[tuple[str, str], list[int]] = {}
    for answers in tasks:
        for one, other in combinations(sorted(answers), 2):
            row = counts.setdefault((one, other), [0, 0])
            row[0] += 1
            row[1] += agreement(answers[one], answers[other]) >= CLOSE
    of_worker: dict[str, list[int]] = {}
    for pair, (common, close) in counts.items():
        for name in pair:
            row = of_worker.setdefault(name, [0, 0])
            row[0] += common
            row[1] += close
    total, all_close = (sum(column) for column in zip(*counts.values(), strict=True)) if counts else (0, 0)
    tested = [
        (pair, common, close)
        for pair, (common, close) in sorted(counts.items())
        if common >= COMMON and all(of_worker[name][0] - common >= ELSEWHERE for name in pair)
    ]
    found = []
    for (one, other), common, close in tested:
        rest = _share(all_close - close, total - common)
        chances = [_share(of_worker[name][1] - close, of_worker[name][0] - common) for name in (one, other)]
        expected = min(0.99, chances[0] * chances[1] / rest)
        chance = float(binom.sf(close - 1, common, expected)) * len(tested)
        if chance < FALSE_ALARM:
            found.append(Pair(one, other, common, close, expected, chance))
    return sorted(found, key=lambda pair: (pair.chance, pair.one, pair.other))


def _share(close: int, common: int) -> float:
    """With one close answer in two added, so that a few comparisons prove nothing."""
    return (close + 1) / (common + 2)
