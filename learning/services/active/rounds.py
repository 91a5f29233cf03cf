"""One round of a loop: people label a batch, a model is trained and predicts, and it labels what it is sure of.

How the batch is chosen and opened is the part of opening.py.

Each function takes one step and says whether another may follow at once. Slow work is done before a transaction, never
in it, and a kill at any point leaves rows from which the same step is taken again. Knows the round's states and sizes;
neither how a cut-off is found (evaluation.py) nor how programs run.
"""

import re
from typing import Any

from django.conf import settings as django_settings
from django.db import transaction

from labeling.models import LabelingJob, ObjectState
from labeling.queries.progress import counters
from labeling.services.functions import waiting
from labeling.services.output import manifests
from labeling.services.results import labels
from learning import families, loop_words, transitions
from learning.contract import MODEL, TRAIN, VALIDATION
from learning.models import LearningLoop, LoopObject, Model, Round, Split
from learning.services import registry, training, transforms
from learning.services.active import (
    auditing,
    choosing,
    class_changes,
    evaluation,
    longer,
    loop_manifests,
    loop_objects,
    loop_settings,
    opening,
    planned,
)
from learning.services.active.loop_settings import LoopSettings
from learning.services.proposing import of_loop
from marketplace import storage
from marketplace.errors import InUse
from marketplace.queue import enqueue

BY = "learning"
INSPECT_AT_ONCE = 500
# After so many failed trainings in a row people label what is left.
MAX_FAILED_TRAININGS = 2


def step(loop: LearningLoop, settings: LoopSettings) -> bool:
    """The next step of the loop; True when there may be another one right after it."""
    live = list(loop.rounds.exclude(status__in=transitions.ROUND.final).order_by("number"))
    if not live:
        if (audit := auditing.live(loop)) is not None:
            return auditing.advance(loop, settings, audit)
        return opening.open_round(loop, settings)
    for selected in live:
        if selected.batch_id is None and opening.open_selected(loop, settings, selected):
            return True
    current = live[0]
    if current.batch_id is None:
        return False
    steps = {"Labeling": after_labels, "Training": after_training, "Predicting": after_predictions}
    moved = steps.get(current.status, auto_label)(loop, current, settings)
    if not moved and settings.overlap and len(live) == 1 and current.status in ("Training", "Predicting"):
        return opening.open_round(loop, settings, while_training=True)
    return moved


# --- people and training -------------------------------------------------------------------------------------------


def after_labels(loop: LearningLoop, current: Round, settings: LoopSettings) -> bool:
    """When the batch is over: start a training on all human labels, unless a model would have nothing to label."""
    # Of a batch that was stopped early a function may still make labels.
    if current.batch.status not in ("Completed", "Stopped") or waiting.merging(loop.job):
        return False
    job, selected = loop.job, loop_objects.selected_count(loop)
    opening.check_sample(loop, settings, seeding=selected <= settings.seed_size)
    figures = {"labeling_seconds": _seconds(current.batch.opened_at, current.batch.status_changed_at)}
    if reason := _no_training(loop, settings, selected):
        return _end_round(current, figures | {"no_training": reason})
    base = _base(loop, current)
    train_uri, validation_uri = storage.join(base, "train.manifest"), storage.join(base, "validation.manifest")
    train = loop_manifests.write_labeled(train_uri, job=job, objects=loop_objects.human_labeled(loop, Split.TRAIN))
    if not train:
        return _end_round(current, figures | {"no_training": loop_words.NOTHING_TO_LEARN})
    validation = loop_manifests.write_labeled(
        validation_uri, job=job, objects=loop_objects.human_labeled(loop, Split.VALIDATION)
    )
    channels: dict[str, Any] = {TRAIN: {"manifest_uri": train_uri}}
    if validation:
        channels[VALIDATION] = {"manifest_uri": validation_uri}
    if (start := _start_model(loop)) is not None:
        channels[MODEL] = class_changes.channel(job, start)
    hyperparameters = settings.hyperparameters(
        task_type=job.task_type,
        labels=job.labels,
        label_attribute_name=job.label_attribute_name,
        round_number=current.number,
    )
    if not validation and loop_settings.family_of(job.task_type) is families.DETECTOR:
        # A loop decides itself what is never trained on.
        hyperparameters["validation_share"] = 0
    with transaction.atomic():
        if transitions.ROUND.advance(current, "Training", by=BY, because=f"{train} labeled objects"):
            current.training_job = training.create_training(
                account=job.account,
                name=_name(loop, current),
                hyperparameters=hyperparameters,
                channels=channels,
                by=BY,
            )
            images = {"train_images": train, "validation_images": validation, "human_labels": train + validation}
            images |= loop_objects.drawn(job)
            current.figures |= figures | images
            current.save(update_fields=["training_job", "figures"])
    return True


