"""Turns the arrays of a consolidation into its result and its reasons: plain JSON with a fixed order of keys.

Numbers are rounded here and nowhere else: pixels to 2 digits, chances and weights to 4; -0.0 becomes 0.0.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from labeling.consolidation.boxes_types import Consolidated, ConsolidatedBox
from labeling.consolidation.clusters import Floats, Ints
from labeling.consolidation.existence import usable_weights
from labeling.consolidation.inference import Inference
from labeling.consolidation.odds import logistic
from labeling.consolidation.stack import UNKNOWN, Stack
from labeling.consolidation.workers import WorkerModels


def explain(
    stack: Stack, inference: Inference, models: WorkerModels, threshold: float, algorithm: str
) -> Iterator[Consolidated]:
    """One Consolidated an image, in order."""
    weights = usable_weights(models.calibration.weights)
    real = logistic(inference.features @ weights)
    writer = _Writer(stack, inference, real, threshold)
    for image in range(stack.images):
        yield writer.image(image, algorithm)


class _Writer:
    """Holds the arrays as lists (reading single numbers out of arrays is slow) and writes one image at a time."""

    def __init__(self, stack: Stack, inference: Inference, real: Floats, threshold: float) -> None:
        self.stack, self.threshold = stack, threshold
        self.names = stack.workers
        groups = len(real)
        self.real, self.confidence = _rounded(real, 4), _rounded(inference.confidence, 4)
        self.label, self.label_chance = inference.label.tolist(), _rounded(inference.label_chance, 4)
        self.fused = _ltwh(inference.fused.ltrb)
        self.medoid = inference.fused.medoid.tolist()
        self.boxes = _ltwh(stack.ltrb)
        self.worker, self.given = stack.worker.tolist(), stack.label.tolist()
        self.drawer = [stack.workers[w] for w in self.worker]
        self.said = [None if label == UNKNOWN else stack.labels[label] for label in self.given]
        self.share, self.overlap = _rounded(inference.fused.share, 4), _rounded(inference.member_iou, 4)
        self.members = _split(inference.group, groups, stack.worker)
        self.candidates = _split(inference.image, stack.images)
        self.answered = _split(stack.answer_image, stack.images)
        self.answer_worker = stack.answer_worker.tolist()
        self.hit, self.false = _rounded(inference.rates.hit, 4), _rounded(inference.rates.false, 4)
        self.spread = _rounded(inference.rates.spread.mean(axis=1), 4)
        self.ignored: dict[int, list[dict[str, Any]]] = {}
        for number, name, *box in stack.ignored:
            entry = {"worker": name, "box": [round(v, 2) + 0.0 for v in box], "reason": "outside the image"}
            self.ignored.setdefault(number, []).append(entry)

    def image(self, image: int, algorithm: str) -> Consolidated:
        here = sorted({self.answer_worker[m] for m in self.answered[image]})
        boxes: list[ConsolidatedBox] = []
        clusters: list[dict[str, Any]] = []
        for k in self.candidates[image]:
            entry = self.cluster(k, here)
            if entry["kept"]:
                label = self.stack.labels[self.label[k]]
                left, top, width, height = self.fused[k]
                boxes.append(ConsolidatedBox(left, top, width, height, label, self.confidence[k], len(clusters)))
            clusters.append(entry)
        explanation = {
            "algorithm": algorithm,
            "threshold": round(self.threshold, 4),
            "workers": [
                {
                    "worker": self.names[w],
                    "hit_rate": self.hit[w],
                    "false_rate": self.false[w],
                    "spread": self.spread[w],
                }
                for w in here
            ],
            "clusters": clusters,
            "ignored": self.ignored.get(image, []),
        }
        return Consolidated(tuple(boxes), explanation, algorithm)

    def cluster(self, k: int, here: list[int]) -> dict[str, Any]:
        labels, chosen = self.stack.labels, self.label[k]
        mine = self.members[k]
        drew = {self.worker[i] for i in mine}
        kept = self.real[k] >= self.threshold and chosen != UNKNOWN
        return {
            "kept": kept,
            "reason": self.reason(k, kept, len(drew), len(here)),
            "box": self.fused[k],
            "label": None if chosen == UNKNOWN else labels[chosen],
            "confidence": self.confidence[k],
            "exists": self.real[k],
            "label_chance": self.label_chance[k],
            "method": "medoid" if self.medoid[k] else "mean" if len(mine) > 1 else "single",
            "members": [
                {
                    "worker": self.drawer[i],
                    "box": self.boxes[i],
                    "label": self.said[i],
                    "weight": self.share[i],
                    "iou": self.overlap[i],
                    "outvoted": not kept or self.given[i] not in (chosen, UNKNOWN),
                }
                for i in mine
            ],
            "not_drawn_by": [self.names[w] for w in here if w not in drew],
        }

    def reason(self, k: int, kept: bool, drew: int, here: int) -> str:
        who = f"drawn by {drew} of {here}"
        if kept:
            return who
        if self.label[k] == UNKNOWN:
            return f"{who}; no label of this job"
        return f"{who}; chance {self.real[k]} of being real is below {round(self.threshold, 4)}"


def _rounded(values: Floats, digits: int) -> Any:
    return (np.round(values, digits) + 0.0).tolist()


def _ltwh(ltrb: Floats) -> list[list[float]]:
    rows: list[list[float]] = _rounded(np.concatenate([ltrb[:, :2], ltrb[:, 2:] - ltrb[:, :2]], axis=1), 2)
    return rows


def _split(group: Ints, groups: int, by: Ints | None = None) -> list[list[int]]:
    """Members of each group, ascending, or first in the order of `by`."""
    order = np.argsort(group, kind="stable") if by is None else np.lexsort((by, group))
    ends = np.cumsum(np.bincount(group, minlength=groups))
    flat = order.tolist()
    return [flat[a:b] for a, b in zip([0, *ends[:-1].tolist()], ends.tolist(), strict=True)] if groups else []
