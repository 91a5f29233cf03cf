"""One number from several workers' numbers: a robust mean that knows each worker's bias and spread.

Worker w says of object o

    x_wo = truth_o + bias_w + sigma * spread_w * noise.

Answers count by Tukey's biweight (Beaton & Tukey 1974): almost alike within a few spreads, not at all beyond GROSS of
them, so that a slip of the finger does not move the mean. Weights that fall sooner (Student-t, medians) were worse than
a plain mean on real answers. `sigma` is the spread of an ordinary worker of this field. Bias and spread are shrunk
towards the crowd's bias, which only golds can show, and 1, so with nothing known all count the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from labeling.consolidation.answers import ObjectAnswers, WorkerAnswer, latest_answers, require_rereadable
from labeling.consolidation.arrays import Floats, Ints, group_sums
from labeling.consolidation.workers.skills import number

GROSS = 6.0
"""An answer so many spreads from the others counts nothing."""

STRENGTH = 20.0
"""Answers with the crowd's bias and spread that are added to a worker's own."""

CROWD_STRENGTH = 3.0
"""Answers to golds without bias that are added to those of the crowd."""

ROUNDS = 200
"""Rounds of the fit at most; it stops when no truth moves by a thousandth of sigma."""

NARROWEST, WIDEST = 1.0, 5.0
"""A worker's spread is always within these, in sigmas. Nobody counts for more than an ordinary worker: who always gives
a middling number is never far from the others."""


@dataclass(slots=True)
class NumberWorkers:
    """`sigma` in the field's unit, None before anything is known; `crowd`, the bias of the whole crowd, and of each
    worker `bias` in that unit, `spread` in sigmas, and `answers`, how many they were taken of."""

    sigma: float | None = None
    crowd: float = 0.0
    bias: dict[str, float] = field(default_factory=dict)
    spread: dict[str, float] = field(default_factory=dict)
    answers: dict[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, workers sorted, rounded to 6 digits."""
        rows = [[w, number(self.bias[w]), number(self.spread[w]), self.answers[w]] for w in sorted(self.bias)]
        sigma = None if self.sigma is None else number(self.sigma)
        return {"sigma": sigma, "crowd": number(self.crowd), "workers": rows}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> NumberWorkers:
        """Read `to_json`'s output."""
        models = cls(None if data["sigma"] is None else float(data["sigma"]), float(data["crowd"]))
        for worker, bias, spread, answers in data["workers"]:
            models.bias[worker], models.spread[worker] = float(bias), float(spread)
            models.answers[worker] = int(answers)
        return models


@dataclass(frozen=True, slots=True)
class ConsolidatedNumber:
    """`value` with its 95 % interval `low` .. `high` in the field's unit; None when there is no answer.

    `confidence` is the chance that it lies within one ordinary worker's spread of the truth. `weights` are each
    worker's share in it.
    """

    value: float | None
    low: float | None
    high: float | None
    confidence: float
    weights: dict[str, float]


def consolidate(answers: Sequence[WorkerAnswer[float]], *, workers: NumberWorkers | None = None) -> ConsolidatedNumber:
    """The number of one object. Raises ValueError for an answer that is not finite."""
    models = workers or NumberWorkers()
    latest = latest_answers(answers, float)
    if not latest:
        return ConsolidatedNumber(None, None, None, 0.0, {})
    names = [one.worker for one in latest]
    x = _finite([one.value for one in latest])
    x = x - np.array([models.bias.get(name, models.crowd) for name in names])
    spread = np.array([models.spread.get(name, 1.0) for name in names])
    alone = np.zeros(len(x), np.int64)
    sigma = models.sigma if models.sigma is not None else _own_sigma(x)
    truth, weight = _robust_means(x, np.maximum(sigma * spread, 1e-12), alone, 1)
    total = float(weight.sum())
    error = math.sqrt(1 / total)
    shares = {name: round(float(w) / total, 4) for name, w in zip(names, weight, strict=True)}
    value = float(truth[0])
    if sigma <= 0:
        return ConsolidatedNumber(value, value, value, round(len(x) / (len(x) + 1), 4), shares)
    confidence = math.erf(sigma / (error * math.sqrt(2)))
    return ConsolidatedNumber(value, value - 1.96 * error, value + 1.96 * error, round(confidence, 4), shares)


def fit_workers(objects: Iterable[ObjectAnswers[float]]) -> NumberWorkers:
    """The workers of a field, golds taken as given. Raises ValueError for an iterator and for an answer that is not
    finite."""
    require_rereadable(objects)
    names: dict[str, int] = {}
    rows: list[tuple[int, int, float]] = []
    golds: dict[int, float] = {}
    count = 0
    for one in objects:
        if one.gold is not None:
            golds[count] = float(one.gold)
        rows += [(count, names.setdefault(a.worker, len(names)), a.value) for a in latest_answers(one.answers, float)]
        count += 1
    if not rows:
        return NumberWorkers()
    group, worker = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    x = _finite([row[2] for row in rows])
    sigma, crowd, bias, spread, seen = _fit(x, group, worker, count, len(names), golds)
    models = NumberWorkers(sigma, crowd)
    for name, place in names.items():
        models.bias[name], models.spread[name] = float(bias[place]), float(spread[place])
        models.answers[name] = int(seen[place])
    return models


