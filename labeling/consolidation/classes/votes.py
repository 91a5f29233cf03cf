"""The consolidator of single-choice answers: one label for one object from several workers' votes.

Dawid & Skene (1979) with the shrunk confusion matrices of workers/votes.py. An answer's value is a label.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from labeling.consolidation.answers import (
    ObjectAnswers,
    WorkerAnswer,
    latest_answers,
    require_distinct,
    require_rereadable,
)
from labeling.consolidation.stopping import Decision, Stopping, decide
from labeling.consolidation.workers.skills import SkillRow
from labeling.consolidation.workers.votes import VoteWorkers, rows_of_votes

ALGORITHM = "votes/1"
"""The version that labels are stored with. Results that differ need another version."""


@dataclass(frozen=True, slots=True)
class ConsolidatedLabel:
    """`label` is None when no worker gave a label of the job; `confidence` is its posterior."""

    label: str | None
    confidence: float
    explanation: dict[str, Any]
    algorithm: str


def consolidate(
    answers: Sequence[WorkerAnswer[str]], *, labels: Sequence[str], workers: VoteWorkers | None = None
) -> ConsolidatedLabel:
    """The most probable label of one object and why. Votes for a label the job does not have are set aside; ties go
    to the label that stands first in `labels`. Raises ValueError for repeated labels."""
    require_distinct(labels)
    models = workers or VoteWorkers()
    votes = latest_votes(answers)
    chance = posterior(votes, labels, models)
    counted = [vote for vote in votes if vote.value in chance]
    best = max(labels, key=lambda label: round(chance[label], 9)) if counted else None
    explanation = {
        "algorithm": ALGORITHM,
        "label": best,
        "chances": {label: round(chance[label], 4) + 0.0 for label in labels},
        "votes": [
            {
                "worker": vote.worker,
                "label": vote.value,
                "weight": round(models.accuracy(vote.worker), 4),
                "outvoted": vote.value != best,
            }
            for vote in counted
        ],
        "ignored": [
            {"worker": v.worker, "label": v.value, "reason": "no label of this job"}
            for v in votes
            if v.value not in chance
        ],
    }
    confidence = round(chance[best], 4) if best is not None else 0.0
    return ConsolidatedLabel(best, confidence, explanation, ALGORITHM)


def latest_votes(answers: Iterable[WorkerAnswer[str]]) -> list[WorkerAnswer[str]]:
    """One vote a worker, sorted by worker; of equal revisions the last label in alphabetical order."""
    return latest_answers(answers, str)


def posterior(
    votes: Iterable[WorkerAnswer[str]],
    labels: Sequence[str],
    models: VoteWorkers,
    cache: dict[tuple[str, str], list[float]] | None = None,
) -> dict[str, float]:
    """P(true label | votes). `cache` keeps each worker's log-likelihoods for as long as `models` and `labels` stay."""
    cache = {} if cache is None else cache
    total = sum(models.prior.get(label, 0.0) for label in labels)
    log_chance = [math.log((models.prior.get(label, 0.0) + 1) / (total + len(labels))) for label in labels]
    known = set(labels)
    for vote in votes:
        if vote.value in known:
            key = (vote.worker, vote.value)
            if key not in cache:
                cache[key] = [math.log(p) for p in models.likelihood(*key, labels)]
            log_chance = [a + b for a, b in zip(log_chance, cache[key], strict=True)]
    if not labels:
        return {}
    top = max(log_chance)
    chance = [math.exp(value - top) for value in log_chance]
    return {label: value / sum(chance) for label, value in zip(labels, chance, strict=True)}


def fit_workers(
    objects: Iterable[ObjectAnswers[str]], *, labels: Sequence[str], start: VoteWorkers | None = None, rounds: int = 20
) -> VoteWorkers:
    """EM over the objects of a job (an iterable that can be read `rounds` times), golds taken as given."""
    require_rereadable(objects)
    models = start or VoteWorkers()
    for _ in range(rounds):
        learned = VoteWorkers()
        cache: dict[tuple[str, str], list[float]] = {}
        for one in objects:
            votes = latest_votes(one.answers)
            truth = posterior(votes, labels, models, cache) if one.gold is None else {one.gold: 1.0}
            learned.update((vote for vote in votes if vote.value in labels), truth)
        moved = abs(learned.accuracy() - models.accuracy())
        models = learned
        if moved < 1e-7:
            break
    return models


def should_ask_more(
    answers: Sequence[WorkerAnswer[str]], *, labels: Sequence[str], rule: Stopping, workers: VoteWorkers | None = None
) -> Decision:
    """Whether one more vote is worth having. The loss is the chance that the present label is wrong, the gain what one
    more vote by an ordinary worker takes off it on average, over every label that the worker could give."""
    models = workers or VoteWorkers()
    votes = latest_votes(answers)
    chance = posterior(votes, labels, models)
    loss = 1 - max(chance.values(), default=0.0)
    kept = 0.0
    for given in labels:
        likelihood = models.likelihood(None, given, labels)
        kept += max(chance[label] * p for label, p in zip(labels, likelihood, strict=True))
    gain = max(kept - (1 - loss), 0.0)
    return decide(rule, answers=len(votes), loss=loss, gain=gain)


def skill_rows(models: VoteWorkers, labels: Sequence[str]) -> list[SkillRow]:
    """Each worker's counts over all votes and for each of `labels`, to be added to those of other jobs."""
    return rows_of_votes(models, labels)
