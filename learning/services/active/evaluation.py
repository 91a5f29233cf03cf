"""The evaluation of a round's model: its cut-off, the quality it promises, and the labels that follow.

Knows predictions and selection; neither the states of the loop nor how its objects are selected.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from labeling.formats.shapes import Box
from labeling.models import LabelingJob
from labeling.services.results.labels import ExternalLabel
from learning.contract import Prediction
from learning.models import LearningLoop, LoopObject, Round, Split, TransformJob
from learning.selection import quality, thresholds
from learning.selection.quality import Detections, Outcomes
from learning.selection.thresholds import Decision
from learning.selection.uncertainty import Certainty
from learning.services import transforms
from learning.services.active import loop_objects
from learning.services.active.loop_settings import LoopSettings

ALGORITHM = "active-learning"


@dataclass(frozen=True)
class Evaluation:
    """A decision, the ids of the validation objects in the order of its arrays, and the figures for the pages."""

    decision: Decision
    object_ids: list[int]
    figures: dict[str, Any]


def evaluate(loop: LearningLoop, settings: LoopSettings, *, number: int, run: TransformJob) -> Evaluation:
    """Find the cut-off that keeps the promise, on the validation objects that have not passed in an earlier round."""
    job = loop.job
    passed_before = LoopObject.objects.filter(loop=loop, split=Split.VALIDATION).exclude(passed_in=None)
    passed = set(passed_before.values_list("data_object", flat=True))
    rows = loop_objects.human_labeled(loop, Split.VALIDATION).select_related("label")
    truths = {row.pk: loop_objects.truth(job, row) for row in rows if row.pk not in passed}
    read = predictions(job, run)
    found = {p.object_id: detections(p) for p in read if p.object_id in truths and p.error is None}
    # An image that the program could not read counts as one without predicted boxes.
    no_boxes = Detections.of([])
    ids = sorted(truths)
    decision = thresholds.choose(
        [found.get(pk, no_boxes) for pk in ids],
        [truths[pk] for pk in ids],
        classes=len(job.labels),
        target=settings.target_iou,
        confidence=settings.confidence,
        earlier=_earlier(passed_before.order_by("pk").values_list("outcome", flat=True), len(job.labels)),
        seed=settings.seed + number,
    )
    figures = {
        "validation_images": len(ids) + len(passed),
        "validation_candidates": len(ids),
        "quality_all": _number(quality.set_quality(decision.outcomes)) if ids else None,
        "expected_quality": _number(decision.quality),
        "quality_lower_bound": _number(decision.lower),
        "validation_coverage": _number(decision.coverage),
        "score_cuts": decision.certainty.cuts.tolist(),
    }
    return Evaluation(decision, ids, figures)


def record(loop: LearningLoop, evaluation: Evaluation, *, number: int) -> None:
    """Store which validation objects the rule of round `number` would have labeled, and how good those labels are."""
    decision = evaluation.decision
    for place in np.flatnonzero(decision.passed):
        outcome = [decision.outcomes.iou[place].tolist(), decision.outcomes.boxes[place].tolist()]
        LoopObject.objects.filter(loop=loop, data_object=evaluation.object_ids[place]).update(
            passed_in=number, outcome=outcome, score=decision.scores[place]
        )


def machine_quality(loop: LearningLoop, settings: LoopSettings) -> dict[str, Any]:
    """The quality of all machine labels of the job, estimated on the validation objects that passed in their rounds."""
    rows = LoopObject.objects.filter(loop=loop, split=Split.VALIDATION).exclude(passed_in=None).order_by("pk")
    found = _earlier(rows.values_list("outcome", flat=True), len(loop.job.labels))
    if found is None:
        return {"images": 0, "quality": None, "lower_bound": None, "confidence": settings.confidence}
    return {
        "images": len(found),
        "quality": _number(quality.set_quality(found)),
        "lower_bound": _number(quality.lower_bound(found, settings.confidence)),
        "confidence": settings.confidence,
    }


def score_pool(certainty: Certainty, predictions: Iterable[Prediction], pool: set[int]) -> Iterator[tuple[int, float]]:
    """(object id, expected quality) of every object of the pool that has a prediction without an error."""
    for prediction in predictions:
        if prediction.object_id in pool and prediction.error is None:
            yield prediction.object_id, float(certainty.predict([detections(prediction)])[0])


def machine_labels(
    job: LabelingJob, round_: Round, predictions: Iterable[Prediction], scores: dict[int, float]
) -> Iterator[ExternalLabel]:
    """The labels of the objects in `scores` (id -> expected quality): the boxes at or above their class's cut."""
    cuts = Certainty.from_dict(round_.rule).cuts
    for prediction in predictions:
        if prediction.object_id not in scores or prediction.image_size is None:
            continue
        width, height = prediction.image_size["width"], prediction.image_size["height"]
        boxes = []
        for box in prediction.boxes:
            left, top = min(max(box.left, 0.0), width), min(max(box.top, 0.0), height)
            right = min(max(box.left + box.width, left), width)
            bottom = min(max(box.top + box.height, top), height)
            if box.score >= cuts[box.class_id] and right > left and bottom > top:
                boxes.append(Box(job.labels[box.class_id], left, top, right - left, bottom - top, box.score))
        yield ExternalLabel(
            object_id=prediction.object_id,
            answer=boxes,
            confidence=round(scores[prediction.object_id], 6),
            explanation={
                "round": round_.number,
                "expected_quality": round(scores[prediction.object_id], 6),
                "threshold": round_.threshold,
                "score_cuts": dict(zip(job.labels, cuts.tolist(), strict=True)),
            },
        )


def predictions(job: LabelingJob, run: TransformJob) -> Iterator[Prediction]:
    """The predictions of a Completed transform, with the places that their classes have in the job now.

    A model predicts by the ids of the classes it was trained with, which may have been renamed or merged since.
    """
    places = {label: place for place, label in enumerate(job.labels)}
    trained = run.model.config.get("class_map") or dict(enumerate(run.model.labels))
    now = {int(number): places.get(job.earlier_labels.get(label, label)) for number, label in trained.items()}
    for prediction in transforms.predictions(run):
        if all(number == place for number, place in now.items()):
            yield prediction
            continue
        known = ((box, now.get(box.class_id)) for box in prediction.boxes)
        boxes = [replace(box, class_id=place) for box, place in known if place is not None]
        yield replace(prediction, boxes=boxes)


def detections(prediction: Prediction) -> Detections:
    """A prediction as selection reads it."""
    return Detections.of([(b.class_id, b.left, b.top, b.width, b.height, b.score) for b in prediction.boxes])


def _earlier(rows: Iterable[Any], classes: int) -> Outcomes | None:
    table = [row for row in rows if row is not None]
    if not table:
        return None
    return Outcomes(
        np.array([iou for iou, _ in table], dtype=np.float64).reshape(-1, classes),
        np.array([boxes for _, boxes in table], dtype=np.float64).reshape(-1, classes),
    )


def _number(value: float | None) -> float | None:
    return None if value is None or np.isnan(value) else round(float(value), 6)
