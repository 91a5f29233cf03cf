"""Choosing images that differ from each other: greedy core-set selection. Must not know where embeddings come from."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from learning.selection.quality import Floats


def spread(
    embeddings: ArrayLike, weights: ArrayLike, count: int, labeled: ArrayLike | None = None
) -> NDArray[np.int64]:
    """Indices of `count` of the n images in the order of selection: each has the greatest weight times distance.

    `embeddings` is (n, d), `weights` (n,) non-negative (the uncertainty), `labeled` (m, d) is of images labeled before.
    The distance is the Euclidean one to the nearest image selected or labeled, of unit vectors (k-center greedy: Sener
    and Savarese, "Active Learning for Convolutional Neural Networks: A Core-Set Approach", 2018, algorithm 1). Ties are
    broken by the greater weight, then by the earlier image, so the result is always the same. At most n are returned.
    Raises ValueError when the shapes do not agree.
    """
    # Imported here: scikit-learn takes a second and 48 MB to load, which every command of the portal would pay.
    from sklearn.metrics import pairwise_distances_argmin_min
    from sklearn.metrics.pairwise import euclidean_distances

    points = _unit(embeddings)
    weight = np.asarray(weights, dtype=np.float64)
    if weight.shape != (len(points),):
        raise ValueError(f"{len(points)} embeddings but weights of shape {weight.shape}")
    count = min(count, len(points))
    if count == 0:
        return np.array([], dtype=np.int64)
    nearest = np.full(len(points), 2.0)  # unit vectors are never further apart
    if labeled is not None and len(np.asarray(labeled)):
        known = _unit(labeled)
        if known.shape[1] != points.shape[1]:
            raise ValueError(f"embeddings of {points.shape[1]} and of {known.shape[1]} numbers cannot be compared")
        nearest = np.minimum(nearest, pairwise_distances_argmin_min(points, known)[1])
    chosen: list[int] = []
    free = np.ones(len(points), dtype=bool)
    for _ in range(count):
        gain = np.where(free, weight * nearest, -1.0)
        best = int(np.lexsort((-weight, -gain))[0])
        chosen.append(best)
        free[best] = False
        nearest = np.minimum(nearest, euclidean_distances(points, points[best : best + 1])[:, 0])
    return np.array(chosen, dtype=np.int64)


def _unit(vectors: ArrayLike) -> Floats:
    found = np.asarray(vectors, dtype=np.float64)
    if found.ndim != 2:
        raise ValueError(f"embeddings must be a table of (images, numbers), found shape {found.shape}")
    length = np.linalg.norm(found, axis=1, keepdims=True)
    return np.divide(found, length, out=np.zeros_like(found), where=length > 0)
