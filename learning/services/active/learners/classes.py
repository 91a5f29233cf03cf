"""Classes of images and of texts in a learning loop: one of several, or any number of them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from labeling.formats.shapes import Vote
from learning.contract import PredictedClass, Prediction
from learning.selection import candidates, losses, next_batch, thresholds, trust
from learning.selection.error_rates import CheckedCandidates
from learning.selection.quality import Floats, Outcomes
from learning.selection.thresholds import Bools, Decision
from learning.selection.trust import BoxRule
from learning.selection.uncertainty import Curve
from learning.services.active.learners.interface import Learner, Outcome, without

CUT_OFF = 0.5
"""Of several classes a label says those that are surer than this (task_types/multiple_choice.py)."""
LEAST_OVER = 1e-4
MOST_PROPOSED = 100
"""Classes of an object whose scores are kept where the model counts as one more worker."""


def chances(prediction: Prediction, labels: Sequence[str]) -> Floats:
    """(c,) of the job's classes; 0 for one that the model does not know."""
    found = np.zeros(len(labels))
    for one in prediction.classes:
        found[one.class_id] = one.score
    return found


def _table(predicted: Sequence[Prediction | None], labels: Sequence[str]) -> Floats:
    """(n, c); an object without a prediction has chances of 0."""
    rows = [np.zeros(len(labels)) if one is None else chances(one, labels) for one in predicted]
    return np.array(rows, dtype=np.float64).reshape(-1, len(labels))


class OneClass(Learner[int]):
    """Quality is accuracy: 1 where the most likely class is the one that people chose. The rule is a Curve."""

    def truth(self, label: Any, labels: Sequence[str]) -> int:
        """See Learner: the place of the class."""
        vote: Vote = label
        return list(labels).index(vote.label)

    def choose(
        self,
        predicted: Sequence[Prediction | None],
        truths: Sequence[int],
        *,
        labels: Sequence[str],
        target: float,
        confidence: float,
        earlier: Outcomes | None,
        seed: int,
    ) -> Decision:
        """See Learner."""
        known = candidates.one_class(_table(predicted, labels), truths)
        return thresholds.decide(known, target=target, confidence=confidence, earlier=earlier, seed=seed)

    def checked(
        self,
        predicted: Sequence[Prediction | None],
        truths: Sequence[int],
        *,
        labels: Sequence[str],
        kind: losses.Kind,
        iou: float,
    ) -> CheckedCandidates:
        """See Learner."""
        return trust.labels(candidates.one_class(_table(predicted, labels), truths), kind=kind, iou=iou)

    def rule(self, stored: Mapping[str, Any]) -> Curve:
        """See Learner."""
        return Curve.from_dict(dict(stored))

    def sure(self, rule: Curve, prediction: Prediction, labels: Sequence[str]) -> float:
        """See Learner."""
        return float(rule.predict(np.array([chances(prediction, labels).max(initial=0.0)]))[0])

    def label(self, rule: Curve, prediction: Prediction, labels: Sequence[str], sure: float) -> Vote | None:
        """See Learner: the most likely class, as sure as such a label is right."""
        found = chances(prediction, labels)
        return Vote((labels[int(found.argmax())],), (round(sure, 6),)) if found.any() else None

    def proposed(self, prediction: Prediction, labels: Sequence[str]) -> Vote | None:
        """See Learner: the most likely class with its score."""
        found = chances(prediction, labels)
        return Vote((labels[int(found.argmax())],), (round(float(found.max()), 6),)) if found.any() else None

    def compared(self, found: int, true: int, labels: Sequence[str]) -> Outcome:
        """See Learner."""
        return [[float(found == true)], [1.0]]

    def loss(self, found: int, true: int, *, labels: Sequence[str], kind: losses.Kind, iou: float) -> float:
        """See Learner: both kinds are the same."""
        return float(found != true)

    class_figure = "F1:"

    def doubts(self, prediction: Prediction, labels: Sequence[str]) -> Floats:
        """See Learner: the part of each class in the entropy."""
        return next_batch.entropy_parts(chances(prediction, labels))

    def expected(self, prediction: Prediction, labels: Sequence[str]) -> Floats:
        """See Learner."""
        return chances(prediction, labels)

    def amounts(self, truth: int, labels: Sequence[str]) -> Floats:
        """See Learner."""
        return np.eye(len(labels))[truth]

    def columns(self, labels: Sequence[str]) -> int:
        """See Learner: a label is right or wrong as a whole."""
        return 1

    def merged(self, outcome: Outcome, *, gone: int, kept: int) -> Outcome:
        """See Learner: a wrong label counts as wrong, though it may have confused just these two."""
        return outcome

    def placed(self, prediction: Prediction, places: Mapping[int, int | None]) -> Prediction:
        """See Learner: an object is of a class that two have become if it was of either."""
        return _placed(prediction, places, together=sum)


