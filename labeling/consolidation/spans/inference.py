"""One pass over the answers to many texts: clusters of spans, whether each is real, its label and its boundaries.

A span is a box without a height, so clusters and existence are those of boxes. Boundaries are not: an offset is right
or wrong, so each is a vote. With e_w the chance that worker w is exact, and PLACES the number of wrong places,

    P(the boundary is at t | offsets x) ~ prod_w (e_w if x_w = t else (1 - e_w) / PLACES)

over the places that somebody chose and PLACES others. Judges with the models it is given and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from labeling.consolidation.answers import WorkerAnswer, require_distinct
from labeling.consolidation.arrays import NINE_IN_TEN, Floats, Ints, iou, logistic, overlapping_pairs
from labeling.consolidation.classes import votes
from labeling.consolidation.clustering import cluster
from labeling.consolidation.existence import Pairs, log_odds_and_error
from labeling.consolidation.spans.answers import ObjectSpans, in_order, latest_spans
from labeling.consolidation.workers.models import Rates
from labeling.consolidation.workers.spans import SpanWorkers
from labeling.formats.shapes import Span

GATE = 0.25
"""Mean overlap (intersection over union) from which spans are about the same thing."""

OTHER_LABEL = 0.6
"""Spans with two labels must overlap by this much more (1 / OTHER_LABEL) than spans with one."""

JOIN_IOU = 0.4
"""Clusters that overlap by this much may be joined afterwards."""

PLACES = 4
"""The number of wrong places that an inexact boundary is taken to have."""

CAUTION = 0.75
"""Weight of the log-odds of existence: answers are less independent than the model takes them to be (as for boxes)."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One cluster: `members` are (worker, span), `exists` is the chance that it is a span at all.

    `labels`, `starts` and `ends` are the chances of each label, start and end; `bounds` and `label` are those chosen
    (None: no worker gave a label of the job). `error` is the standard error of `log_odds`.
    """

    members: tuple[tuple[str, Span], ...]
    exists: float
    log_odds: float
    labels: Mapping[str, float]
    starts: Mapping[int, float]
    ends: Mapping[int, float]
    bounds: tuple[int, int]
    label: str | None
    error: float = 0.0

    @property
    def right(self) -> float:
        """Chance that label and both offsets are right, given that it exists."""
        if self.label is None:
            return 0.0
        start, end = self.bounds
        return self.labels[self.label] * self.starts[start] * self.ends[end]

    @property
    def confidence(self) -> float:
        return self.exists * self.right

    @property
    def exists_interval(self) -> tuple[float, float]:
        """Where `exists` lies nine times in ten, by what is known of the workers."""
        low, high = exists_at(
            np.array([self.log_odds - NINE_IN_TEN * self.error, self.log_odds + NINE_IN_TEN * self.error])
        )
        return float(low), float(high)

    @property
    def kept(self) -> bool:
        return self.label is not None and self.exists >= 0.5


@dataclass(frozen=True, slots=True)
class Inference:
    """Of each text: its `candidates` in the order of their places, and the workers who `answered` it, sorted.

    `rates` (W,) are those of `workers`; `pairs` (P,) are candidates, numbered over all texts, and workers who answered.
    """

    candidates: list[list[Candidate]]
    answered: list[list[str]]
    workers: list[str]
    rates: Rates
    pairs: Pairs


def infer(objects: Sequence[ObjectSpans], labels: Sequence[str], models: SpanWorkers) -> Inference:
    """Everything the answers say about every text, under `models`. Raises ValueError for repeated labels."""
    require_distinct(labels)
    answers = [latest_spans(one.answers) for one in objects]
    answered = [[answer.worker for answer in one] for one in answers]
    workers = sorted({name for one in answered for name in one})
    number = {name: i for i, name in enumerate(workers)}
    rows = [
        (text, answer.worker, span)
        for text, one in enumerate(answers)
        for answer in one
        for span in in_order(answer.value)
    ]
    group = _cluster(rows, number, labels)
    members: list[list[int]] = [[] for _ in range(int(group.max(initial=-1)) + 1)]
    for row, k in enumerate(group.tolist()):
        members[k].append(row)
    members.sort(key=lambda mine: (rows[mine[0]][0], sorted((rows[i][2].start, rows[i][2].end) for i in mine)))
    where = [rows[mine[0]][0] for mine in members]
    drawn = [{rows[i][1] for i in mine} for mine in members]
    looked = [(k, name) for k, text in enumerate(where) for name in answered[text]]
    who = np.array([number[name] for _, name in looked], np.int64)
    drew = np.array([name in drawn[k] for k, name in looked], bool)
    rates = models.marking.rates(workers)
    pairs = Pairs(np.array([k for k, _ in looked], np.int64), rates.recall[who], rates.false_positive_rate[who], drew)
    known = {"chances": rates.chances[who], "distractors": rates.distractors[who]}
    log_odds, error = log_odds_and_error(pairs, models.marking.population, len(members), **known)
    candidates: list[list[Candidate]] = [[] for _ in objects]
    for k, mine in enumerate(members):
        spans = tuple(sorted(((rows[i][1], rows[i][2]) for i in mine), key=lambda pair: pair[0]))
        candidates[where[k]].append(_judge(spans, float(log_odds[k]), float(error[k]), labels, models))
    return Inference(candidates, answered, workers, rates, pairs)


def overlap(a: Sequence[Span], b: Sequence[Span]) -> Floats:
    """Intersection over union of every span of `a` with every one of `b`: (len(a), len(b))."""
    return iou(_flat(a)[:, None], _flat(b)[None])


def exists_at(log_odds: Floats) -> Floats:
    """The chance of being real at these log-odds."""
    return logistic(CAUTION * np.clip(log_odds, -12, 12))


def _cluster(rows: Sequence[tuple[int, str, Span]], number: Mapping[str, int], labels: Sequence[str]) -> Ints:
    """Candidate number of every span: average link, at most one span of a worker in a cluster."""
    flat = _flat([span for _, _, span in rows])
    text = np.array([text for text, _, _ in rows], np.int64)
    worker = np.array([number[name] for _, name, _ in rows], np.int64)
    known = {label: i for i, label in enumerate(labels)}
    label = np.array([known.get(span.label, -1) for _, _, span in rows], np.int64)
    a, b = overlapping_pairs(flat, text)
    same = (label[a] == label[b]) | (label[a] < 0) | (label[b] < 0)
    affinity = iou(flat[a], flat[b]) / GATE * np.where(same, 1.0, OTHER_LABEL)
    if not len(rows):
        return np.empty(0, np.int64)
    return cluster(text, worker, flat, (a, b), affinity, JOIN_IOU)


def _flat(spans: Sequence[Span]) -> Floats:
    """Spans as boxes of height 1: (N, 4)."""
    return np.array([(span.start, 0, span.end, 1) for span in spans], np.float64).reshape(-1, 4)


def _judge(
    members: tuple[tuple[str, Span], ...], log_odds: float, error: float, labels: Sequence[str], models: SpanWorkers
) -> Candidate:
    given = [WorkerAnswer(name, span.label) for name, span in members if span.label in labels]
    chances = votes.posterior(given, labels, models.labels)
    label = max(labels, key=lambda one: round(chances[one], 9)) if given else None
    starts = _places([(name, span.start) for name, span in members], models)
    ends = _places([(name, span.end) for name, span in members], models)
    bounds = _best(starts), _best(ends)
    if bounds[0] >= bounds[1]:
        # Where spans barely overlap the voted end can lie before the voted start: take the likeliest span of a worker.
        bounds = max(
            ((span.start, span.end) for _, span in members),
            key=lambda pair: (round(starts[pair[0]] * ends[pair[1]], 9), -pair[0], -pair[1]),
        )
    exists = float(exists_at(np.array([log_odds]))[0])
    return Candidate(members, exists, log_odds, chances, starts, ends, bounds, label, error)


def _places(given: Sequence[tuple[str, int]], models: SpanWorkers) -> dict[int, float]:
    """Chance of each place that a worker chose for a boundary; what is missing from 1 is that it is none of them."""
    exact = {name: models.exactness(name) for name, _ in given}
    places = sorted({place for _, place in given})
    table = np.array([[exact[name] if x == t else (1 - exact[name]) / PLACES for name, x in given] for t in places])
    score = np.log(table).sum(axis=1)
    elsewhere = float(np.log([(1 - exact[name]) / PLACES for name, _ in given]).sum() + np.log(PLACES))
    top = max(float(score.max()), elsewhere)
    weight = np.exp(score - top)
    total = float(weight.sum()) + float(np.exp(elsewhere - top))
    return {place: float(w) / total for place, w in zip(places, weight, strict=True)}


def _best(chances: Mapping[int, float]) -> int:
    """The likeliest place; of equals the one nearest to the weighted middle of all, then the first."""
    top = max(round(chance, 9) for chance in chances.values())
    middle = sum(place * chance for place, chance in chances.items()) / sum(chances.values())
    tied = [place for place, chance in chances.items() if round(chance, 9) == top]
    return min(tied, key=lambda place: (round(abs(place - middle), 9), place))
