"""Is there an object at all? The posterior from who drew it and who did not, and its calibration. Knows arrays only.

A candidate (cluster) is a real object or a distractor (a shadow, a slip, spam). A real one has a hidden difficulty
z ~ N(0, hard^2), so that misses are not independent (the good worker misses the hard one too); slips are:

    P(worker draws it | real, z)    = logistic(logit(hit_wc) * stretch - z)
    P(worker draws it | distractor) = false_w

with stretch = sqrt(1 + hard^2 pi / 8), which keeps hit_wc the rate over all objects of class c (MacKay 1992). z is
integrated out by Gauss-Hermite quadrature, and both sides are conditioned on at least one worker having drawn it, for a
thing nobody drew is no candidate. The log-odds are then one of the features of a small logistic model whose weights
are fitted on golds (ridge towards the shipped weights), so that confidences mean what they say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labeling.consolidation.clusters import Floats, Ints
from labeling.consolidation.fusion import sums
from labeling.consolidation.odds import logistic, logit
from labeling.consolidation.workers import Population

NODES, NODE_WEIGHTS = np.polynomial.hermite_e.hermegauss(5)
NODE_WEIGHTS = NODE_WEIGHTS / NODE_WEIGHTS.sum()

FEATURES = ("bias", "log_odds", "share", "agreement", "small", "border", "shadowed", "shape")
DEFAULT_WEIGHTS = (0.0, 0.75, 0.0, 0.0, 0.0, 0.0, 0.0, 0.4)
"""Weights where no golds are. The last is for crowds with spammers in them; golds are taken at their word instead."""
PRIOR_WEIGHTS = (*DEFAULT_WEIGHTS[:-1], 0.0)
RIDGE = 6.0
"""Prior precision of the calibration's weights around PRIOR_WEIGHTS."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Every (candidate, worker who answered its image): `group` (P,) the candidate's number, `hit` and `false` (P,) how
    often that worker draws such a thing when it is real and when it is not, `drew` (P,) whether the worker did."""

    group: Ints
    hit: Floats
    false: Floats
    drew: NDArray[np.bool_]

    def select(self, some: NDArray[np.bool_]) -> Pairs:
        return Pairs(self.group[some], self.hit[some], self.false[some], self.drew[some])


def existence_log_odds(pairs: Pairs, population: Population, groups: int) -> Floats:
    """log P(real | answers) / P(distractor | answers) for each candidate (groups,)."""
    prior = np.log(population.real) - np.log1p(-population.real)
    log_odds: Floats = prior + _log_likelihood(pairs.hit, population.hard, pairs, groups)
    return log_odds - _log_likelihood(pairs.false, 0.0, pairs, groups)


def log_odds_after(pairs: Pairs, population: Population, hit: Floats, *, draws: bool) -> Floats:
    """`existence_log_odds` once one more worker, an ordinary one of this crowd who draws each candidate at the rate
    `hit` (groups,), has drawn all of them, or none."""
    groups = len(hit)
    more = Pairs(
        np.append(pairs.group, np.arange(groups)),
        np.append(pairs.hit, hit),
        np.append(pairs.false, np.full(groups, population.false)),
        np.append(pairs.drew, np.full(groups, draws)),
    )
    return existence_log_odds(more, population, groups)


def evidence(pairs: Pairs, population: Population, groups: int, hards: Sequence[float]) -> Floats:
    """log P(who drew what) of all candidates for each spread of difficulty in `hards`: (len(hards),)."""
    distractor = np.log1p(-population.real) + _log_likelihood(pairs.false, 0.0, pairs, groups)
    prior = np.log(population.real)
    return np.array(
        [np.logaddexp(prior + _log_likelihood(pairs.hit, hard, pairs, groups), distractor).sum() for hard in hards]
    )


def unseen_share(rate: Floats, hard: float, group: Ints, groups: int) -> Floats:
    """Chance that none of a group's workers draws a thing that each draws at `rate` (P,): (groups,)."""
    return np.asarray(_nobody(_logits(rate, hard), group, groups) @ NODE_WEIGHTS)


def drawn_by_fewer(pairs: Pairs, hard: float, groups: int) -> tuple[Floats, Floats]:
    """For each real thing that two or more of a group's workers draw: how many like it fewer than two draw (groups,),
    and how many each worker draws alone (P,)."""
    logits = _logits(pairs.hit, hard)
    nobody = _nobody(logits, pairs.group, groups)
    alone = (nobody[pairs.group] * np.exp(logits)) @ NODE_WEIGHTS
    fewer = nobody @ NODE_WEIGHTS + sums(alone, pairs.group, groups)
    more = np.maximum(1 - fewer, 1e-9)
    return fewer / more, alone / more[pairs.group]


def _logits(rate: Floats, hard: float) -> Floats:
    """Logit of drawing a thing at each node of difficulty, for those who draw at `rate` (P,) over all: (P, nodes)."""
    stretched = logit(rate) * np.sqrt(1 + hard**2 * np.pi / 8)
    return np.asarray(stretched[:, None] - hard * NODES)


def _nobody(logits: Floats, group: Ints, groups: int) -> Floats:
    """Chance at each node that nobody of a group draws it: (groups, nodes)."""
    return np.asarray(np.exp(sums(-np.logaddexp(0.0, logits), group, groups)))


def _log_likelihood(rate: Floats, hard: float, pairs: Pairs, groups: int) -> Floats:
    """log P(this pattern of drawing | at least one drew) at `rate` (P,), difficulty integrated out."""
    logits = _logits(rate, hard)
    signed = np.where(pairs.drew[:, None], -logits, logits)
    pattern = sums(-np.logaddexp(0.0, signed), pairs.group, groups)
    top = pattern.max(axis=1)
    likelihood = np.log(np.exp(pattern - top[:, None]) @ NODE_WEIGHTS) + top
    seen: Floats = np.log(np.maximum(1 - _nobody(logits, pairs.group, groups) @ NODE_WEIGHTS, 1e-12))
    return np.asarray(likelihood - seen)


def usable_weights(fitted: Sequence[float]) -> Floats:
    """`fitted` weights, or the shipped ones where there are none; features added since a fit weigh nothing."""
    return np.array([*fitted, *[0.0] * (len(FEATURES) - len(fitted))] if fitted else DEFAULT_WEIGHTS)


def fit_calibration(features: Floats, right: Floats, rounds: int = 25) -> tuple[float, ...]:
    """Ridge logistic regression of `right` (K,) on `features` (K, F) by Newton's method; returns the weights."""
    prior = np.array(PRIOR_WEIGHTS)
    weights = prior.copy()
    best = _misfit(features, right, weights, prior)
    for _ in range(rounds):
        p = logistic(features @ weights)
        gradient = features.T @ (right - p) - RIDGE * (weights - prior)
        curvature = (features * (p * (1 - p))[:, None]).T @ features + RIDGE * np.eye(len(prior))
        step = np.linalg.solve(curvature, gradient)
        while (misfit := _misfit(features, right, weights + step, prior)) > best and np.abs(step).max() > 1e-8:
            step = step / 2
        if np.abs(step).max() <= 1e-8:
            break
        weights, best = weights + step, misfit
    return tuple(float(w) for w in weights)


def _misfit(features: Floats, right: Floats, weights: Floats, prior: Floats) -> float:
    """Negative log posterior of the weights."""
    x = features @ weights
    return float((np.logaddexp(0.0, x) - right * x).sum() + RIDGE / 2 * ((weights - prior) ** 2).sum())
