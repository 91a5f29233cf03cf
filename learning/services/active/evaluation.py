"""The evaluation of a round's model: its cut-off, the quality it promises, and the labels that follow.

Knows predictions and selection; neither the states of the loop nor how its objects are selected.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from labeling.models import LabelingJob
from labeling.services.results.labels import ExternalLabel
from learning.contract import Prediction
from learning.models import LearningLoop, LoopObject, Round, Split, TransformJob
from learning.selection import quality
from learning.selection.quality import Outcomes
from learning.selection.thresholds import Decision
from learning.services import transforms
from learning.services.active import error_promise, learners, loop_objects, loop_settings
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
    job, learner = loop.job, learners.of(loop.job)
    passed_before = LoopObject.objects.filter(loop=loop, split=Split.VALIDATION).exclude(passed_in=None)
    passed = set(passed_before.values_list("data_object", flat=True))
    rows = loop_objects.human_labeled(loop, Split.VALIDATION).select_related("label")
    checked = {row.pk: row for row in rows if row.pk not in passed}
    seen, pool_size = error_promise.sampled_pool(loop, seed=settings.seed) if settings.target_error else (set(), 0)
    found: dict[int | None, Prediction] = {}
    pool: list[Prediction] = []
    for one in predictions(job, run):
        if one.error is None and one.object_id in checked:
            found[one.object_id] = one
        elif one.error is None and one.object_id in seen:
            pool.append(one)
    ids = sorted(checked)
    if settings.target_error:
        decision = error_promise.decide(
            loop,
            settings,
            number=number,
            predicted=[found.get(pk) for pk in ids],
            checked=[checked[pk] for pk in ids],
            pool=pool,
            pool_size=pool_size,
        )
    else:
        outcomes = passed_before.order_by("pk").values_list("outcome", flat=True)
        decision = learner.choose(
            [found.get(pk) for pk in ids],
            [loop_objects.truth(job, checked[pk]) for pk in ids],
            labels=job.labels,
            target=settings.target(loop_settings.measure_of(job.task_type)),
            confidence=settings.confidence,
            earlier=_earlier(outcomes, learner.columns(job.labels)),
            seed=settings.seed + number,
        )
    rule = decision.certainty.to_dict()
    figures = {
        "validation_images": len(ids) + len(passed),
        "validation_candidates": len(ids),
        "quality_all": _number(quality.set_quality(decision.outcomes)) if ids else None,
        "expected_quality": _number(decision.quality),
        "quality_lower_bound": _number(decision.lower),
        "validation_coverage": _number(decision.coverage),
    } | ({"score_cuts": rule["cuts"]} if "cuts" in rule else {})
    if settings.target_error:
        figures |= error_promise.figures(decision, settings)
    return Evaluation(decision, ids, figures)


def record(loop: LearningLoop, evaluation: Evaluation, *, number: int) -> None:
    """Store which validation objects the rule of round `number` would have labeled, and how good those labels are."""
    decision = evaluation.decision
    for place in np.flatnonzero(decision.passed):
        outcome = [decision.outcomes.iou[place].tolist(), decision.outcomes.boxes[place].tolist()]
        LoopObject.objects.filter(loop=loop, data_object=evaluation.object_ids[place]).update(
            passed_in=number,
            outcome=outcome,
            score=decision.scores[place],
            loss=None if decision.losses is None else decision.losses[place],
        )


def machine_quality(loop: LearningLoop, settings: LoopSettings) -> dict[str, Any]:
    """The quality of all machine labels of the job, estimated on the validation objects that passed in their rounds."""
    rows = LoopObject.objects.filter(loop=loop, split=Split.VALIDATION).exclude(passed_in=None).order_by("pk")
    columns = learners.of(loop.job).columns(loop.job.labels)
    found = _earlier(rows.values_list("outcome", flat=True), columns)
    known = {"images": 0, "quality": None, "lower_bound": None, "confidence": settings.confidence}
    if found is not None:
        known |= {
            "images": len(found),
            "quality": _number(quality.set_quality(found)),
            "lower_bound": _number(quality.lower_bound(found, settings.confidence)),
        }
    return known | (error_promise.of_all_labels(loop, settings) if settings.target_error else {})


def score_pool(
    job: LabelingJob, round_: Round, predictions: Iterable[Prediction], pool: set[int]
) -> Iterator[tuple[int, float]]:
    """(object id, expected quality) of every object of the pool that has a prediction without an error."""
    learner = learners.of(job)
    rule = learner.rule(round_.rule)
    for prediction in predictions:
        if prediction.object_id in pool and prediction.error is None:
            yield prediction.object_id, learner.sure(rule, prediction, job.labels)


def machine_labels(
    job: LabelingJob, round_: Round, predictions: Iterable[Prediction], scores: dict[int, float]
) -> Iterator[ExternalLabel]:
    """The labels of the objects in `scores` (id -> expected quality), by the round's rule."""
    learner = learners.of(job)
    rule = learner.rule(round_.rule)
    said = learner.explained(rule, job.labels)
    for prediction in predictions:
        if prediction.object_id not in scores:
            continue
        answer = learner.label(rule, prediction, job.labels, scores[prediction.object_id])
        if answer is None:
            continue
        yield ExternalLabel(
            object_id=prediction.object_id,
            answer=answer,
            confidence=round(scores[prediction.object_id], 6),
            explanation={
                "round": round_.number,
                "expected_quality": round(scores[prediction.object_id], 6),
                "threshold": round_.threshold,
                **said,
            },
        )


def predictions(job: LabelingJob, run: TransformJob) -> Iterator[Prediction]:
    """The predictions of a Completed transform, with the places that their classes have in the job now.

    A model predicts by the ids of the classes it was trained with, which may have been renamed or merged since.
    """
    places = {label: place for place, label in enumerate(job.labels)}
    trained = run.model.config.get("class_map") or dict(enumerate(run.model.labels))
    now = {int(number): places.get(job.earlier_labels.get(label, label)) for number, label in trained.items()}
    if all(number == place for number, place in now.items()):
        yield from transforms.predictions(run)
        return
    learner = learners.of(job)
    for prediction in transforms.predictions(run):
        yield learner.placed(prediction, now)


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
