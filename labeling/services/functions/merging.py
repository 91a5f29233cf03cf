"""The function after people: it makes the labels of objects out of the answers to them, some objects in one call."""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from labeling import hooks, task_types
from labeling.formats import worker_responses
from labeling.formats.function_calls import FunctionAnswerError, payload_entry, post_request, read_post_response
from labeling.models import (
    DataObject,
    FunctionCall,
    FunctionStep,
    LabelingJob,
    LabelSource,
    ObjectState,
    Task,
)
from labeling.services.functions import failures, tries, waiting
from labeling.services.functions.asking import Asker, CallFailed
from labeling.services.functions.waiting import Asked
from labeling.services.intake import label_files, texts
from labeling.services.one_by_one import OF_ONE_OBJECT, Failure, reason_of
from labeling.services.output import manifests
from labeling.services.results import consolidating, labels
from marketplace import arns, storage

AT_ONCE = 50
"""Objects in one call."""

ALONE_SECONDS = 300
"""How long objects that were refused together are tried alone."""

ALGORITHM = "function"
"""The algorithm of labels that a function made."""

READABLE_SECONDS = 3600
"""How long the address of a payload may be read."""

ROLE = "waggle"
"""The name in `roleArn` where the job has no role of its requester's."""

Made = dict[int, labels.Revision | FunctionAnswerError]


def ask(job: LabelingJob, asked: Asked, asker: Asker, *, now: datetime) -> bool | None:
    """Ask about some objects of one batch that are due; None when none is, else whether the function answered."""
    due = waiting.calls(job, FunctionStep.POST).filter(due_at__lte=now).order_by("tries", "due_at", "pk")
    rows = list(due.select_related("data_object")[:AT_ONCE])
    if not rows:
        return None
    tasks = _tasks(rows)
    numbers = {pk: some[-1].batch.number for pk, some in tasks.items()}
    some = [row for row in rows if numbers.get(row.data_object_id) == min(numbers.values(), default=None)]
    if not some:
        # Their answers were rejected a moment ago; the next pass drops them.
        return None
    tries.take(some)
    return _ask(job, asked, asker, some, tasks)


def _tasks(rows: Sequence[FunctionCall]) -> dict[int, list[Task]]:
    """The answered tasks of each object, the newest one last."""
    found = Task.objects.filter(data_object__in=[row.data_object_id for row in rows], gold=None, answers_count__gt=0)
    tasks: dict[int, list[Task]] = defaultdict(list)
    for task in found.select_related("batch", "data_object").order_by("pk"):
        tasks[task.data_object.pk].append(task)
    return tasks


def _ask(
    job: LabelingJob, asked: Asked, asker: Asker, rows: Sequence[FunctionCall], tasks: Mapping[int, Sequence[Task]]
) -> bool:
    """One call. When the function refuses several objects at once each is tried alone: one bad one fails alone."""
    try:
        made = _made(job, asker, rows, tasks)
    except CallFailed as error:
        if len(rows) > 1 and not error.again:
            return _ask_alone(job, asked, asker, rows, tasks)
        again = [row for row in rows if error.again and not tries.used_up(row, job)]
        tries.note(again, str(error))
        made = {row.data_object_id: FunctionAnswerError(str(error)) for row in rows if row not in again}
        conclude(job, asked, rows, made)
        return not error.again
    conclude(job, asked, rows, made)
    return True


def _ask_alone(
    job: LabelingJob, asked: Asked, asker: Asker, rows: Sequence[FunctionCall], tasks: Mapping[int, Sequence[Task]]
) -> bool:
    """A call for each, as long as there is time; those that are left are tried again together."""
    ends, answered = time.monotonic() + ALONE_SECONDS, False
    for row in rows:
        if time.monotonic() < ends:
            answered |= _ask(job, asked, asker, [row], tasks)
    return answered


def _made(job: LabelingJob, asker: Asker, rows: Sequence[FunctionCall], tasks: Mapping[int, Sequence[Task]]) -> Made:
    """The labels of these objects. Raises CallFailed when the function gives none."""
    number = tasks[rows[0].data_object_id][-1].batch.number
    key = worker_responses.consolidation_request_key(iteration=number, moment=timezone.now())
    uri = _free(storage.join(manifests.root(job), key))
    storage.write(uri, orjson.dumps(_payload(job, rows, tasks)), content_type="application/json")
    answer = asker.call(_event(job, uri), tries.message_id(rows))
    objects = {row.data_object.index: row.data_object for row in rows}
    try:
        found = read_post_response(answer, object_ids=list(objects), attribute=job.label_attribute_name)
    except FunctionAnswerError as error:
        raise CallFailed(f"its answer is not what was expected: {error}", again=False) from None
    response = uri.replace("/consolidation-request/", "/consolidation-response/")
    storage.write(response, orjson.dumps(answer), content_type="application/json")
    beside = consolidating.consolidated(job, objects.values()) if not task_types.get(job.task_type).merges else {}
    return {row.pk: _revision(job, row.pk, found[index], beside) for index, row in objects.items()}


