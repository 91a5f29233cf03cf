"""Votes as arrays: what a fit reads. Workers and labels are numbered in the order given here.

One vote a worker and object: repeats are resolved before (the highest revision counts).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse

from labeling.consolidation.answers import ObjectAnswers, latest_answers, require_distinct
from labeling.consolidation.arrays import Floats, Ints

UNKNOWN = -1
"""Stands in `gold` for an object whose true label nobody knows."""


@dataclass(frozen=True, slots=True)
class VoteTable:
    """`task`, `worker`, `given` (N,) say of each vote which object it is about, who gave it and which label; `gold`
    (T,) is the true label of each object or UNKNOWN. `workers` and `labels` are the names."""

    task: Ints
    worker: Ints
    given: Ints
    gold: Ints
    workers: tuple[str, ...]
    labels: tuple[str, ...]

    @property
    def objects(self) -> int:
        """How many objects there are, those without a vote included."""
        return len(self.gold)

    def votes_by_worker(self) -> sparse.csr_matrix:
        """(T, W K): 1 where the worker gave the object that label. A product with it is one step of EM."""
        columns = self.worker * len(self.labels) + self.given
        shape = (self.objects, len(self.workers) * len(self.labels))
        return sparse.csr_matrix((np.ones(len(self.task)), (self.task, columns)), shape=shape)

    def shares(self) -> Floats:
        """(T, K): the share of an object's votes that each label got; all alike where there are none."""
        count = np.zeros((self.objects, len(self.labels)))
        np.add.at(count, (self.task, self.given), 1.0)
        total = count.sum(axis=1, keepdims=True)
        return np.where(total > 0, count / np.maximum(total, 1), 1 / max(len(self.labels), 1))

    def agreement(self) -> float:
        """The chance that two votes for the same object name the same label; nan where no object has two."""
        count = np.zeros((self.objects, len(self.labels)))
        np.add.at(count, (self.task, self.given), 1.0)
        total = count.sum(axis=1)
        pairs = float((total * (total - 1)).sum())
        return float((count * (count - 1)).sum()) / pairs if pairs else float("nan")

    def without(self, left_out: Ints) -> VoteTable:
        """The same objects, without the votes at these places."""
        kept = np.ones(len(self.task), bool)
        kept[left_out] = False
        return VoteTable(self.task[kept], self.worker[kept], self.given[kept], self.gold, self.workers, self.labels)

    def some(self, objects: Ints) -> VoteTable:
        """Only these objects, numbered anew; `objects` ascending."""
        place = np.full(self.objects, UNKNOWN)
        place[objects] = np.arange(len(objects))
        kept = place[self.task] != UNKNOWN
        task = place[self.task[kept]]
        return VoteTable(task, self.worker[kept], self.given[kept], self.gold[objects], self.workers, self.labels)


def table_of(objects: Iterable[ObjectAnswers[str]], labels: Sequence[str]) -> VoteTable:
    """The newest votes of each worker for a label of `labels`; others are left out, and so are golds that name another
    label. Workers are sorted by name. Raises ValueError for repeated labels."""
    require_distinct(labels)
    number = {label: i for i, label in enumerate(labels)}
    task: list[int] = []
    given: list[int] = []
    names: list[str] = []
    gold: list[int] = []
    for place, one in enumerate(objects):
        for vote in latest_answers(one.answers, str):
            if vote.value in number:
                task.append(place)
                names.append(vote.worker)
                given.append(number[vote.value])
        gold.append(UNKNOWN if one.gold is None else number.get(one.gold, UNKNOWN))
    workers = tuple(sorted(set(names)))
    worker = {name: i for i, name in enumerate(workers)}
    return VoteTable(
        np.array(task, np.int64),
        np.array([worker[name] for name in names], np.int64),
        np.array(given, np.int64),
        np.array(gold, np.int64),
        workers,
        tuple(labels),
    )
