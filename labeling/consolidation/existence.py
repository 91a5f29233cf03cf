"""Is a candidate a real object? The posterior from who drew it and who did not. Knows arrays only.

A candidate (a cluster of boxes or spans) is a real object or a distractor: a shadow, a careless click, spam. A real
object has a hidden difficulty z ~ N(0, difficulty^2), so that misses are not independent (good workers, too, miss what
is difficult to see); false positives are independent:

    P(worker w draws it | real, of class c, z) = logistic(logit(recall_wc) * stretch - z)
    P(worker w draws it | distractor)          = false_positive_rate_w

with stretch = sqrt(1 + difficulty^2 pi / 8), which keeps recall_wc the rate over all objects of class c (MacKay 1992).
z is integrated out by Gauss-Hermite quadrature, and both sides are conditioned on at least one worker having drawn it,
because a thing that nobody drew is no candidate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from labeling.consolidation.arrays import (
    HIGHEST_CHANCE,
    LOWEST_CHANCE,
    Bools,
    Floats,
    Ints,
    group_sums,
    logistic,
    logit,
)
from labeling.consolidation.workers.models import Population

NODES, NODE_WEIGHTS = np.polynomial.hermite_e.hermegauss(5)
NODE_WEIGHTS = NODE_WEIGHTS / NODE_WEIGHTS.sum()


@dataclass(frozen=True, slots=True)
class Pairs:
    """Every (candidate, worker who answered its image): `group` (P,) is the candidate's number, `recall` and
    `false_positive_rate` (P,) how often that worker draws such a thing when it is real and when it is not, `drew` (P,)
    whether the worker did."""

    group: Ints
    recall: Floats
    false_positive_rate: Floats
    drew: Bools

    def select(self, some: Bools) -> Pairs:
        """The pairs where `some` (P,) is true."""
        return Pairs(self.group[some], self.recall[some], self.false_positive_rate[some], self.drew[some])


def existence_log_odds(pairs: Pairs, population: Population, groups: int) -> Floats:
    """log P(real | answers) / P(distractor | answers) for each candidate (groups,)."""
    prior = np.log(population.real) - np.log1p(-population.real)
    log_odds: Floats = prior + _log_likelihood(pairs.recall, population.difficulty, pairs, groups)
    return log_odds - _log_likelihood(pairs.false_positive_rate, 0.0, pairs, groups)


def log_odds_and_error(
    pairs: Pairs, population: Population, groups: int, *, chances: Floats, distractors: Floats
) -> tuple[Floats, Floats]:
    """`existence_log_odds`, and its standard error that comes from not knowing the workers' rates exactly, (groups,).

    `chances` and `distractors` (P,) are how many objects and distractors the rates of each pair's worker are taken of,
    those of the crowd that they are shrunk towards included. A rate p of n has the variance 1 / (n p (1 - p)) in
    logits; the delta method carries it over, with

        d log P(pattern | real) / d logit(recall_w) = stretch (drew_w - E[p_w(z)]),

    the mean taken over the difficulty z given the pattern. That a thing which nobody drew is no candidate is left out
    of the derivative.
    """
    logits = _logits(pairs.recall, population.difficulty)
    signed = np.where(pairs.drew[:, None], -logits, logits)
    pattern = group_sums(-np.logaddexp(0.0, signed), pairs.group, groups)
    at_node = np.exp(pattern - pattern.max(axis=1, keepdims=True)) * NODE_WEIGHTS
    at_node /= at_node.sum(axis=1, keepdims=True)
    stretch = np.sqrt(1 + population.difficulty**2 * np.pi / 8)
    of_recall = stretch * (pairs.drew - (at_node[pairs.group] * logistic(logits)).sum(axis=1))
    of_false = pairs.drew - pairs.false_positive_rate
    variance = of_recall**2 * _logit_variance(pairs.recall, chances)
    variance += of_false**2 * _logit_variance(pairs.false_positive_rate, distractors)
    return existence_log_odds(pairs, population, groups), np.sqrt(group_sums(variance, pairs.group, groups))


def _logit_variance(rate: Floats, count: Floats) -> Floats:
    kept = np.clip(rate, LOWEST_CHANCE, HIGHEST_CHANCE)
    return np.asarray(1 / (np.maximum(count, 1.0) * kept * (1 - kept)))


def log_odds_after(pairs: Pairs, population: Population, recall: Floats, *, draws: bool) -> Floats:
    """`existence_log_odds` once one more worker has drawn all candidates, or none: an ordinary worker of this crowd who
    draws each real candidate at the rate `recall` (groups,)."""
    groups = len(recall)
    more = Pairs(
        np.append(pairs.group, np.arange(groups)),
        np.append(pairs.recall, recall),
        np.append(pairs.false_positive_rate, np.full(groups, population.false_positive_rate)),
        np.append(pairs.drew, np.full(groups, draws)),
    )
    return existence_log_odds(more, population, groups)


def evidence(pairs: Pairs, population: Population, groups: int, difficulties: Sequence[float]) -> Floats:
    """log P(who drew what) of all candidates for each spread of difficulty in `difficulties`: (len(difficulties),)."""
    distractor = np.log1p(-population.real) + _log_likelihood(pairs.false_positive_rate, 0.0, pairs, groups)
    prior = np.log(population.real)
    return np.array(
        [
            np.logaddexp(prior + _log_likelihood(pairs.recall, spread, pairs, groups), distractor).sum()
            for spread in difficulties
        ]
    )


def chance_all_miss(rate: Floats, difficulty: float, group: Ints, groups: int) -> Floats:
    """Chance that none of a group's workers draws a thing that each draws at `rate` (P,): (groups,)."""
    return np.asarray(_nobody_draws(_logits(rate, difficulty), group, groups) @ NODE_WEIGHTS)


