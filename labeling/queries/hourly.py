"""Effective pay for an hour of active work: what was paid, with bonuses, by the time that pages have measured.

Time spent on answers that were rejected counts, their pay does not. Answers without a measured time, which programs
hand in, are left out with their pay.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db.models import Count, Q, Sum
from django.db.models.functions import TruncWeek
from django.utils import timezone

from labeling.models import Assignment, AssignmentStatus, Bonus, LabelingJob
from marketplace import money
from marketplace.models import Worker

HOUR = 3600
WEEKS = 12
"""Weeks that a worker is shown."""

ENOUGH = 5
"""Answers from which the figure says something."""

_MEASURED = Q(state__in=[AssignmentStatus.SUBMITTED, AssignmentStatus.REJECTED], seconds_spent__gt=0)
_PAID = Q(state=AssignmentStatus.SUBMITTED)


@dataclass(frozen=True)
class Hourly:
    """Answers, active seconds, and micro-dollars that they brought."""

    answers: int
    seconds: float
    paid_micros: int

    @property
    def hourly_micros(self) -> int | None:
        """Micro-dollars for an hour; None while nothing was measured."""
        return round(self.paid_micros * HOUR / self.seconds) if self.seconds > 0 else None

    @property
    def underpaid(self) -> bool:
        """Whether that is below what the operator calls fair (WAGGLE_HOURLY_PAY_FLOOR), with answers enough to tell."""
        hourly = self.hourly_micros
        return hourly is not None and self.answers >= ENOUGH and hourly < floor_micros()


@dataclass(frozen=True)
class WeekOfWork:
    """A worker's work on one job in the week that begins with `week`, a Monday."""

    week: date
    title: str
    work: Hourly


def floor_micros() -> int:
    """Micro-dollars an hour below which requesters are warned; 0 never."""
    return money.parse(settings.HOURLY_PAY_FLOOR)


def of_job(job: LabelingJob) -> Hourly:
    """What the people of a job were paid for an hour, all together."""
    found = Assignment.objects.filter(_MEASURED, queue=job.queue_id).aggregate(
        answers=Count("pk"), seconds=Sum("seconds_spent", default=0.0), paid=Sum("paid_micros", filter=_PAID, default=0)
    )
    extra = Bonus.objects.filter(queue=job.queue_id).aggregate(paid=Sum("amount_micros", default=0))["paid"]
    return Hourly(found["answers"], found["seconds"], found["paid"] + (extra if found["answers"] else 0))


def weeks_of(worker: Worker, *, now: datetime | None = None) -> list[WeekOfWork]:
    """The worker's last weeks, job by job, newest first; a bonus counts in the week in which it was paid.

    Without work under a contract, which the worker's employer pays for.
    """
    since = (now or timezone.now()) - timedelta(weeks=WEEKS)
    rows = (
        Assignment.objects.filter(_MEASURED, worker=worker, ended_at__gte=since, queue__contract=None)
        .annotate(week=TruncWeek("ended_at"))
        .values_list("week", "queue", "queue__title")
        .annotate(answers=Count("pk"), seconds=Sum("seconds_spent"), paid=Sum("paid_micros", filter=_PAID, default=0))
        .order_by("-week", "queue")
    )
    bonuses = (
        Bonus.objects.filter(worker=worker, created_at__gte=since)
        .annotate(week=TruncWeek("created_at"))
        .values_list("week", "queue")
        .annotate(paid=Sum("amount_micros"))
        .order_by()
    )
    extra = {(week, queue): paid for week, queue, paid in bonuses}
    return [
        WeekOfWork(week.date(), title, Hourly(answers, seconds, paid + extra.get((week, queue), 0)))
        for week, queue, title, answers, seconds, paid in rows
    ]
