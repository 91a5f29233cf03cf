"""F1 of detectors: boxes matched with the truth, score cuts chosen on one set of images, F1 on that and on others.

Rekognition Custom Labels reports F1 at an "assumed threshold" of each label, which it fits on the test set; this does
the same. Knows neither models nor storage.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeling.formats.geometry import iou_matrix
from learning.selection.quality import Detections

MATCH_IOU = 0.5
"""From this IoU on a predicted box is the true one, if the classes agree."""

USUAL_CUT = 0.5
"""The score cut of a class that the images do not have, on which none can be chosen."""


@dataclass(frozen=True)
class Matches:
    """The predicted boxes of some images, whether each is right, and how many true boxes each class has.

    `classes`, `scores`, `right`: (k,), one place a predicted box; `truth`: (classes,).
    """

    classes: NDArray[np.int64]
    scores: NDArray[np.float64]
    right: NDArray[np.bool_]
    truth: NDArray[np.int64]


def matches(predicted: Sequence[Detections], truths: Sequence[Detections], *, classes: int) -> Matches:
    """Match the boxes of each image, best score first, each true box once. Raises ValueError for unequal lengths.

    A match does not depend on boxes of lower scores, so that it stays when a cut leaves those out.
    """
    rows: list[tuple[int, float, bool]] = []
    truth = np.zeros(classes, dtype=np.int64)
    for found, true in zip(predicted, truths, strict=True):
        truth += np.bincount(true.classes, minlength=classes)
        rows += _of_image(found, true)
    table = np.array(rows, dtype=np.float64).reshape(-1, 3)
    return Matches(table[:, 0].astype(np.int64), table[:, 1], table[:, 2] > 0, truth)


def _of_image(found: Detections, true: Detections) -> list[tuple[int, float, bool]]:
    overlap = iou_matrix(found.corners, true.corners)
    overlap[found.classes[:, None] != true.classes[None, :]] = 0.0
    free = np.ones(len(true.classes), dtype=bool)
    rows = []
    for place in np.argsort(-found.scores, kind="stable"):
        candidates = np.where(free, overlap[place], 0.0)
        best = int(candidates.argmax()) if len(candidates) else -1
        right = best >= 0 and candidates[best] >= MATCH_IOU
        if right:
            free[best] = False
        rows.append((int(found.classes[place]), float(found.scores[place]), bool(right)))
    return rows


def fit_cuts(found: Matches) -> NDArray[np.float64]:
    """(classes,) the score cut of each class with the best F1 on these images, the highest of equally good ones."""
    cuts = np.full(len(found.truth), USUAL_CUT)
    for number, many in enumerate(found.truth):
        mine = found.classes == number
        if not many or not found.right[mine].any():
            continue
        order = np.argsort(-found.scores[mine], kind="stable")
        scores, right = found.scores[mine][order], found.right[mine][order]
        f1 = 2 * np.cumsum(right) / (np.arange(1, len(right) + 1) + many)
        # Between boxes of one score there is no cut.
        last = np.append(scores[1:] != scores[:-1], True)
        cuts[number] = scores[int(np.where(last, f1, -1.0).argmax())]
    return cuts


def figures(found: Matches, cuts: NDArray[np.float64], labels: Sequence[str]) -> dict[str, Any]:
    """{"f1", "precision", "recall", "boxes": true ones, "by_class": {label: F1 or None}} at these cuts.

    F1 is 2 TP / (2 TP + FP + FN) over the boxes of all classes together, so that every wrong box counts, of whichever
    class; 1 where there is neither a true nor a predicted box. A class without either has None.
    """
    kept = found.scores >= cuts[found.classes]
    size = len(found.truth)
    right = np.bincount(found.classes[kept & found.right], minlength=size)
    said = np.bincount(found.classes[kept], minlength=size)
    total, all_said, all_true = int(right.sum()), int(said.sum()), int(found.truth.sum())
    return {
        "f1": _ratio(2 * total, all_said + all_true),
        "precision": _ratio(total, all_said),
        "recall": _ratio(total, all_true),
        "boxes": all_true,
        "by_class": {
            label: 2 * int(right[n]) / int(said[n] + found.truth[n]) if said[n] + found.truth[n] else None
            for n, label in enumerate(labels)
        },
    }


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 1.0


def cuts_by_name(cuts: NDArray[np.float64], labels: Sequence[str]) -> Mapping[str, float]:
    """The cuts as JSON keeps them."""
    return {label: round(float(cut), 6) for label, cut in zip(labels, cuts, strict=True)}
