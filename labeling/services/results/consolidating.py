"""From answers to labels: reads the newest answers, asks the task type, writes revisions with their reasons.

Pure decisions are in labeling.task_types; here is what they are made of and what follows from them. Every function
is safe to repeat.
"""

import json
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import transaction
from django.db.models import Q, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from labeling import task_types
from labeling.consolidation.answers import WorkerAnswer
from labeling.consolidation.refitting import FIRST_FIT, GROWTH
from labeling.consolidation.stopping import Stopping
from labeling.formats import label_config
from labeling.formats.augmented import EXPIRED
from labeling.models import (
    Answer,
    AssignmentStatus,
    Batch,
    DataObject,
    FunctionStep,
    LabelingJob,
    LabelSource,
    ObjectState,
    Task,
    TaskStatus,
    WorkerModels,
)
from labeling.queries.worker_models import fitted
from labeling.services import one_by_one
from labeling.services.conduct import colluding
from labeling.services.functions import waiting
from labeling.services.intake import audited
from labeling.services.one_by_one import OF_ONE_OBJECT, Failure
from labeling.services.prelabels.evidence import proposals
from labeling.services.queue.owners import Judgement
from labeling.services.results import evidence, labels, reviewing, skills
from labeling.task_types.base import AnswersToImage, Consensus

log = logging.getLogger(__name__)

CHUNK = 200
UNUSABLE = "none of the answers could be read"
"""Why an object failed whose answers give no label."""


@dataclass(frozen=True)
class ReadAnswers:
    """An object with the newest answers to it, and which of them could not be read: {"worker", "reason"}."""

    image: AnswersToImage[Any]
    unreadable: list[dict[str, str]]


def judge(job: LabelingJob, tasks: Sequence[Task]) -> Judgement:
    """Consolidate the newest answers to these tasks, and say which need one more. Nothing is written."""
    models = worker_models(job)
    answered = [task for task in tasks if task.answers_count]
    read = read_answers(job, [task.data_object for task in answered])
    wanting = _wanting(job, [task for task in answered if task.state == TaskStatus.OPEN], read, models)
    found = _consolidated(job, read, models)
    return Judgement(frozenset(wanting), {task.pk: found[task.data_object_id] for task in answered})


def finish(job: LabelingJob, tasks: Sequence[Task], found: Mapping[int, labels.Revision | Failure]) -> None:
    """The tasks are over: what was answered becomes a label, the rest fails or is unlabeled again.

    `found`: the label of each answered task by the task's key, or why the answers give none. Needs the transaction
    that closes the tasks.
    """
    objects = {row.pk: row for row in labels.lock_objects([task.data_object_id for task in tasks])}
    again = _reviewed_again(tasks)
    pending = [task for task in tasks if objects[task.data_object_id].state == ObjectState.PENDING or task.pk in again]
    second = _second_labels(tasks, objects)
    made = {task.data_object_id: found[task.pk] for task in [*pending, *second] if task.answers_count}
    if waiting.has(job, FunctionStep.POST):
        waiting.ask(job, FunctionStep.POST, made)
        made = {}
    kept = {task.data_object_id for task in second}
    made = {pk: one for pk, one in made.items() if pk not in kept or isinstance(one, labels.Revision)}
    labels.write_revisions(
        [one for one in made.values() if isinstance(one, labels.Revision)],
        source=LabelSource.HUMAN,
        algorithm=task_types.get(job.task_type).algorithm,
    )
    labels.fail_answered({pk: one.reason for pk, one in made.items() if isinstance(one, Failure)})
    early = set(Batch.objects.filter(queue=job.queue_id, stopped_early=True).values_list("pk", flat=True))
    rejected = [task for task in pending if not task.answers_count and task.rejections_count]
    reviewing.fail_rejected(job, rejected)
    follow_labels(job, list(made))
    unanswered = [task for task in pending if not task.answers_count and not task.rejections_count]
    # An object without answers fails with AWS's text; it is unlabeled again when its batch was stopped early.
    failed = [task.data_object_id for task in unanswered if task.batch_id not in early]
    DataObject.objects.filter(pk__in=failed).update(state=ObjectState.FAILED, failure_reason=EXPIRED)
    back = [task.data_object_id for task in unanswered if task.batch_id in early]
    DataObject.objects.filter(pk__in=back).update(state=ObjectState.UNLABELED)


