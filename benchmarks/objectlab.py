"""cleanlab's ObjectLab, which benchmarks compare with: installed beside the product, never with it.

It is put into var/objectlab with the few packages that the product lacks, and imported from there.
"""

import importlib
import subprocess
import sys
from collections.abc import Sequence
from types import ModuleType

import numpy as np

from benchmarks.bench_environment import ROOT
from learning.selection.label_pairs import LabeledImage

FOLDER = ROOT / "var" / "objectlab"
PACKAGES = (
    "cleanlab==2.9.0",
    "tqdm==4.67.1",
    "termcolor==3.1.0",
    "pandas==2.3.3",
    "pytz",
    "tzdata",
    "python-dateutil",
    "six",
)
# The thresholds from which it looks at a prediction at all: for places, and for objects and classes.
LOW, HIGH = 0.5, 0.95


def load() -> ModuleType:
    """cleanlab.object_detection.rank, installed when it is missing."""
    if not (FOLDER / ".installed").exists():
        command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(FOLDER), *PACKAGES]
        subprocess.run(command, check=True)
        (FOLDER / ".installed").touch()
    # Last, so that what the product has is used in the product's versions.
    sys.path.append(str(FOLDER))
    return importlib.import_module("cleanlab.object_detection.rank")


class ObjectLab:
    """Its scores of labels, turned around: the higher, the more likely wrong. With its defaults in all things."""

    def __init__(self, rank: ModuleType, images: Sequence[LabeledImage], classes: int, *, stretched: bool) -> None:
        """`stretched`: the scores of predictions are moved to where its thresholds fit this detector (`_stretched`)."""
        scores = [image.predicted.scores for image in images]
        scores = _stretched(scores, sum(len(image.label.classes) for image in images)) if stretched else scores
        labels = [{"bboxes": one.label.corners.reshape(-1, 4), "labels": one.label.classes} for one in images]
        predictions = [
            [
                np.column_stack([one.predicted.corners, given])[one.predicted.classes == number]
                for number in range(classes)
            ]
            for one, given in zip(images, scores, strict=True)
        ]
        given = {"labels": labels, "predictions": predictions}
        self.wrong = -rank.get_label_quality_scores(**given, verbose=False)
        boxes = {
            "overlooked": rank.compute_overlooked_box_scores(**given),
            "badly_placed": rank.compute_badloc_box_scores(**given),
            "wrong_class": rank.compute_swap_box_scores(**given),
        }
        self.kinds = {kind: -rank.pool_box_scores_per_image(found) for kind, found in boxes.items()}
        self.boxes = {kind: -np.concatenate(boxes[kind]) for kind in ("badly_placed", "wrong_class")}


def _stretched(scores: Sequence[np.ndarray], boxes: int) -> list[np.ndarray]:
    """Monotone: as many predictions as there are boxes get LOW or more, and half as many HIGH or more."""
    ordered = np.sort(np.concatenate(scores))[::-1]
    low, high = ordered[min(boxes, len(ordered)) - 1], ordered[min(boxes // 2, len(ordered) - 1)]
    knots = np.maximum.accumulate([0.0, low, high + 1e-9, 1.0 + 2e-9])
    return [np.interp(one, knots, [0.0, LOW, HIGH, 1.0]) for one in scores]
