"""The consensus of multiple-choice answers: the set of labels of one object, each label a yes-or-no question.

Binary Dawid & Skene per label (see votes.py), with one record a worker over all labels: who overlooks one label
overlooks others. A label nobody gave is not asked about. An empty answer is an answer ("none of these"); one with
nothing but labels the job does not have is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from labeling.consolidation import votes
from labeling.consolidation.stopping import Decision, Stopping, decide
from labeling.consolidation.votes import VoteWorkers

ALGORITHM = "tags/2"
YES, NO = "yes", "no"
QUESTION = (YES, NO)


@dataclass(frozen=True, slots=True)
class Tags:
    """One worker's labels. Of several answers by one worker the highest `revision` counts, among equals the one whose
    sorted labels come last."""

    worker: str
    labels: frozenset[str] = frozenset()
    revision: int = 0


@dataclass(frozen=True, slots=True)
class ObjectTags:
    """The answers on one object, and its true labels where a gold knows them."""

    answers: tuple[Tags, ...]
    gold: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class ConsolidatedTags:
    """`labels` in the job's order; `confidence` is the chance that all of the job's labels are judged right."""

    labels: tuple[str, ...]
    confidence: float
    explanation: dict[str, Any]
    algorithm: str


def consolidate(
    answers: Sequence[Tags], *, labels: Sequence[str], workers: VoteWorkers | None = None
) -> ConsolidatedTags:
    """The labels more likely true than not, and why. Labels the job does not have are set aside. Raises ValueError
    for repeated labels."""
    if len(set(labels)) != len(labels):
        raise ValueError(f"labels repeat: {list(labels)}")
    models = workers or VoteWorkers()
    latest = latest_answers(answers)
    said = _usable(latest, labels)
    chance = _chances(said, labels, models)
    kept = tuple(label for label in labels if chance[label] > 0.5)
    confidence = 1.0 if said else 0.0
    for label in labels:
        confidence *= max(chance[label], 1 - chance[label])
    explanation = {
        "algorithm": ALGORITHM,
        "labels": list(kept),
        "chances": {label: round(chance[label], 4) + 0.0 for label in labels},
        "answers": [
            {
                "worker": one.worker,
                "labels": sorted(one.labels & set(labels)),
                "weight": round(models.accuracy(one.worker), 4),
                "outvoted": set(kept) != one.labels & set(labels),
            }
            for one in said
        ],
        "ignored": [
            {"worker": one.worker, "label": label, "reason": "no label of this job"}
            for one in latest
            for label in sorted(one.labels - set(labels))
        ],
    }
    return ConsolidatedTags(kept, round(confidence, 4), explanation, ALGORITHM)


def latest_answers(answers: Iterable[Tags]) -> list[Tags]:
    """One answer a worker, sorted by worker."""
    latest: dict[str, Tags] = {}
    for one in answers:
        kept = latest.get(one.worker)
        if kept is None or (one.revision, sorted(one.labels)) > (kept.revision, sorted(kept.labels)):
            latest[one.worker] = one
    return [latest[worker] for worker in sorted(latest)]


def fit_workers(
    objects: Iterable[ObjectTags], *, labels: Sequence[str], start: VoteWorkers | None = None, rounds: int = 20
) -> VoteWorkers:
    """EM over every (object, label) as a yes-or-no question; golds are taken as given.

    Labels that nobody gave an object are asked about, too: from questions with at least one yes alone EM would learn
    that a no is worth little.
    """
    if iter(objects) is objects:
        raise ValueError("fit_workers reads its objects several times: give a list or a re-iterable")
    return votes.fit_workers(_Questions(objects, labels), labels=QUESTION, start=start, rounds=rounds)


def should_ask_more(
    answers: Sequence[Tags], *, labels: Sequence[str], rule: Stopping, workers: VoteWorkers | None = None
) -> Decision:
    """Whether one more answer is worth having: the loss is of the least certain label, the gain is on it."""
    models = workers or VoteWorkers()
    said = _usable(latest_answers(answers), labels)
    free = Stopping(max_answers=len(said) + 1, min_answers=1)
    worst = [
        votes.should_ask_more(_votes(said, label), labels=QUESTION, rule=free, workers=models)
        for label in _asked(said, labels)
    ]
    hardest = max(worst, key=lambda decision: decision.expected_loss, default=None)
    if hardest is None:
        alone = votes.should_ask_more(_votes(said, None), labels=QUESTION, rule=free, workers=models)
        return decide(rule, answers=len(said), loss=alone.expected_loss, gain=alone.expected_gain)
    return decide(rule, answers=len(said), loss=hardest.expected_loss, gain=hardest.expected_gain)


class _Questions:
    """The yes-or-no questions of a re-iterable of objects, made as they are read."""

    def __init__(self, objects: Iterable[ObjectTags], labels: Sequence[str]) -> None:
        self.objects, self.labels = objects, labels

    def __iter__(self) -> Iterator[votes.ObjectVotes]:
        for one in self.objects:
            said = _usable(latest_answers(one.answers), self.labels)
            for label in self.labels if said else ():
                gold = None if one.gold is None else YES if label in one.gold else NO
                yield votes.ObjectVotes(tuple(_votes(said, label)), gold)


def _usable(said: Sequence[Tags], labels: Sequence[str]) -> list[Tags]:
    return [one for one in said if not one.labels or one.labels & set(labels)]


def _asked(said: Sequence[Tags], labels: Sequence[str]) -> list[str]:
    return [label for label in labels if any(label in one.labels for one in said)]


def _votes(said: Sequence[Tags], label: str | None) -> list[votes.Vote]:
    return [votes.Vote(one.worker, YES if label in one.labels else NO) for one in said]


def _chances(said: Sequence[Tags], labels: Sequence[str], models: VoteWorkers) -> dict[str, float]:
    asked = set(_asked(said, labels))
    return {
        label: votes.posterior(_votes(said, label), QUESTION, models)[YES] if label in asked else 0.0
        for label in labels
    }