class SeveralClasses(Learner[Bools]):
    """Quality is the mean over the classes of their Jaccard index. The rule is a Certainty with a cut for each one."""

    def truth(self, label: Any, labels: Sequence[str]) -> Bools:
        """See Learner: (c,) whether the label says the class."""
        vote: Vote = label
        sure = vote.confidences or (1.0,) * len(vote.labels)
        said = {name for name, one in zip(vote.labels, sure, strict=True) if one > CUT_OFF}
        return np.array([name in said for name in labels], dtype=bool)

    def choose(
        self,
        predicted: Sequence[Prediction | None],
        truths: Sequence[Bools],
        *,
        labels: Sequence[str],
        target: float,
        confidence: float,
        earlier: Outcomes | None,
        seed: int,
    ) -> Decision:
        """See Learner."""
        known = candidates.several_classes(_table(predicted, labels), _there(truths, labels))
        return thresholds.decide(known, target=target, confidence=confidence, earlier=earlier, seed=seed)

    def checked(
        self,
        predicted: Sequence[Prediction | None],
        truths: Sequence[Bools],
        *,
        labels: Sequence[str],
        kind: losses.Kind,
        iou: float,
    ) -> CheckedCandidates:
        """See Learner."""
        known = candidates.several_classes(_table(predicted, labels), _there(truths, labels))
        return trust.labels(known, kind=kind, iou=iou)

    def rule(self, stored: Mapping[str, Any]) -> BoxRule:
        """See Learner."""
        return trust.stored_rule(stored)

    def sure(self, rule: BoxRule, prediction: Prediction, labels: Sequence[str]) -> float:
        """See Learner."""
        return float(rule.predict([candidates.tagged(chances(prediction, labels))])[0])

    def label(self, rule: BoxRule, prediction: Prediction, labels: Sequence[str], sure: float) -> Vote | None:
        """See Learner: the classes at or above their cuts.

        Readers of such labels know one cut for all classes: a chance at its own cut is written as that one, and what
        is above in proportion.
        """
        if not prediction.classes:
            return None
        found = chances(prediction, labels)
        kept = np.flatnonzero(found >= rule.cuts)
        names = tuple(labels[int(place)] for place in kept)
        above = (found[kept] - rule.cuts[kept]) / (1 - rule.cuts[kept])
        written = np.maximum(CUT_OFF + (1 - CUT_OFF) * np.clip(above, 0, 1), CUT_OFF + LEAST_OVER)
        return Vote(names, tuple(written.round(6).tolist()))

    def proposed(self, prediction: Prediction, labels: Sequence[str]) -> Vote | None:
        """See Learner: the likeliest classes with their scores, as many as are kept, also those it does not say."""
        if not prediction.classes:
            return None
        found = chances(prediction, labels)
        kept = np.sort(np.argsort(-found, kind="stable")[:MOST_PROPOSED])
        return Vote(tuple(labels[int(place)] for place in kept), tuple(np.clip(found[kept], 0, 1).round(6).tolist()))

    def compared(self, found: Bools, true: Bools, labels: Sequence[str]) -> Outcome:
        """See Learner."""
        return [(found & true).astype(float).tolist(), (found | true).astype(float).tolist()]

    def loss(self, found: Bools, true: Bools, *, labels: Sequence[str], kind: losses.Kind, iou: float) -> float:
        """See Learner: the objects are the classes that either side names."""
        wrong, said = int((found != true).sum()), int((found | true).sum())
        return float(wrong > 0) if kind == "image" or not said else wrong / said

    class_figure = "F1:"

    def doubts(self, prediction: Prediction, labels: Sequence[str]) -> Floats:
        """See Learner: each class is a question of its own."""
        found = chances(prediction, labels)
        return next_batch.entropy_parts(found) + next_batch.entropy_parts(1 - found)

    def expected(self, prediction: Prediction, labels: Sequence[str]) -> Floats:
        """See Learner."""
        return chances(prediction, labels)

    def amounts(self, truth: Bools, labels: Sequence[str]) -> Floats:
        """See Learner."""
        return truth.astype(np.float64)

    def explained(self, rule: BoxRule, labels: Sequence[str]) -> dict[str, Any]:
        """See Learner."""
        return {"score_cuts": dict(zip(labels, rule.cuts.tolist(), strict=True))}

    def merged(self, outcome: Outcome, *, gone: int, kept: int) -> Outcome:
        """See Learner: an object counts for the class if it did for either, as right if it was for either."""
        return without(outcome, gone=gone, kept=kept, values=[max(sums[kept], sums[gone]) for sums in outcome])

    def placed(self, prediction: Prediction, places: Mapping[int, int | None]) -> Prediction:
        """See Learner: the chance of a class that two have become is at least the greater one."""
        return _placed(prediction, places, together=max)


def _there(truths: Sequence[Bools], labels: Sequence[str]) -> Bools:
    return np.array(truths, dtype=bool).reshape(-1, len(labels))


def _placed(prediction: Prediction, places: Mapping[int, int | None], *, together: Any) -> Prediction:
    found: dict[int, list[float]] = {}
    for one in prediction.classes:
        if (place := places.get(one.class_id)) is not None:
            found.setdefault(place, []).append(one.score)
    classes = [PredictedClass(place, min(1.0, together(scores))) for place, scores in found.items()]
    return replace(prediction, classes=classes)
