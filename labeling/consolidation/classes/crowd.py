"""One model of a crowd that votes, from plain majority to Dawid & Skene with item difficulty, fitted by EM.

    P(worker w gives the true label c) = logistic(logit_wc + difficulty_c z),   z ~ N(0, 1) for each object
    logit_wc = crowd + by_class_c + by_worker_w + by_both_wc

z is what an object's difficulty has in common for all who answer it (GLAD's idea, by class); it is integrated out with
Gauss-Hermite nodes. The three deviations are shrunk towards 0 with spreads that the votes themselves show (evidence);
which of them there are at all is the `Method`. A wrong vote names another label as the worker does, shrunk towards how
the crowd does. EM runs until no chance moves by more than `TOLERANCE`. Golds are taken as given.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse
from numpy.polynomial.hermite_e import hermegauss

from labeling.consolidation.arrays import Floats, logistic
from labeling.consolidation.classes.table import UNKNOWN, VoteTable
from labeling.consolidation.workers.votes import OTHER_CROWD, OTHER_WORKER

CROWD, CROWD_SPREAD = 1.4, 0.5
"""Logit of the accuracy of a crowd of which no vote has been seen (.80), and how far crowds lie from it."""

CLASS_SPREAD = 0.4
"""How far apart classes lie in how often they are recognised, in logits."""

WORKER_SPREAD, WORKER_WEIGHT = 0.6, 5.0
"""Spread of workers in logits before any vote is seen, and the number of workers that this guess counts as."""

BOTH_SPREAD, BOTH_WEIGHT = 0.5, 10.0
"""The same of a worker at one class."""

DIFFICULTY, DIFFICULTY_WEIGHT = 0.5, 10.0
"""Spread of the difficulty of objects in logits before any vote is seen, and as how many objects it counts."""

NODES = 9
TOLERANCE = 1e-4
MOST_ROUNDS = 2_000
"""A brake for a fit that cycles, not a cap: real sets converge within some 160 rounds."""


@dataclass(frozen=True, slots=True)
class Method:
    """Which deviations the model has. `even` is how firmly all classes are taken to be as frequent as each other: as
    many objects a class and, with `even_share`, as that share of all objects."""

    name: str
    workers: bool = True
    by_class: bool = True
    difficulty: bool = True
    even: float = 3.0
    even_share: float = 0.0


@dataclass(frozen=True, slots=True)
class CrowdFit:
    """`logits`, `errors` (W, K): each worker's logit and its standard error; `centre`, `spread` (K,): the same of a
    worker nobody has seen; `both_spread`: how differently workers treat single classes; `difficulty` (K,); `prior`
    (K,); `chances` (T, K); `joint` (T, K, Q): chances of true label and node of z; `table` (W, K, K, Q): log P(given |
    true, z) by worker, given label, true label and node."""

    logits: Floats
    errors: Floats
    centre: Floats
    spread: Floats
    both_spread: float
    difficulty: Floats
    prior: Floats
    chances: Floats
    joint: Floats
    table: Floats
    rounds: int

    def held_out(self, votes: VoteTable) -> Floats:
        """(N,): log P of each of `votes`, which the fit has not seen, on objects whose other votes it has seen."""
        rows = self.table[votes.worker, votes.given] + np.log(np.maximum(self.joint[votes.task], 1e-300))
        flat = rows.reshape(len(rows), -1)
        top = flat.max(axis=1, initial=-np.inf)
        return np.asarray(top + np.log(np.exp(flat - top[:, None]).sum(axis=1)))


def nodes(difficulty: bool) -> tuple[Floats, Floats]:
    """(Q,) values of z and (Q,) their weights; one node at 0 without difficulty."""
    if not difficulty:
        return np.zeros(1), np.ones(1)
    z, weight = hermegauss(NODES)
    return z, weight / weight.sum()


def fit(table: VoteTable, method: Method, *, tolerance: float = TOLERANCE) -> CrowdFit:
    """Fit `method` to the votes. An object without votes and gold has the prior's chances."""
    em = _Fitting(table, method)
    before = table.shares()
    rounds, moved = 0, np.inf
    while moved >= tolerance and rounds < MOST_ROUNDS:
        chances = em.step()
        moved = float(np.abs(chances - before).max(initial=0.0))
        before, rounds = chances, rounds + 1
    return em.result(rounds)


def log_table(logits: Floats, difficulty: Floats, z: Floats, others: Floats) -> Floats:
    """(W, K, K, Q): log P(given | true, z) by worker, given label, true label and node."""
    classes = logits.shape[1]
    at = logits[:, :, None] + difficulty[:, None] * z
    table = -np.logaddexp(0, at)[:, None] + others.transpose(0, 2, 1)[..., None]
    own = np.arange(classes)
    table[:, own, own] = -np.logaddexp(0, -at)
    return np.asarray(table)


