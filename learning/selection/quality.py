"""How good box labels are: Ground Truth's mean IoU, by image and over a set, with a lower bound.

Ground Truth's definition: over predicted boxes and missed boxes, the mean IoU for each class, then the mean over the
classes. False positives and missed boxes count as 0. Knows nothing of models, scores' meaning, jobs or storage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.special import stdtrit

from labeling.formats.geometry import iou_matrix

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# A pair that overlaps less is no match: it counts as a false positive and a missed box.
MATCH_IOU = 0.3


@dataclass(frozen=True, slots=True)
class Detections:
    """The boxes of one image: `corners` (k, 4) x1 y1 x2 y2 in pixels, `classes` (k,) integers, `scores` (k,) in 0..1.

    The truth of an image is the same with every score 1. `views`: the two looks that the boxes are fused of
    (fusion.py), at the image as it is and mirrored, at their places in the image; None where there was one look.
    """

    corners: Floats
    classes: NDArray[np.int64]
    scores: Floats
    views: tuple[Detections, Detections] | None = None

    @classmethod
    def of(cls, rows: Sequence[tuple[int, float, float, float, float, float]]) -> Detections:
        """From (class, left, top, width, height, score) rows."""
        table = np.array(rows, dtype=np.float64).reshape(-1, 6)
        corners = np.concatenate([table[:, 1:3], table[:, 1:3] + table[:, 3:5]], axis=1)
        return cls(corners, table[:, 0].astype(np.int64), table[:, 5])

    def keep(self, mask: Bools) -> Detections:
        """The boxes where `mask` (k,) holds."""
        return Detections(self.corners[mask], self.classes[mask], self.scores[mask])


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How good the labels of n images are, for c classes: `iou` (n, c) sums, `boxes` (n, c) predicted plus missed."""

    iou: Floats
    boxes: Floats

    def __len__(self) -> int:
        return len(self.boxes)

    def take(self, images: Bools | NDArray[np.int64]) -> Outcomes:
        """These images only (a mask, or indices)."""
        return Outcomes(self.iou[images], self.boxes[images])

    def join(self, other: Outcomes | None) -> Outcomes:
        """Both sets of images together."""
        if other is None:
            return self
        return Outcomes(np.concatenate([self.iou, other.iou]), np.concatenate([self.boxes, other.boxes]))


def match(predicted: Detections, truth: Detections, classes: int) -> tuple[Floats, Floats]:
    """(sums of IoU, predicted plus missed boxes), each of shape (classes,), of one image.

    Boxes are paired one to one within a class so that the sum of IoU is greatest (Hungarian assignment).
    """
    iou, boxes = np.zeros(classes), np.zeros(classes)
    for number in np.union1d(predicted.classes, truth.classes):
        found = predicted.corners[predicted.classes == number]
        true = truth.corners[truth.classes == number]
        overlap = iou_matrix(found, true)
        overlap[overlap < MATCH_IOU] = 0.0
        rows, columns = linear_sum_assignment(overlap, maximize=True)
        paired = overlap[rows, columns]
        iou[number] = paired.sum()
        boxes[number] = len(found) + len(true) - np.count_nonzero(paired)
    return iou, boxes


def outcomes(predicted: Sequence[Detections], truths: Sequence[Detections], classes: int) -> Outcomes:
    """`match` over images; both sequences are in the same order. Raises ValueError when their lengths differ."""
    if len(predicted) != len(truths):
        raise ValueError(f"{len(predicted)} predictions for {len(truths)} labeled images")
    rows = [match(found, true, classes) for found, true in zip(predicted, truths, strict=True)]
    return Outcomes(
        np.array([iou for iou, _ in rows]).reshape(-1, classes),
        np.array([boxes for _, boxes in rows]).reshape(-1, classes),
    )


def image_quality(found: Outcomes) -> Floats:
    """(n,) quality of each image in 0..1; an image without predicted and true boxes has quality 1."""
    present = found.boxes > 0
    ratios = np.divide(found.iou, found.boxes, out=np.zeros_like(found.iou), where=present)
    classes = present.sum(axis=1)
    return np.divide(ratios.sum(axis=1), classes, out=np.ones(len(found)), where=classes > 0)


def set_quality(found: Outcomes) -> float:
    """Quality of the images as one set, in 0..1; classes without boxes are left out. NaN for no image at all."""
    if len(found) == 0:
        return float("nan")
    boxes = found.boxes.sum(axis=0)
    if not boxes.any():
        return 1.0
    present = boxes > 0
    return float((found.iou.sum(axis=0)[present] / boxes[present]).mean())


def with_worst_image(found: Outcomes) -> Outcomes:
    """The same images and one more of quality 0: an average number of boxes of each class, at least one, all missed.

    One image of the worst loss is the correction for a finite sample that conformal risk control uses (Angelopoulos
    et al., "Conformal Risk Control", 2022, equation 4). It also keeps a variance estimate away from zero when all
    the few images seen happen to be perfect.
    """
    average = _average(found)
    return Outcomes(np.vstack([found.iou, np.zeros_like(average)]), np.vstack([found.boxes, average]))


def _with_best_image(found: Outcomes) -> Outcomes:
    """The same images and one more of quality 1: an average number of boxes of each class, at least one, all right."""
    average = _average(found)
    return Outcomes(np.vstack([found.iou, average]), np.vstack([found.boxes, average]))


def _average(found: Outcomes) -> Floats:
    average: Floats = found.boxes.mean(axis=0)
    return average / min(1.0, average.sum()) if average.any() else average


def lower_bound(found: Outcomes, confidence: float) -> float:
    """A value that the quality of the population these images were drawn from exceeds, with `confidence` in 0..1.

    One-sided Student interval for a ratio estimate by linearisation (Cochran, "Sampling Techniques", 1977, 6.4), the
    image being the unit because boxes of one image fail together, over the sample `with_worst_image`. Clipped to 0..1;
    0 for no image or for no box.
    """
    if len(found) == 0 or not found.boxes.any():
        return 0.0
    mean, margin = _estimate(with_worst_image(found), confidence)
    return float(np.clip(mean - margin, 0.0, 1.0))


def upper_bound(found: Outcomes, confidence: float) -> float:
    """A value that the quality of the population falls short of, with `confidence` in 0..1; 1 for no image or no box.

    The mirror of `lower_bound`: over the sample and one image of quality 1.
    """
    if len(found) == 0 or not found.boxes.any():
        return 1.0
    mean, margin = _estimate(_with_best_image(found), confidence)
    return float(np.clip(mean + margin, 0.0, 1.0))


def _estimate(sample: Outcomes, confidence: float) -> tuple[float, float]:
    """The quality of a sample, and the margin of its one-sided interval."""
    images = len(sample)
    totals = sample.boxes.sum(axis=0)
    present = totals > 0
    ratio = sample.iou.sum(axis=0)[present] / totals[present]
    residual = sample.iou[:, present] - ratio * sample.boxes[:, present]
    influence = (residual / (totals[present] / images)).mean(axis=1)
    error = float(influence.std(ddof=1)) / np.sqrt(images)
    return float(ratio.mean()), float(stdtrit(images - 1, confidence) * error)
