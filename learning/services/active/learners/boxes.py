"""Boxes of a detector in a learning loop."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from labeling.formats.shapes import Box
from learning.contract import PredictedBox, Prediction
from learning.selection import losses, next_batch, quality, thresholds, trust
from learning.selection.error_rates import CheckedCandidates
from learning.selection.quality import Detections, Floats, Outcomes
from learning.selection.seen import detections
from learning.selection.thresholds import Decision
from learning.selection.trust import BoxRule
from learning.services import transforms
from learning.services.active.learners.interface import Learner, Outcome, without

_NO_BOXES = Detections.of([])


class Boxes(Learner[Detections]):
    """Quality is Ground Truth's mean IoU (selection/quality.py); the rule is a Certainty with a cut for each class."""

    def truth(self, label: Any, labels: Sequence[str]) -> Detections:
        """See Learner."""
        boxes: list[Box] = label
        class_of = {name: place for place, name in enumerate(labels)}
        return Detections.of([(class_of[box.label], box.left, box.top, box.width, box.height, 1.0) for box in boxes])

    def choose(
        self,
        predicted: Sequence[Prediction | None],
        truths: Sequence[Detections],
        *,
        labels: Sequence[str],
        target: float,
        confidence: float,
        earlier: Outcomes | None,
        seed: int,
    ) -> Decision:
        """See Learner. An image that the program could not read counts as one without predicted boxes."""
        return thresholds.choose(
            [_NO_BOXES if one is None else detections(one) for one in predicted],
            truths,
            classes=len(labels),
            target=target,
            confidence=confidence,
            earlier=earlier,
            seed=seed,
        )

    def checked(
        self,
        predicted: Sequence[Prediction | None],
        truths: Sequence[Detections],
        *,
        labels: Sequence[str],
        kind: losses.Kind,
        iou: float,
    ) -> CheckedCandidates:
        """See Learner."""
        seen = [_NO_BOXES if one is None else detections(one) for one in predicted]
        return trust.boxes(seen, truths, classes=len(labels), kind=kind, iou=iou)

    def rule(self, stored: Mapping[str, Any]) -> BoxRule:
        """See Learner."""
        return trust.stored_rule(stored)

    def sure(self, rule: BoxRule, prediction: Prediction, labels: Sequence[str]) -> float:
        """See Learner."""
        return float(rule.predict([detections(prediction)])[0])

    def label(self, rule: BoxRule, prediction: Prediction, labels: Sequence[str], sure: float) -> list[Box] | None:
        """See Learner: the boxes at or above their class's cut, within the image."""
        return _above(prediction, labels, rule.cuts)

    def proposed(self, prediction: Prediction, labels: Sequence[str]) -> list[Box] | None:
        """See Learner: the boxes of no low score."""
        return _above(prediction, labels, np.full(len(labels), transforms.LEAST_SCORE))

    def compared(self, found: Detections, true: Detections, labels: Sequence[str]) -> Outcome:
        """See Learner."""
        iou, boxes = quality.match(found, true, len(labels))
        return [iou.tolist(), boxes.tolist()]

    def loss(
        self, found: Detections, true: Detections, *, labels: Sequence[str], kind: losses.Kind, iou: float
    ) -> float:
        """See Learner."""
        return losses.loss(found, true, kind=kind, iou=iou)

    class_figure = "AP_50:"

    def doubts(self, prediction: Prediction, labels: Sequence[str]) -> Floats:
        """See Learner."""
        return next_batch.box_doubts(detections(prediction), len(labels))

    def expected(self, prediction: Prediction, labels: Sequence[str]) -> Floats:
        """See Learner."""
        return next_batch.score_sums(detections(prediction), len(labels))

    def amounts(self, truth: Detections, labels: Sequence[str]) -> Floats:
        """See Learner."""
        return np.bincount(truth.classes, minlength=len(labels)).astype(np.float64)

    def explained(self, rule: BoxRule, labels: Sequence[str]) -> dict[str, Any]:
        """See Learner."""
        return {"score_cuts": dict(zip(labels, rule.cuts.tolist(), strict=True))}

    def merged(self, outcome: Outcome, *, gone: int, kept: int) -> Outcome:
        """See Learner: boxes of both are boxes of one."""
        return without(outcome, gone=gone, kept=kept, values=[sums[kept] + sums[gone] for sums in outcome])

    def placed(self, prediction: Prediction, places: Mapping[int, int | None]) -> Prediction:
        """See Learner."""

        def kept(boxes: Sequence[PredictedBox]) -> list[PredictedBox]:
            known = ((box, places.get(box.class_id)) for box in boxes)
            return [replace(box, class_id=place) for box, place in known if place is not None]

        mirrored = None if prediction.mirrored is None else kept(prediction.mirrored)
        return replace(prediction, boxes=kept(prediction.boxes), mirrored=mirrored)


def _above(prediction: Prediction, labels: Sequence[str], cuts: Floats) -> list[Box] | None:
    """The boxes at or above the cut (classes,) of their class, within the image; None for one of unknown size."""
    if prediction.image_size is None:
        return None
    width, height = prediction.image_size["width"], prediction.image_size["height"]
    found = detections(prediction)
    corners = np.clip(found.corners, 0.0, [width, height, width, height])
    seen = zip(found.classes.tolist(), corners.tolist(), found.scores.tolist(), strict=True)
    return [
        Box(labels[place], left, top, right - left, bottom - top, score)
        for place, (left, top, right, bottom), score in seen
        if score >= cuts[place] and right > left and bottom > top
    ]
