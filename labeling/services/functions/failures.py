"""Objects that a function of their job gave nothing for: which they are, and sending them to it once it is corrected.

People are asked no second time: the function before people had let nobody see them, the one after people gets the
answers that are there. Knows neither how functions are asked nor what they answer.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from django.db import transaction
from django.db.models import F, QuerySet

from labeling import hooks, transitions
from labeling.models import FunctionCall, FunctionFailure, FunctionStep, LabelingJob, ObjectState
from labeling.services.functions import waiting
from labeling.services.queue import advance_requests
from labeling.services.results import labels
from marketplace.errors import Invalid, WrongState
from marketplace.ranges import Range
from marketplace.services import audit

TIMES = 5
"""How often an object may be sent again."""

AT_ONCE = Range(1, 1000)
"""Objects that are sent again together; of more the first ones are."""

INDEX = Range(0, 2**31 - 1)
"""Of an object in its job."""

REASON = 500
"""Characters that are kept of a reason, here and in the object."""

PRE_NEEDS = "objects go to a pre-annotation function while their job is InProgress"
POST_NEEDS = "answers go to a post-annotation function while the job is InProgress or when it is over"


class Sent(NamedTuple):
    """How many objects were sent again, and how many more can be."""

    sent: int
    left: int


def record(step: str, reasons: Mapping[int, str]) -> None:
    """Note which objects have failed by a function and why, in the transaction in which they fail."""
    rows = [FunctionFailure(data_object_id=pk, step=step, reason=reasons[pk][:REASON]) for pk in sorted(reasons)]
    FunctionFailure.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["data_object"], update_fields=["step", "reason"]
    )


def failed(job: LabelingJob) -> QuerySet[FunctionFailure]:
    """The objects of the job that are Failed because a function gave nothing for them, in manifest order."""
    rows = FunctionFailure.objects.filter(data_object__job=job, data_object__state=ObjectState.FAILED)
    return rows.filter(data_object__failure_reason=F("reason")).order_by("data_object__index")


def sendable(job: LabelingJob) -> QuerySet[FunctionFailure]:
    """Those that can be sent again now: not so often yet, and not on their way."""
    under_way = FunctionCall.objects.filter(job=job).values("data_object")
    steps = [step for step in FunctionStep.values if not _refusal(job, step)]
    return failed(job).filter(step__in=steps, times__lt=TIMES).exclude(data_object__in=under_way)


def _refusal(job: LabelingJob, step: str) -> str:
    """Why no object of the job can be sent to this function now; "" when some can."""
    if step == FunctionStep.PRE:
        return "" if job.open else f"the labeling job is {job.status}: {PRE_NEEDS}"
    over = job.open or job.status in transitions.LABELING_JOB.final
    return "" if over else f"the labeling job is {job.status}: {POST_NEEDS}"


def send_again(*, job: LabelingJob, indexes: Sequence[int] | None = None, by: str) -> Sent:
    """Send objects to the function that has failed them: those with these indexes, or all, at most AT_ONCE of them.

    Raises Invalid for an object that has not failed so or was sent too often, WrongState when the job's status allows
    none. Objects that are on their way already are left as they are, so a repeat does nothing.
    """
    with transaction.atomic():
        locked = LabelingJob.objects.select_for_update(no_key=True, of=("self",)).get(pk=job.pk)
        rows = sendable(locked)
        if indexes is None:
            _must_be_possible(locked)
        else:
            _must_have_failed(locked, indexes)
            rows = rows.filter(data_object__index__in=indexes)
        labels.lock_objects(list(rows.values_list("pk", flat=True)[: AT_ONCE.longest]))
        # Read again: a review or the requester may have decided one of them before the lock.
        taken = list(rows[: AT_ONCE.longest])
        FunctionFailure.objects.filter(pk__in=[row.pk for row in taken]).update(times=F("times") + 1)
        labels.renew_failed([row.pk for row in taken if row.step == FunctionStep.PRE])
        waiting.ask(locked, FunctionStep.POST, [row.pk for row in taken if row.step == FunctionStep.POST])
        if taken:
            said = f"{len(taken)} objects sent again to the job's functions"
            audit.record(locked, by=by, because=said, to_status=locked.status)
            advance_requests.request_advance(locked.queue_id)
            if locked.automated and locked.open:
                hooks.send(hooks.job_ready, locked.pk)
        return Sent(len(taken), sendable(locked).count())


def _must_be_possible(job: LabelingJob) -> None:
    """Raises WrongState where objects have failed but the status of the job lets none be sent."""
    steps = list(failed(job).order_by().values_list("step", flat=True).distinct())
    refusals = [_refusal(job, step) for step in steps]
    if refusals and all(refusals):
        raise WrongState(refusals[0], field="status")


def _must_have_failed(job: LabelingJob, indexes: Sequence[int]) -> None:
    if len(indexes) not in AT_ONCE:
        raise Invalid(f"{len(indexes)} found, {AT_ONCE} expected", field="objects")
    known = {
        row.data_object.index: row
        for row in failed(job).filter(data_object__index__in=indexes).select_related("data_object")
    }
    for index in indexes:
        if (row := known.get(index)) is None:
            raise Invalid(f"object {index} of the job has not failed because of a function", field="objects")
        if row.times >= TIMES:
            raise Invalid(
                f"object {index} was sent again {row.times} times already, which is the most", field="objects"
            )
        if reason := _refusal(job, row.step):
            raise WrongState(reason, field="status")
