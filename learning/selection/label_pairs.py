"""Which predicted box is about which box of a label: the first step of finding labels that are likely wrong.

A detector predicts several classes at one place; these are one *location* with a score for each class. Locations and
boxes of the label are paired one to one, whatever their classes are. Knows nothing of what follows from a pair.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from labeling.formats.geometry import areas, iou_matrix
from learning.selection.quality import Detections, Floats

Ints = NDArray[np.int64]

# Predictions of several classes that overlap by so much are one location.
SAME_PLACE_IOU = 0.55
# A location and a box of a label that overlap less are not about the same object.
PAIR_IOU = 0.2
# The score of a class that was not predicted at a location: below any that is stored.
NOT_PREDICTED = 0.004
# Pixels of a side: a smaller box is measured as if it had so many.
SMALLEST = 2.0


@dataclass(frozen=True, slots=True)
class LabeledImage:
    """The label of an image, whose scores are not read, what a detector predicts in it, and its (width, height)."""

    label: Detections
    predicted: Detections
    size: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Pairs:
    """L locations and N boxes of labels of all images together, image after image.

    Of locations: `image` (L,), `corners` (L, 4), `class_scores` (L, C), `pair` (L,) the label's box or -1, `iou` (L,)
    with that box, `other_label` and `other_location` (L,) the greatest IoU with a box of the label that is not its
    pair, and with a location of higher score; `border` (L,) whether it touches the image's border; `share` (L,) of the
    image's area. Of labels: `label_image` (N,), `label_corners` (N, 4), `label_class` (N,), `location` (N,) or -1.
    """

    image: Ints
    corners: Floats
    class_scores: Floats
    pair: Ints
    iou: Floats
    other_label: Floats
    other_location: Floats
    border: Floats
    share: Floats
    label_image: Ints
    label_corners: Floats
    label_class: Ints
    location: Ints

    @property
    def score(self) -> Floats:
        """(L,) the greatest score of any class."""
        return self.class_scores.max(axis=1)

    @property
    def top_class(self) -> Ints:
        """(L,) the class of the greatest score."""
        return self.class_scores.argmax(axis=1)


class _Part(NamedTuple):
    """The arrays of one image; `pair` and `location` count from its own first box and location."""

    corners: Floats
    class_scores: Floats
    pair: Ints
    iou: Floats
    other_label: Floats
    other_location: Floats
    border: Floats
    share: Floats
    location: Ints


def pair(images: Sequence[LabeledImage], classes: int) -> Pairs:
    """Find the locations of each image and pair them with its label; `classes` is the number of classes."""
    parts = [_of_image(image, classes) for image in images]
    boxes = [len(image.label.classes) for image in images]
    locations = [len(part.corners) for part in parts]
    numbers = np.arange(len(images))
    return Pairs(
        image=np.repeat(numbers, locations),
        corners=np.concatenate([np.zeros((0, 4)), *(part.corners for part in parts)]),
        class_scores=np.concatenate([np.zeros((0, classes)), *(part.class_scores for part in parts)]),
        pair=_shifted([part.pair for part in parts], boxes),
        iou=_joined([part.iou for part in parts]),
        other_label=_joined([part.other_label for part in parts]),
        other_location=_joined([part.other_location for part in parts]),
        border=_joined([part.border for part in parts]),
        share=_joined([part.share for part in parts]),
        label_image=np.repeat(numbers, boxes),
        label_corners=np.concatenate([np.zeros((0, 4)), *(image.label.corners.reshape(-1, 4) for image in images)]),
        label_class=_joined([image.label.classes for image in images]).astype(np.int64),
        location=_shifted([part.location for part in parts], locations),
    )


def _joined(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate([np.zeros(0), *parts])


def _shifted(parts: Sequence[Ints], counts: Sequence[int]) -> Ints:
    """Places within each image as places within all of them; -1 stays."""
    before = np.cumsum([0, *counts])[:-1]
    shifted = [np.where(part < 0, -1, part + start) for part, start in zip(parts, before, strict=True)]
    return _joined(shifted).astype(np.int64)


def _of_image(image: LabeledImage, classes: int) -> _Part:
    corners, scores = _locations(image.predicted, classes)
    given = image.label.corners.reshape(-1, 4)
    overlap = iou_matrix(corners, given)
    # A sure prediction that is a little off says more about the box than an unsure one at its very place.
    worth = np.where(overlap >= PAIR_IOU, overlap * np.sqrt(scores.max(axis=1, initial=0.0))[:, None], 0.0)
    rows, columns = linear_sum_assignment(worth, maximize=True)
    taken = worth[rows, columns] > 0
    rows, columns = rows[taken], columns[taken]
    pair, location = np.full(len(corners), -1), np.full(len(given), -1)
    pair[rows], location[columns] = columns, rows
    iou, others = np.zeros(len(corners)), overlap.copy()
    iou[rows], others[rows, columns] = overlap[rows, columns], 0.0
    # Locations come with the highest score first: those above the diagonal are the surer ones.
    surer = np.triu(iou_matrix(corners, corners), k=1)
    width, height = image.size
    near = np.array([width, height, width, height]) * 0.01 + 1
    gaps = np.abs(corners - np.array([0, 0, width, height]))
    return _Part(
        corners=corners,
        class_scores=scores,
        pair=pair,
        iou=iou,
        other_label=others.max(axis=1, initial=0.0),
        other_location=surer.max(axis=0, initial=0.0),
        border=(gaps <= near).any(axis=1).astype(np.float64),
        share=np.clip(areas(corners) / (width * height), 1e-6, 1.0),
        location=location,
    )


def _locations(predicted: Detections, classes: int) -> tuple[Floats, Floats]:
    """(corners (L, 4), class scores (L, C)): predictions of different classes at one place become one location."""
    order = np.argsort(-predicted.scores, kind="stable")
    corners, number, score = predicted.corners[order].reshape(-1, 4), predicted.classes[order], predicted.scores[order]
    overlap = iou_matrix(corners, corners)
    leaders: list[int] = []
    rows: list[Floats] = []
    for at in range(len(corners)):
        near = [place for place, leader in enumerate(leaders) if overlap[at, leader] >= SAME_PLACE_IOU]
        place = max(near, key=lambda one: overlap[at, leaders[one]], default=None)
        if place is None:
            leaders.append(at)
            rows.append(np.full(classes, NOT_PREDICTED))
            place = len(rows) - 1
        rows[place][number[at]] = max(rows[place][number[at]], score[at])
    return corners[leaders], np.array(rows).reshape(-1, classes)
