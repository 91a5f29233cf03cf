"""Which model of a crowd a job's votes call for, and how far its chances are to be trusted. Golds are not needed.

Majority, one coin a worker, Dawid & Skene, and Dawid & Skene with item difficulty (see crowd.py) are fitted without a
part of the votes and asked how probable those votes are. A richer model has to beat a simpler one by more than chance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from labeling.consolidation.arrays import Floats
from labeling.consolidation.classes import crowd
from labeling.consolidation.classes.crowd import CrowdFit, Method
from labeling.consolidation.classes.table import UNKNOWN, VoteTable
from labeling.consolidation.workers.crowd import TEMPERATURE_ERROR

MAJORITY = Method("majority", workers=False, by_class=False, difficulty=False, even=1e6)
ONE_COIN = Method("one coin", by_class=False, difficulty=False, even=1e6)
FREE_COIN = Method("one coin, classes of any frequency", by_class=False, difficulty=False)
DAWID_SKENE = Method("Dawid-Skene", difficulty=False, even_share=0.1)
WITH_DIFFICULTY = Method("Dawid-Skene with item difficulty", even_share=0.1)
METHODS = (MAJORITY, ONE_COIN, FREE_COIN, DAWID_SKENE, WITH_DIFFICULTY)
"""From the simplest to the richest."""

FEWEST_VOTES = 14.0
"""Votes a worker, on average, below which nothing but majority is chosen: who is good cannot be told then."""

FEWEST_OBJECTS = 100
"""Objects below which classes are not taken to be of any frequency: a few spammers who always give one label look like
a job in which nearly every object has that label."""

BETTER_THAN_MAJORITY, BETTER = 2.0, 0.5
"""How many standard errors of the difference in held-out log-likelihood a richer model has to win by: over majority,
and over another that has already beaten majority."""

UNEVEN, BETTER_THAN_UNEVEN = 5.0, 2.0
"""Where letting classes be of any frequency wins by UNEVEN standard errors, they are so uneven that a richer model,
which takes them to be less so, has to win by the second number."""

FOLDS, GOLD_FOLDS = 5, 10
MOST_VOTES = 8_000
"""The choice is made on as many votes at most, of objects spread over the job."""

LARGEST = 30_000_000
"""Numbers in one array of a fit; a method that needs more is left out."""

THRESHOLDS, OBJECTS, USUAL_OBJECTS = 1.0, 3.5, 0.2
"""What the temperature makes of how differently workers treat single classes, and of the difficulty of objects beyond
what jobs of independent votes show: chosen on real crowds and on generated ones, which need none."""

LOWEST = 0.2
"""The least temperature without golds: no real crowd seen needed a lower one."""

GOLD_SPREAD = 0.7
"""Standard deviation of the logarithm of a temperature about the usual one before golds are looked at."""

LACK_OF_VOTES, LACK_OF_OBJECTS = 2.2, 20.0
"""What one vote a worker, and one object, leave unknown of the temperature: variances of its logarithm, which fall with
the number of votes a worker and of objects."""

WARN_BELOW = 0.5
"""A temperature below which a requester is told that votes alone are a poor guide."""

FEWEST_GOLDS = 10
"""Golds below which a temperature is what votes say it is."""

ENOUGH_GOLDS = 20
"""So many golds teach how sure to be: from then on nobody is warned."""

WARNING = (
    "People seem to make the same mistakes on the same objects, so that agreement says less than usual about being "
    "right: confidences have been lowered. Golds for some {golds} objects would teach how sure to be."
)


@dataclass(frozen=True, slots=True)
class Choice:
    """`fit` of the chosen `method`. `temperature` is what log-odds are multiplied by, `error` the standard error of
    its logarithm; `warning` as in CrowdModel. `gains` are the held-out log-likelihoods a vote over majority's."""

    method: Method
    fit: CrowdFit
    temperature: float
    error: float
    warning: str
    gains: dict[str, float]


def choose(table: VoteTable) -> Choice:
    """The method for these votes, fitted. Reads golds that the table has (a job's own, known to it), needs none."""
    some = _spread_out(table)
    candidates = [method for method in METHODS if _fits(table, method)] or [MAJORITY]
    held_out = {method.name: _held_out(some, method) for method in candidates} if _tellable(table) else {}
    method = _winner(candidates, held_out, table)
    found = crowd.fit(table, method)
    richest = found if method == candidates[-1] else crowd.fit(some, candidates[-1])
    temperature, error = tempered(richest), _doubt(table)
    golds = int((table.gold != UNKNOWN).sum())
    if golds >= FEWEST_GOLDS:
        temperature, error = _taught(some, method, temperature)
    warning = WARNING.format(golds=ENOUGH_GOLDS) if temperature < WARN_BELOW and golds < ENOUGH_GOLDS else ""
    base = held_out.get(MAJORITY.name)
    gains = {name: float((one - base).mean()) for name, one in held_out.items()} if base is not None else {}
    return Choice(method, found, temperature, error, warning, gains)


