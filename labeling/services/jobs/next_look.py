"""When a labeling job may have a step to take of which no request tells: what comes with time, and what it waits for.

Every change that lets a job go on requests an advance of its queue; this is for the rest.
"""

from datetime import datetime, timedelta

from django.utils import timezone

from labeling import transitions
from labeling.models import Batch, FunctionCall, LabelingJob, Task
from labeling.services.jobs import pacing
from labeling.services.output import manifests
from labeling.services.queue import batches, planned_advances

PACE = timedelta(minutes=5)
"""How often the pace of a job is measured whose price may rise."""

UNHEARD = timedelta(minutes=5)
"""After so long without a first batch a job with automated labeling says again that it is ready."""


def of_job(job_id: int) -> datetime | None:
    """None for a job that is over and has nothing left to do."""
    job = LabelingJob.objects.get(pk=job_id)
    waits = FunctionCall.objects.filter(job=job).exists() or Task.objects.filter(queue=job.queue_id, due=True).exists()
    if job.status in transitions.LABELING_JOB.final:
        return planned_advances.soon() if waits or job.attention.startswith(manifests.UNWRITABLE) else None
    live = batches.live_batch(job.queue)
    if waits or job.status != "InProgress" or job.attention or _looks_for_work(job, live):
        return planned_advances.soon()
    looks = [planned_advances.seldom()]
    if live is None and _waits_for_first(job):
        looks.append(timezone.now() + UNHEARD)
    if live is not None and live.expires_at is not None:
        looks.append(live.expires_at)
    if job.wanted_end is not None and pacing.next_price(job) is not None:
        looks.append(timezone.now() + PACE)
    return max(min(looks), planned_advances.soon())


def unheard(job: LabelingJob) -> bool:
    """Whether another room should have opened the first batch of a job with automated labeling by now.

    It may not have heard that the job is ready, as when it was installed later or the message was lost.
    """
    began = job.status_changed_at
    late = job.status == "InProgress" and began is not None and timezone.now() - began > UNHEARD
    return late and _waits_for_first(job)


def _waits_for_first(job: LabelingJob) -> bool:
    return job.automated and not Batch.objects.filter(queue=job.queue_id).exists()


def _looks_for_work(job: LabelingJob, live: Batch | None) -> bool:
    """Whether it has no batch that could end, or one that is to end as soon as nobody holds a task of it any more.

    With automated labeling the learning room opens the batches, in its own time.
    """
    return live.stopped_early if live is not None else not job.automated
