"""Whether a job will be done when it is wanted, and the rise of its price when it will not. docs/money.md has the rule.

The pace is measured, not assumed: ordinary answers in an hour, since the last rise but over the last 6 hours at most.
"""

import logging
import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Min, Sum
from django.utils import timezone

from labeling import redundancy
from labeling.models import Assignment, AssignmentStatus, Batch, DataObject, LabelingJob, ObjectState, Task, TaskStatus
from labeling.services.jobs import pricing, repricing
from marketplace.errors import DomainError

log = logging.getLogger(__name__)

WINDOW = timedelta(hours=6)
"""Answers of so long are counted, at most."""

WAIT = timedelta(hours=1)
"""A pace is measured over so long at least, from the first batch or the last rise: so there is one rise an hour."""

BY = "system"


@dataclass(frozen=True)
class Pace:
    """How fast a job is. `left` is the answers it still needs, at most; `end` the forecast end at this pace.

    `per_hour` is None while it was not measured for WAIT yet; `end` is None then, and where nobody answers at all.
    """

    per_hour: float | None
    left: int
    end: datetime | None
    late: bool


def pace(job: LabelingJob, *, now: datetime | None = None) -> Pace:
    """Measure the job's pace. `late` is only said of a job that has a wanted end and a measured pace."""
    now = now or timezone.now()
    left = _left(job)
    since = _measured_since(job, now)
    if since is None or now - since < WAIT:
        return Pace(None, left, None, False)
    answered = Assignment.objects.filter(
        queue=job.queue_id, state=AssignmentStatus.SUBMITTED, task__gold=None, ended_at__gt=since, ended_at__lte=now
    ).count()
    per_hour = answered / ((now - since) / timedelta(hours=1))
    # No further than a century, which is never for a job.
    hours = min(left / per_hour, 876_000) if per_hour else None
    end = None if hours is None else now + timedelta(hours=hours)
    late = job.wanted_end is not None and left > 0 and (end is None or end > job.wanted_end)
    return Pace(per_hour, left, end, late)


def _measured_since(job: LabelingJob, now: datetime) -> datetime | None:
    opened = Batch.objects.filter(queue=job.queue_id).aggregate(at=Min("opened_at"))["at"]
    if opened is None:
        return None
    last = repricing.history(job).values_list("changed_at", flat=True).first()
    return max(opened, last or opened, now - WINDOW)


def _left(job: LabelingJob) -> int:
    """Open seats of ordinary tasks, and the first seats of the objects that are not on offer yet."""
    seats = Task.objects.filter(queue=job.queue_id, gold=None, state=TaskStatus.OPEN).aggregate(
        n=Sum(F("seats_total") - F("answers_count"))
    )["n"]
    objects = DataObject.objects.filter(job=job, state=ObjectState.UNLABELED).count()
    if job.max_human_labeled_objects is not None:
        people = DataObject.objects.filter(job=job, state__in=(ObjectState.HUMAN, ObjectState.PENDING)).count()
        objects = min(objects, max(0, job.max_human_labeled_objects - people))
    queue = job.queue
    # Only with a fixed redundancy do tasks open with all their seats, of which some may get one fewer.
    fixed = queue.first_seats == queue.max_seats
    each = redundancy.mean(queue.max_seats, queue.fewer_percent) if fixed else queue.first_seats
    return (seats or 0) + math.ceil(objects * each)


def raise_if_slow(job: LabelingJob, *, now: datetime | None = None) -> bool:
    """Raise the price by a step if the job would end later than wanted; returns whether it was raised.

    Never above the ceiling, nor while the job waits for money, nor where wallet or max_spend cannot fund it: then, as
    when somebody else has just raised it, it is looked at again at the next advance.
    """
    now = now or timezone.now()
    ceiling = job.price_ceiling_micros
    if ceiling is None or job.wanted_end is None or not job.open or job.paused or not job.queue.open:
        return False
    price = next_price(job)
    if price is None:
        return False
    found = pace(job, now=now)
    if not found.late:
        return False
    done = "never" if found.end is None else f"{found.end:%Y-%m-%d %H:%M}"
    because = f"forecast end {done}, wanted {job.wanted_end:%Y-%m-%d %H:%M} UTC"
    try:
        repricing.raise_price(job=job, price_micros=price, by=BY, because=because, now=now)
    except DomainError as error:
        log.info("the price of job %d stays: %s", job.pk, error.message)
        return False
    return True


def next_price(job: LabelingJob) -> int | None:
    """The price one step up, at most the ceiling; None when there is no ceiling or it is reached."""
    ceiling = job.price_ceiling_micros
    if ceiling is None or job.price_micros >= ceiling:
        return None
    return min(ceiling, pricing.step_up(job.price_micros, task_type=job.task_type, public=job.workteam.public))