def _fit(
    x: Floats, group: Ints, worker: Ints, groups: int, people: int, golds: Mapping[int, float]
) -> tuple[float | None, float, Floats, Floats, Ints]:
    """Sigma, the crowd's bias, and of each worker bias, spread and the number of answers that say something."""
    bias, spread, crowd = np.zeros(people), np.ones(people), 0.0
    members = np.bincount(group, minlength=groups)
    fixed = np.array(sorted(golds), np.int64)
    known = np.isin(np.arange(groups), fixed)
    telling = (members[group] > 1) | known[group]
    seen, who = np.bincount(worker[telling], minlength=people), worker[telling]
    if not telling.any():
        return None, crowd, bias, spread, seen
    truth = _medians(x, group, groups)
    truth[fixed] = [golds[int(k)] for k in fixed]
    # The median of several answers is one of them or between two: half of its members lie nearer than the spread.
    sigma = 2 * float(np.median(np.abs(x - truth[group])[telling])) or float(np.std((x - truth[group])[telling]))
    for _ in range(ROUNDS):
        if sigma <= 0:
            break
        before = truth
        truth, weight = _robust_means(x - bias[worker], sigma * spread[worker], group, groups)
        truth[fixed] = [golds[int(k)] for k in fixed]
        w = (weight * (sigma * spread[worker]) ** 2)[telling]
        left, on_gold = (x - truth[group])[telling], known[group][telling]
        crowd = float((w * left)[on_gold].sum() / (w[on_gold].sum() + CROWD_STRENGTH))
        total = group_sums(w, who, people) + STRENGTH
        bias = (group_sums(w * left, who, people) + STRENGTH * crowd) / total
        # What an object's own mean takes off the residuals of its members is given back.
        share = np.where(known[group], 0.0, weight / np.maximum(group_sums(weight, group, groups)[group], 1e-300))
        u = ((x - truth[group] - bias[worker]) / sigma)[telling]
        squares = w * u**2 / np.maximum(1 - share[telling], 0.2)
        sigma *= math.sqrt(float((squares / spread[who] ** 2).sum() / w.sum()))
        spread = np.sqrt((group_sums(squares, who, people) + STRENGTH) / (group_sums(w, who, people) + STRENGTH))
        spread = np.clip(spread, NARROWEST, WIDEST)
        if np.abs(truth - before).max() < 1e-3 * sigma:
            break
    return sigma, crowd, bias, spread, seen


def _medians(x: Floats, group: Ints, groups: int) -> Floats:
    """The median of each group's values (groups,), 0 for a group without any."""
    order = np.lexsort((x, group))
    counts = np.bincount(group, minlength=groups)
    first, some = np.cumsum(counts) - counts, counts > 0
    out = np.zeros(groups)
    low, high = first[some] + (counts[some] - 1) // 2, first[some] + counts[some] // 2
    out[some] = (x[order][low] + x[order][high]) / 2
    return out


def _robust_means(x: Floats, deviation: Floats, group: Ints, groups: int) -> tuple[Floats, Floats]:
    """Biweight means by group (groups,), and each answer's weight in 1 / unit^2 (N,).

    They start from the answer that most others are near to: of four answers with two slips the median is a slip.
    """
    truth = _best_supported(x, deviation, group, groups)
    weight = np.zeros(len(x))
    for _ in range(8):
        weight = _biweight((x - truth[group]) / deviation) / deviation**2
        truth = group_sums(weight * x, group, groups) / np.maximum(group_sums(weight, group, groups), 1e-300)
    return truth, weight


def _best_supported(x: Floats, deviation: Floats, group: Ints, groups: int) -> Floats:
    """Of each group the answer whose distances from all answers weigh most, of equals the one nearest to the median."""
    order = np.argsort(group, kind="stable")
    counts = np.bincount(group, minlength=groups)
    first, size = (np.cumsum(counts) - counts)[group[order]], counts[group[order]]
    one = np.repeat(order, size)
    step = np.arange(len(one)) - np.repeat(np.cumsum(size) - size, size)
    other = order[np.repeat(first, size) + step]
    support = group_sums(_biweight((x[one] - x[other]) / np.hypot(deviation[one], deviation[other])), one, len(x))
    off = np.abs(x - _medians(x, group, groups)[group])
    best = np.lexsort((x, off, -np.round(support, 9), group))
    out = np.zeros(groups)
    out[group[best][::-1]] = x[best][::-1]
    return out


def _biweight(u: Floats) -> Floats:
    return np.asarray(np.maximum(1 - (u / GROSS) ** 2, 0.0) ** 2)


def _own_sigma(x: Floats) -> float:
    """The spread of these answers alone, by how far half of them lie from their median; 0 for one answer."""
    if len(x) < 3:
        return float(np.std(x, ddof=1)) if len(x) > 1 else 0.0
    return 2 * float(np.median(np.abs(x - np.median(x)))) or float(np.std(x, ddof=1))


def _finite(values: Sequence[float]) -> Floats:
    x = np.array(values, np.float64)
    if not np.isfinite(x).all():
        raise ValueError(f"a number that is not finite: {values}")
    return x
