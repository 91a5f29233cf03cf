"""What the metrics and the operator's page tell of this room: leases, open work, and what does not go on."""

from django.db.models import Count, Exists, OuterRef, Q
from django.utils import timezone

from labeling.models import Assignment, AssignmentStatus, FailedAttempt, LabelingJob, Task, TaskStatus, WorkQueue
from marketplace import metrics, stuck
from marketplace.services import eligibility
from marketplace.stuck import Stuck

QUEUES = 1000
"""Open work queues, oldest first, of which it is asked whether anybody may work on them."""

FAILURES = 3
"""After so many failures in a row background work is listed."""


def found() -> metrics.Found:
    """The figures. Raises DatabaseError. The queries grow with the tasks that are held and the queues that are open."""
    late = Q(lease_expires_at__lt=timezone.now())
    leases = Assignment.objects.filter(state=AssignmentStatus.LEASED).aggregate(
        every=Count("pk"), expired=Count("pk", filter=late)
    )
    return [
        (metrics.LEASES, {("live",): leases["every"] - leases["expired"], ("expired",): leases["expired"]}),
        (metrics.JOBS, {(): WorkQueue.objects.filter(status="InProgress").count()}),
    ]


def stuck_things() -> list[Stuck]:
    """Work for which there are no workers, and background work that fails again and again. Raises DatabaseError."""
    return [*_without_workers(), *_failing()]


def _without_workers() -> list[Stuck]:
    claimable = Task.objects.filter(queue=OuterRef("pk"), state=TaskStatus.OPEN, seats_free__gt=0)
    oldest = WorkQueue.objects.filter(status="InProgress").order_by("pk").values("pk")[:QUEUES]
    somebody = eligibility.somebody_for(audience="audience_id", account="account_id")
    rows = WorkQueue.objects.filter(Exists(claimable), ~somebody, pk__in=oldest).select_related("account")
    left = list(rows.order_by("pk")[: stuck.MOST])
    names = dict(LabelingJob.objects.filter(queue__in=left).values_list("queue_id", "name"))
    return [
        Stuck(
            stuck.WORKERS,
            f"{'job' if queue.pk in names else 'work queue'} {names.get(queue.pk, queue.title)!r} of "
            f"{queue.account.name} has open tasks, and no worker may take them",
            "the account adds workers to the team, invites some, or asks for fewer qualifications",
            queue.status_changed_at,
        )
        for queue in left
    ]


def _failing() -> list[Stuck]:
    rows = FailedAttempt.objects.filter(failures__gte=FAILURES).order_by("-failures", "pk")[: stuck.MOST]
    return [
        Stuck(
            stuck.ATTEMPTS,
            f"background work {row.work}({row.row_id}) has failed {row.failures} times in a row",
            f"the log has the reason: look for {row.work}({row.row_id})",
        )
        for row in rows
    ]
