"""Learning who marks spans well, together with the labels: expectation maximisation over the texts of a job.

As for boxes (boxes/fit.py), each round reads the texts in chunks and keeps sums only. On a text with a gold the truth
is not inferred but given: a cluster is one of the gold's spans (best overlap, one to one) or none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from labeling.consolidation.answers import WorkerAnswer, chunks, require_rereadable
from labeling.consolidation.existence import chance_all_miss
from labeling.consolidation.spans.answers import ObjectSpans, check_spans
from labeling.consolidation.spans.inference import Candidate, Inference, infer, overlap
from labeling.consolidation.workers.models import Population, WorkerModels
from labeling.consolidation.workers.skills import Skill
from labeling.consolidation.workers.spans import SpanWorkers
from labeling.formats.shapes import Span

CHUNK = 512
"""Texts that are looked at together."""

REAL_IOU = 0.3
"""A cluster is about a gold when it overlaps it by this much."""

MOST_UNSEEN = 20.0
"""For each candidate at most so many more are taken to exist that nobody marked."""

DIFFICULTY = 1.0
"""Standard deviation, in logits, of how difficult spans are to find."""


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
    require_rereadable(objects)
    models = start or SpanWorkers()
    for _ in range(rounds):
        total = _Sums(SpanWorkers(WorkerModels(models.marking.population)))
        for chunk in chunks(objects, CHUNK):
            _add(total, chunk, infer(chunk, labels, models), labels, models)
        if not total.texts:
            break
        total.learned.marking.population = _population(total)
        models = total.learned
    return models


def _add(
    total: _Sums, objects: Sequence[ObjectSpans], inference: Inference, labels: Sequence[str], models: SpanWorkers
) -> None:
    population, groups, pairs = models.marking.population, sum(map(len, inference.candidates)), inference.pairs
    # A candidate exists because somebody marked it: for each there are u / (1 - u) that nobody did (see boxes/fit.py).
    u_real = chance_all_miss(pairs.recall, population.difficulty, pairs.group, groups)
    u_distractor = chance_all_miss(pairs.false_positive_rate, 0.0, pairs.group, groups)
    more_real, more_distractors = (
        np.minimum(u / np.maximum(1 - u, 1e-9), MOST_UNSEEN).tolist() for u in (u_real, u_distractor)
    )
    k = 0
    for one, candidates, answered in zip(objects, inference.candidates, inference.answered, strict=True):
        golds = _golds(candidates, one.gold)
        missed = 0.0 if one.gold is None else float(len(one.gold) - sum(gold is not None for gold in golds))
        for name in answered:
            total.learned.marking.update({name: Skill(images=1.0, chances=missed)})
        total.texts += 1
        total.real += missed
        for candidate, gold in zip(candidates, golds, strict=True):
            known = one.gold is not None
            real = float(gold is not None) if known else candidate.exists
            total.candidates += 1
            total.real += real
            marked_by = {name for name, _ in candidate.members}
            chances = real * (1.0 if known else 1 + more_real[k])
            distractors = (1 - real) * (1 + more_distractors[k])
            for name in answered:
                marked = name in marked_by
                seen = Skill(0.0, real * marked, chances, (1 - real) * marked, distractors)
                total.learned.marking.update({name: seen})
            _add_members(total.learned, candidate, gold, real, labels)
            k += 1


def _add_members(
    learned: SpanWorkers, candidate: Candidate, gold: Span | None, real: float, labels: Sequence[str]
) -> None:
    """Labels and boundaries of one cluster. A span of one worker alone teaches nothing, unless a gold is about it."""
    if gold is None and (len(candidate.members) < 2 or not real):
        return
    truth: Mapping[str, float] = {gold.label: 1.0} if gold else {name: real * p for name, p in candidate.labels.items()}
    learned.labels.update(
        (WorkerAnswer(name, span.label) for name, span in candidate.members if span.label in labels), truth
    )
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
    check_spans(gold or ())
    if gold and candidates:
        table = overlap([Span(one.label or "", *one.bounds) for one in candidates], gold)
        table = np.where(table >= REAL_IOU, table, 0.0)
        for row, column in zip(*linear_sum_assignment(-table), strict=True):
            if table[row, column] > 0:
                matched[row] = gold[column]
    return matched


def _population(total: _Sums) -> Population:
    skills, prior = total.learned.marking.skills.values(), Population()
    found, chances, false_positives, distractors = (
        sum(getattr(skill, name) for skill in skills) for name in ("found", "chances", "false_positives", "distractors")
    )
    false_positive_rate = (false_positives + 20 * prior.false_positive_rate) / (distractors + 20)
    return Population(
        recall=float(np.clip((found + 20 * prior.recall) / (chances + 20), 0.05, 0.99)),
        false_positive_rate=float(np.clip(false_positive_rate, 0.005, 0.6)),
        real=float(np.clip((total.real + 10 * prior.real) / (total.candidates + 10), 0.02, 0.98)),
        objects=(total.real + 1) / (total.texts + 1),
        difficulty=DIFFICULTY,
    )
