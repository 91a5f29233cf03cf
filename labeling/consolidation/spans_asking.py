"""Spans: what stopping now is expected to cost and what one more answer would save. The rule itself is in stopping.py.

The loss counts spans, as that of boxes counts boxes: a kept one costs its chance of being wrong, a dropped one its
chance of being there, and those nobody has marked yet cost one each (gamma-Poisson). asking.py says how that is counted
and why it is held against the job's average text. The forecast plays one more ordinary worker through: who does not
mark the span bears on its existence only; who marks it also votes for a label and two boundaries, each possible vote
with its probability.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from labeling.consolidation.clusters import Floats
from labeling.consolidation.existence import log_odds_after, unseen_share
from labeling.consolidation.spans_inference import PLACES, Candidate, Pass, exists_at
from labeling.consolidation.spans_workers import SpanWorkers


def risk(found: Pass, labels: Sequence[str], models: SpanWorkers) -> list[tuple[float, float]]:
    """Of each text: the expected loss over the spans of the job's average text, and the gain in spans."""
    population = models.drawing.population
    number = {name: i for i, name in enumerate(found.workers)}
    texts = np.array([text for text, names in enumerate(found.answered) for _ in names], np.int64)
    names = np.array([number[name] for names in found.answered for name in names], np.int64)
    shares = unseen_share(found.rates.hit[names], population.hard, texts, len(found.answered))
    marked, left = (_exists_after(found, models, drew) for drew in (True, False))
    out, k = [], 0
    for candidates, share in zip(found.candidates, shares.tolist(), strict=True):
        real = sum(one.exists for one in candidates)
        unseen = share * (1 + real) / (1 / population.objects + 1 - share)
        loss = saved = 0.0
        for one in candidates:
            now = _loss(one.exists, one.right)
            chance = one.exists * population.hit + (1 - one.exists) * population.false
            after = chance * _loss(float(marked[k]), _right_after(one, labels, models))
            after += (1 - chance) * _loss(float(left[k]), one.right)
            loss += now
            saved += max(now - after, 0.0)
            k += 1
        out.append(((loss + unseen) / max(population.objects, 1.0), saved + unseen * population.hit))
    return out


def _loss(exists: float, right: float) -> float:
    return 1 - exists * right if exists >= 0.5 and right else exists


def _exists_after(found: Pass, models: SpanWorkers, drew: bool) -> Floats:
    """Each candidate's chance of being there once one more ordinary worker has (`drew`) or has not marked it."""
    population, groups = models.drawing.population, sum(map(len, found.candidates))
    return exists_at(log_odds_after(found.pairs, population, np.full(groups, population.hit), draws=drew))


def _right_after(one: Candidate, labels: Sequence[str], models: SpanWorkers) -> float:
    """Expected chance that label and offsets are right once one more ordinary worker has marked the span."""
    if one.label is None:
        return 0.0
    exact, kept = models.exactness(), 0.0
    for said in labels:
        likelihood = models.labels.likelihood(None, said, labels)
        kept += max(one.labels[label] * p for label, p in zip(labels, likelihood, strict=True))
    return kept * _place_after(one.starts, exact) * _place_after(one.ends, exact)


def _place_after(chances: Mapping[int, float], exact: float) -> float:
    """Expected chance of the likeliest place after one more vote, which falls on one of `chances` or elsewhere."""
    slip = (1 - exact) / PLACES
    named = sum(max(p * (exact if t == said else slip) for t, p in chances.items()) for said in chances)
    top = max(chances.values())
    missing = max(1 - sum(chances.values()), 0.0)
    # A vote for a place nobody has chosen: one of the slips round the likeliest place, or right at last.
    elsewhere = max(missing * exact, top * slip * max(PLACES + 1 - len(chances), 1))
    return min(named + elsewhere, 1.0)
