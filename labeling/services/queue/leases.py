"""The end of a seat that was not answered: returned, declined, expired or cancelled. Knows no answers and no money.

The seat goes back to the end of the job's queue while its task is still offered, else it is withdrawn; a task left
without open seats is over, and consolidation is asked to look at it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import connection, transaction
from django.utils import timezone

from labeling.models import Assignment, AssignmentStatus, Batch, LabelingJob, Task, TaskStatus
from labeling.services.queue import advance_requests
from labeling.services.queue.locking import lock_queue

CHUNK = 500


def expire_overdue(*, job_id: int | None = None, now: datetime | None = None) -> int:
    """End every lease that ran out, of one job or of all; returns how many. Safe to run any number of times."""
    now = now or timezone.now()
    overdue = Assignment.objects.filter(state=AssignmentStatus.LEASED, lease_expires_at__lte=now)
    if job_id is not None:
        overdue = overdue.filter(job_id=job_id)
    seats: dict[int, list[int]] = {}
    for seat, of_job in overdue.order_by("job_id", "id").values_list("id", "job_id"):
        seats.setdefault(of_job, []).append(seat)
    return sum(
        end_seats(job_id=of_job, seats=ids[start : start + CHUNK], to=AssignmentStatus.EXPIRED, now=now)
        for of_job, ids in seats.items()
        for start in range(0, len(ids), CHUNK)
    )


def end_seats(*, job_id: int, seats: Sequence[int], to: AssignmentStatus | str, now: datetime, reason: str = "") -> int:
    """End those of the seats that are still leased, in one transaction; returns how many.

    An expiry only counts while the lease is over: a lease that was renewed meanwhile is left alone.
    """
    with transaction.atomic():
        lock_queue(job_id)
        # Read under the queue lock: a stop that commits later withdraws what is put back here.
        job = LabelingJob.objects.only("status", "workers_per_object").get(pk=job_id)
        if to == AssignmentStatus.EXPIRED and not job.open:
            to = AssignmentStatus.CANCELLED
        of_seats = Assignment.objects.filter(pk__in=seats).values("task_id")
        tasks = list(Task.objects.select_for_update(no_key=True).filter(pk__in=of_seats).order_by("pk"))
        ending = Assignment.objects.select_for_update(no_key=True).filter(pk__in=seats, state=AssignmentStatus.LEASED)
        if to in (AssignmentStatus.EXPIRED, AssignmentStatus.CANCELLED):
            ending = ending.filter(lease_expires_at__lte=now)
        ended = dict(ending.order_by("pk").values_list("pk", "task_id"))
        Assignment.objects.filter(pk__in=ended).update(state=to, ended_at=now, decline_reason=reason)
        _take_back(job, tasks, Counter(ended.values()), declined=to == AssignmentStatus.DECLINED, now=now)
    return len(ended)


def cancel(*, job_id: int, now: datetime) -> int:
    """End every lease of the job at once, for a job that failed or was completed."""
    shorten(job_id=job_id, until=now)
    running = Assignment.objects.filter(job_id=job_id, state=AssignmentStatus.LEASED)
    ids = list(running.order_by("id").values_list("id", flat=True))
    return sum(
        end_seats(job_id=job_id, seats=ids[start : start + CHUNK], to=AssignmentStatus.CANCELLED, now=now)
        for start in range(0, len(ids), CHUNK)
    )


def shorten(*, job_id: int, until: datetime) -> int:
    """Let no lease of the job run longer than `until`; returns how many were shortened."""
    longer = Assignment.objects.filter(job_id=job_id, state=AssignmentStatus.LEASED, lease_expires_at__gt=until)
    with transaction.atomic():
        # In id order, as everybody who locks several seats.
        ids = list(longer.select_for_update(no_key=True).order_by("id").values_list("id", flat=True))
        return Assignment.objects.filter(pk__in=ids).update(lease_expires_at=until)


def withdraw(*, batch: Batch) -> None:
    """Offer no seat of the batch to anybody any more; leases that run may still be answered. Safe to repeat."""
    while True:
        with transaction.atomic():
            lock_queue(batch.job_id)
            free = Task.objects.filter(batch=batch, state=TaskStatus.OPEN, seats_free__gt=0)
            ids = list(free.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True)[: 2 * CHUNK])
            if not ids:
                return
            _withdraw_seats(ids)
            advance_requests.request_advance(batch.job_id)


def batches_on_offer(job: LabelingJob, now: datetime) -> set[int]:
    """The batches whose seats are still given to people: none of a job that is not InProgress."""
    if not job.open:
        return set()
    live = Batch.objects.filter(job=job, status="InProgress").exclude(expires_at__lte=now)
    return set(live.values_list("pk", flat=True))


def _take_back(job: LabelingJob, tasks: Iterable[Task], ended: Counter[int], *, declined: bool, now: datetime) -> None:
    back: dict[int, list[int]] = {}
    withdrawn: list[int] = []
    on_offer = batches_on_offer(job, now)
    for task in tasks:
        if not (count := ended[task.pk]):
            continue
        if declined:
            task.declines_count += count
            task.save(update_fields=["declines_count"])
        offered = task.batch_id in on_offer and task.declines_count < job.workers_per_object
        if offered and task.state == TaskStatus.OPEN:
            back.setdefault(count, []).append(task.pk)
        else:
            task.seats_total -= count
            task.save(update_fields=["seats_total"])
            withdrawn.append(task.pk)
    for count, ids in back.items():
        requeue(job_id=job.pk, tasks=ids, seats=count)
    if withdrawn:
        _withdraw_seats(withdrawn)
        advance_requests.request_advance(job.pk)


def requeue(*, job_id: int, tasks: Sequence[int], seats: int) -> None:
    """Offer so many more seats of each task, at the end of the queue. Needs a transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT labeling_requeue(%s, %s, %s)", [job_id, list(tasks), seats])


def _withdraw_seats(tasks: Sequence[int]) -> None:
    """Take the free seats off these tasks, which are locked; those without a running lease are over."""
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE labeling_task SET seats_total = seats_total - seats_free, seats_free = 0,
                   due = due OR seats_total - seats_free = answers_count,
                   state = CASE WHEN state <> 'Open' OR seats_total - seats_free > answers_count THEN state
                                WHEN answers_count > 0 THEN 'Done' ELSE 'Expired' END
               WHERE id = ANY (%s)""",
            [list(tasks)],
        )
