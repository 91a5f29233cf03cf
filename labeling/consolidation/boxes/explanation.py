"""Turns the arrays of a consolidation into its result and its reasons: plain JSON with a fixed order of keys.

Numbers are rounded here and nowhere else: pixels to 2 digits, chances and weights to 4; -0.0 becomes 0.0.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from labeling.consolidation.arrays import Floats, Ints
from labeling.consolidation.boxes.answers import UNKNOWN, AnswerArrays, Consolidated, ConsolidatedBox
from labeling.consolidation.boxes.inference import Inference
from labeling.formats import label_attributes


def explain(given: AnswerArrays, inference: Inference, threshold: float, algorithm: str) -> Iterator[Consolidated]:
    """One Consolidated an image, in order."""
    writer = _Writer(given, inference, threshold)
    for image in range(given.images):
        yield writer.image(image, algorithm)


class _Writer:
    """Holds the arrays as lists (reading single numbers out of arrays is slow) and writes one image at a time."""

    def __init__(self, given: AnswerArrays, inference: Inference, threshold: float) -> None:
        self.labels, self.threshold = given.labels, threshold
        self.names = given.workers
        groups = len(inference.real)
        self.real, self.confidence = _rounded(inference.real, 4), _rounded(inference.confidence, 4)
        self.low, self.high = _rounded(inference.confidence_low, 4), _rounded(inference.confidence_high, 4)
        self.label, self.label_chance = inference.label.tolist(), _rounded(inference.label_chance, 4)
        self.fused = _ltwh(inference.fused.ltrb)
        self.medoid = inference.fused.medoid.tolist()
        self.boxes = _ltwh(given.ltrb)
        self.worker, self.given_label = given.worker.tolist(), given.label.tolist()
        self.member_worker = [given.workers[w] for w in self.worker]
        self.member_label = [None if label == UNKNOWN else given.labels[label] for label in self.given_label]
        self.share, self.overlap = _rounded(inference.fused.share, 4), _rounded(inference.member_iou, 4)
        self.members = _split(inference.group, groups, given.worker)
        self.candidates = _split(inference.image, given.images)
        self.answered = _split(given.answer_image, given.images)
        self.answer_worker = given.answer_worker.tolist()
        self.recall = _rounded(inference.rates.recall, 4)
        self.false_positive_rate = _rounded(inference.rates.false_positive_rate, 4)
        self.spread = _rounded(inference.rates.spread.mean(axis=1), 4)
        self.attributes = given.attributes
        self.proposer = given.proposer.tolist()
        self.left: dict[int, list[str]] = {}
        for box, worker in given.copied.tolist():
            self.left.setdefault(int(inference.group[box]), []).append(given.workers[worker])
        self.ignored: dict[int, list[dict[str, Any]]] = {}
        for number, name, *box in given.ignored:
            entry = {"worker": name, "box": [round(v, 2) + 0.0 for v in box], "reason": "outside the image"}
            self.ignored.setdefault(number, []).append(entry)

    def image(self, image: int, algorithm: str) -> Consolidated:
        everybody = sorted({self.answer_worker[m] for m in self.answered[image]})
        here = [w for w in everybody if not self.proposer[w]]
        proposed_by = [self.rates(w) for w in everybody if self.proposer[w]]
        boxes: list[ConsolidatedBox] = []
        clusters: list[dict[str, Any]] = []
        for k in self.candidates[image]:
            entry = self.cluster(k, here)
            if entry["kept"]:
                label = self.labels[self.label[k]]
                left, top, width, height = self.fused[k]
                boxes.append(
                    ConsolidatedBox(label, left, top, width, height, self.confidence[k], cluster=len(clusters))
                )
            clusters.append(entry)
        kept = [entry for entry in clusters if entry["kept"]]
        explanation = {
            "algorithm": algorithm,
            "confidence_low": _mean([entry["confidence_low"] for entry in kept]),
            "confidence_high": _mean([entry["confidence_high"] for entry in kept]),
            "threshold": round(self.threshold, 4),
            "workers": [self.rates(w) for w in here],
            **({"proposed_by": proposed_by} if proposed_by else {}),
            "clusters": clusters,
            "ignored": self.ignored.get(image, []),
        }
        return Consolidated(tuple(boxes), explanation, algorithm)

    def rates(self, w: int) -> dict[str, Any]:
        return {
            "worker": self.names[w],
            "recall": self.recall[w],
            "false_positive_rate": self.false_positive_rate[w],
            "spread": self.spread[w],
        }

    def cluster(self, k: int, here: list[int]) -> dict[str, Any]:
        chosen = self.label[k]
        mine = self.members[k]
        left = sorted(self.left.get(k, []))
        drew = {self.worker[i] for i in mine} | {w for w in here if self.names[w] in left}
        kept = self.confidence[k] >= self.threshold and chosen != UNKNOWN
        return {
            "kept": kept,
            "reason": self.reason(k, kept, len(drew.intersection(here)), len(here)),
            "box": self.fused[k],
            "label": None if chosen == UNKNOWN else self.labels[chosen],
            "confidence": self.confidence[k],
            "confidence_low": self.low[k],
            "confidence_high": self.high[k],
            "exists": self.real[k],
            "label_chance": self.label_chance[k],
            "method": "medoid" if self.medoid[k] else "mean" if len(mine) > 1 else "single",
            "members": [
                {
                    "worker": self.member_worker[i],
                    "box": self.boxes[i],
                    "label": self.member_label[i],
                    "weight": self.share[i],
                    "iou": self.overlap[i],
                    "outvoted": not kept or self.given_label[i] not in (chosen, UNKNOWN),
                    **({"proposed": True} if self.proposer[self.worker[i]] else {}),
                    **label_attributes.written(self.attributes[i]),
                }
                for i in mine
            ],
            "not_drawn_by": [self.names[w] for w in here if w not in drew],
            **({"left_as_proposed_by": left} if left else {}),
        }

    def reason(self, k: int, kept: bool, drew: int, here: int) -> str:
        who = f"drawn by {drew} of {here}"
        if kept:
            return who
        if self.label[k] == UNKNOWN:
            return f"{who}; no label of this job"
        if self.real[k] >= self.threshold:
            return f"{who}; chance {self.label_chance[k]} of its label is too low: {self.confidence[k]} of being right"
        return f"{who}; chance {self.confidence[k]} of being right is below {round(self.threshold, 4)}"


def _mean(values: list[float]) -> float | None:
    return round(sum(values) / len(values), 4) if values else None


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
