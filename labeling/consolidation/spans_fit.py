"""Learning who marks spans well, together with the labels: expectation maximisation over the texts of a job.

As for boxes (fit.py): each round reads the texts in chunks and keeps sums only. On a text with a gold the truth is not
inferred but given: a cluster is one of the gold's spans (best overlap, one to one) or none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from scipy.optimize import linear_sum_assignment

from labeling.consolidation.existence import unseen_share
from labeling.consolidation.spans_inference import Candidate, Pass, infer, overlap
from labeling.consolidation.spans_types import ObjectSpans, Span
from labeling.consolidation.spans_workers import SpanWorkers
from labeling.consolidation.votes import Vote
from labeling.consolidation.workers import Population, Skill, WorkerModels

CHUNK = 512
REAL_IOU = 0.3
MOST_UNSEEN = 20.0
HARD = 1.0


@dataclass(slots=True)
class _Sums:
    learned: SpanWorkers
    texts: float = 0.0
    candidates: float = 0.0
    real: float = 0.0


def expect_and_maximise(
    objects: Iterable[ObjectSpans], *, labels: Sequence[str], start: SpanWorkers | None, rounds: int
) -> SpanWorkers:
    """The crowd and its workers. Raises ValueError if `objects` is an iterator."""
    if iter(objects) is objects:
        raise ValueError("fit_workers reads its objects several times: give a list or a re-iterable")
    models = start or SpanWorkers()
    for _ in range(rounds):
        total = _Sums(SpanWorkers(WorkerModels(models.drawing.population)))
        for chunk in _chunks(objects):
            _gather(total, chunk, infer(chunk, labels, models), labels, models)
        if not total.texts:
            break
        total.learned.drawing.population = _population(total)
        models = total.learned
    return models


def _chunks(objects: Iterable[ObjectSpans]) -> Iterator[list[ObjectSpans]]:
    stream = iter(objects)
    while chunk := list(islice(stream, CHUNK)):
        yield chunk


def _gather(
    total: _Sums, objects: Sequence[ObjectSpans], found: Pass, labels: Sequence[str], models: SpanWorkers
) -> None:
    population, groups = models.drawing.population, sum(map(len, found.candidates))
    # A candidate exists because somebody marked it: for each there are u / (1 - u) that nobody did (see fit.py).
    lost = unseen_share(found.pairs.hit, population.hard, found.pairs.group, groups)
    stray = unseen_share(found.pairs.false, 0.0, found.pairs.group, groups)
    more, strays = (np.minimum(u / np.maximum(1 - u, 1e-9), MOST_UNSEEN).tolist() for u in (lost, stray))
    k = 0
    for one, candidates, answered in zip(objects, found.candidates, found.answered, strict=True):
        golds = _golds(candidates, one.gold)
        missed = 0.0 if one.gold is None else float(len(one.gold) - sum(gold is not None for gold in golds))
        for name in answered:
            total.learned.drawing.update({name: Skill(images=1.0, chances=missed)})
        total.texts += 1
        total.real += missed
        for candidate, gold in zip(candidates, golds, strict=True):
            known = one.gold is not None
            real = float(gold is not None) if known else candidate.exists
            total.candidates += 1
            total.real += real
            drew = {name for name, _ in candidate.members}
            factor, strayed = (1.0 if known else 1 + more[k]), 1 + strays[k]
            for name in answered:
                hit = name in drew
                seen = Skill(0.0, real * hit, real * factor, (1 - real) * hit, (1 - real) * strayed)
                total.learned.drawing.update({name: seen})
            _gather_members(total.learned, candidate, gold, real, labels)
            k += 1


def _gather_members(
    learned: SpanWorkers, candidate: Candidate, gold: Span | None, real: float, labels: Sequence[str]
) -> None:
    """Labels and boundaries of one cluster; of a lone span of nobody's gold nothing is learned."""
    if gold is None and (len(candidate.members) < 2 or not real):
        return
    truth: Mapping[str, float] = {gold.label: 1.0} if gold else {name: real * p for name, p in candidate.labels.items()}
    learned.labels.update((Vote(name, span.label) for name, span in candidate.members if span.label in labels), truth)
    for name, span in candidate.members:
        for place, true, chances in (
            (span.start, gold.start if gold else None, candidate.starts),
            (span.end, gold.end if gold else None, candidate.ends),
        ):
            right = float(place == true) if gold else chances[place]
            learned.saw_boundary(name, real * right, real)


def _golds(candidates: Sequence[Candidate], gold: Sequence[Span] | None) -> list[Span | None]:
    """The gold each cluster is about, None where it is about none (or there are no golds)."""
    matched: list[Span | None] = [None] * len(candidates)
    if gold and candidates:
        table = overlap([Span(*one.bounds, one.label or "") for one in candidates], gold)
        table = np.where(table >= REAL_IOU, table, 0.0)
        for row, column in zip(*linear_sum_assignment(-table), strict=True):
            if table[row, column] > 0:
                matched[row] = gold[column]
    return matched


def _population(total: _Sums) -> Population:
    skills, prior = total.learned.drawing.skills.values(), Population()
    hits, chances, falses, false_chances = (
        sum(getattr(skill, name) for skill in skills) for name in ("hits", "chances", "falses", "false_chances")
    )
    return Population(
        hit=float(np.clip((hits + 20 * prior.hit) / (chances + 20), 0.05, 0.99)),
        false=float(np.clip((falses + 20 * prior.false) / (false_chances + 20), 0.005, 0.6)),
        real=float(np.clip((total.real + 10 * prior.real) / (total.candidates + 10), 0.02, 0.98)),
        objects=(total.real + 1) / (total.texts + 1),
        hard=HARD,
    )
