"""From answers to labels: reads the newest answers, asks the task type, writes revisions with their reasons.

Pure decisions are in labeling.task_types; here is what they are made of and what follows from them. Every function
is safe to repeat.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from labeling import task_types
from labeling.consolidation.answers import WorkerAnswer
from labeling.consolidation.stopping import Stopping
from labeling.formats.answers import AnswerError
from labeling.formats.augmented import EXPIRED
from labeling.models import (
    Answer,
    Batch,
    DataObject,
    LabelingJob,
    LabelSource,
    ObjectState,
    Task,
    TaskStatus,
)
from labeling.services.queue.owners import Judgement
from labeling.services.results import labels, skills
from labeling.task_types.base import AnswersToImage, Consensus

CHUNK = 200
FIRST_FIT = 20
"""How many labeled objects there must be before the workers' models are fitted."""
GROWTH = 1.5
"""By which factor the number of labeled objects must grow before the models are fitted again."""
SAMPLE = 2000
"""About how many objects a fit reads at most."""
UNUSABLE = "none of the answers could be read"
"""Why an object failed whose answers give no label."""


@dataclass(frozen=True)
class _Read:
    """An object with the newest answers to it, and which of them could not be read."""

    image: AnswersToImage[Any]
    unreadable: list[dict[str, str]]


def judge(job: LabelingJob, tasks: Sequence[Task]) -> Judgement:
    """Consolidate the newest answers to these tasks, and say which need one more. Nothing is written."""
    kind, models = task_types.get(job.task_type), worker_models(job)
    answered = [task for task in tasks if task.answers_count]
    read = _read_answers(job, [task.data_object for task in answered])
    wanting = _wanting(job, [task for task in answered if task.state == TaskStatus.OPEN], read, models)
    images = [read[task.data_object_id].image for task in answered]
    results = kind.consolidate_many(images, labels=job.labels, workers=models)
    found = {
        task.pk: _revision(task.data_object_id, result, read[task.data_object_id])
        for task, result in zip(answered, results, strict=True)
    }
    return Judgement(frozenset(wanting), found)


def finish(job: LabelingJob, tasks: Sequence[Task], found: Mapping[int, labels.Revision | None]) -> None:
    """The tasks are over: what was answered becomes a label, the rest fails or is unlabeled again.

    `found`: the label of each answered task by the task's key, None where the answers give none. Needs the transaction
    that closes the tasks.
    """
    objects = {row.pk: row for row in labels.lock_objects([task.data_object_id for task in tasks])}
    pending = [task for task in tasks if objects[task.data_object_id].state == ObjectState.PENDING]
    made = {task.data_object_id: found[task.pk] for task in pending if task.answers_count}
    labels.write_revisions(
        [revision for revision in made.values() if revision is not None],
        source=LabelSource.HUMAN,
        algorithm=task_types.get(job.task_type).algorithm,
    )
    unusable = [pk for pk, revision in made.items() if revision is None]
    DataObject.objects.filter(pk__in=unusable).update(state=ObjectState.FAILED, failure_reason=UNUSABLE)
    early = set(Batch.objects.filter(queue=job.queue_id, stopped_early=True).values_list("pk", flat=True))
    unanswered = [task for task in pending if not task.answers_count]
    # An object without answers fails with AWS's text; it is unlabeled again when its batch was stopped early.
    failed = [task.data_object_id for task in unanswered if task.batch_id not in early]
    DataObject.objects.filter(pk__in=failed).update(state=ObjectState.FAILED, failure_reason=EXPIRED)
    back = [task.data_object_id for task in unanswered if task.batch_id in early]
    DataObject.objects.filter(pk__in=back).update(state=ObjectState.UNLABELED)


def _wanting(job: LabelingJob, tasks: Sequence[Task], read: dict[int, _Read], models: Any) -> set[int]:
    """The open tasks whose label is not sure enough yet, with the requester's target."""
    rule = stopping_rule(job)
    if rule is None or not tasks:
        return set()
    images = [read[task.data_object_id].image for task in tasks]
    decisions = task_types.get(job.task_type).decide_many(images, labels=job.labels, rule=rule, workers=models)
    return {
        task.pk
        for task, decision in zip(tasks, decisions, strict=True)
        if decision.ask and task.seats_total < job.workers_per_object
    }


def stopping_rule(job: LabelingJob) -> Stopping | None:
    """The rule of dynamic redundancy, None for a fixed one."""
    if job.redundancy.get("kind") != "dynamic":
        return None
    return Stopping(
        max_answers=job.workers_per_object,
        min_answers=job.queue.first_seats,
        target_confidence=job.redundancy["target_confidence"],
    )


def _revision(object_id: int, result: Consensus, read: _Read) -> labels.Revision | None:
    """The label to write, None when the answers give none."""
    if result.value is None:
        return None
    explanation = dict(result.explanation)
    if read.unreadable:
        explanation["unreadable"] = read.unreadable
    return labels.Revision(object_id, result.value, result.confidence, explanation)


