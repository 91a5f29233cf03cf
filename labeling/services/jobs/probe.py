"""The probe of a public job: its first batch, after which the job waits when something looks broken.

The batch is small (advancing.FIRST_PUBLIC_BATCH), and no further one opens before its tasks are over, so a wrong
set-up shows before it costs much. Then the answers are looked at: the job goes on by itself when there are no
`Outcome.problems`, otherwise its requester decides. Private teams have no probe.
"""

from dataclasses import dataclass
from itertools import combinations
from statistics import fmean, median

from django.db import transaction
from django.db.models import Sum

from labeling import task_types
from labeling.models import Batch, DataObject, LabelingJob, ProbeState, Task
from labeling.queries import people
from labeling.services.queue import advance_requests
from marketplace.errors import WrongState
from marketplace.services import audit

LEAST_ANSWERED = 0.5
"""Share of the objects that have an answer; below it hardly anybody wants or is able to do the task."""

MOST_DECLINED = 1 / 3
"""Share of declined tasks among those that were answered or declined."""

MOST_EMPTY = 0.5
"""Share of answers that name no class."""

LEAST_AGREEMENT = 0.4
"""Mean agreement of two answers to one object, 0 to 1 (TaskType.agreement)."""

SLOWEST = 3.0
"""Median time of an answer, in multiples of the expected one."""

HELD = "the first objects look broken"
"""How a job's attention begins while it waits for its requester."""


@dataclass(frozen=True)
class Outcome:
    """What the answers to the first batch show; a share is None where there is nothing that it could be a share of."""

    objects: int
    answered: int
    answers: int
    declines: int
    empty: int
    median_seconds: float | None
    agreement: float | None
    expected_seconds: float

    @property
    def problems(self) -> list[str]:
        """What looks broken, a few words each; empty when the job may go on by itself."""
        found = []
        if self.answered < LEAST_ANSWERED * self.objects:
            found.append(f"only {self.answered} of {self.objects} objects have an answer")
        if self.declines > MOST_DECLINED * (self.answers + self.declines):
            found.append(f"{self.declines} tasks were declined, {self.answers} answered")
        if self.empty > MOST_EMPTY * self.answers:
            found.append(f"{self.empty} of {self.answers} answers are empty")
        if self.agreement is not None and self.agreement < LEAST_AGREEMENT:
            found.append(f"the answers agree to {self.agreement:.0%} only")
        if self.median_seconds is not None and self.median_seconds > SLOWEST * self.expected_seconds:
            found.append(f"a task takes {self.median_seconds:.0f} s, {self.expected_seconds:g} s were expected")
        return found


def outcome(job: LabelingJob) -> Outcome | None:
    """What the answers to the first batch of a public job show so far; None where there is no such batch.

    Golds, of which not all need to be answered, are left out.
    """
    first = Batch.objects.filter(queue=job.queue_id).order_by("number").first() if job.workteam.public else None
    if first is None:
        return None
    kind = task_types.get(job.task_type)
    objects = list(DataObject.objects.filter(tasks__batch=first, tasks__gold=None).order_by("pk"))
    sizes = {row.pk: (row.width or 0, row.height or 0) for row in objects}
    given = people.answers_of_many(objects)
    read = {
        pk: [kind.read_answer(one["content"], labels=job.labels, size=sizes[pk]) for one in answers]
        for pk, answers in given.items()
    }
    # Of a form nobody knows what is empty, nor that people should fill it in alike.
    compared = read if kind.merges else {}
    alike = [kind.agreement(one, other) for answers in compared.values() for one, other in combinations(answers, 2)]
    seconds = [one["seconds_spent"] for answers in given.values() for one in answers]
    seconds = [value for value in seconds if value is not None]
    return Outcome(
        objects=len(objects),
        answered=sum(bool(answers) for answers in read.values()),
        answers=sum(map(len, read.values())),
        declines=Task.objects.filter(batch=first, gold=None).aggregate(total=Sum("declines_count"))["total"] or 0,
        empty=sum(not kind.classes(answer) for answers in compared.values() for answer in answers),
        median_seconds=median(seconds) if seconds else None,
        agreement=fmean(alike) if alike else None,
        expected_seconds=job.expected_seconds,
    )


def is_held(job: LabelingJob) -> bool:
    """Whether the job waits for its requester after the probe."""
    return not job.probe and job.attention.startswith(HELD)


def passes(job: LabelingJob) -> bool:
    """Whether the next batch may be opened; for whoever opens it, when none is live. Decides about the probe.

    False: the job's attention says why it waits.
    """
    # Jobs of earlier versions have further batches already.
    if not job.workteam.public or job.probe or Batch.objects.filter(queue=job.queue_id).count() != 1:
        return True
    found = outcome(job)
    if found is None or not found.problems:
        _decide(job, ProbeState.PASSED, by="system")
        return True
    said = f"{HELD}: {'; '.join(found.problems)}. Continue or stop the job"
    if job.attention != said:
        LabelingJob.objects.filter(pk=job.pk).update(attention=said[:500])
    return False


def carry_on(*, job: LabelingJob, by: str) -> None:
    """Let a job go on that waits after its probe. Safe to repeat; raises WrongState for a job that does not wait."""
    with transaction.atomic():
        row = LabelingJob.objects.select_for_update(no_key=True, of=("self",)).get(pk=job.pk)
        if row.probe == ProbeState.CONTINUED:
            return
        if row.status != "InProgress" or not is_held(row):
            raise WrongState("the job does not wait for a decision about its first objects", field="status")
        _decide(row, ProbeState.CONTINUED, by=by)
        advance_requests.request_advance(row.queue_id)
    job.refresh_from_db()


def _decide(job: LabelingJob, state: str, *, by: str) -> None:
    with transaction.atomic():
        # Otherwise two processes would both record it.
        if not LabelingJob.objects.filter(pk=job.pk, probe="").update(probe=state):
            return
        LabelingJob.objects.filter(pk=job.pk, attention__startswith=HELD).update(attention="")
        audit.record(job, by=by, because=f"first objects: {state}")
    job.probe = state
