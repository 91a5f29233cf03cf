"""How wrong a machine's label of one image is, against the label that is taken for true.

Two losses, both in 0..1. `image`: 1 unless every object is right. `objects`: the share of wrong objects among all that
either side names. An object is right when it is paired with one of the same class at an IoU of at least `iou`; what is
left over is wrong: a missed object, a false one, or one of the wrong class, which counts once and not as both.
`of_outcomes` has the same two for classes and masks. Knows nothing of scores, models or jobs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy.optimize import linear_sum_assignment

from labeling.formats.geometry import iou_matrix
from learning.selection.quality import Detections, Floats, Outcomes

Kind = Literal["image", "objects"]
KINDS: tuple[Kind, ...] = ("image", "objects")
RIGHT_IOU = 0.5
"""At this overlap, the field's usual one, a box is taken for right unless the requester says otherwise."""


def counts(predicted: Detections, truth: Detections, *, iou: float = RIGHT_IOU) -> tuple[int, int]:
    """(wrong objects, all objects) of one image.

    Boxes are paired one to one so that as many as possible are right, then as many as possible overlap (Hungarian
    assignment). Raises ValueError for an `iou` outside 0..1.
    """
    if not 0 < iou <= 1:
        raise ValueError(f"the overlap {iou} must lie between 0 and 1")
    overlap = iou_matrix(predicted.corners, truth.corners) >= iou
    right = overlap & (predicted.classes[:, None] == truth.classes[None, :])
    rows, columns = linear_sum_assignment(right * 2.0 * (overlap.size + 1) + overlap, maximize=True)
    paired = int(overlap[rows, columns].sum())
    objects = len(predicted.classes) + len(truth.classes) - paired
    return objects - int(right[rows, columns].sum()), objects


def loss(predicted: Detections, truth: Detections, *, kind: Kind = "image", iou: float = RIGHT_IOU) -> float:
    """The loss of one image's label in 0..1; an image in which neither side sees an object is right.

    Raises ValueError for an unknown `kind` or an `iou` outside 0..1.
    """
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is no loss; there are {', '.join(KINDS)}")
    wrong, objects = counts(predicted, truth, iou=iou)
    if kind == "image":
        return float(wrong > 0)
    return wrong / objects if objects else 0.0


def losses(
    predicted: Sequence[Detections], truths: Sequence[Detections], *, kind: Kind = "image", iou: float = RIGHT_IOU
) -> Floats:
    """`loss` of each of n images, shape (n,); both sequences are in the same order.

    Raises ValueError when their lengths differ, and as `loss` does.
    """
    if len(predicted) != len(truths):
        raise ValueError(f"{len(predicted)} predictions for {len(truths)} labeled images")
    return np.array([loss(found, true, kind=kind, iou=iou) for found, true in zip(predicted, truths, strict=True)])


def of_outcomes(found: Outcomes, *, kind: Kind = "image", iou: float = RIGHT_IOU) -> Floats:
    """(n,) losses of labels without boxes, by their quality: classes, or masks of classes.

    What a label or the truth says of a class counts as one object, which is right if its quality is at least `iou`.
    """
    there = found.boxes > 0
    wrong = (there & (found.iou < iou * found.boxes)).sum(axis=1).astype(np.float64)
    if kind == "image":
        return (wrong > 0).astype(np.float64)
    return wrong / np.maximum(there.sum(axis=1), 1)