def drawn_by_fewer_than_two(pairs: Pairs, difficulty: float, groups: int) -> tuple[Floats, Floats]:
    """For each real thing that two or more of a group's workers draw: how many like it fewer than two draw (groups,),
    and how many each worker draws alone (P,)."""
    logits = _logits(pairs.recall, difficulty)
    nobody = _nobody_draws(logits, pairs.group, groups)
    alone = (nobody[pairs.group] * np.exp(logits)) @ NODE_WEIGHTS
    fewer = nobody @ NODE_WEIGHTS + group_sums(alone, pairs.group, groups)
    more = np.maximum(1 - fewer, 1e-9)
    return fewer / more, alone / more[pairs.group]


def _logits(rate: Floats, difficulty: float) -> Floats:
    """Logit of drawing a thing at each node of difficulty, for those who draw at `rate` (P,) over all: (P, nodes)."""
    stretched = logit(rate) * np.sqrt(1 + difficulty**2 * np.pi / 8)
    return np.asarray(stretched[:, None] - difficulty * NODES)


def _nobody_draws(logits: Floats, group: Ints, groups: int) -> Floats:
    """Chance at each node that nobody of a group draws it: (groups, nodes)."""
    return np.asarray(np.exp(group_sums(-np.logaddexp(0.0, logits), group, groups)))


def _log_likelihood(rate: Floats, difficulty: float, pairs: Pairs, groups: int) -> Floats:
    """log P(this pattern of drawing | at least one drew) at `rate` (P,), difficulty integrated out."""
    logits = _logits(rate, difficulty)
    signed = np.where(pairs.drew[:, None], -logits, logits)
    pattern = group_sums(-np.logaddexp(0.0, signed), pairs.group, groups)
    top = pattern.max(axis=1)
    likelihood = np.log(np.exp(pattern - top[:, None]) @ NODE_WEIGHTS) + top
    seen: Floats = np.log(np.maximum(1 - _nobody_draws(logits, pairs.group, groups) @ NODE_WEIGHTS, 1e-12))
    return np.asarray(likelihood - seen)