def tempered(fitted: CrowdFit) -> float:
    """The temperature that a fit of the richest model calls for.

    Where workers draw the line between classes in different places, objects lie near everybody's line and the crowd's
    own line is off the truth by some of that spread; where objects differ in difficulty beyond what independent votes
    show, errors are shared. Both make n votes worth fewer than n.
    """
    objects = float(np.mean(fitted.difficulty)) ** 2
    doubt = THRESHOLDS * fitted.both_spread**2 + OBJECTS * max(objects - USUAL_OBJECTS, 0.0)
    return max(1 / (1 + doubt), LOWEST)


def sharpened(chances: Floats, temperature: float) -> Floats:
    """(T, K) chances to the power of `temperature`, normed."""
    score = np.log(np.maximum(chances, 1e-300)) * temperature
    power = np.exp(score - score.max(axis=1, keepdims=True, initial=-np.inf))
    return np.asarray(power / power.sum(axis=1, keepdims=True))


def _doubt(table: VoteTable) -> float:
    """The standard error of the logarithm of a temperature that no golds were held against."""
    by_worker = len(table.task) / max(len(table.workers), 1)
    return float(np.sqrt(TEMPERATURE_ERROR**2 + LACK_OF_VOTES / by_worker + LACK_OF_OBJECTS / table.objects))


def _tellable(table: VoteTable) -> bool:
    """Whether there are votes enough to tell workers apart. Golds tell by themselves."""
    known = bool((table.gold != UNKNOWN).any())
    return len(table.task) >= FEWEST_VOTES * len(table.workers) or known


def _fits(table: VoteTable, method: Method) -> bool:
    classes, width = len(table.labels), len(crowd.nodes(method.difficulty)[0])
    return max(len(table.workers) * classes**2, table.objects * classes) * width <= LARGEST


def _spread_out(table: VoteTable) -> VoteTable:
    """The table, or as many of its objects as have MOST_VOTES votes."""
    if len(table.task) <= MOST_VOTES:
        return table
    objects = max(int(table.objects * MOST_VOTES / len(table.task)), 1)
    return table.some(np.unique(np.linspace(0, table.objects - 1, objects).astype(np.int64)))


def _held_out(table: VoteTable, method: Method) -> Floats:
    """(N,): log P of each vote by a fit that has not seen it."""
    order = np.lexsort((table.given, table.worker, table.task))  # the same parts, however the votes are sorted
    order = order[np.random.default_rng(0).permutation(len(order))]
    found = np.zeros(len(table.task))
    for part in range(FOLDS):
        left_out = np.sort(order[part::FOLDS])
        if not len(left_out):
            continue
        seen = crowd.fit(table.without(left_out), method, tolerance=1e-3)
        asked = replace(table, task=table.task[left_out], worker=table.worker[left_out], given=table.given[left_out])
        found[left_out] = seen.held_out(asked)
    return found


def _winner(candidates: list[Method], held_out: dict[str, Floats], table: VoteTable) -> Method:
    """The last of the candidates that beats the one chosen so far by more than chance."""
    best, needed = candidates[0], BETTER_THAN_MAJORITY
    if not held_out:
        return best
    for method in candidates[1:]:
        if method == FREE_COIN and table.objects < FEWEST_OBJECTS:
            continue
        if _won_by(held_out[method.name], held_out[best.name]) > needed:
            best, needed = method, BETTER
            if method == FREE_COIN and _won_by(held_out[FREE_COIN.name], held_out[ONE_COIN.name]) > UNEVEN:
                needed = BETTER_THAN_UNEVEN
    return best


def _won_by(one: Floats, other: Floats) -> float:
    """By how many standard errors the votes are more probable in sum."""
    gain = one - other
    return float(gain.sum() / (np.sqrt(len(gain)) * gain.std() + 1e-9))


def _taught(table: VoteTable, method: Method, usual: float) -> tuple[float, float]:
    """The temperature under which golds are most probable, each judged by a fit that does not know it, and the standard
    error of its logarithm; starting from the `usual` one."""
    known = np.flatnonzero(table.gold != UNKNOWN)
    chances = np.zeros((len(known), len(table.labels)))
    for part in range(GOLD_FOLDS):
        asked = np.arange(part, len(known), GOLD_FOLDS)
        if len(asked):
            gold = table.gold.copy()
            gold[known[asked]] = UNKNOWN
            chances[asked] = crowd.fit(replace(table, gold=gold), method, tolerance=1e-3).chances[known[asked]]
    grid = np.linspace(np.log(0.05), np.log(2.0), 75)
    right = (np.arange(len(known)), table.gold[known])

    def height_at(at: float) -> float:
        likely = np.log(np.maximum(sharpened(chances, float(np.exp(at)))[right], 1e-9)).sum()
        return float(likely - (at - np.log(usual)) ** 2 / (2 * GOLD_SPREAD**2))

    return _peak(grid, height_at)


def _peak(grid: Floats, height: Callable[[float], float]) -> tuple[float, float]:
    """exp of the mean of a density given by its logarithm on a grid, and the standard deviation."""
    log = np.array([height(float(at)) for at in grid])
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    mean = float(weight @ grid)
    return float(np.exp(mean)), float(np.sqrt(weight @ (grid - mean) ** 2))
