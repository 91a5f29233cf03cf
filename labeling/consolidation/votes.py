"""The consensus of single-choice answers: one label for one object from several workers' votes.

Dawid & Skene (1979) with smoothing: each worker has a confusion matrix whose rows are Dirichlet-shrunk towards the
crowd's, whose rows in turn are shrunk towards "right with the crowd's accuracy, else any other label alike". A worker
with few answers therefore votes like everybody, and plain majority is what remains when nothing is known. Pure values.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from labeling.consolidation.stopping import Decision, Stopping, decide

ALGORITHM = "votes/1"
STRENGTH = 4.0
"""Pseudo-votes a row behind a worker's confusion matrix."""
CROWD_STRENGTH = 10.0


@dataclass(frozen=True, slots=True)
class Vote:
    """One worker's choice. Of several by one worker the highest `revision` counts, among equals the last label in
    alphabetical order: a rule that does not depend on the order of reading."""

    worker: str
    label: str
    revision: int = 0


@dataclass(frozen=True, slots=True)
class ObjectVotes:
    """The votes on one object, and its true label where a gold knows it."""

    votes: tuple[Vote, ...]
    gold: str | None = None


@dataclass(frozen=True, slots=True)
class ConsolidatedLabel:
    """`label` is None when nobody gave a label of the job; `confidence` is its posterior."""

    label: str | None
    confidence: float
    explanation: dict[str, Any]
    algorithm: str


Counts = dict[tuple[str, str], float]


@dataclass(slots=True)
class VoteWorkers:
    """Label counts by (true, given): the crowd's and each worker's; `prior` is how common each true label is."""

    crowd: Counts = field(default_factory=dict)
    workers: dict[str, Counts] = field(default_factory=dict)
    prior: dict[str, float] = field(default_factory=dict)

    def accuracy(self, worker: str | None = None) -> float:
        """Shrunk share of right votes, of the crowd or of one worker."""
        right, total = _agreement(self.crowd)
        crowd = (right + CROWD_STRENGTH * 0.75) / (total + CROWD_STRENGTH)
        if worker is None:
            return crowd
        right, total = _agreement(self.workers.get(worker, {}))
        return (right + STRENGTH * crowd) / (total + STRENGTH)

    def likelihood(self, worker: str | None, given: str, labels: Sequence[str]) -> list[float]:
        """P(given | true) for each true label of `labels`."""
        mine = self.workers.get(worker, {}) if worker is not None else {}
        accuracy = self.accuracy() if len(labels) > 1 else 1.0
        other = (1 - accuracy) / max(len(labels) - 1, 1)
        out = []
        for true in labels:
            row = sum(self.crowd.get((true, said), 0.0) for said in labels)
            base = accuracy if true == given else other
            crowd = (self.crowd.get((true, given), 0.0) + CROWD_STRENGTH * base) / (row + CROWD_STRENGTH)
            own_row = sum(mine.get((true, said), 0.0) for said in labels)
            out.append(max((mine.get((true, given), 0.0) + STRENGTH * crowd) / (own_row + STRENGTH), 1e-9))
        return out

    def update(self, votes: Iterable[Vote], truth: Mapping[str, float]) -> None:
        """Add one object's votes, given the posterior of its true label: learning as answers come."""
        for vote in votes:
            mine = self.workers.setdefault(vote.worker, {})
            for true, chance in truth.items():
                for counts in (self.crowd, mine):
                    counts[true, vote.label] = counts.get((true, vote.label), 0.0) + chance
        for true, chance in truth.items():
            self.prior[true] = self.prior.get(true, 0.0) + chance

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, sorted, rounded to 6 digits."""
        return {
            "version": 1,
            "crowd": _rows(self.crowd),
            "prior": {label: round(n, 6) for label, n in sorted(self.prior.items())},
            "workers": {worker: _rows(self.workers[worker]) for worker in sorted(self.workers)},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> VoteWorkers:
        """Read `to_json`'s output; raises ValueError for another version."""
        if data.get("version") != 1:
            raise ValueError(f"vote workers: found version {data.get('version')!r}, expected 1")
        return cls(
            _counts(data["crowd"]),
            {worker: _counts(rows) for worker, rows in data["workers"].items()},
            {label: float(n) for label, n in data["prior"].items()},
        )