def _second_labels(tasks: Sequence[Task], objects: Mapping[int, DataObject]) -> list[Task]:
    """The tasks about objects that a model has labeled; its label stays where people's answers give none."""
    machine = [task for task in tasks if objects[task.data_object_id].state == ObjectState.MACHINE]
    relabel = set(
        Batch.objects.filter(pk__in={task.batch_id for task in machine}, relabels=True).values_list("pk", flat=True)
    )
    return [task for task in machine if task.batch_id in relabel]


def follow_labels(job: LabelingJob, object_ids: Sequence[int]) -> None:
    """What follows for answers and workers when people's labels of these objects were written. Needs a transaction."""
    if job.queue.review_days is not None:
        reviewing.record_agreement(job, object_ids)
    _rate_answers(job, object_ids)


def _rate_answers(job: LabelingJob, object_ids: Sequence[int]) -> None:
    """Record what the labels of these objects say about the workers who answered. Needs a transaction."""
    read = read_answers(job, DataObject.objects.filter(pk__in=object_ids).order_by("pk"))
    evidence.record_agreement(job, {pk: one.image for pk, one in read.items()}, at=timezone.now())


def _reviewed_again(tasks: Sequence[Task]) -> set[int]:
    """The tasks of which a review took an answer away, or gave it back, after their object was labeled or had failed.

    Labels of the requester and of a model are not made of the answers, and stay.
    """
    reviewed = [task.pk for task in tasks if task.rejections_count]
    of_answers = Q(data_object__label__source=LabelSource.HUMAN) | Q(data_object__state=ObjectState.FAILED)
    return set(Task.objects.filter(of_answers, pk__in=reviewed).values_list("pk", flat=True)) if reviewed else set()


def _wanting(job: LabelingJob, tasks: Sequence[Task], read: dict[int, ReadAnswers], models: Any) -> set[int]:
    """The open tasks whose label is not sure enough yet, with the requester's target."""
    rule = stopping_rule(job)
    if rule is None or not tasks:
        return set()
    kind, images = task_types.get(job.task_type), [read[task.data_object_id].image for task in tasks]
    decisions = one_by_one.results(
        images,
        lambda some: kind.decide_many(some, labels=job.labels, rule=rule, workers=models),
        doing="deciding on further answers",
    )
    return {
        task.pk
        for task, decision in zip(tasks, decisions, strict=True)
        if not isinstance(decision, Failure) and decision.ask and task.seats_total < task.max_seats
    }


def stopping_rule(job: LabelingJob) -> Stopping | None:
    """The rule of dynamic redundancy, None for a fixed one."""
    if job.redundancy.get("kind") != "dynamic":
        return None
    return Stopping(
        max_answers=job.queue.max_seats,
        min_answers=job.queue.first_seats,
        target_confidence=job.redundancy["target_confidence"],
    )


def consolidated(job: LabelingJob, objects: Iterable[DataObject]) -> dict[int, labels.Revision | Failure]:
    """The label that the built-in merging makes of each object now, or why there is none. Nothing is written."""
    return _consolidated(job, read_answers(job, objects), worker_models(job))


def _consolidated(
    job: LabelingJob, read: Mapping[int, ReadAnswers], models: Any
) -> dict[int, labels.Revision | Failure]:
    """The label of each object, or why it has none; an object that cannot be consolidated fails alone."""
    found = one_by_one.results([one.image for one in read.values()], _consolidator(job, models), doing="consolidating")
    return {pk: _revision(job, pk, result, one) for (pk, one), result in zip(read.items(), found, strict=True)}


def _consolidator(job: LabelingJob, models: Any) -> Callable[[Sequence[AnswersToImage[Any]]], list[Consensus]]:
    kind = task_types.get(job.task_type)
    return lambda images: kind.consolidate_many(images, labels=job.labels, workers=models)


