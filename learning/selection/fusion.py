"""One set of boxes of two looks at an image, as it is and mirrored.

A box that both looks find is where both say on average, weighted by their scores, with the mean of their scores; one
that only one of them finds has half its score. That is weighted boxes fusion (Solovyev, Wang, Gabruseva, "Weighted
boxes fusion: Ensembling boxes from different object detection models", 2021) for two looks, with pairs chosen together
(Hungarian assignment). Knows nothing of models, cuts or what the boxes are for.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from labeling.formats.geometry import iou_matrix
from learning.selection.quality import Detections

SAME_IOU = 0.5
"""From such an overlap on two boxes of a class are of the same object."""
_REPEATED_IOU = 0.6
"""A box that overlaps a better one of its class so far is that object once more."""
_LEAST_WEIGHT = 1e-3
"""Pairs of boxes that neither look believes in are still pairs."""


def fused(image: Detections, mirrored: Detections) -> Detections:
    """The boxes of both looks as one set, which keeps the looks themselves as its `views`."""
    overlap = iou_matrix(image.corners, mirrored.corners) * (image.classes[:, None] == mirrored.classes)
    overlap[overlap < SAME_IOU] = 0.0
    both = image.scores[:, None] * mirrored.scores + _LEAST_WEIGHT
    rows, columns = linear_sum_assignment(overlap * both, maximize=True)
    paired = overlap[rows, columns] > 0
    rows, columns = rows[paired], columns[paired]
    here, there = image.scores[rows], mirrored.scores[columns]
    weights = np.stack([here, there]) + _LEAST_WEIGHT
    met = (image.corners[rows].T * weights[0] + mirrored.corners[columns].T * weights[1]) / weights.sum(axis=0)
    only_here = np.setdiff1d(np.arange(len(image.scores)), rows)
    only_there = np.setdiff1d(np.arange(len(mirrored.scores)), columns)
    found = Detections(
        np.concatenate([met.T, image.corners[only_here], mirrored.corners[only_there]]),
        np.concatenate([image.classes[rows], image.classes[only_here], mirrored.classes[only_there]]),
        np.concatenate([(here + there) / 2, image.scores[only_here] / 2, mirrored.scores[only_there] / 2]),
    )
    once = _without_repeated(found)
    return Detections(once.corners, once.classes, once.scores, views=(image, mirrored))


def _without_repeated(found: Detections) -> Detections:
    """The boxes by falling score, without those that repeat a better one of their class."""
    order = np.argsort(-found.scores, kind="stable")
    again = iou_matrix(found.corners, found.corners) >= _REPEATED_IOU
    again &= found.classes[:, None] == found.classes
    chosen: list[int] = []
    for place in order.tolist():
        if not again[place, chosen].any():
            chosen.append(place)
    return Detections(found.corners[chosen], found.classes[chosen], found.scores[chosen])
