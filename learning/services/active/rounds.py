"""One round of a loop: a batch for people, a training, predictions of validation and the rest, a cut-off, auto-labels.

Each function takes one step and says whether another may follow at once. Slow work is done before a transaction, never
in it, and a kill at any point leaves rows from which the same step is taken again. Knows the round's states and sizes;
neither how a cut-off is found (judging.py) nor how programs run.
"""

import re
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db import transaction

from labeling.models import DataObject, LabelingJob, ObjectState
from labeling.queries import counters, spending
from labeling.services.intake import inspection
from labeling.services.jobs import advancing, finishing
from labeling.services.output import manifests
from labeling.services.queue import batches
from labeling.services.queue.locking import advance_lock
from labeling.services.results import labels
from learning import transitions
from learning.contract import MODEL, TRAIN, VALIDATION
from learning.models import LearningLoop, LoopObject, Model, Role, Round
from learning.selection.uncertainty import Certainty
from learning.services import registry, training, transforms
from learning.services.active import judging, loop_objects
from learning.services.active.loop_settings import LoopSettings
from marketplace import storage
from marketplace.errors import InUse, LimitExceeded
from marketplace.models import Crowd
from marketplace.queue import enqueue

BY = "learning"
# Ground Truth ends a job when more of its first random sample fail.
MOST_FAILED = 0.1
INSPECT_AT_ONCE = 500
# As for people-only jobs: the public crowd sees ten objects first, to find a wrong set-up before it costs much.
PROBE = 10
# After so many failed trainings in a row people label what is left.
MOST_FAILURES = 2


class CannotGoOn(Exception):
    """The job has to fail; the message is the reason its owner reads."""


def step(loop: LearningLoop, plan: LoopSettings) -> bool:
    """The next step of the loop; True when there may be another one right after it."""
    live = list(loop.rounds.exclude(status__in=transitions.ROUND.final).order_by("number"))
    if not live:
        return open_round(loop, plan)
    current = live[0]
    steps = {"Labeling": after_labels, "Training": after_training, "Predicting": after_predictions}
    moved = steps.get(current.status, auto_label)(loop, current, plan)
    if not moved and plan.overlap and len(live) == 1 and current.status in ("Training", "Predicting"):
        return open_round(loop, plan, while_training=True)
    return moved


# --- people ---------------------------------------------------------------------------------------------------------


def open_round(loop: LearningLoop, plan: LoopSettings, *, while_training: bool = False) -> bool:
    """Ask people for the next objects, or end the job when nobody may be asked for more."""
    job, number = loop.job, loop.rounds.count() + 1
    already = loop_objects.asked(loop)
    seeding = already < plan.seed_size
    wanted = plan.seed_size - already if seeding else plan.batch_size
    count, reason = _how_many(job, wanted, first=number == 1)
    if while_training and loop_objects.unlabeled(job).count() < 2 * plan.batch_size:
        # People would take what the model is being trained for.
        return False
    if count < 1:
        return False if while_training else _finish(loop, reason)
    if seeding:
        roles = loop_objects.choose_seed(loop, plan, number=number, count=count)
    else:
        roles = loop_objects.choose_next(loop, plan, number=number, count=count, embeddings=_embeddings(loop))
    broken = _inspect(job, [*roles])
    if broken:
        # Chosen anew without them; the row remembers that they belonged to the sample.
        loop_objects.assign(loop, dict.fromkeys(broken, ""), number=number)
        _check_sample(loop, plan, seeding=seeding)
        return True
    try:
        with transaction.atomic():
            LearningLoop.objects.select_for_update().get(pk=loop.pk)
            if loop.rounds.count() + 1 != number:
                return True
            batch = batches.open_batch(job=job, object_ids=[*roles], purpose=f"round {number}", by=BY)
            Round.objects.create(loop=loop, number=number, batch=batch, status_changed_at=batch.opened_at)
            loop_objects.assign(loop, roles, number=number)
    except LimitExceeded:
        # Another job of the account spent the money meanwhile: look again at what can be paid.
        return True
    except InUse:
        # Something of the job changed under us (it is stopping, say): the next request sees what.
        return False
    return False