def _revision(
    job: LabelingJob, object_id: int, result: Consensus | Failure, read: ReadAnswers
) -> labels.Revision | Failure:
    """The label to write, or why there is none."""
    if isinstance(result, Failure):
        return Failure(f"the answers could not be consolidated: {result.reason}")
    if result.value is None or (read.unreadable and not read.image.answers):
        return Failure(UNUSABLE)
    explanation = dict(result.explanation)
    if read.unreadable:
        explanation["unreadable"] = read.unreadable
    kind = task_types.get(job.task_type)
    try:
        json.dumps([result.value, result.confidence, explanation], allow_nan=False)
        problem = kind.unwritable(kind.read_value(result.value), labels=job.labels)
    except OF_ONE_OBJECT as error:
        problem = one_by_one.reason_of(error)
    if problem:
        return Failure(f"the consolidated label cannot be stored: {problem}")
    return labels.Revision(object_id, result.value, result.confidence, explanation)


def read_answers(job: LabelingJob, objects: Iterable[DataObject]) -> dict[int, ReadAnswers]:
    """The newest revision of each worker's answer to each object, by the object's key, with the requester's decision.

    Answers that were rejected are left out.
    """
    kind = task_types.get(job.task_type)
    by_id = {row.pk: row for row in objects}
    # The content is read as text, so that an answer that is no readable JSON fails here, alone, and not in the query.
    rows = (
        Answer.objects.filter(assignment__task__data_object__in=by_id, assignment__state=AssignmentStatus.SUBMITTED)
        .annotate(text=Cast("content", TextField()))
        .order_by("assignment_id", "revision")
        .values_list(
            "assignment__task__data_object_id",
            "assignment__worker__public_id",
            "revision",
            "text",
            "assignment_id",
            "assignment__task__checks",
        )
    )
    began: dict[int, set[str]] = defaultdict(set)
    answers: dict[int, dict[int, WorkerAnswer[Any]]] = defaultdict(dict)
    unreadable: dict[int, list[dict[str, str]]] = defaultdict(list)
    for object_id, worker, revision, text, seat, checks in rows:
        row = by_id[object_id]
        if checks:
            began[object_id].add(worker)
        try:
            size = (row.width or 0, row.height or 0)
            answer = kind.read_stored(orjson.loads(text), labels=job.labels, earlier=job.earlier_labels, size=size)
        except OF_ONE_OBJECT as error:
            unreadable[object_id].append({"worker": worker, "reason": one_by_one.reason_of(error)})
            continue
        answers[object_id][seat] = WorkerAnswer(worker, answer, revision)
    adjudicated = DataObject.objects.filter(pk__in=by_id, label__source=LabelSource.ADJUDICATED)
    golds: dict[int, Any] = {}
    for pk, value in adjudicated.values_list("pk", "label__value"):
        try:
            golds[pk] = kind.read_value(value)
        except OF_ONE_OBJECT as error:
            log.warning("object %d: the adjudicated label cannot be read: %s", pk, one_by_one.reason_of(error))
    shown = audited.of_objects(kind, by_id)
    proposed = proposals(job, by_id, {pk: frozenset(some) for pk, some in began.items()})
    declared = label_config.declared(job.queue.label_category_config)
    return {
        pk: ReadAnswers(
            AnswersToImage(
                tuple(answers[pk].values()),
                (row.width or 0, row.height or 0),
                gold=golds.get(pk),
                key=str(row.index),
                earlier=shown.get(pk),
                declared=declared,
                proposals=proposed.get(pk, ()),
            ),
            unreadable[pk],
        )
        for pk, row in by_id.items()
    }


# --- the workers' models -----------------------------------------------------------------------------------------


def worker_models(job: LabelingJob) -> Any:
    """The models of the last fit; before the first one, models of unknown workers."""
    found = fitted(job)
    return task_types.get(job.task_type).load_workers(found["models"] if found else None)


