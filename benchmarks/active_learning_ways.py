"""Ways of choosing the images that people label next: random, entropy, core-set, and the product's own.

Each sees what the newest detector says of the unlabeled images and of the labeled ones. Knows no trainings.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.active_learning_sets import Seen
from learning.selection import next_batch
from learning.selection.diversity import spread
from learning.selection.next_batch import Pool
from learning.selection.quality import Detections, Floats

LEAST_SCORE = 0.05
"""Boxes below are left out of the entropy, as in the published comparisons: there are always many of them."""


@dataclass(frozen=True)
class Question:
    """What is known when the next images are chosen: the detector's view, the labels so far, its precision by class."""

    pool: Seen
    labeled: Seen
    truths: list[Detections]
    precision: Floats
    box_cost: float
    rng: np.random.Generator


def random(asked: Question, images: int) -> NDArray[np.int64]:
    """Any images."""
    return asked.rng.permutation(len(asked.pool.boxes))[:images]


def entropy(asked: Question, images: int) -> NDArray[np.int64]:
    """The images with the greatest sum of the entropies of their boxes."""
    return np.argsort([-_entropy(one) for one in asked.pool.boxes], kind="stable")[:images]


def _entropy(image: Detections) -> float:
    p = np.clip(image.scores[image.scores >= LEAST_SCORE], 1e-9, 1 - 1e-9)
    return float(-(p * np.log(p) + (1 - p) * np.log(1 - p)).sum())


def core_set(asked: Question, images: int) -> NDArray[np.int64]:
    """The images that are farthest from those labeled (k-center greedy: Sener and Savarese, 2018)."""
    return spread(asked.pool.embeddings, np.ones(len(asked.pool.boxes)), images, asked.labeled.embeddings)


def ours(asked: Question, images: int) -> NDArray[np.int64]:
    """As a learning loop chooses its training images."""
    classes = len(asked.precision)
    labeled = np.array([np.bincount(one.classes, minlength=classes) for one in asked.truths], dtype=np.float64)
    sums = np.array([next_batch.score_sums(one, classes) for one in asked.labeled.boxes])
    doubts = np.array([next_batch.box_doubts(one, classes) for one in asked.pool.boxes])
    expected = np.array([next_batch.score_sums(one, classes) for one in asked.pool.boxes])
    pool = Pool(doubts, expected * next_batch.box_rates(sums, labeled))
    return next_batch.training_batch(
        pool, images=images, labeled=labeled.sum(axis=0), precision=asked.precision, rng=asked.rng,
        looks=asked.pool.embeddings.__getitem__, box_cost=asked.box_cost, known=asked.labeled.embeddings,
    ).places  # fmt: skip


WAYS: dict[str, Callable[[Question, int], NDArray[np.int64]]] = {
    "random": random, "entropy": entropy, "core_set": core_set, "ours": ours,
}  # fmt: skip
OURS = "ours"