def _read_answers(job: LabelingJob, objects: Iterable[DataObject]) -> dict[int, _Read]:
    """The newest revision of each worker's answer to each object, and what the requester decided where they did."""
    kind = task_types.get(job.task_type)
    by_id = {row.pk: row for row in objects}
    rows = (
        Answer.objects.filter(assignment__task__data_object__in=by_id)
        .order_by("assignment_id", "revision")
        .values_list(
            "assignment__task__data_object_id", "assignment__worker__public_id", "revision", "content", "assignment_id"
        )
    )
    answers: dict[int, dict[int, WorkerAnswer[Any]]] = defaultdict(dict)
    unreadable: dict[int, list[dict[str, str]]] = defaultdict(list)
    for object_id, worker, revision, content, seat in rows:
        row = by_id[object_id]
        try:
            answer = kind.read_answer(content, labels=job.labels, size=(row.width or 0, row.height or 0))
        except AnswerError as error:
            unreadable[object_id].append({"worker": worker, "reason": str(error)})
            continue
        answers[object_id][seat] = WorkerAnswer(worker, answer, revision)
    adjudicated = DataObject.objects.filter(pk__in=by_id, label__source=LabelSource.ADJUDICATED)
    golds = {pk: kind.read_value(value) for pk, value in adjudicated.values_list("pk", "label__value")}
    return {
        pk: _Read(
            AnswersToImage(
                tuple(answers[pk].values()), (row.width or 0, row.height or 0), gold=golds.get(pk), key=str(row.index)
            ),
            unreadable[pk],
        )
        for pk, row in by_id.items()
    }


# --- the workers' models -----------------------------------------------------------------------------------------


def worker_models(job: LabelingJob) -> Any:
    """The models of the last fit; before the first one, models of unknown workers."""
    return task_types.get(job.task_type).load_workers(job.worker_models["models"] if job.worker_models else None)


def refit(*, job: LabelingJob, at_least: int = FIRST_FIT, growth: float = GROWTH) -> bool:
    """Fit the workers' models again when enough objects were labeled since the last time; returns whether it was."""
    labeled = DataObject.objects.filter(job=job, label__source__in=[LabelSource.HUMAN, LabelSource.ADJUDICATED])
    count = labeled.count()
    before = job.worker_models["objects"] if job.worker_models else 0
    if count < at_least or count < before * growth:
        return False
    # An even sample over the job, the same on every run.
    stride = max(1, count // SAMPLE)
    ids = list(labeled.order_by("index").values_list("pk", flat=True))[::stride]
    images = []
    for start in range(0, len(ids), CHUNK):
        objects = DataObject.objects.filter(pk__in=ids[start : start + CHUNK]).order_by("pk")
        images += [one.image for one in _read_answers(job, objects).values() if one.image.answers]
    kind = task_types.get(job.task_type)
    models = kind.fit_workers(images, labels=job.labels)
    settled = job.worker_models.get("settled", 0) if job.worker_models else 0
    found = {"objects": count, "settled": settled, "algorithm": kind.algorithm, "models": models.to_json()}
    job.worker_models = found
    with transaction.atomic():
        job.save(update_fields=["worker_models"])
        skills.record(queue=job.queue, rows=kind.skill_rows(models, labels=job.labels))
    return True


def settle(*, job: LabelingJob, batch: Batch) -> int:
    """A last look at a batch, with all that is known of the workers, before anybody relies on it. Returns how many
    labels came out different.

    Labels of earlier batches were made by a crowd less well known. They are looked at again, too, whenever there are
    half as many objects more: so often that they gain by it, so seldom that all looks together cost three.
    """
    if not refit(job=job, growth=1):
        return 0
    count = job.worker_models["objects"]
    if count < job.worker_models["settled"] * GROWTH:
        return recompute(job=job, batch=batch)
    written = recompute(job=job)
    job.worker_models["settled"] = count
    job.save(update_fields=["worker_models"])
    return written


def recompute(*, job: LabelingJob, batch: Batch | None = None) -> int:
    """Consolidate again with the newest models; what comes out different becomes a new revision. Returns how many.

    A requester's own labels and the machine's stay as they are.
    """
    kind, models = task_types.get(job.task_type), worker_models(job)
    ours = DataObject.objects.filter(job=job, state=ObjectState.HUMAN, label__source=LabelSource.HUMAN)
    if batch is not None:
        ours = ours.filter(tasks__batch=batch)
    ids, written = list(ours.order_by("pk").values_list("pk", flat=True)), 0
    for start in range(0, len(ids), CHUNK):
        read = _read_answers(job, DataObject.objects.filter(pk__in=ids[start : start + CHUNK]).order_by("pk"))
        read = {pk: one for pk, one in read.items() if one.image.answers}
        results = kind.consolidate_many([one.image for one in read.values()], labels=job.labels, workers=models)
        made = [_revision(pk, result, one) for (pk, one), result in zip(read.items(), results, strict=True)]
        with transaction.atomic():
            held = DataObject.objects.select_for_update(no_key=True, of=("self",)).select_related("label")
            now = {row.pk: row.label for row in held.filter(pk__in=list(read)).order_by("pk")}
            changed = [
                revision
                for revision in made
                if revision is not None
                and (label := now[revision.object_id]) is not None
                and label.source == LabelSource.HUMAN
                and label.value != revision.value
            ]
            labels.write_revisions(changed, source=LabelSource.HUMAN, algorithm=kind.algorithm)
        written += len(changed)
    return written