def consolidate(
    answers: Sequence[Vote], *, labels: Sequence[str], workers: VoteWorkers | None = None
) -> ConsolidatedLabel:
    """The most probable label of one object and why. Votes for a label the job does not have are set aside; ties go
    to the label that stands first in `labels`. Raises ValueError for repeated labels."""
    if len(set(labels)) != len(labels):
        raise ValueError(f"labels repeat: {list(labels)}")
    models = workers or VoteWorkers()
    votes = latest_votes(answers)
    chance = posterior(votes, labels, models)
    counted = [vote for vote in votes if vote.label in chance]
    best = max(labels, key=lambda label: round(chance[label], 9)) if counted else None
    explanation = {
        "algorithm": ALGORITHM,
        "label": best,
        "chances": {label: round(chance[label], 4) + 0.0 for label in labels},
        "votes": [
            {
                "worker": vote.worker,
                "label": vote.label,
                "weight": round(models.accuracy(vote.worker), 4),
                "outvoted": vote.label != best,
            }
            for vote in counted
        ],
        "ignored": [
            {"worker": v.worker, "label": v.label, "reason": "no label of this job"}
            for v in votes
            if v.label not in chance
        ],
    }
    confidence = round(chance[best], 4) if best is not None else 0.0
    return ConsolidatedLabel(best, confidence, explanation, ALGORITHM)


def latest_votes(answers: Iterable[Vote]) -> list[Vote]:
    """One vote a worker, sorted by worker."""
    latest: dict[str, Vote] = {}
    for vote in answers:
        kept = latest.get(vote.worker)
        if kept is None or (vote.revision, vote.label) > (kept.revision, kept.label):
            latest[vote.worker] = vote
    return [latest[worker] for worker in sorted(latest)]


def posterior(
    votes: Iterable[Vote],
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
        if vote.label in known:
            key = (vote.worker, vote.label)
            if key not in cache:
                cache[key] = [math.log(p) for p in models.likelihood(*key, labels)]
            log_chance = [a + b for a, b in zip(log_chance, cache[key], strict=True)]
    if not labels:
        return {}
    top = max(log_chance)
    chance = [math.exp(value - top) for value in log_chance]
    return {label: value / sum(chance) for label, value in zip(labels, chance, strict=True)}


def fit_workers(
    objects: Iterable[ObjectVotes], *, labels: Sequence[str], start: VoteWorkers | None = None, rounds: int = 20
) -> VoteWorkers:
    """EM over the objects of a job (an iterable that can be read `rounds` times), golds taken as given."""
    if iter(objects) is objects:
        raise ValueError("fit_workers reads its objects several times: give a list or a re-iterable")
    models = start or VoteWorkers()
    for _ in range(rounds):
        learned = VoteWorkers()
        cache: dict[tuple[str, str], list[float]] = {}
        for one in objects:
            votes = latest_votes(one.votes)
            truth = posterior(votes, labels, models, cache) if one.gold is None else {one.gold: 1.0}
            learned.update((vote for vote in votes if vote.label in labels), truth)
        moved = abs(learned.accuracy() - models.accuracy())
        models = learned
        if moved < 1e-7:
            break
    return models


def should_ask_more(
    answers: Sequence[Vote], *, labels: Sequence[str], rule: Stopping, workers: VoteWorkers | None = None
) -> Decision:
    """Whether one more vote is worth having: loss is the chance that the present label is wrong, gain what one more
    vote by an ordinary worker takes off it on average (exact: every label the worker could give is played through)."""
    models = workers or VoteWorkers()
    votes = latest_votes(answers)
    chance = posterior(votes, labels, models)
    loss = 1 - max(chance.values(), default=0.0)
    kept = 0.0
    for said in labels:
        likelihood = models.likelihood(None, said, labels)
        kept += max(chance[label] * p for label, p in zip(labels, likelihood, strict=True))
    gain = max(kept - (1 - loss), 0.0)
    return decide(rule, answers=len(votes), loss=loss, gain=gain)


def _agreement(counts: Counts) -> tuple[float, float]:
    return sum(n for (true, said), n in counts.items() if true == said), sum(counts.values())


def _rows(counts: Counts) -> list[list[Any]]:
    return [[true, said, round(n, 6)] for (true, said), n in sorted(counts.items())]


def _counts(rows: Iterable[Sequence[Any]]) -> Counts:
    return {(true, said): float(n) for true, said, n in rows}
