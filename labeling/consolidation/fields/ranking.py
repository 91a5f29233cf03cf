"""One ranking from several workers' rankings of the same things: Bradley & Terry (1952), workers weighed by agreement.

A ranking is a tuple of ranks, 1 the best, one for each thing in their order; equal ranks are a tie, which counts half
for either. The strengths are found by Hunter's minorisation (2004) with PRIOR ties of everything with everything, so
that what nobody preferred has a strength too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.special import betainc

from labeling.consolidation.answers import ObjectAnswers, WorkerAnswer, latest_answers, require_rereadable
from labeling.consolidation.arrays import Floats
from labeling.consolidation.workers.skills import number

PRIOR = 0.2
"""Ties of each pair of things that are added to the answers."""

AGREEMENT = 0.8
"""Share of pairs that a worker of whom nothing is known puts in the right order."""

STRENGTH = 10.0
"""Pairs with that share that are added to a worker's own."""

Ranks = tuple[int, ...]


@dataclass(slots=True)
class RankWorkers:
    """Of each worker the pairs that agreed with the merged rankings, and all pairs."""

    agreed: dict[str, float] = field(default_factory=dict)
    pairs: dict[str, float] = field(default_factory=dict)

    def accuracy(self, worker: str) -> float:
        """Shrunk share of pairs that the worker puts in the merged order."""
        return (self.agreed.get(worker, 0.0) + STRENGTH * AGREEMENT) / (self.pairs.get(worker, 0.0) + STRENGTH)

    def weight(self, worker: str) -> float:
        """What the worker's comparisons count for: 1 for AGREEMENT, 0 for guessing, never below .05."""
        return max((self.accuracy(worker) - 0.5) / (AGREEMENT - 0.5), 0.05)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, workers sorted, rounded to 6 digits."""
        return {"workers": [[w, number(self.agreed[w]), number(self.pairs[w])] for w in sorted(self.pairs)]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RankWorkers:
        """Read `to_json`'s output."""
        models = cls()
        for worker, agreed, pairs in data["workers"]:
            models.agreed[worker], models.pairs[worker] = float(agreed), float(pairs)
        return models


@dataclass(frozen=True, slots=True)
class ConsolidatedRanking:
    """`ranks` (1 the best) or None without answers; `strengths` add up to 1.

    `confidence`: over all pairs of things the mean chance that most people would put them in this order. `left_out` are
    the workers whose ranking is of another number of things than most.
    """

    ranks: Ranks | None
    strengths: tuple[float, ...]
    confidence: float
    left_out: tuple[str, ...]


def consolidate(answers: Sequence[WorkerAnswer[Ranks]], *, workers: RankWorkers | None = None) -> ConsolidatedRanking:
    """The ranking of one object's things."""
    models = workers or RankWorkers()
    latest = latest_answers(answers, tuple)
    if not latest:
        return ConsolidatedRanking(None, (), 0.0, ())
    sizes = [len(one.value) for one in latest]
    size = max(set(sizes), key=lambda n: (sizes.count(n), n))
    usable = [one for one in latest if len(one.value) == size]
    left_out = tuple(one.worker for one in latest if len(one.value) != size)
    wins = np.zeros((size, size))
    for one in usable:
        wins += models.weight(one.worker) * _preferred(one.value)
    strengths = _strengths(wins)
    order = np.round(strengths, 9)
    ranks = tuple(int((order > mine).sum()) + 1 for mine in order)
    first, second = np.triu_indices(size, 1)
    better = np.where(order[first] >= order[second], wins[first, second], wins[second, first])
    count = wins[first, second] + wins[second, first]
    # P(share > 1/2) under Beta(wins + 1, losses + 1).
    right = 1 - betainc(better + 1, count - better + 1, 0.5) if size > 1 else np.ones(1)
    return ConsolidatedRanking(
        ranks, tuple(round(float(s), 4) for s in strengths), round(float(np.mean(right)), 4), left_out
    )


def fit_workers(objects: Iterable[ObjectAnswers[Ranks]], *, rounds: int = 5) -> RankWorkers:
    """How often each worker agrees with what the others make of a ranking. Raises ValueError for an iterator."""
    require_rereadable(objects)
    models = RankWorkers()
    for _ in range(rounds):
        learned = RankWorkers()
        for one in objects:
            latest = latest_answers(one.answers, tuple)
            for place, answer in enumerate(latest):
                rest = latest[:place] + latest[place + 1 :]
                truth = one.gold if one.gold is not None else consolidate(rest, workers=models).ranks
                if truth is None or len(truth) != len(answer.value):
                    continue
                agreed, pairs = agreement_counts(answer.value, truth)
                learned.agreed[answer.worker] = learned.agreed.get(answer.worker, 0.0) + agreed
                learned.pairs[answer.worker] = learned.pairs.get(answer.worker, 0.0) + pairs
        models = learned
    return models


def agreement_counts(ranks: Ranks, truth: Ranks) -> tuple[float, float]:
    """How many of the pairs that `truth` puts in an order `ranks` puts in the same (a tie counts half), and of how
    many."""
    given, true = np.sign(_apart(ranks)), np.sign(_apart(truth))
    some = np.triu(true != 0, 1)
    return float(((given == true) & some).sum() + 0.5 * ((given == 0) & some).sum()), float(some.sum())


def _apart(ranks: Sequence[int]) -> Floats:
    column = np.array(ranks, float)
    return np.asarray(column[:, None] - column[None])


def _preferred(ranks: Sequence[int]) -> Floats:
    """1 where the row's thing is put before the column's, one half for a tie; 0 on the diagonal."""
    apart = _apart(ranks)
    out = (apart < 0) + 0.5 * (apart == 0)
    np.fill_diagonal(out, 0.0)
    return np.asarray(out, np.float64)


def _strengths(wins: Floats) -> Floats:
    """Strengths (n,) that add up to 1, from wins of rows over columns (n, n)."""
    size = len(wins)
    if size == 0:
        return np.zeros(0)
    played = wins + PRIOR / 2
    np.fill_diagonal(played, 0.0)
    games, won = played + played.T, played.sum(axis=1)
    strength = np.full(size, 1 / size)
    for _ in range(500):
        before = strength
        together = strength[:, None] + strength[None]
        strength = won / np.maximum((games / together).sum(axis=1), 1e-12) if size > 1 else strength
        strength = strength / strength.sum()
        if np.abs(strength - before).max() < 1e-10:
            break
    return strength