def _no_training(loop: LearningLoop, settings: LoopSettings, selected: int) -> str:
    """Why this round needs no model, "" when it does."""
    rest = loop_objects.unlabeled(loop.job).count()
    if rest == 0:
        return loop_words.NOTHING_LEFT
    if opening.percentage_left(loop.job) < 1:
        return loop_words.ENOUGH_LABELS
    if auditing.has_failed(loop):
        return loop_words.BROKEN_PROMISE
    if selected < settings.seed_size and opening.batch_size(loop.job, 1, first=False)[0]:
        return loop_words.NO_SAMPLE
    if loop.rounds.exclude(training_job=None).count() >= settings.max_rounds:
        return loop_words.ENOUGH_MODELS.format(number=settings.max_rounds)
    newest = list(loop.rounds.exclude(training_job=None).order_by("-number")[:MAX_FAILED_TRAININGS])
    if len(newest) == MAX_FAILED_TRAININGS and all(round_.training_job.status == "Failed" for round_ in newest):
        return loop_words.FAILED_BEFORE
    return planned.gives_up(loop)


def _start_model(loop: LearningLoop) -> Model | None:
    """The newest model of the loop, or the one the requester gave."""
    found = opening.newest_model(loop)
    given = loop.job.automated_labeling.get("initial_model")
    if found is None and given:
        found = registry.by_arn(account=loop.job.account, model_arn=given)
    return found


# --- the model ------------------------------------------------------------------------------------------------------


def after_training(loop: LearningLoop, current: Round, settings: LoopSettings) -> bool:
    """Inspect images while the training runs; when it is over, predict the validation split and unlabeled objects."""
    run, job = current.training_job, loop.job
    unseen = list(loop_objects.unlabeled(job).filter(width=None).values_list("pk", flat=True)[:INSPECT_AT_ONCE])
    if unseen:
        opening.inspect(job, unseen)
        # The rest by another message: each one must stay short.
        enqueue("learning.background.advance_loop", loop.pk)
        return False
    if run.status in ("InProgress", "Stopping"):
        return False
    if run.model is None:
        return _end_round(current, {"no_model": run.failure_reason or f"the training is {run.status}"})
    if longer.goes_on(loop, current):
        return False
    figures = {"training_seconds": training.seconds(run), "model": run.model.name} | _metrics(run.model)
    figures |= longer.figures(current)
    uri = storage.join(_base(loop, current), "predict.manifest")
    images = loop_manifests.write_unlabeled(
        uri,
        job,
        loop_objects.human_labeled(loop, Split.VALIDATION),
        # The next objects are to differ from what was learned from.
        loop_objects.human_labeled(loop, Split.TRAIN)[: choosing.KNOWN],
        loop_objects.unlabeled(job),
    )
    with transaction.atomic():
        if transitions.ROUND.advance(current, "Predicting", by=BY, because=f"{images} images"):
            current.transform_job = transforms.create_transform(
                account=job.account, name=_name(loop, current), model=run.model, manifest_uri=uri, by=BY,
                # Only the trust in whole labels asks how steady they are, and to find out takes as long again.
                hyperparameters={"mirrored": True} if settings.target_error else None,
            )  # fmt: skip
            current.figures |= figures
            current.save(update_fields=["transform_job", "figures"])
    return True


def _metrics(model: Model) -> dict[str, float]:
    kept = families.of_architecture(model.architecture).figures
    return {name: value for name, value in model.metrics.items() if name.startswith(kept)}


