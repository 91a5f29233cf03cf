"""Which parts of masks are there: those that some workers painted and others did not, as Dawid & Skene ask it.

A part is there with the chance that follows from who painted it and who did not. Workers' rates are learned by
expectation maximisation from all parts of a job. Parts that nobody painted are never seen; leaving them out would teach
that what is not there is painted often, since somebody has always painted it (EM for truncated data).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from labeling.consolidation.arrays import Bools, Floats, Ints, logistic
from labeling.consolidation.workers.masks import MaskWorkers, Parts, Traits

ROUNDS = 30
"""Rounds of expectation maximisation at most."""

SETTLED = 1e-5
"""Greatest change of a chance after which it ends."""

TEMPER = 0.8
"""Log-odds of the answers count so much: people overlook the same things, answers are not independent."""

FEW = 12
"""With so many workers all sets of them are few enough for a table."""

MOST_UNSEEN = 20.0
"""Things that nobody painted are at most so many for each that somebody did."""


@dataclass(frozen=True, slots=True)
class Thing:
    """One part of one image: who answered, (W,) whether they painted it, how much it counts, and the truth if known."""

    label: str
    workers: tuple[str, ...]
    painted: Bools
    weight: float
    there: bool | None = None


def log_odds(painted: Bools, traits: Traits) -> Floats:
    """(P,): of each part being there, given who of the workers painted it: (P, W), and that somebody did."""
    found = np.where(painted, np.log(traits.recall), np.log1p(-traits.recall)).sum(axis=1)
    false = np.where(painted, np.log(traits.false), np.log1p(-traits.false)).sum(axis=1)
    seen = _log_seen(traits.recall[None], np.ones((1, painted.shape[1]), bool)) - _log_seen(
        traits.false[None], np.ones((1, painted.shape[1]), bool)
    )
    prior = np.log(traits.real) - np.log1p(-traits.real)
    return np.asarray(prior + TEMPER * (found - false - seen), np.float64)


def _log_seen(rates: Floats, here: Bools) -> Floats:
    """(P,): the logarithm of the chance that at least one of those who are here paints it."""
    return np.asarray(np.log(-np.expm1(np.where(here, np.log1p(-rates), 0.0).sum(axis=1))), np.float64)


def learn(models: MaskWorkers, things: Iterable[Thing]) -> None:
    """Put into `models` how often each worker paints parts that are there, and parts that are not."""
    rows = list(things)
    if not rows:
        return
    table = _Table(rows)
    before = np.full(len(rows), -1.0)
    for _ in range(ROUNDS):
        real = table.expected(models)
        table.count(models, real)
        if np.abs(real - before).max() < SETTLED:
            break
        before = real


class _Table:
    """All things as arrays: (P, W), W the most workers of any; `here` are the places with a worker."""

    def __init__(self, rows: Sequence[Thing]) -> None:
        self.pairs = sorted({(name, one.label) for one in rows for name in one.workers})
        number = {pair: place for place, pair in enumerate(self.pairs)}
        most = max(len(one.workers) for one in rows)
        self.who: Ints = np.zeros((len(rows), most), np.int64)
        self.here = np.zeros((len(rows), most), bool)
        self.painted = np.zeros((len(rows), most), bool)
        for row, one in enumerate(rows):
            count = len(one.workers)
            self.who[row, :count] = [number[name, one.label] for name in one.workers]
            self.here[row, :count] = True
            self.painted[row, :count] = one.painted
        self.weight = np.array([one.weight for one in rows])
        self.known = np.array([np.nan if one.there is None else float(one.there) for one in rows])

    def expected(self, models: MaskWorkers) -> Floats:
        """(P,): the chance of each thing being there."""
        # Over all classes: with chances by class, one that a single worker always invents would be one that all others
        # always overlook.
        traits = [models.part_rates(name) for name, _label in self.pairs]
        self.recall = np.array([one[0] for one in traits])[self.who]
        self.false = np.array([one[1] for one in traits])[self.who]
        odds = self._log(self.recall) - self._log(self.false)
        odds -= _log_seen(self.recall, self.here) - _log_seen(self.false, self.here)
        real = models.real()
        found = logistic(np.log(real) - np.log1p(-real) + TEMPER * odds)
        return np.where(np.isnan(self.known), found, np.nan_to_num(self.known))

    def _log(self, rates: Floats) -> Floats:
        each = np.where(self.painted, np.log(rates), np.log1p(-rates))
        return np.asarray(np.where(self.here, each, 0.0).sum(axis=1))

    def count(self, models: MaskWorkers, real: Floats) -> None:
        """Replace the models' sums by those that follow from these chances."""
        sums = np.zeros((4, len(self.pairs)))
        for first, share, rates in ((0, real, self.recall), (2, 1 - real, self.false)):
            none = np.exp(np.where(self.here, np.log1p(-rates), 0.0).sum(axis=1))
            unseen = np.minimum(none / (1 - none), MOST_UNSEEN)
            # Of a known thing that nobody painted nothing is left out: golds show what was overlooked.
            unseen = np.where(np.isnan(self.known), unseen, 0.0)
            mass = (self.weight * share)[:, None] * self.here
            chances = mass * (1 + unseen)[:, None]
            for row, values in ((first, mass * self.painted), (first + 1, chances)):
                sums[row] = np.bincount(self.who.ravel(), values.ravel(), len(self.pairs))
        made: dict[str, dict[str, Parts]] = {}
        for place, (name, label) in enumerate(self.pairs):
            made.setdefault(name, {})[label] = Parts(*sums[:, place].tolist())
        models.know_parts(made, (float((self.weight * real).sum()), float(self.weight.sum())))


def grouped(codes: Ints, areas: Floats, workers: int) -> tuple[Bools, Floats, Ints]:
    """(P, W) who painted each part, (P,) its pixels, and the number of each cell's part, from 1 on, 0 for code 0."""
    if workers <= FEW:
        number = np.zeros(1 << workers, np.int64)
        number[codes.ravel()] = 1
        number[0] = 0
        found = np.flatnonzero(number)
        number[found] = np.arange(1, len(found) + 1)
        which = number[codes]
    else:
        found = np.unique(codes)
        found = found[found != 0]
        which = np.searchsorted(found, codes) + (codes != 0)
    pixels = np.asarray(np.bincount(which.ravel(), areas.ravel(), len(found) + 1)[1:], np.float64)
    painted = np.asarray((found[:, None] >> np.arange(workers)) & 1 == 1)
    return painted, pixels, np.asarray(which, np.int64)
