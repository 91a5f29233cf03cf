"""Crowd votes for benchmarks: the real sets with golds, and generated crowds of every sort that harms a consensus."""

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from benchmarks.consensus_data import DATASETS
from labeling.consolidation.answers import WorkerAnswer, latest_answers
from labeling.consolidation.arrays import Floats, Ints, logistic
from labeling.consolidation.classes.table import UNKNOWN, VoteTable

BINS = 10
SETS = ("bluebirds", "snow_rte", "snow_wsd", "barzan_tweets")


@dataclass(frozen=True)
class Crowd:
    """Votes without golds, and the true label of each object beside them, for scoring only."""

    votes: VoteTable
    truth: Ints


def real(name: str) -> Crowd:
    """One of SETS: the last of a worker's repeats counts."""
    given: dict[str, list[WorkerAnswer[str]]] = {}
    with open(DATASETS / "crowd_labels" / name / "labels.csv", encoding="utf-8") as lines:
        for number, row in enumerate(csv.DictReader(lines)):
            given.setdefault(row["task"], []).append(WorkerAnswer(row["worker"], row["label"], number))
    with open(DATASETS / "crowd_labels" / name / "gold.csv", encoding="utf-8") as lines:
        gold = {row["task"]: row["label"] for row in csv.DictReader(lines)}
    tasks = sorted(given)
    rows = [(i, vote.worker, vote.value) for i, task in enumerate(tasks) for vote in latest_answers(given[task], str)]
    labels = tuple(sorted({label for _, _, label in rows} | set(gold.values())))
    workers = tuple(sorted({worker for _, worker, _ in rows}))
    votes = VoteTable(
        np.array([task for task, _, _ in rows]),
        np.array([workers.index(worker) for _, worker, _ in rows]),
        np.array([labels.index(label) for _, _, label in rows]),
        np.full(len(tasks), UNKNOWN),
        workers,
        labels,
    )
    return Crowd(votes, np.array([labels.index(gold[task]) for task in tasks]))


def thinned(crowd: Crowd, votes: int, seed: int) -> Crowd:
    """At most so many votes an object, drawn at random."""
    rank = arrival(crowd.votes, seed)
    return Crowd(crowd.votes.without(np.flatnonzero(rank >= votes)), crowd.truth)


def arrival(votes: VoteTable, seed: int) -> Ints:
    """(N,): the place of each vote among its object's, in an order drawn at random."""
    order = np.random.default_rng(seed).permutation(len(votes.task))
    order = order[np.argsort(votes.task[order], kind="stable")]
    task = votes.task[order]
    first = np.searchsorted(task, task)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order)) - first
    return rank


def generated(
    seed: int,
    *,
    objects: int = 200,
    workers: int = 20,
    classes: int = 2,
    votes: int = 5,
    accuracy: tuple[float, float] = (0.6, 0.95),
    shares: tuple[float, ...] | None = None,
    difficulty: float = 0.0,
    misleading: float = 0.0,
    spammers: float = 0.0,
    adversaries: float = 0.0,
) -> Crowd:
    """A crowd. `misleading` is the share of the last class's objects that look like the first class to everybody;
    spammers always say the first class, or draw lots; adversaries are wrong as often as others are right."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(classes, objects, p=shares)
    skill = rng.uniform(*accuracy, workers)
    logit: Floats = np.log(skill / (1 - skill))
    hard = rng.normal(0, difficulty, objects) if difficulty else np.zeros(objects)
    idle, hostile = rng.random(workers) < spammers, rng.random(workers) < adversaries
    looks = (rng.random(objects) < misleading) & (truth == classes - 1)
    rows: list[tuple[int, int, int]] = []
    for task in range(objects):
        for worker in rng.choice(workers, min(votes, workers), replace=False):
            right = float(logistic(logit[worker] + hard[task]))
            right = 1 - right if looks[task] or hostile[worker] else right
            if idle[worker]:
                label = int(rng.integers(classes)) if worker % 2 else 0
            elif rng.random() < right:
                label = int(truth[task])
            else:
                label = 0 if looks[task] else int((truth[task] + rng.integers(1, classes)) % classes)
            rows.append((task, int(worker), label))
    task, worker, given = np.array(rows).T
    names = tuple(f"w{i:03d}" for i in range(workers))
    table = VoteTable(task, worker, given, np.full(objects, UNKNOWN), names, tuple("abcdefghijklmnop"[:classes]))
    return Crowd(table, truth)


def right(chances: Floats, truth: np.ndarray) -> Floats:
    """(T,): 1 for the true label, 0 for a wrong one, shared evenly by labels that tie."""
    tie = chances >= chances.max(axis=1, keepdims=True) - 1e-9
    return tie[np.arange(len(truth)), truth] / tie.sum(axis=1)


def calibration_error(confidence: Floats, correct: Floats) -> float:
    """Mean of |confidence - share of right ones| over ten bins of equal width, weighted by how many are in each."""
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [abs(float((confidence - correct)[place == one].sum())) for one in range(BINS)]
    return sum(gaps) / max(len(confidence), 1)


GENERATED: Mapping[str, Callable[[int], Crowd]] = {
    "30_objects": lambda seed: generated(seed, objects=30, workers=6, votes=3),
    "60_objects_3_classes": lambda seed: generated(seed, objects=60, workers=10, votes=3, classes=3),
    "300_objects_4_classes": lambda seed: generated(seed, objects=300, votes=3, classes=4),
    "10_classes": lambda seed: generated(seed, workers=12, votes=3, classes=10),
    "spammers": lambda seed: generated(seed, objects=300, classes=3, spammers=0.3),
    "spammers_2_classes": lambda seed: generated(seed, objects=300, spammers=0.3),
    "spammers_60_objects": lambda seed: generated(seed, objects=60, workers=8, votes=3, spammers=0.3),
    "adversaries": lambda seed: generated(seed, adversaries=0.2),
    "rare_class": lambda seed: generated(seed, objects=300, workers=15, votes=3, shares=(0.95, 0.05)),
    "one_class": lambda seed: generated(seed, objects=60, workers=8, votes=3, shares=(1.0, 0.0)),
    "difficult": lambda seed: generated(seed, objects=300, difficulty=1.5),
    "shared_bias": lambda seed: generated(seed, objects=100, workers=40, votes=20, misleading=0.4, accuracy=(0.6, 0.9)),
    "one_vote": lambda seed: generated(seed, objects=100, workers=5, votes=1),
    "weak": lambda seed: generated(seed, accuracy=(0.5, 0.75)),
    "two_workers": lambda seed: generated(seed, objects=100, workers=2, votes=2, classes=3),
}
