"""Masks of semantic segmentation in a learning loop."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from labeling.formats import segments
from labeling.formats.shapes import Segment, Segmentation
from learning.contract import PredictedSegment, Prediction
from learning.selection import candidates, losses, thresholds, trust
from learning.selection.candidates import SureCandidates
from learning.selection.error_rates import CheckedCandidates
from learning.selection.quality import Floats, Outcomes
from learning.selection.thresholds import Decision
from learning.selection.uncertainty import Curve
from learning.services.active.learners.interface import Learner, Outcome, without


class Masks(Learner[Segmentation]):
    """Quality is the mean over the classes of their IoU in the images where prediction or label have them.

    The background is no class. The rule is a Curve.
    """

    def truth(self, label: Any, labels: Sequence[str]) -> Segmentation:
        """See Learner."""
        found: Segmentation = label
        return found

    def choose(
        self,
        predicted: Sequence[Prediction | None],
        truths: Sequence[Segmentation],
        *,
        labels: Sequence[str],
        target: float,
        confidence: float,
        earlier: Outcomes | None,
        seed: int,
    ) -> Decision:
        """See Learner."""
        known = _candidates(predicted, truths, labels)
        return thresholds.decide(known, target=target, confidence=confidence, earlier=earlier, seed=seed)

    def checked(
        self,
        predicted: Sequence[Prediction | None],
        truths: Sequence[Segmentation],
        *,
        labels: Sequence[str],
        kind: losses.Kind,
        iou: float,
    ) -> CheckedCandidates:
        """See Learner."""
        return trust.labels(_candidates(predicted, truths, labels), kind=kind, iou=iou)

    def rule(self, stored: Mapping[str, Any]) -> Curve:
        """See Learner."""
        return Curve.from_dict(dict(stored))

    def sure(self, rule: Curve, prediction: Prediction, labels: Sequence[str]) -> float:
        """See Learner."""
        return float(rule.predict(np.array([_raw(prediction)]))[0])

    def label(self, rule: Curve, prediction: Prediction, labels: Sequence[str], sure: float) -> Segmentation | None:
        """See Learner."""
        found = _segmentation(prediction, labels)
        return None if found is None else replace(found, confidence=round(sure, 6))

    def compared(self, found: Segmentation, true: Segmentation, labels: Sequence[str]) -> Outcome:
        """See Learner."""
        iou, there = overlaps(found, true, labels)
        return [iou.tolist(), there.tolist()]

    def loss(
        self, found: Segmentation, true: Segmentation, *, labels: Sequence[str], kind: losses.Kind, iou: float
    ) -> float:
        """See Learner: the objects are the classes that either side has."""
        overlap, there = overlaps(found, true, labels)
        wrong, said = int(((there > 0) & (overlap < iou)).sum()), int((there > 0).sum())
        return float(wrong > 0) if kind == "image" or not said else wrong / said

    class_figure = "IoU:"

    def doubts(self, prediction: Prediction, labels: Sequence[str]) -> Floats:
        """See Learner: what the pixels of each class are expected to lack of a whole overlap."""
        found = np.zeros(len(labels))
        for one in prediction.segments:
            found[one.class_id] += 1 - one.score
        return found

    def expected(self, prediction: Prediction, labels: Sequence[str]) -> Floats:
        """See Learner."""
        found = np.zeros(len(labels))
        found[[one.class_id for one in prediction.segments]] = 1
        return found

    def amounts(self, truth: Segmentation, labels: Sequence[str]) -> Floats:
        """See Learner."""
        there = {one.label for one in truth.segments}
        return np.array([float(name in there) for name in labels])

    def merged(self, outcome: Outcome, *, gone: int, kept: int) -> Outcome:
        """See Learner. What is joined has an IoU between those of its parts, or above: the lower one is kept."""
        iou, there = outcome
        least = min((iou[place] for place in (gone, kept) if there[place]), default=0.0)
        return without(outcome, gone=gone, kept=kept, values=[least, max(there[gone], there[kept])])

    def placed(self, prediction: Prediction, places: Mapping[int, int | None]) -> Prediction:
        """See Learner: segments of classes that are one now are one segment."""
        known = ((one, places.get(one.class_id)) for one in prediction.segments)
        moved = [(one, place) for one, place in known if place is not None]
        size = prediction.image_size or {"width": 1, "height": 1}
        parts = tuple(Segment(str(place), one.counts, one.score) for one, place in moved)
        joined = segments.joined(Segmentation((size["width"], size["height"]), parts)).segments
        made = [PredictedSegment(int(one.label), one.counts, one.confidence or 0.0) for one in joined]
        return replace(prediction, segments=made)


def _candidates(
    predicted: Sequence[Prediction | None], truths: Sequence[Segmentation], labels: Sequence[str]
) -> SureCandidates:
    pairs = [overlaps(_segmentation(one, labels), true, labels) for one, true in zip(predicted, truths, strict=True)]
    iou = np.array([pair[0] for pair in pairs]).reshape(-1, len(labels))
    there = np.array([pair[1] for pair in pairs]).reshape(-1, len(labels))
    return candidates.masks(np.array([_raw(one) for one in predicted], dtype=np.float64), iou, there)


def _raw(prediction: Prediction | None) -> float:
    """The mean over the predicted classes of their expected IoU; 0 where nothing is predicted."""
    scores = [one.score for one in prediction.segments] if prediction else []
    return float(np.mean(scores)) if scores else 0.0


def _segmentation(prediction: Prediction | None, labels: Sequence[str]) -> Segmentation | None:
    """The masks in the order of the classes, as labels have them."""
    if prediction is None or prediction.image_size is None:
        return None
    found = sorted(prediction.segments, key=lambda one: one.class_id)
    parts = tuple(Segment(labels[one.class_id], one.counts, one.score) for one in found)
    return Segmentation((prediction.image_size["width"], prediction.image_size["height"]), parts)


def overlaps(found: Segmentation | None, true: Segmentation, labels: Sequence[str]) -> tuple[Floats, Floats]:
    """(c,) IoU of each class, and (c,) 1 where either side has it. Masks of another size, or none, overlap nowhere."""
    iou, there = np.zeros(len(labels)), np.zeros(len(labels))
    place = {name: number for number, name in enumerate(labels)}
    if found is None or found.size != true.size:
        there[[place[one.label] for one in true.segments]] = 1
        return iou, there
    starts, lengths = segments.spans([found, true], true.size[0] * true.size[1])
    mine, theirs = (_classes_at(one, starts, place) for one in (found, true))
    for number in np.union1d(mine[mine >= 0], theirs[theirs >= 0]):
        a, b = mine == number, theirs == number
        iou[number], there[number] = lengths[a & b].sum() / lengths[a | b].sum(), 1
    return iou, there


def _classes_at(one: Segmentation, starts: segments.Ints, place: Mapping[str, int]) -> segments.Ints:
    """The place of the class at each of these pixels, -1 for the background."""
    table = np.array([-1, *(place[segment.label] for segment in one.segments)], dtype=np.int64)
    found: segments.Ints = table[segments.at(one, starts)]
    return found
