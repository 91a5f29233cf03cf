"""Dawid & Skene (1979) on arrays, and the same as AWS published it. Neither is what jobs use (see choosing.py).

`dawid_skene` is the textbook's EM, until it converges. `published` gives the numbers of Amazon's notebook
`annotation_consolidation`: its smoothing, its cap of 20 rounds, its rounding to 2 digits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse

from labeling.consolidation.arrays import Floats, Ints

TINY = 1e-10
"""Added to every cell of a confusion matrix: a label that a worker has never given is unlikely, not impossible."""

SMALLEST = 1e-300
"""Chances are taken to be at least this where their logarithm is needed."""

ACCURACY = 0.7
"""Accuracy that AWS's notebook starts every worker with."""

ROUNDS = 20
"""The notebook's cap on rounds."""

TOLERANCE = 1e-8
"""The notebook stops when the log-likelihood moves by a smaller share of itself."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """`chances` (T, K) of each object's true label, `confusion` (W, K, K) by worker, true and given label, `prior`
    (K,), how many `rounds` it took, and whether it `converged` within the rounds allowed."""

    chances: Floats
    confusion: Floats
    prior: Floats
    rounds: int
    converged: bool


def dawid_skene(
    task: Ints, worker: Ints, given: Ints, *, classes: int, tolerance: float = 1e-8, most_rounds: int = 10_000
) -> Fitted:
    """Maximum likelihood by EM from the shares of votes, until the log-likelihood of a vote moves by less than
    `tolerance`. `task`, `worker`, `given` (N,) are numbers from 0; objects without votes have the prior's chances.
    Raises ValueError where the arrays differ in length or a label is out of range."""
    votes, transposed, chances = _start(task, worker, given, classes)
    workers = votes.shape[1] // classes
    before, confusion, prior = -np.inf, np.zeros((workers, classes, classes)), np.zeros(classes)
    done, converged = 0, False
    while not converged and done < most_rounds:
        prior = chances.mean(axis=0)
        confusion = _rows(np.asarray(transposed @ chances).reshape(workers, classes, classes) + TINY)
        chances, likelihood = _expect(votes, prior, confusion)
        converged = abs(likelihood - before) <= tolerance * max(len(task), 1)
        before, done = likelihood, done + 1
    return Fitted(chances, confusion.transpose(0, 2, 1), prior, done, converged)


def published(task: Ints, worker: Ints, given: Ints, *, classes: int) -> tuple[Ints, Floats]:
    """(T,) labels and (T,) confidences as AWS's notebook computes them: each worker's confusion matrix smoothed by
    as many votes of a worker with its own accuracy as it has labels, and half as many of the crowd's; 20 rounds at
    most; confidences rounded to 2 digits. Raises ValueError as `dawid_skene` does."""
    votes, transposed, _ = _start(task, worker, given, classes)
    workers = votes.shape[1] // classes
    labeled = np.bincount(worker, minlength=workers).astype(float)
    confusion = np.repeat(_of_accuracy(np.full(1, ACCURACY), classes), workers, axis=0).transpose(0, 2, 1)
    prior, before, chances = np.full(classes, 1 / classes), -np.inf, np.zeros((votes.shape[0], classes))
    for _ in range(ROUNDS):
        chances, likelihood = _expect(votes, prior, confusion)
        prior = chances.mean(axis=0)
        if abs(likelihood - before) < TOLERANCE * abs(before) and np.isfinite(before):
            break
        before = likelihood
        counts = np.asarray(transposed @ chances).reshape(workers, classes, classes).transpose(0, 2, 1)
        right = np.trace(counts, axis1=1, axis2=2) / np.maximum(labeled, 1)
        mine = labeled[:, None, None] * _of_accuracy(right, classes)
        all_workers = labeled[:, None, None] / 2 * _of_accuracy(right.mean(keepdims=True), classes)
        smoothed = counts + mine + all_workers
        confusion = (smoothed / np.maximum(smoothed.sum(axis=2, keepdims=True), TINY)).transpose(0, 2, 1)
    return np.argmax(chances, axis=1).astype(np.int64), np.round(chances.max(axis=1), 2)


def _start(task: Ints, worker: Ints, given: Ints, classes: int) -> tuple[sparse.csr_matrix, sparse.csr_matrix, Floats]:
    """The votes as a matrix (T, W K), its transpose, and the shares of votes."""
    if not len(task) == len(worker) == len(given):
        raise ValueError(
            f"votes: found {len(task)} tasks, {len(worker)} workers, {len(given)} labels; expected as many"
        )
    if len(given) and not 0 <= given.min() <= given.max() < classes:
        raise ValueError(f"labels: found {given.min()} to {given.max()}, expected 0 to {classes - 1}")
    objects, workers = (int(x.max()) + 1 if len(x) else 0 for x in (task, worker))
    columns = (worker * classes + given).astype(np.int32)
    shape = (objects, workers * classes)
    votes = sparse.csr_matrix((np.ones(len(task), np.float32), (task.astype(np.int32), columns)), shape=shape)
    count = np.bincount(task * classes + given, minlength=objects * classes).reshape(objects, classes)
    total = count.sum(axis=1, keepdims=True)
    shares = np.where(total > 0, count / np.maximum(total, 1), 1 / classes)
    return votes, votes.T.tocsr(), shares


def _expect(votes: sparse.csr_matrix, prior: Floats, confusion: Floats) -> tuple[Floats, float]:
    """The E step: chances (T, K) and the log-likelihood. `confusion` is by worker, given and true label."""
    table = np.log(np.maximum(confusion, SMALLEST)).reshape(-1, confusion.shape[2])
    score = votes @ table + np.log(np.maximum(prior, SMALLEST))
    top = score.max(axis=1, keepdims=True, initial=-np.inf)
    score -= top
    np.exp(score, out=score)
    total = score.sum(axis=1, keepdims=True)
    score /= total
    return score, float((top + np.log(total)).sum())


def _rows(counts: Floats) -> Floats:
    """Counts by worker, given and true label as P(given | true)."""
    return np.asarray(counts / counts.sum(axis=1, keepdims=True))


def _of_accuracy(accuracy: Floats, classes: int) -> Floats:
    """(n, K, K): confusion matrices that are right with `accuracy` (n,), else any other label alike."""
    other = (1 - accuracy) / max(classes - 1, 1)
    matrix = np.repeat(np.repeat(other[:, None, None], classes, axis=1), classes, axis=2)
    matrix[:, np.arange(classes), np.arange(classes)] = accuracy[:, None]
    return matrix