def refit(*, job: LabelingJob, at_least: int = FIRST_FIT, growth: float = GROWTH) -> bool:
    """Fit the workers' models again when enough objects were labeled since the last time; returns whether it was."""
    labeled = DataObject.objects.filter(job=job, label__source__in=[LabelSource.HUMAN, LabelSource.ADJUDICATED])
    count = labeled.count()
    earlier = fitted(job) or {}
    before = earlier.get("objects", 0)
    if count < at_least or count < before * growth:
        return False
    # An even sample over the job, the same on every run.
    stride = max(1, count // task_types.get(job.task_type).fit_sample)
    ids = list(labeled.order_by("index").values_list("pk", flat=True))[::stride]
    images = []
    for start in range(0, len(ids), CHUNK):
        objects = DataObject.objects.filter(pk__in=ids[start : start + CHUNK]).order_by("pk")
        images += [one.image for one in read_answers(job, objects).values() if one.image.answers]
    kind, models = task_types.get(job.task_type), _fit(job, images)
    if models is None:
        return False
    found = {
        "objects": count,
        "settled": earlier.get("settled", 0),
        "rated": earlier.get("rated", 0),
        "algorithm": kind.algorithm,
        "models": models.to_json(),
    }
    with transaction.atomic():
        WorkerModels.objects.update_or_create(job=job, defaults={"value": found})
        skills.record(queue=job.queue, rows=kind.skill_rows(models, labels=job.labels))
        colluding.request_check(job.queue_id)
    return True


def _fit(job: LabelingJob, images: Sequence[AnswersToImage[Any]]) -> Any:
    """Models of the workers; None when none can be fitted. Images that cannot be consolidated alone are left out."""
    kind = task_types.get(job.task_type)
    for attempt in ("all images", "those that can be consolidated"):
        try:
            models = kind.fit_workers(images, labels=job.labels)
            json.dumps(models.to_json(), allow_nan=False)
        except OF_ONE_OBJECT:
            log.exception("job %d: the workers' models could not be fitted to %s", job.pk, attempt)
            found = one_by_one.results(images, _consolidator(job, kind.load_workers(None)), doing="consolidating")
            images = [image for image, one in zip(images, found, strict=True) if not isinstance(one, Failure)]
        else:
            return models
    return None


def settle(*, job: LabelingJob, batch: Batch) -> int:
    """A last look at a batch, with all that is known of the workers, before anybody relies on it. Returns how many
    labels came out different.

    Labels of earlier batches were made by a crowd less well known. They are looked at again, too, whenever there are
    half as many objects more: so often that they gain by it, so seldom that all looks together cost three.
    """
    if not refit(job=job, growth=1):
        return 0
    stored = WorkerModels.objects.get(job=job)
    count = stored.value["objects"]
    if count < stored.value["settled"] * GROWTH:
        return recompute(job=job, batch=batch)
    written = recompute(job=job)
    stored.value["settled"] = count
    stored.save(update_fields=["value"])
    return written


def recompute(*, job: LabelingJob, batch: Batch | None = None) -> int:
    """Consolidate again with the newest models; what comes out different becomes a new revision. Returns how many.

    A requester's own labels and the machine's stay as they are, and those that a function of the job has made.
    """
    if waiting.has(job, FunctionStep.POST):
        return 0
    kind, models = task_types.get(job.task_type), worker_models(job)
    ours = DataObject.objects.filter(job=job, state=ObjectState.HUMAN, label__source=LabelSource.HUMAN)
    if batch is not None:
        ours = ours.filter(tasks__batch=batch)
    ids, written = list(ours.order_by("pk").values_list("pk", flat=True)), 0
    for start in range(0, len(ids), CHUNK):
        read = read_answers(job, DataObject.objects.filter(pk__in=ids[start : start + CHUNK]).order_by("pk"))
        read = {pk: one for pk, one in read.items() if one.image.answers}
        made = _consolidated(job, read, models).values()
        with transaction.atomic():
            held = DataObject.objects.select_for_update(no_key=True, of=("self",)).select_related("label")
            now = {row.pk: row.label for row in held.filter(pk__in=list(read)).order_by("pk")}
            changed = [
                revision
                for revision in made
                if isinstance(revision, labels.Revision)
                and (label := now[revision.object_id]) is not None
                and label.source == LabelSource.HUMAN
                and label.value != revision.value
            ]
            labels.write_revisions(changed, source=LabelSource.HUMAN, algorithm=kind.algorithm)
            _rate_answers(job, [revision.object_id for revision in changed])
        written += len(changed)
    return written
