"""Choosing images that differ from each other: greedy core-set selection. Must not know where embeddings come from."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from learning.selection.quality import Floats

FARTHEST = 2.0
"""Unit vectors are never further apart."""


class Nearest:
    """How far each of n images is from the nearest one that is chosen or labeled: `distance` (n,), 0..FARTHEST.

    The distance is the Euclidean one of unit vectors. Raises ValueError when `embeddings` (n, d) and `labeled` (m, d)
    cannot be compared.
    """

    def __init__(self, embeddings: ArrayLike, labeled: ArrayLike | None = None):
        # Imported here: scikit-learn takes a second and 48 MB to load, which every command of the portal would pay.
        from sklearn.metrics import pairwise_distances_argmin_min

        self._points = _unit(embeddings)
        self.distance: Floats = np.full(len(self._points), FARTHEST)
        if labeled is not None and len(np.asarray(labeled)) and len(self._points):
            known = _unit(labeled)
            if known.shape[1] != self._points.shape[1]:
                sides = f"{self._points.shape[1]} and of {known.shape[1]}"
                raise ValueError(f"embeddings of {sides} numbers cannot be compared")
            self.distance = np.minimum(self.distance, pairwise_distances_argmin_min(self._points, known)[1])

    def choose(self, place: int) -> None:
        """Count the image at this place as chosen."""
        from sklearn.metrics.pairwise import euclidean_distances

        reached = euclidean_distances(self._points, self._points[place : place + 1])[:, 0]
        self.distance = np.minimum(self.distance, reached)


def spread(
    embeddings: ArrayLike, weights: ArrayLike, count: int, labeled: ArrayLike | None = None
) -> NDArray[np.int64]:
    """Indices of `count` of the n images in the order of selection: each has the greatest weight times distance.

    `embeddings` is (n, d), `weights` (n,) non-negative (the uncertainty), `labeled` (m, d) is of images labeled before.
    The distance is to the nearest image selected or labeled (k-center greedy: Sener and Savarese, "Active Learning for
    Convolutional Neural Networks: A Core-Set Approach", 2018, algorithm 1). Ties are broken by the greater weight, then
    by the earlier image, so the result is always the same. At most n are returned. Raises ValueError when the shapes
    do not agree.
    """
    nearest, weight = Nearest(embeddings, labeled), np.asarray(weights, dtype=np.float64)
    if weight.shape != nearest.distance.shape:
        raise ValueError(f"{len(nearest.distance)} embeddings but weights of shape {weight.shape}")
    chosen: list[int] = []
    free = np.ones(len(weight), dtype=bool)
    for _ in range(min(count, len(weight))):
        best = first_best(np.where(free, weight * nearest.distance, -1.0), weight)
        chosen.append(best)
        free[best] = False
        nearest.choose(best)
    return np.array(chosen, dtype=np.int64)


def first_best(gain: Floats, weight: Floats) -> int:
    """The place of the greatest gain; among equal ones that of the greater weight, then the first."""
    return int(np.lexsort((-weight, -gain))[0])


def _unit(vectors: ArrayLike) -> Floats:
    found = np.asarray(vectors, dtype=np.float64)
    if found.ndim != 2:
        raise ValueError(f"embeddings must be a table of (images, numbers), found shape {found.shape}")
    length = np.linalg.norm(found, axis=1, keepdims=True)
    return np.divide(found, length, out=np.zeros_like(found), where=length > 0)