def _how_many(job: LabelingJob, wanted: int, *, first: bool) -> tuple[int, str]:
    """How many objects people may be asked for, and if none the reason why not."""
    rest = loop_objects.unlabeled(job).count()
    if rest == 0:
        return 0, "every object is done"
    if reason := advancing.stopping_reason(job):
        return 0, reason
    affordable = spending.affordable_objects(job)
    if affordable < 1:
        limited = spending.allowed_objects(job) < 1
        return 0, "the spending limit is reached" if limited else "the wallet cannot pay for another object"
    room = [wanted, rest, job.max_concurrent_tasks, affordable, _percentage_room(job)]
    if first and job.workteam.crowd == Crowd.PUBLIC:
        room.append(PROBE)
    if job.max_human_labeled_objects is not None:
        room.append(job.max_human_labeled_objects - counters(job)["HumanLabeled"])
    return min(room), "a stopping condition is reached"


def _percentage_room(job: LabelingJob) -> int:
    """How many more objects may be labeled, by whomever, before the requester's limit."""
    if job.max_percentage_labeled is None:
        return job.objects_total
    return -(-job.objects_total * job.max_percentage_labeled // 100) - counters(job)["TotalLabeled"]


def _inspect(job: LabelingJob, ids: list[int]) -> list[int]:
    """Look at the images that were not looked at yet; the broken ones fail and are returned."""
    unseen = list(
        DataObject.objects.filter(pk__in=ids, width=None, state=ObjectState.UNLABELED).values_list("pk", flat=True)
    )
    if not unseen:
        return []
    labels.fail_objects(job=job, reasons=inspection.inspect_objects(unseen))
    return list(DataObject.objects.filter(pk__in=unseen, state=ObjectState.FAILED).values_list("pk", flat=True))


def _check_sample(loop: LearningLoop, plan: LoopSettings, *, seeding: bool) -> None:
    """Raises CannotGoOn when too many of the first random sample failed, as Ground Truth does."""
    if not seeding:
        return
    sample = LoopObject.objects.filter(loop=loop)
    failed = sample.filter(data_object__state=ObjectState.FAILED).count()
    size = max(plan.seed_size, 1)
    if failed > MOST_FAILED * size:
        first = sample.filter(data_object__state=ObjectState.FAILED).order_by("data_object__index").first()
        raise CannotGoOn(
            f"{failed} of the first random sample of {size} objects failed, more than {MOST_FAILED:.0%}; "
            f"the first: {first.data_object.failure_reason}"
        )


def after_labels(loop: LearningLoop, current: Round, plan: LoopSettings) -> bool:
    """The batch is over: train on all labels there are, unless there is nothing left to use a model for."""
    if current.batch.status not in ("Completed", "Stopped"):
        return False
    job, asked = loop.job, loop_objects.asked(loop)
    _check_sample(loop, plan, seeding=asked <= plan.seed_size)
    figures = {"labeling_seconds": _seconds(current.batch.opened_at, current.batch.status_changed_at)}
    if reason := _no_training(loop, plan, asked):
        return _end_round(current, figures | {"no_training": reason})
    base = _base(loop, current)
    train_uri, validation_uri = storage.join(base, "train.manifest"), storage.join(base, "validation.manifest")
    for_training = loop_objects.write_labeled(train_uri, job=job, objects=loop_objects.human_labeled(loop, Role.TRAIN))
    if not for_training:
        return _end_round(current, figures | {"no_training": "there is no labeled object to learn from"})
    aside = loop_objects.write_labeled(
        validation_uri, job=job, objects=loop_objects.human_labeled(loop, Role.VALIDATION)
    )
    channels: dict[str, Any] = {TRAIN: {"manifest_uri": train_uri}}
    if aside:
        channels[VALIDATION] = {"manifest_uri": validation_uri}
    if (start := _start_model(loop)) is not None:
        channels[MODEL] = {"name": start.name}
    hyperparameters = plan.hyperparameters(
        labels=job.labels, label_attribute_name=job.label_attribute_name, round_number=current.number
    )
    with transaction.atomic():
        if transitions.ROUND.advance(current, "Training", by=BY, because=f"{for_training} labeled objects"):
            current.training_job = training.create_training(
                account=job.account,
                name=_name(loop, current),
                hyperparameters=hyperparameters,
                channels=channels,
                by=BY,
            )
            images = {"train_images": for_training, "validation_images": aside, "human_labels": for_training + aside}
            current.figures |= figures | images
            current.save(update_fields=["training_job", "figures"])
    return True


def _no_training(loop: LearningLoop, plan: LoopSettings, asked: int) -> str:
    """Why this round needs no model, "" when it does."""
    rest = loop_objects.unlabeled(loop.job).count()
    if rest == 0:
        return "no object is left to label"
    if _percentage_room(loop.job) < 1:
        return "as many objects are labeled as the job may have"
    if asked < plan.seed_size and _how_many(loop.job, 1, first=False)[0]:
        return "the first sample is not complete"
    if loop.rounds.exclude(training_job=None).count() >= plan.max_rounds:
        return f"{plan.max_rounds} models were trained, people label the rest"
    newest = list(loop.rounds.exclude(training_job=None).order_by("-number")[:MOST_FAILURES])
    if len(newest) == MOST_FAILURES and all(round_.training_job.status == "Failed" for round_ in newest):
        return "the trainings before failed, people label the rest"
    return ""


def _start_model(loop: LearningLoop) -> Model | None:
    """The newest model of the loop, or the one the requester gave."""
    found = newest_model(loop)
    given = loop.job.automated_labeling.get("initial_model")
    if found is None and given:
        found = registry.by_arn(account=loop.job.account, model_arn=given)
    return found


def newest_model(loop: LearningLoop) -> Model | None:
    """The model of the newest round that made one."""
    rows = loop.rounds.exclude(training_job__model=None).order_by("-number").select_related("training_job__model")
    newest = rows.first()
    return newest.training_job.model if newest else None


# --- the model ------------------------------------------------------------------------------------------------------


def after_training(loop: LearningLoop, current: Round, plan: LoopSettings) -> bool:
    """While it runs, look at the images that were not looked at yet; then predict validation and all that is left."""
    run, job = current.training_job, loop.job
    unseen = list(loop_objects.unlabeled(job).filter(width=None).values_list("pk", flat=True)[:INSPECT_AT_ONCE])
    if unseen:
        _inspect(job, unseen)
        # Asked again from the queue: a message must stay short.
        enqueue("learning.background.advance_loop", loop.pk)
        return False
    if run.status in ("InProgress", "Stopping"):
        return False
    if run.model is None:
        return _end_round(current, {"no_model": run.failure_reason or f"the training is {run.status}"})
    figures = {"training_seconds": training.seconds(run), "model": run.model.name} | _metrics(run.model)
    uri = storage.join(_base(loop, current), "predict.manifest")
    images = loop_objects.write_unlabeled(
        uri, loop_objects.human_labeled(loop, Role.VALIDATION), loop_objects.unlabeled(job)
    )
    with transaction.atomic():
        if transitions.ROUND.advance(current, "Predicting", by=BY, because=f"{images} images"):
            current.transform_job = transforms.create_transform(
                account=job.account, name=_name(loop, current), model=run.model, manifest_uri=uri, by=BY
            )
            current.figures |= figures
            current.save(update_fields=["transform_job", "figures"])
    return True


def _metrics(model: Model) -> dict[str, float]:
    return {name: value for name, value in model.metrics.items() if name.startswith(("mAP", "AP_"))}


def after_predictions(loop: LearningLoop, current: Round, plan: LoopSettings) -> bool:
    """Find the cut-off on the validation objects and write down the rule."""
    run = current.transform_job
    if run.status in ("InProgress", "Stopping"):
        return False
    if run.status != "Completed":
        return _end_round(current, {"no_predictions": run.failure_reason or f"the prediction is {run.status}"})
    verdict = judging.judge(loop, plan, number=current.number, predictions=transforms.predictions(run))
    decision = verdict.decision
    with transaction.atomic():
        because = "no cut-off keeps the promise" if decision.threshold is None else f"from {decision.threshold:.4f} on"
        if transitions.ROUND.advance(current, "AutoLabeling", by=BY, because=because):
            judging.remember(loop, verdict, number=current.number)
            current.threshold, current.curve = decision.threshold, decision.curve
            current.rule = decision.certainty.to_dict()
            current.figures |= verdict.figures | {"predicting_seconds": training.seconds(run)}
            current.save(update_fields=["threshold", "curve", "rule", "figures"])
    return True


def auto_label(loop: LearningLoop, current: Round, plan: LoopSettings) -> bool:
    """Label every object whose expected quality reaches the cut-off, and note how sure the model is of the rest."""
    job, run = loop.job, current.transform_job
    certainty = Certainty.from_dict(current.rule)
    pool = set(loop_objects.unlabeled(job).values_list("pk", flat=True))
    scores = dict(judging.score_pool(certainty, transforms.predictions(run), pool))
    loop_objects.note_scores(loop, scores.items())
    sure = {pk: score for pk, score in scores.items() if current.threshold is not None and score >= current.threshold}
    allowed = _surest(job, sure)
    try:
        labels.record_labels(
            job=job,
            rows=judging.machine_labels(job, current, transforms.predictions(run), allowed),
            model_name=run.model.name,
            algorithm=judging.ALGORITHM,
            by=BY,
        )
    except InUse:
        # The job is ending: what is labeled so far stays, and the next request winds the loop down.
        return False
    mine = LoopObject.objects.filter(loop=loop, data_object__state=ObjectState.MACHINE, passed_in=None)
    mine.filter(data_object__label__model_name=run.model.name).update(passed_in=current.number)
    manifests.refresh_output(job.pk)
    labeled = LoopObject.objects.filter(loop=loop, passed_in=current.number, role="").count()
    before = loop_objects.unlabeled(job).count() + labeled
    figures = {
        "auto_labeled": labeled,
        "pool": before,
        "coverage": round(labeled / before, 6) if before else 0.0,
        "machine": judging.machine_quality(loop, plan),
    }
    return _end_round(current, figures)


def _surest(job: LabelingJob, sure: dict[int, float]) -> dict[int, float]:
    """Those that may be labeled: all, or the surest ones below the requester's limit on the share labeled."""
    if job.max_percentage_labeled is None:
        return sure
    room = max(0, _percentage_room(job))
    return dict(sorted(sure.items(), key=lambda item: (-item[1], item[0]))[:room])


def _embeddings(loop: LearningLoop) -> Iterator[tuple[int, list[float]]]:
    """(object id, vector) of the newest predictions there are."""
    rows = loop.rounds.filter(transform_job__status="Completed").order_by("-number").select_related("transform_job")
    newest = rows.first()
    if newest is not None:
        for prediction in transforms.predictions(newest.transform_job):
            if prediction.object_id is not None:
                yield prediction.object_id, prediction.embedding


# --- ends -----------------------------------------------------------------------------------------------------------


def _end_round(current: Round, figures: dict[str, Any]) -> bool:
    with transaction.atomic():
        if transitions.ROUND.advance(current, "Finished", by=BY):
            current.figures |= figures | {"counters": counters(current.loop.job)}
            current.figures["total_seconds"] = _seconds(current.created_at, current.status_changed_at)
            current.save(update_fields=["figures"])
    return True


def _finish(loop: LearningLoop, reason: str) -> bool:
    """The job is over: what is labeled is its result."""
    job = loop.job
    states = DataObject.objects.filter(job=job)
    if not states.exclude(state=ObjectState.FAILED).exists():
        raise CannotGoOn(
            f"all {states.count()} objects failed; the first: {states.order_by('index')[0].failure_reason}"
        )
    if not loop.rounds.exists() and not states.filter(state=ObjectState.HUMAN).exists():
        raise CannotGoOn(f"nobody could be asked for labels: {reason}")
    # The manifest is slow to write: before the lock.
    manifests.refresh_output(job.pk)
    with advance_lock(job.pk) as held:
        if held is False:
            return try_again(loop)
        with transaction.atomic():
            transitions.LOOP.advance(loop, "Completed", by=BY, because=reason, final_model=newest_model(loop))
            try:
                finishing.complete_job(job=job, by=BY, because=reason)
            except InUse:
                # Stopped by its owner in this very moment: the next request winds the loop down.
                transaction.set_rollback(True)
    return False


def try_again(loop: LearningLoop) -> bool:
    """Take the same step again soon, by a message: somebody else is advancing the job. There is nothing to do now."""
    enqueue("learning.background.advance_loop", loop.pk)
    return False


def _base(loop: LearningLoop, current: Round) -> str:
    return storage.join(settings.STORE_URL, "loops", loop.job.account.number, str(loop.pk), f"round-{current.number}")


def _name(loop: LearningLoop, current: Round) -> str:
    """The name of the round's training, model and prediction: the job's, made fit, and numbers that make it unique."""
    stem = re.sub(r"[^a-zA-Z0-9]+", "-", loop.job.name)[:40].strip("-") or "job"
    return f"{stem}-{loop.pk}-round-{current.number}"


def _seconds(start: Any, end: Any) -> float | None:
    return None if start is None or end is None else round((end - start).total_seconds(), 3)
