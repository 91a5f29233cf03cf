"""From a detector's raw heads to boxes: threshold, class-wise non-maximum suppression, best first. numpy only.

The same code follows every backend (torch, OpenVINO, ONNX Runtime), so that their results differ only in the last
digits. It must not know images or models.
"""

import numpy as np
from numpy.typing import NDArray

TOP_CANDIDATES = 400  # per class, before suppression, as torchvision's SSD has it


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
    anchor, label = np.nonzero(scores > score_threshold)
    found = scores[anchor, label]
    order = np.argsort(-found, kind="stable")
    if len(order) > TOP_CANDIDATES:
        order = order[_rank_in_class(label[order]) < TOP_CANDIDATES]
    candidates, found, label = boxes[anchor[order]], found[order], label[order]
    # Boxes are shifted by class, so that boxes of different classes never overlap (batched NMS by offset).
    span = float(candidates.max() - candidates.min()) + 1.0 if len(candidates) else 0.0
    kept = _greedy(candidates + (label * span)[:, None].astype(np.float32), nms_threshold, max_detections)
    return candidates[kept], found[kept], label[kept]


def _rank_in_class(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """For labels sorted by score: how many of the same class come before each."""
    by_class = np.argsort(labels, kind="stable")
    ordered = labels[by_class]
    starts = np.r_[0, np.flatnonzero(np.diff(ordered)) + 1]
    counts = np.diff(np.r_[starts, len(ordered)])
    rank = np.empty_like(by_class)
    rank[by_class] = np.arange(len(ordered)) - np.repeat(starts, counts)
    return rank


def _greedy(boxes: NDArray[np.float32], threshold: float, limit: int) -> list[int]:
    """Indices kept by greedy suppression of boxes sorted best first; stops once `limit` are kept."""
    x1, y1, x2, y2 = (np.ascontiguousarray(boxes[:, side]) for side in range(4))
    areas = (x2 - x1) * (y2 - y1)
    alive = np.arange(len(boxes))
    kept: list[int] = []
    while alive.size and len(kept) < limit:
        best, rest = alive[0], alive[1:]
        kept.append(int(best))
        width = np.minimum(x2[best], x2[rest]) - np.maximum(x1[best], x1[rest])
        height = np.minimum(y2[best], y2[rest]) - np.maximum(y1[best], y1[rest])
        overlap = np.maximum(width, 0) * np.maximum(height, 0)
        # As a product, so that two empty boxes (union 0) are both kept, as torchvision does.
        alive = rest[overlap <= threshold * (areas[best] + areas[rest] - overlap)]
    return kept