def after_predictions(loop: LearningLoop, current: Round, settings: LoopSettings) -> bool:
    """When the prediction is over: find the cut-off on the validation objects and store the rule."""
    run = current.transform_job
    if run.status in ("InProgress", "Stopping"):
        return False
    if run.status != "Completed":
        return _end_round(current, {"no_predictions": run.failure_reason or f"the prediction is {run.status}"})
    found = evaluation.evaluate(loop, settings, number=current.number, run=run)
    decision = found.decision
    pool = min(loop_objects.pool(loop).count(), max(opening.percentage_left(loop.job), 0))
    plan = planned.make(loop, settings, current, decision, pool=pool)
    with transaction.atomic():
        because = "no cut-off keeps the promise" if decision.threshold is None else f"from {decision.threshold:.4f} on"
        if transitions.ROUND.advance(current, "AutoLabeling", by=BY, because=because):
            evaluation.record(loop, found, number=current.number)
            current.threshold, current.curve = decision.threshold, decision.curve
            current.rule = decision.certainty.to_dict()
            current.figures |= found.figures | {"predicting_seconds": training.seconds(run), "plan": plan}
            current.save(update_fields=["threshold", "curve", "rule", "figures"])
    return True


def auto_label(loop: LearningLoop, current: Round, settings: LoopSettings) -> bool:
    """Label every object whose expected quality reaches the cut-off, and store the expected quality of the others."""
    job, run = loop.job, current.transform_job
    of_loop.record_blind(loop)
    pool = set(loop_objects.pool(loop).values_list("pk", flat=True))
    scores = dict(evaluation.score_pool(job, current, evaluation.predictions(job, run), pool))
    loop_objects.record_scores(loop, scores.items())
    sure = {pk: score for pk, score in scores.items() if current.threshold is not None and score >= current.threshold}
    allowed = _surest(job, sure)
    try:
        labels.record_labels(
            job=job,
            rows=evaluation.machine_labels(job, current, evaluation.predictions(job, run), allowed),
            model_name=run.model.name,
            algorithm=evaluation.ALGORITHM,
            by=BY,
        )
    except InUse:
        # The job is ending: the labels so far are kept, and the next request to advance the loop ends it too.
        return False
    unmarked = LoopObject.objects.filter(loop=loop, data_object__state=ObjectState.MACHINE, passed_in=None)
    unmarked.filter(data_object__label__model_name=run.model.name).update(passed_in=current.number)
    manifests.refresh_output(job.pk)
    labeled = LoopObject.objects.filter(loop=loop, passed_in=current.number, split="").count()
    pool_size = loop_objects.pool(loop).count() + labeled
    figures = {
        "auto_labeled": labeled,
        "pool": pool_size,
        "coverage": round(labeled / pool_size, 6) if pool_size else 0.0,
        "machine": evaluation.machine_quality(loop, settings),
    }
    return _end_round(current, figures)


def _surest(job: LabelingJob, sure: dict[int, float]) -> dict[int, float]:
    """Those that may be labeled: all of them, or as many of the surest as the requester's limit leaves."""
    if job.max_percentage_labeled is None:
        return sure
    left = max(0, opening.percentage_left(job))
    return dict(sorted(sure.items(), key=lambda item: (-item[1], item[0]))[:left])


# --- ends -----------------------------------------------------------------------------------------------------------


def _end_round(current: Round, figures: dict[str, Any]) -> bool:
    with transaction.atomic():
        if transitions.ROUND.advance(current, "Finished", by=BY):
            current.figures |= figures | {"counters": counters(current.loop.job)}
            current.figures["total_seconds"] = _seconds(current.created_at, current.status_changed_at)
            current.save(update_fields=["figures"])
    return True


def _base(loop: LearningLoop, current: Round) -> str:
    return storage.join(
        django_settings.STORE_URL, "loops", loop.job.account.number, str(loop.pk), f"round-{current.number}"
    )


def _name(loop: LearningLoop, current: Round) -> str:
    """The name of the round's training, model and prediction: the job's, as far as it fits, and numbers of its own."""
    stem = re.sub(r"[^a-zA-Z0-9]+", "-", loop.job.name)[:40].strip("-") or "job"
    return f"{stem}-{loop.pk}-round-{current.number}"


def _seconds(start: Any, end: Any) -> float | None:
    return None if start is None or end is None else round((end - start).total_seconds(), 3)
