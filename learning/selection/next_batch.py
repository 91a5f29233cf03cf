"""Which images people label next, so that the next model gains most for what the labeling costs.

Uncertainty, by class, times the distance from what is chosen or labeled already, over the expected price. Knows what a
model says of images as arrays; neither models nor jobs, nor which images are set aside for calibration.

- *Uncertainty.* A box of score p counts p H(p), with H the entropy in bits: one that is hardly an object hardly counts,
  and neither does one that is sure. A class counts more the fewer of its objects are labeled and the worse the model
  finds it (class_weights); what the chosen images are expected to hold counts as labeled from then on, so that a batch
  does not consist of one rare class. After Yang et al., "Plug and Play Active Learning for Object Detection", 2024,
  which weighs classes by their difficulty.
- *Diversity.* As diversity.spread.
- *Price.* What an image costs is 1 and `box_cost` for each box that has to be drawn in it. Lyu et al., "Box-level
  Active Detection", 2023, show that counting images hides that uncertainty prefers crowded ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from learning.selection.diversity import Nearest, first_best
from learning.selection.quality import Detections, Floats

LEAST_NEED = 0.05
"""A class that the model always finds keeps this share of the weight of one that it never finds."""
LEAST_DOUBT = 1e-6
"""Where nothing is uncertain the images that differ most are chosen."""
EXPLORED = 0.1
"""This share of a batch is random: a model is sure of nothing where it sees nothing, also where it overlooks much."""
CANDIDATES = 3
"""Of so many of the most uncertain images for each one that is wanted, those that differ most are chosen."""
UNSEEN_RATE_WEIGHT = 5.0
"""Boxes at the rate of all classes that are added to those of each: of a rare class the own rate says little."""


@dataclass(frozen=True, slots=True)
class Pool:
    """What a model says of n unlabeled images with c classes.

    `doubts` (n, c) is how uncertain it is of the objects of each class, `boxes` (n, c) how many it expects.
    `embeddings` (n, d) is what the images look like to it, None where it does not say.
    """

    doubts: Floats
    boxes: Floats
    embeddings: Floats | None = None

    def take(self, places: NDArray[np.int64]) -> Pool:
        """These images only."""
        return Pool(
            self.doubts[places], self.boxes[places], None if self.embeddings is None else self.embeddings[places]
        )


@dataclass(frozen=True, slots=True)
class Choice:
    """The places of the chosen images in the order of selection, and the boxes that they are expected to hold."""

    places: NDArray[np.int64]
    boxes: float


def entropy_parts(chances: Floats) -> Floats:
    """-p log2 p of each chance p: what it adds to an entropy in bits."""
    inside = np.clip(chances, 1e-12, 1.0)
    found: Floats = -inside * np.log2(inside)
    return found


def box_doubts(image: Detections, classes: int) -> Floats:
    """(classes,) the sum over the boxes of each class of p H(p), with p the score and H the entropy in bits."""
    entropy = entropy_parts(image.scores) + entropy_parts(1 - image.scores)
    return _sums(image, image.scores * entropy, classes)


def score_sums(image: Detections, classes: int) -> Floats:
    """(classes,) the sum of the scores of the boxes of each class."""
    return _sums(image, image.scores, classes)


def box_rates(sums: Floats, truths: Floats) -> Floats:
    """(classes,) how many boxes people draw for each 1 of score: `sums` and `truths` (n, classes) of n labeled images.

    Scores are no probabilities, so their sum is not the number of boxes. A class with few boxes has nearly the rate of
    all classes; without any labeled image the rates are 1.
    """
    total = float(sums.sum())
    overall = float(truths.sum()) / total if total > 0 and truths.sum() > 0 else 1.0
    return (truths.sum(axis=0) + UNSEEN_RATE_WEIGHT * overall) / (sums.sum(axis=0) + UNSEEN_RATE_WEIGHT)


def class_weights(labeled: Floats, precision: Floats) -> Floats:
    """(classes,) how much the uncertainty about each class counts, 1 on average.

    `labeled` (classes,) is the number of labeled objects, `precision` (classes,) the average precision 0..1, NaN where
    it is not known, which counts as the mean of the others. A class weighs as far as it is not found, times the root of
    how much rarer it is than the average one.
    """
    known = ~np.isnan(precision)
    filled = np.where(known, precision, precision[known].mean() if known.any() else 0.0)
    missing = LEAST_NEED + (1 - LEAST_NEED) * (1 - np.clip(filled, 0.0, 1.0))
    weights: Floats = missing * np.sqrt((labeled.mean() + 1) / (labeled + 1))
    return weights / weights.mean()


def choose(
    pool: Pool,
    *,
    images: int,
    labeled: Floats,
    precision: Floats,
    boxes: float = np.inf,
    box_cost: float = 0.0,
    known: Floats | None = None,
) -> Choice:
    """At most `images` images with at most `boxes` expected boxes, but one at least when `images` allows one.

    `labeled` and `precision`: see class_weights; `known` (m, d): the embeddings of the labeled images. Ties go to the
    more uncertain, then to the earlier image, so the result is always the same. Raises ValueError when the shapes do
    not agree.
    """
    if pool.doubts.shape != pool.boxes.shape or pool.doubts.shape[1:] != labeled.shape:
        shapes = f"{pool.doubts.shape}, {pool.boxes.shape} and {labeled.shape}"
        raise ValueError(f"doubts, boxes and labeled objects of shapes {shapes} do not agree")
    count = len(pool.doubts)
    if pool.embeddings is not None and len(pool.embeddings) != count:
        raise ValueError(f"{len(pool.embeddings)} embeddings of {count} images")
    nearest = None if pool.embeddings is None or not count else Nearest(pool.embeddings, known)
    expected = pool.boxes.sum(axis=1)
    price = 1 + box_cost * expected
    counts, free = labeled.astype(np.float64).copy(), np.ones(count, dtype=bool)
    chosen: list[int] = []
    drawn = 0.0
    while len(chosen) < min(images, count):
        doubt = (pool.doubts @ class_weights(counts, precision) + LEAST_DOUBT) / price
        gain = doubt if nearest is None else doubt * nearest.distance
        fits = free & (drawn + expected <= boxes) if chosen else free
        if not fits.any():
            break
        best = first_best(np.where(fits, gain, -1.0), doubt)
        chosen.append(best)
        free[best] = False
        drawn += float(expected[best])
        counts += pool.boxes[best]
        if nearest is not None:
            nearest.choose(best)
    return Choice(np.array(chosen, dtype=np.int64), drawn)


def candidates(
    pool: Pool, *, most: int, labeled: Floats, precision: Floats, box_cost: float = 0.0
) -> NDArray[np.int64]:
    """The places of the `most` most uncertain images for their price: `choose` costs a look at all for each image."""
    doubt = (pool.doubts @ class_weights(labeled, precision)) / (1 + box_cost * pool.boxes.sum(axis=1))
    return np.argsort(-doubt, kind="stable")[:most]


Looks = Callable[[NDArray[np.int64]], Floats | None]
"""The embeddings of the images at these places, None where they are not known."""


def training_batch(
    pool: Pool,
    *,
    looks: Looks,
    images: int,
    labeled: Floats,
    precision: Floats,
    rng: np.random.Generator,
    boxes: float = np.inf,
    box_cost: float = 0.0,
    known: Floats | None = None,
) -> Choice:
    """`choose` of the most uncertain images, and a random share of EXPLORED before, which finds what the model misses.

    The first of `places` are the random ones. `looks` is asked once, for the images that come into question: those of
    a large pool need not be in memory. Raises ValueError as `choose` does.
    """
    count = len(pool.doubts)
    random = rng.permutation(count)[: round(min(images, count) * EXPLORED)]
    drawn = float(pool.boxes[random].sum())
    rest = np.setdiff1d(np.arange(count), random)
    given = {"labeled": labeled + pool.boxes[random].sum(axis=0), "precision": precision, "box_cost": box_cost}
    most = CANDIDATES * (images - len(random))
    near = rest[np.sort(candidates(pool.take(rest), most=most, **given))]
    asked = looks(np.concatenate([random, near]))
    asked, seen = (None, None) if asked is None else (asked[len(random) :], _joined(known, asked[: len(random)]))
    likely = Pool(pool.doubts[near], pool.boxes[near], asked)
    found = choose(likely, images=images - len(random), boxes=boxes - drawn, known=seen, **given)
    return Choice(np.concatenate([random, near[found.places]]), drawn + found.boxes)


def _joined(known: Floats | None, more: Floats) -> Floats:
    return more if known is None or not len(known) else np.concatenate([known, more])


def _sums(image: Detections, values: Floats, classes: int) -> Floats:
    return np.bincount(image.classes, weights=values, minlength=classes).astype(np.float64)
