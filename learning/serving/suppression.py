"""From a detector's raw heads to boxes: threshold, class-wise non-maximum suppression, best first. numpy only.

The same code follows every backend (torch, OpenVINO, ONNX Runtime), so that their results differ only in the last
digits. It must not know images or models.
"""

import numpy as np
from numpy.typing import NDArray

TOP_CANDIDATES = 400  # per class, before suppression, as torchvision's SSD has it
FIRST_LOOK = 1024
"""So many of the best candidates are looked at first; they are enough where the number of detections is limited."""
BLOCK = 128
"""Candidates that are compared with one another at a time: few enough for the caches, enough for numpy to pay."""


def select_boxes(
    boxes: NDArray[np.float32],
    scores: NDArray[np.float32],
    *,
    score_threshold: float,
    nms_threshold: float,
    max_detections: int,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
    """One image's detections.

    boxes [A, 4] as (x1, y1, x2, y2), scores [A, C] without background. Returns boxes [n, 4], scores [n] and class
    indices [n], best score first; ties keep the order of the anchors, so the result is the same every time.
    """
    flat = scores.ravel()
    above = np.flatnonzero(flat > score_threshold)
    found = flat[above]
    look = FIRST_LOOK
    while True:
        order = _best(found, look)
        anchor, label = np.divmod(above[order], scores.shape[1])
        if len(order) > TOP_CANDIDATES:
            among = _rank_in_class(label) < TOP_CANDIDATES
            order, anchor, label = order[among], anchor[among], label[among]
        candidates = boxes[anchor]
        kept = _greedy(candidates, label, nms_threshold, max_detections)
        if len(kept) == max_detections or look >= len(found):
            return candidates[kept], found[order[kept]], label[kept]
        # Those left out are worse than all of these, so the same boxes are kept again, and more.
        look = len(found)


def _best(scores: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """Where the best `count` scores are, and those that equal the last of them; best first, ties in their order."""
    if count >= len(scores):
        return np.argsort(-scores, kind="stable")
    least = np.partition(scores, len(scores) - count)[len(scores) - count]
    places = np.flatnonzero(scores >= least)
    return places[np.argsort(-scores[places], kind="stable")]


def _rank_in_class(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """For labels sorted by score: how many of the same class come before each."""
    by_class = np.argsort(labels, kind="stable")
    ordered = labels[by_class]
    starts = np.r_[0, np.flatnonzero(np.diff(ordered)) + 1]
    counts = np.diff(np.r_[starts, len(ordered)])
    rank = np.empty_like(by_class)
    rank[by_class] = np.arange(len(ordered)) - np.repeat(starts, counts)
    return rank


def _greedy(boxes: NDArray[np.float32], labels: NDArray[np.int64], threshold: float, limit: int) -> list[int]:
    """Indices kept by greedy suppression, within each class, of boxes sorted best first; at most `limit` of them."""
    corners = np.ascontiguousarray(boxes.T)
    areas = (corners[2] - corners[0]) * (corners[3] - corners[1])
    kept: list[int] = []

    def suppressed(by: NDArray[np.int64] | slice, some: slice) -> NDArray[np.bool_]:
        """[by, some]: whether each box of `by`, if kept, suppresses each of `some`."""
        left, top, right, bottom = corners[:, by, None]
        width = np.minimum(right, corners[2, some]) - np.maximum(left, corners[0, some])
        height = np.minimum(bottom, corners[3, some]) - np.maximum(top, corners[1, some])
        overlap = np.maximum(width, 0) * np.maximum(height, 0)
        # As a product, so that two empty boxes (union 0) are both kept, as torchvision does.
        apart = overlap <= threshold * (areas[by, None] + areas[some] - overlap)
        return np.logical_and(np.logical_not(apart), labels[by, None] == labels[some])

    for start in range(0, len(boxes), BLOCK):
        block = slice(start, min(start + BLOCK, len(boxes)))
        gone = _bits(np.atleast_2d(suppressed(np.array(kept), block).any(0)))[0] if kept else 0
        for place, its in enumerate(_bits(suppressed(block, block))):
            if not gone >> place & 1:
                gone |= its
                kept.append(start + place)
                if len(kept) == limit:
                    return kept
    return kept


def _bits(rows: NDArray[np.bool_]) -> list[int]:
    """Each row as a whole number whose bit `n` is its value `n`: one by one those are quicker than arrays."""
    return [int.from_bytes(row.tobytes(), "little") for row in np.packbits(rows, axis=1, bitorder="little")]