class _Fitting:
    """The state of one EM."""

    def __init__(self, table: VoteTable, method: Method) -> None:
        self.method, self.classes, self.workers = method, len(table.labels), len(table.workers)
        self.votes = table.votes_by_worker()
        self.transposed: sparse.csr_matrix = self.votes.T.tocsr()
        self.z, self.weight = nodes(method.difficulty)
        self.known = np.flatnonzero(table.gold != UNKNOWN)
        self.gold = table.gold[self.known]
        shares = table.shares()
        shares[self.known] = np.eye(self.classes)[self.gold]
        self.joint = shares[:, :, None] * self.weight
        self.objects = table.objects
        classes, workers = self.classes, self.workers
        self.crowd, self.of_class = np.array(CROWD), np.zeros(classes)
        self.of_worker, self.of_both = np.zeros(workers), np.zeros((workers, classes))
        self.worker_spread = WORKER_SPREAD if method.workers else 0.0
        self.both_spread = BOTH_SPREAD if method.workers and method.by_class else 0.0
        self.difficulty = np.full(classes, DIFFICULTY if method.difficulty else 0.0)
        self.errors = np.zeros((workers, classes))

    def step(self) -> Floats:
        """One round: what the chances say of the workers, then what the workers say of the objects."""
        shape = (self.workers, self.classes, self.classes, len(self.z))
        flat = self.joint.reshape(self.objects, -1)
        counts = np.asarray(self.transposed @ flat).reshape(shape)  # worker, given, true, node
        self._learn_logits(counts)
        self._learn_others(counts)
        if self.method.difficulty:
            seen = self.joint.sum(axis=(0, 2))
            square = self.difficulty**2 * (self.joint * self.z**2).sum(axis=(0, 2))
            self.difficulty = np.sqrt((square + DIFFICULTY_WEIGHT * DIFFICULTY**2) / (seen + DIFFICULTY_WEIGHT))
        even = self.method.even + self.method.even_share * self.objects
        self.prior = (self.joint.sum(axis=(0, 2)) + even) / (self.objects + self.classes * even)
        self.table = log_table(self._logits(), self.difficulty, self.z, self.others)
        score = np.asarray(self.votes @ self.table.reshape(self.workers * self.classes, -1))
        score = score.reshape(self.joint.shape) + np.log(self.prior)[:, None] + np.log(self.weight)
        score[self.known] += np.where(np.eye(self.classes, dtype=bool)[self.gold], 0.0, -np.inf)[:, :, None]
        chance = np.exp(score - score.max(axis=(1, 2), keepdims=True, initial=-np.inf))
        self.joint = chance / chance.sum(axis=(1, 2), keepdims=True)
        return np.asarray(self.joint.sum(axis=2))

    def result(self, rounds: int) -> CrowdFit:
        """What was found."""
        return CrowdFit(
            logits=self._logits(),
            errors=self.errors,
            centre=self.crowd + self.of_class,
            spread=np.full(self.classes, np.hypot(self.worker_spread, self.both_spread)),
            both_spread=float(self.both_spread),
            difficulty=self.difficulty,
            prior=self.prior,
            chances=np.asarray(self.joint.sum(axis=2)),
            joint=self.joint,
            table=self.table,
            rounds=rounds,
        )

    def _logits(self) -> Floats:
        return np.asarray(self.crowd + self.of_class + self.of_worker[:, None] + self.of_both)

    def _learn_logits(self, counts: Floats) -> None:
        """Two rounds of Newton's steps on each kind of deviation in turn, then the spreads."""
        own = np.arange(self.classes)
        total, right = counts.sum(axis=1), counts[:, own, own]
        for _ in range(2):
            slope, bend = self._slopes(total, right)
            step = slope.sum() - (self.crowd - CROWD) / CROWD_SPREAD**2
            self.crowd = self.crowd + _limited(step / (bend.sum() + CROWD_SPREAD**-2))
            if self.method.by_class:
                slope, bend = self._slopes(total, right)
                step = slope.sum(axis=0) - self.of_class / CLASS_SPREAD**2
                self.of_class = self.of_class + _limited(step / (bend.sum(axis=0) + CLASS_SPREAD**-2))
            if self.worker_spread:
                slope, bend = self._slopes(total, right)
                sure = bend.sum(axis=1) + self.worker_spread**-2
                self.of_worker = self.of_worker + _limited(
                    (slope.sum(axis=1) - self.of_worker / self.worker_spread**2) / sure
                )
            if self.both_spread:
                slope, bend = self._slopes(total, right)
                sure_both = bend + self.both_spread**-2
                self.of_both = self.of_both + _limited((slope - self.of_both / self.both_spread**2) / sure_both)
        if self.worker_spread:
            square = (self.of_worker**2 + 1 / sure).sum() + WORKER_WEIGHT * WORKER_SPREAD**2
            self.worker_spread = np.sqrt(square / (self.workers + WORKER_WEIGHT))
        if self.both_spread:
            square = (self.of_both**2 + 1 / sure_both).sum() + BOTH_WEIGHT * BOTH_SPREAD**2
            self.both_spread = np.sqrt(square / (self.of_both.size + BOTH_WEIGHT))
        _, bend = self._slopes(total, right)
        spread = max(np.hypot(self.worker_spread, self.both_spread), 1e-3)
        self.errors = np.sqrt(1 / (bend + spread**-2))

    def _slopes(self, total: Floats, right: Floats) -> tuple[Floats, Floats]:
        """First and (negated) second derivative of the votes' log-likelihood by each worker's logit of each class."""
        chance = logistic(self._logits()[:, :, None] + self.difficulty[:, None] * self.z)
        return (right - total * chance).sum(axis=2), (total * chance * (1 - chance)).sum(axis=2)

    def _learn_others(self, counts: Floats) -> None:
        """Which label a wrong vote names, by worker and true label."""
        classes = self.classes
        off = ~np.eye(classes, dtype=bool)
        if classes <= 2:
            self.others = np.zeros((self.workers, classes, classes))
            return
        wrong = counts.sum(axis=3).transpose(0, 2, 1) * off
        crowd = wrong.sum(axis=0) + OTHER_CROWD * off
        crowd /= crowd.sum(axis=1, keepdims=True)
        mine = (wrong if self.method.workers else 0 * wrong) + OTHER_WORKER * crowd
        mine /= mine.sum(axis=2, keepdims=True)
        self.others = np.log(np.maximum(mine, 1e-12))


def _limited(step: Floats) -> Floats:
    """A step of at most one logit: Newton's may run away where a worker is always right."""
    return np.clip(step, -1, 1)
