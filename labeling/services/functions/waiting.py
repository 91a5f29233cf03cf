"""Which objects wait for a function of their job, and the message that lets it be asked. Knows no answers."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from django.db.models import F, QuerySet
from django.utils import timezone

from labeling.models import DataObject, FunctionCall, FunctionStep, JobFunctions, LabelingJob, ObjectState
from labeling.services.intake.selection import LIKELY_WRONG
from marketplace import queue

RUN = "labeling.background.run_functions"

NAMES = {FunctionStep.PRE: "pre-annotation function", FunctionStep.POST: "post-annotation function"}
"""What errors call the two."""


class Asked(NamedTuple):
    """A function of a job: what it is called, where it is, and the secret that signs requests, sealed."""

    step: str
    path: str
    secret: str

    @property
    def shown(self) -> str:
        """Where it is, without the query of an address, which may hold a secret of its receiver."""
        return re.split(r"[?#]", self.path, maxsplit=1)[0]

    def __str__(self) -> str:
        return f"the {NAMES[self.step]} {self.shown}"


def function_of(job: LabelingJob, step: str) -> Asked | None:
    """The requester's own function of the job for this step; None for the built-in one."""
    row = JobFunctions.objects.filter(pk=job.pk).first()
    path = "" if row is None else row.pre_human_task if step == FunctionStep.PRE else row.annotation_consolidation
    return Asked(step, path, row.secret) if row is not None and path else None


def has(job: LabelingJob, step: str) -> bool:
    """Whether the job has a function of the requester's own for this step."""
    return function_of(job, step) is not None


def ask(job: LabelingJob, step: str, object_ids: Iterable[int], *, now: datetime | None = None) -> None:
    """Let these objects wait for the function, anew if they do already, in the caller's transaction."""
    now = now or timezone.now()
    rows = [
        FunctionCall(job=job, data_object_id=pk, step=step, asked_at=now, due_at=now) for pk in sorted(set(object_ids))
    ]
    if rows:
        FunctionCall.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["data_object", "step"],
            update_fields=["asked_at", "due_at", "tries", "problem"],
        )
        queue.enqueue(RUN, job.pk)


def forget(object_ids: Iterable[int], step: str) -> None:
    """Let these objects wait no more; an answer that is on its way is thrown away."""
    FunctionCall.objects.filter(data_object__in=list(object_ids), step=step).delete()


def calls(job: LabelingJob, step: str) -> QuerySet[FunctionCall]:
    """What waits."""
    return FunctionCall.objects.filter(job=job, step=step)


def due(job: LabelingJob) -> QuerySet[FunctionCall]:
    """What can be asked now."""
    return FunctionCall.objects.filter(job=job, due_at__lte=timezone.now())


def request_due(job: LabelingJob) -> None:
    """Send a message when something is due: its own may be lost, or its pause is over."""
    if due(job).exists():
        queue.enqueue(RUN, job.pk)


def merging(job: LabelingJob) -> bool:
    """Whether answers of the job wait to be merged by a function: the job does not go on before."""
    return calls(job, FunctionStep.POST).exists()


def openable(job: LabelingJob) -> QuerySet[DataObject]:
    """The Unlabeled objects that people may be asked about, in manifest order, or with the likeliest errors first.

    Those about which a function said that people need not be asked are left out.
    """
    rows = DataObject.objects.filter(job=job, state=ObjectState.UNLABELED).order_by("index")
    if job.selection.get("kind") == LIKELY_WRONG:
        rows = rows.order_by(F("likely_error__chance").desc(nulls_last=True), "index")
    if has(job, FunctionStep.PRE):
        rows = rows.exclude(task_input__needs_people=False)
    return rows
