"""A pass over what waits for the functions of a job. Run by the message queue, safe to repeat and to kill anywhere.

One process at a time asks the functions of a job. The job is advanced when something was answered.
"""

import time
from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from labeling import hooks, transitions
from labeling.models import FunctionStep, LabelingJob, ObjectState, Task
from labeling.services.functions import asking, merging, preparing, tries, waiting
from labeling.services.functions.waiting import Asked
from labeling.services.queue import advance_requests
from marketplace import locks, queue

PASS_SECONDS = 60
"""After so long other work has its turn."""

FAILS = "a function of the job fails"
"""How a job's attention begins while it waits for a function that gives no answers."""

SOON = timedelta(minutes=1)
"""Pauses that are over before the sweep looks."""

STEPS: tuple[tuple[str, Callable[..., bool | None]], ...] = (
    (FunctionStep.PRE, preparing.ask),
    (FunctionStep.POST, merging.ask),
)


def run(job_id: int) -> None:
    """Ask the functions of a job about everything that is due; does nothing while another process does."""
    job = LabelingJob.objects.select_related("account", "queue__workteam").filter(pk=job_id).first()
    if job is None:
        return
    with locks.only_one(f"functions:{job_id}") as mine:
        if not mine:
            return
        _drop(job)
        for step, ask in STEPS:
            asked = waiting.function_of(job, step)
            if asked is not None and waiting.due(job).filter(step=step).exists():
                _pass(job, asked, ask)
        _say(job)
        with transaction.atomic():
            advance_requests.request_advance(job.queue_id)
            if job.automated:
                hooks.send(hooks.job_ready, job.pk)
    # What became due meanwhile had its message answered by this pass.
    waiting.request_due(job)
    _later(job)


def _drop(job: LabelingJob) -> None:
    """What is wanted no more: tasks of a job that opens none and of labeled objects, labels of objects given back or
    without answers."""
    preparing_calls = waiting.calls(job, FunctionStep.PRE)
    unwanted = preparing_calls.exclude(data_object__state=ObjectState.UNLABELED)
    (unwanted if job.status == "InProgress" else preparing_calls).delete()
    merging_calls = waiting.calls(job, FunctionStep.POST)
    merging_calls.filter(data_object__state=ObjectState.UNLABELED).delete()
    answered = Task.objects.filter(queue=job.queue_id, gold=None, answers_count__gt=0)
    merging_calls.exclude(data_object__in=answered.values("data_object")).delete()


def _pass(job: LabelingJob, asked: Asked, ask: Callable[..., bool | None]) -> None:
    ends = time.monotonic() + PASS_SECONDS
    with asking.opened(asked.path, secret=asked.secret) as asker:
        while time.monotonic() < ends:
            job.refresh_from_db(fields=["status"])
            answered = ask(job, asked, asker, now=timezone.now())
            if answered is None:
                return
            if not answered:
                tries.postpone(job, asked)
                return


def _say(job: LabelingJob) -> None:
    """Show in the job's attention what keeps it, or that nothing does any more."""
    row = job.function_calls.exclude(problem="").order_by("due_at").first()
    said = LabelingJob.objects.filter(pk=job.pk).exclude(status__in=transitions.LABELING_JOB.final)
    if row is None:
        said.filter(attention__startswith=FAILS).update(attention="")
        return
    asked = waiting.function_of(job, row.step)
    text = f"{FAILS}, it is asked again: {asked} gives nothing for object {row.data_object.index}: {row.problem}"
    said.update(attention=text[:500])


def _later(job: LabelingJob) -> None:
    """A message for when the next pause is over; longer ones are ended by the sweep."""
    now = timezone.now()
    soon = job.function_calls.filter(due_at__gt=now, due_at__lte=now + SOON).order_by("due_at")
    if (due_at := soon.values_list("due_at", flat=True).first()) is not None:
        queue.enqueue(waiting.RUN, job.pk, after=due_at - now)


def report(job_id: int, reason: str) -> None:
    """Show in the job's attention that asking its functions meets an error nobody has foreseen, again and again."""
    said = f"{FAILS}, it is asked again every minute: {reason}"
    running = LabelingJob.objects.exclude(status__in=transitions.LABELING_JOB.final)
    running.filter(pk=job_id).update(attention=said[:500])
