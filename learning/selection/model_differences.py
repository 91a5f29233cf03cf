"""Where two models disagree about an image: the boxes of one that the other does not have. Pure arrays."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from labeling.formats.geometry import iou_matrix
from learning.selection.quality import Detections


def unmatched(left: Detections, right: Detections, *, iou: float = 0.5) -> int:
    """How many boxes of either have no partner of their class in the other that overlaps by `iou` or more.

    Boxes are paired one to one so that as many as possible have a partner.
    """
    pairs = 0
    for number in np.intersect1d(left.classes, right.classes):
        overlap = iou_matrix(left.corners[left.classes == number], right.corners[right.classes == number])
        allowed = overlap >= iou
        # Each allowed pair weighs more than all overlaps together, which only break ties.
        rows, columns = linear_sum_assignment(np.where(allowed, 1 + overlap / (overlap.size + 1), 0), maximize=True)
        pairs += int(np.count_nonzero(allowed[rows, columns]))
    return len(left.classes) + len(right.classes) - 2 * pairs
