"""What is known of each worker who chooses labels, and of the crowd: counts of labels by (true, given).

Dawid & Skene (1979) with smoothing: each worker has a confusion matrix whose rows are Dirichlet-shrunk towards the
crowd's, whose rows in turn are shrunk towards "right with the crowd's accuracy, else any other label alike". A worker
with few answers therefore votes like everybody, and plain majority is what remains when nothing is known. A job that
has been fitted has a `CrowdModel` beside its counts, which then says what votes mean; the counts are what people did.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from math import sqrt
from typing import Any

from labeling.consolidation.answers import WorkerAnswer
from labeling.consolidation.workers.crowd import CrowdModel
from labeling.consolidation.workers.proposers import Precision
from labeling.consolidation.workers.skills import SkillRow, numbers

ACCURACY = 0.75
"""Accuracy of a crowd of which no answer has been seen."""

WORKER_STRENGTH = 4.0
"""Votes of the crowd that are added to each row of a worker's confusion matrix."""

CROWD_STRENGTH = 10.0
"""Votes of the prior that are added to each row of the crowd's confusion matrix."""

OTHER_WORKER, OTHER_CROWD = 4.0, 2.0
"""Wrong votes of the crowd added to each worker's, and of no label in particular added to each label's of the crowd."""

Counts = dict[tuple[str, str], float]

Proposers = dict[str, dict[str, Precision]]
"""By model and the class it names, "" for all of them: the log-odds that the class gains by being named, by the score
(classes/proposals.py)."""


@dataclass(slots=True)
class VoteWorkers:
    """`crowd` and `workers` count labels by (true, given); `prior` counts how often each label is the true one. `model`
    is what a fit of the whole job found, None before. `proposers` are models that count as one more answer; they have
    no part in the rest."""

    crowd: Counts = field(default_factory=dict)
    workers: dict[str, Counts] = field(default_factory=dict)
    prior: dict[str, float] = field(default_factory=dict)
    model: CrowdModel | None = None
    proposers: Proposers = field(default_factory=dict)

    def accuracy(self, worker: str | None = None) -> float:
        """Shrunk share of right votes, of the crowd or of one worker."""
        right, total = _agreement(self.crowd)
        crowd = (right + CROWD_STRENGTH * ACCURACY) / (total + CROWD_STRENGTH)
        if worker is None:
            return crowd
        right, total = _agreement(self.workers.get(worker, {}))
        return (right + WORKER_STRENGTH * crowd) / (total + WORKER_STRENGTH)

    def standard_error(self, worker: str) -> float:
        """Standard error of `accuracy(worker)`: of a share of as many votes as it rests on."""
        _, total = _agreement(self.workers.get(worker, {}))
        share = self.accuracy(worker)
        return sqrt(share * (1 - share) / (total + WORKER_STRENGTH + 1))

    def chance_error(self, worker: str, true: str, chance: float) -> float:
        """Standard error of a `chance` of the worker's at objects whose true label is `true`."""
        total = sum(n for (label, _), n in self.workers.get(worker, {}).items() if label == true)
        return sqrt(chance * (1 - chance) / (total + WORKER_STRENGTH + 1))

    def wrong_labels(self, worker: str | None, given: str, labels: Sequence[str]) -> list[float]:
        """P(given | a wrong label is given) by true label of `labels`: the worker's, shrunk towards the crowd's."""
        mine = self.workers.get(worker, {}) if worker is not None else {}
        out = []
        for true in labels:
            wrong = [said for said in labels if said != true]
            crowd_row = sum(self.crowd.get((true, said), 0.0) for said in wrong) + OTHER_CROWD * len(wrong)
            crowd = (self.crowd.get((true, given), 0.0) + OTHER_CROWD) / crowd_row if wrong else 1.0
            row = sum(mine.get((true, said), 0.0) for said in wrong) + OTHER_WORKER
            out.append((mine.get((true, given), 0.0) + OTHER_WORKER * crowd) / row)
        return out

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
            out.append(
                max((mine.get((true, given), 0.0) + WORKER_STRENGTH * crowd) / (own_row + WORKER_STRENGTH), 1e-9)
            )
        return out

    def frequencies(self, labels: Sequence[str]) -> list[float]:
        """The share of the objects that each of `labels` is the true one of; of labels never seen all alike."""
        if self.model and set(labels) <= set(self.model.labels):
            known = [self.model.prior[self.model.labels.index(label)] for label in labels]
        else:
            known = [self.prior.get(label, 0.0) + 1 for label in labels]
        total = sum(known)
        return [one / total for one in known]

    def update(self, votes: Iterable[WorkerAnswer[str]], truth: Mapping[str, float]) -> None:
        """Add one object's votes, given the posterior of its true label: learning as answers come."""
        for vote in votes:
            mine = self.workers.setdefault(vote.worker, {})
            for true, chance in truth.items():
                for counts in (self.crowd, mine):
                    counts[true, vote.value] = counts.get((true, vote.value), 0.0) + chance
        for true, chance in truth.items():
            self.prior[true] = self.prior.get(true, 0.0) + chance

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, sorted, rounded to 6 digits: version 2 with a model, else version 1. `proposers` are there where
        some are known."""
        fitted = {"model": self.model.to_json()} if self.model else {}
        proposed = {
            name: {label: numbers(astuple(some[label])) for label in sorted(some)}
            for name, some in sorted(self.proposers.items())
        }
        return {
            "version": 2 if fitted else 1,
            "crowd": _rows(self.crowd),
            "prior": {label: round(n, 6) for label, n in sorted(self.prior.items())},
            "workers": {worker: _rows(self.workers[worker]) for worker in sorted(self.workers)},
            **fitted,
            **({"proposers": proposed} if proposed else {}),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> VoteWorkers:
        """Read `to_json`'s output; raises ValueError for another version."""
        version = data.get("version")
        if version not in (1, 2):
            raise ValueError(f"vote workers: found version {version!r}, expected 1 or 2")
        return cls(
            _counts(data["crowd"]),
            {worker: _counts(rows) for worker, rows in data["workers"].items()},
            {label: float(n) for label, n in data["prior"].items()},
            CrowdModel.from_json(data["model"]) if version == 2 else None,
            {
                name: {label: Precision(*map(float, row)) for label, row in some.items()}
                for name, some in data.get("proposers", {}).items()
            },
        )


def rows_of_votes(models: VoteWorkers, labels: Sequence[str]) -> list[SkillRow]:
    """Each worker's counts over all votes, then for each of `labels`; workers sorted.

    Of one label: `chances` are the objects that have it, `false_positives` the votes for it on objects that have
    another. Over all labels every vote is a chance to be right and one to be wrong.
    """
    rows = []
    for worker, counts in sorted(models.workers.items()):
        right, total = _agreement(counts)
        rows.append(SkillRow(worker, "", total, right, total, total - right, total))
        for label in labels:
            chances = sum(n for (true, _), n in counts.items() if true == label)
            voted = sum(n for (_, given), n in counts.items() if given == label)
            found = counts.get((label, label), 0.0)
            rows.append(SkillRow(worker, label, total, found, chances, voted - found, total - chances))
    return rows


def _agreement(counts: Counts) -> tuple[float, float]:
    return sum(n for (true, said), n in counts.items() if true == said), sum(counts.values())


def _rows(counts: Counts) -> list[list[Any]]:
    return [[true, said, round(n, 6)] for (true, said), n in sorted(counts.items())]


def _counts(rows: Iterable[Sequence[Any]]) -> Counts:
    return {(true, said): float(n) for true, said, n in rows}