def _free(uri: str) -> str:
    """The address, or the first numbered one after it at which nothing is stored: keys have whole seconds."""
    base, number, free = uri.removesuffix(".json"), 1, uri
    while storage.exists(free):
        number += 1
        free = f"{base}-{number}.json"
    return free


def _event(job: LabelingJob, uri: str) -> dict[str, Any]:
    payload = {"s3Uri": uri}
    for make in hooks.file_link:
        payload["url"] = make(uri, READABLE_SECONDS)
    number = job.account.number
    return post_request(
        job_arn=arns.build("labeling-job", number, job.name, region=settings.REGION),
        label_attribute_name=job.label_attribute_name,
        label_categories=job.labels,
        role_arn=job.role_arn or arns.build("role", number, ROLE),
        output_config=job.output_uri,
        payload=payload,
    )


def _payload(
    job: LabelingJob, rows: Sequence[FunctionCall], tasks: Mapping[int, Sequence[Task]]
) -> list[dict[str, Any]]:
    mine = {row.data_object_id: tasks[row.data_object_id] for row in rows}
    given = manifests.answers_of_tasks(job, [task for some in mine.values() for task in some])
    inline = texts.inline_texts([row.data_object_id for row in rows if not row.data_object.source_ref])
    answers = {pk: [one for task in some for one in given.get(task.pk, [])] for pk, some in mine.items()}
    return [
        payload_entry(
            row.data_object.index,
            source_ref=row.data_object.source_ref,
            text=inline.get(row.data_object_id),
            answers=[(one.worker_id, one.content) for one in answers[row.data_object_id]],
        )
        for row in rows
    ]


def _revision(
    job: LabelingJob,
    object_id: int,
    content: dict[str, Any] | FunctionAnswerError,
    beside: Mapping[int, labels.Revision | Failure],
) -> labels.Revision | FunctionAnswerError:
    """The label to write. A type that merges answers must be able to read it; another keeps the answers beside it."""
    if isinstance(content, FunctionAnswerError):
        return content
    kind, attribute = task_types.get(job.task_type), job.label_attribute_name
    if not kind.merges:
        one = beside[object_id]
        if isinstance(one, Failure):
            return FunctionAnswerError(one.reason)
        return replace(one, content=content)
    said = content.get(f"{attribute}-metadata") or {}
    try:
        given = label_files.with_file(content, attribute, kind=kind, account=job.account)
        found = kind.read_manifest({**given, f"{attribute}-metadata": said}, attribute)
        unknown = sorted(kind.classes(found.answer) - set(job.labels))
        problem = f"{unknown[0]!r} is no label of the job" if unknown else ""
        problem = problem or kind.unwritable(found.answer, labels=job.labels)
    except OF_ONE_OBJECT as error:
        problem = reason_of(error)
    if problem:
        return FunctionAnswerError(f"its label cannot be used: {problem}")
    return labels.Revision(object_id, kind.value(found.answer), _confidence(said), {}, content)


def _confidence(metadata: Mapping[str, Any]) -> float | None:
    sure = metadata.get("confidence")
    return float(sure) if isinstance(sure, int | float) and not isinstance(sure, bool) and 0 <= sure <= 1 else None


def conclude(job: LabelingJob, asked: Asked, rows: Sequence[FunctionCall], made: Made) -> None:
    """Write the labels that were made of these objects, and fail those of which none can be made."""
    answered = [row for row in rows if row.data_object_id in made]
    with transaction.atomic():
        labels.lock_objects([row.data_object_id for row in answered])
        kept = tries.still_asked(answered)
        # Not those that the requester or a model has decided, or that a stopped job has given back.
        second = Task.objects.filter(data_object__in=kept, batch__relabels=True).values("data_object")
        asked_of = DataObject.objects.filter(pk__in=kept).exclude(state=ObjectState.UNLABELED)
        usable = dict(
            asked_of.exclude(label__source=LabelSource.ADJUDICATED)
            .exclude(~Q(pk__in=second) & Q(label__source=LabelSource.MACHINE))
            .values_list("pk", "state")
        )
        written = [
            replace(one, explanation={**one.explanation, "function": asked.shown})
            for pk, one in made.items()
            if isinstance(one, labels.Revision) and pk in usable
        ]
        labels.write_revisions(written, source=LabelSource.HUMAN, algorithm=ALGORITHM)
        failed = {
            row.data_object_id: tries.reason(asked, row, problem)
            for row in answered
            if usable.get(row.data_object_id, ObjectState.MACHINE) != ObjectState.MACHINE
            and isinstance(problem := made[row.data_object_id], FunctionAnswerError)
        }
        labels.fail_answered(failed)
        failures.record(FunctionStep.POST, failed)
        consolidating.follow_labels(job, sorted(usable))
