"""Spans: what stopping now is expected to cost and what one more answer would save. The rule itself is in stopping.py.

The loss counts spans, as that of boxes counts boxes: a kept one costs its chance of being wrong, a dropped one its
chance of being there, and those that nobody has marked yet cost one each (gamma-Poisson). boxes/asking.py says how that
is counted and why it is held against the job's average text. The forecast goes through what one more ordinary worker
could do: not marking the span bears on its existence only; marking it is also a vote for a label and for two
boundaries, each possible vote weighed by its probability.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from labeling.consolidation.arrays import Floats
from labeling.consolidation.existence import chance_all_miss, log_odds_after
from labeling.consolidation.spans.inference import PLACES, Candidate, Inference, exists_at
from labeling.consolidation.workers.spans import SpanWorkers


def risk(found: Inference, labels: Sequence[str], models: SpanWorkers) -> list[tuple[float, float]]:
    """Of each text: the expected loss over the spans of the job's average text, and the gain in spans."""
    population = models.marking.population
    number = {name: i for i, name in enumerate(found.workers)}
    texts = np.array([text for text, names in enumerate(found.answered) for _ in names], np.int64)
    names = np.array([number[name] for names in found.answered for name in names], np.int64)
    all_miss = chance_all_miss(found.rates.recall[names], population.difficulty, texts, len(found.answered))
    marked, left = (_exists_after(found, models, marks) for marks in (True, False))
    out, k = [], 0
    for candidates, u in zip(found.candidates, all_miss.tolist(), strict=True):
        real = sum(one.exists for one in candidates)
        unseen = u * (1 + real) / (1 / population.objects + 1 - u)
        loss = saved = 0.0
        for one in candidates:
            now = _loss(one.exists, one.right)
            chance = one.exists * population.recall + (1 - one.exists) * population.false_positive_rate
            after = chance * _loss(float(marked[k]), _right_after(one, labels, models))
            after += (1 - chance) * _loss(float(left[k]), one.right)
            loss += now
            saved += max(now - after, 0.0)
            k += 1
        out.append(((loss + unseen) / max(population.objects, 1.0), saved + unseen * population.recall))
    return out


def _loss(exists: float, right: float) -> float:
    return 1 - exists * right if exists >= 0.5 and right else exists


def _exists_after(found: Inference, models: SpanWorkers, marks: bool) -> Floats:
    """Each candidate's chance of being there once one more ordinary worker has (`marks`) or has not marked it."""
    population, groups = models.marking.population, sum(map(len, found.candidates))
    return exists_at(log_odds_after(found.pairs, population, np.full(groups, population.recall), draws=marks))


def _right_after(one: Candidate, labels: Sequence[str], models: SpanWorkers) -> float:
    """Expected chance that label and offsets are right once one more ordinary worker has marked the span."""
    if one.label is None:
        return 0.0
    exact, kept = models.exactness(), 0.0
    for given in labels:
        likelihood = models.labels.likelihood(None, given, labels)
        kept += max(one.labels[label] * p for label, p in zip(labels, likelihood, strict=True))
    return kept * _place_after(one.starts, exact) * _place_after(one.ends, exact)


def _place_after(chances: Mapping[int, float], exact: float) -> float:
    """Expected chance of the likeliest place after one more vote, which falls on one of `chances` or elsewhere."""
    wrong = (1 - exact) / PLACES
    named = sum(max(p * (exact if t == vote else wrong) for t, p in chances.items()) for vote in chances)
    top = max(chances.values())
    missing = max(1 - sum(chances.values()), 0.0)
    # A vote for a place that nobody has chosen: a wrong one near the likeliest place, or the right one after all.
    elsewhere = max(missing * exact, top * wrong * max(PLACES + 1 - len(chances), 1))
    return min(named + elsewhere, 1.0)
