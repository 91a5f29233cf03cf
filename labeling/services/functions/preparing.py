"""The function before people: what a template shows of an object, and whether people are asked about it at all."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import orjson
from django.conf import settings
from django.db import transaction

from labeling.formats.function_calls import FunctionAnswerError, Prepared, pre_request, read_pre_response
from labeling.models import FunctionCall, FunctionStep, LabelingJob, ObjectLine, TaskInput
from labeling.services.functions import failures, tries, waiting
from labeling.services.functions.asking import Asker, CallFailed
from labeling.services.functions.waiting import Asked
from labeling.services.results import labels
from marketplace import arns

AT_ONCE = 16
"""Objects that are asked about together, each in a call of its own."""


def ready(job: LabelingJob, object_ids: Sequence[int]) -> list[int]:
    """Those of these objects, which may be opened next, that people can be asked about now, in the same order.

    Where the job has no function of its own that is all of them. The others wait for it from here on. None are returned
    while some of them were not asked yet, so that they are opened together.
    """
    if not waiting.has(job, FunctionStep.PRE):
        return list(object_ids)
    answered = dict(TaskInput.objects.filter(data_object__in=object_ids).values_list("data_object", "needs_people"))
    asked = dict(
        waiting.calls(job, FunctionStep.PRE).filter(data_object__in=object_ids).values_list("data_object", "tries")
    )
    if new := [pk for pk in object_ids if pk not in answered and pk not in asked]:
        with transaction.atomic():
            waiting.ask(job, FunctionStep.PRE, new)
        return []
    untried = any(number == 0 for pk, number in asked.items() if pk not in answered)
    return [] if untried else [pk for pk in object_ids if answered.get(pk)]


def ask(job: LabelingJob, asked: Asked, asker: Asker, *, now: datetime) -> bool | None:
    """Ask about some objects that are due; None when none is, else whether the function answered about any of them."""
    due = waiting.calls(job, FunctionStep.PRE).filter(due_at__lte=now).order_by("tries", "due_at", "pk")
    rows = list(due.select_related("data_object")[:AT_ONCE])
    if not rows:
        return None
    tries.take(rows)
    lines = dict(ObjectLine.objects.filter(pk__in=[row.data_object_id for row in rows]).values_list("pk", "text"))
    arn = arns.build("labeling-job", job.account.number, job.name, region=settings.REGION)

    def answer(row: FunctionCall) -> Prepared | CallFailed | FunctionAnswerError:
        try:
            event = pre_request(job_arn=arn, line=orjson.loads(lines[row.data_object_id]))
            return read_pre_response(asker.call(event, tries.message_id([row])))
        except (CallFailed, FunctionAnswerError) as error:
            return error

    with ThreadPoolExecutor(asker.at_once, thread_name_prefix="function") as pool:
        found = dict(zip(rows, pool.map(answer, rows), strict=True))
    conclude(job, asked, found)
    return not all(isinstance(one, CallFailed) and one.again for one in found.values())


def conclude(
    job: LabelingJob, asked: Asked, found: Mapping[FunctionCall, Prepared | CallFailed | FunctionAnswerError]
) -> None:
    """Store what was answered, and fail the objects that get no answer any more."""
    again = {
        row: one
        for row, one in found.items()
        if isinstance(one, CallFailed) and one.again and not tries.used_up(row, job)
    }
    for row, problem in again.items():
        tries.note([row], str(problem))
    over = {row: one for row, one in found.items() if row not in again}
    with transaction.atomic():
        labels.lock_objects([row.data_object_id for row in over])
        kept = tries.still_asked(over)
        TaskInput.objects.bulk_create(
            [
                TaskInput(data_object_id=row.data_object_id, value=one.task_input, needs_people=one.needs_people)
                for row, one in over.items()
                if isinstance(one, Prepared) and row.data_object_id in kept
            ],
            ignore_conflicts=True,
        )
        failed = {
            row.data_object_id: tries.reason(asked, row, one)
            for row, one in over.items()
            if not isinstance(one, Prepared) and row.data_object_id in kept
        }
        labels.fail_objects(job=job, reasons=failed)
        failures.record(FunctionStep.PRE, failed)
