"""Ends seats that were not answered: returned, declined, expired or cancelled. Knows no answers and no money.

The seat goes back to the end of the queue while its task is still offered, else it is withdrawn; a task left without
open seats is due, and an advance of the queue's owner is requested. A declined task is offered to others until its
batch ends, even when everybody has declined it: people may join the workforce meanwhile.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import connection, transaction
from django.utils import timezone

from labeling.models import AnswerReview, Assignment, AssignmentStatus, Batch, Task, TaskStatus, WorkQueue
from labeling.services.queue import advance_requests
from labeling.services.queue.locking import lock_positions

CHUNK = 500
"""Seats that one transaction ends."""


def expire_overdue(*, queue_id: int | None = None, now: datetime | None = None) -> int:
    """End every lease that ran out, of one queue or of all; returns how many. Safe to run any number of times."""
    now = now or timezone.now()
    overdue = Assignment.objects.filter(state=AssignmentStatus.LEASED, lease_expires_at__lte=now)
    if queue_id is not None:
        overdue = overdue.filter(queue_id=queue_id)
    seats: dict[int, list[int]] = {}
    for seat, in_queue in overdue.order_by("queue_id", "id").values_list("id", "queue_id"):
        seats.setdefault(in_queue, []).append(seat)
    return sum(
        end_seats(queue_id=in_queue, seats=ids[start : start + CHUNK], to=AssignmentStatus.EXPIRED, now=now)
        for in_queue, ids in seats.items()
        for start in range(0, len(ids), CHUNK)
    )


def end_seats(
    *, queue_id: int, seats: Sequence[int], to: AssignmentStatus | str, now: datetime, reason: str = ""
) -> int:
    """End those of the seats that are still leased, in one transaction; returns how many.

    Expiring or cancelling leaves out a lease that was renewed meanwhile. A seat whose worker was to improve a rejected
    answer becomes Rejected again, whatever `to` says, and goes to others only.
    """
    with transaction.atomic():
        lock_positions(queue_id)
        # Read under the position lock, so that a stop that commits later withdraws the seats that are freed here.
        queue = WorkQueue.objects.only("status", "review_days").get(pk=queue_id)
        if to == AssignmentStatus.EXPIRED and not queue.live:
            to = AssignmentStatus.CANCELLED
        of_seats = Assignment.objects.filter(pk__in=seats).values("task_id")
        tasks = list(Task.objects.select_for_update(no_key=True).filter(pk__in=of_seats).order_by("pk"))
        ending = Assignment.objects.select_for_update(no_key=True).filter(pk__in=seats, state=AssignmentStatus.LEASED)
        if to in (AssignmentStatus.EXPIRED, AssignmentStatus.CANCELLED):
            ending = ending.filter(lease_expires_at__lte=now)
        ended = dict(ending.order_by("pk").values_list("pk", "task_id"))
        Assignment.objects.filter(pk__in=ended).update(state=to, ended_at=now, decline_reason=reason)
        if queue.review_days is not None:
            again = AnswerReview.objects.filter(assignment__in=list(ended)).values("assignment")
            Assignment.objects.filter(pk__in=again).update(state=AssignmentStatus.REJECTED)
        _free_seats(queue, tasks, Counter(ended.values()), declined=to == AssignmentStatus.DECLINED, now=now)
    return len(ended)


def return_held(*, worker_id: int, account_id: int | None = None, queue_id: int | None = None) -> int:
    """Return every task that the worker holds, of one queue, of one account's queues or of all; returns how many.

    Safe to repeat.
    """
    held = Assignment.objects.filter(worker=worker_id, state=AssignmentStatus.LEASED)
    if queue_id is not None:
        held = held.filter(queue=queue_id)
    if account_id is not None:
        held = held.filter(queue__account=account_id)
    seats: dict[int, list[int]] = {}
    # In the order of the queues, so that two of these in transactions of their callers never wait for each other.
    for seat, in_queue in held.order_by("queue_id", "id").values_list("id", "queue_id"):
        seats.setdefault(in_queue, []).append(seat)
    now = timezone.now()
    return sum(
        end_seats(queue_id=in_queue, seats=ids, to=AssignmentStatus.RETURNED, now=now)
        for in_queue, ids in seats.items()
    )


def shorten(*, queue_id: int, until: datetime) -> int:
    """Let no lease of the queue run longer than `until`; returns how many were shortened."""
    longer = Assignment.objects.filter(queue_id=queue_id, state=AssignmentStatus.LEASED, lease_expires_at__gt=until)
    with transaction.atomic():
        # In id order, like every path that locks several seats.
        ids = list(longer.select_for_update(no_key=True).order_by("id").values_list("id", flat=True))
        return Assignment.objects.filter(pk__in=ids).update(lease_expires_at=until)


def withdraw(*, batch: Batch) -> None:
    """Withdraw the free seats of the batch; running leases may still be answered. Safe to repeat."""
    while True:
        with transaction.atomic():
            lock_positions(batch.queue_id)
            free = Task.objects.filter(batch=batch, state=TaskStatus.OPEN, seats_free__gt=0)
            ids = list(free.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True)[: 2 * CHUNK])
            if not ids:
                return
            _withdraw_seats(ids)
            advance_requests.request_advance(batch.queue_id)


def withdraw_tasks(*, queue_id: int, tasks: Sequence[int]) -> None:
    """Withdraw the free seats of these tasks, at most some hundreds; running leases may be answered. Safe to repeat."""
    with transaction.atomic():
        lock_positions(queue_id)
        free = Task.objects.filter(pk__in=tasks, state=TaskStatus.OPEN, seats_free__gt=0)
        ids = list(free.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
        if ids:
            _withdraw_seats(ids)
            advance_requests.request_advance(queue_id)


def batches_on_offer(queue: WorkQueue, now: datetime) -> set[int]:
    """The batches whose seats are on offer, if only after a pause; none once the queue is closed."""
    if not queue.live:
        return set()
    live = Batch.objects.filter(queue=queue, status="InProgress").exclude(expires_at__lte=now)
    return set(live.values_list("pk", flat=True))


def _free_seats(queue: WorkQueue, tasks: Iterable[Task], ended: Counter[int], *, declined: bool, now: datetime) -> None:
    freed: dict[int, list[int]] = {}
    withdrawn: list[int] = []
    on_offer = batches_on_offer(queue, now)
    for task in tasks:
        if not (count := ended[task.pk]):
            continue
        if declined:
            task.declines_count += count
            task.save(update_fields=["declines_count"])
        if task.batch_id in on_offer and task.state == TaskStatus.OPEN:
            freed.setdefault(count, []).append(task.pk)
        else:
            task.seats_total -= count
            task.save(update_fields=["seats_total"])
            withdrawn.append(task.pk)
    for count, ids in freed.items():
        requeue(queue_id=queue.pk, tasks=ids, seats=count)
    if withdrawn:
        _withdraw_seats(withdrawn)
        advance_requests.request_advance(queue.pk)


def requeue(*, queue_id: int, tasks: Sequence[int], seats: int) -> None:
    """Offer `seats` more seats of each task, at the end of the queue. Needs a transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT labeling_requeue(%s, %s, %s)", [queue_id, list(tasks), seats])


def _withdraw_seats(tasks: Sequence[int]) -> None:
    """Remove the free seats of these tasks, which the caller has locked; those without a running lease are over."""
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE labeling_task SET seats_total = seats_total - seats_free, seats_free = 0,
                   due = due OR seats_total - seats_free = answers_count,
                   state = CASE WHEN state <> 'Open' OR seats_total - seats_free > answers_count THEN state
                                WHEN answers_count > 0 THEN 'Done' ELSE 'Expired' END
               WHERE id = ANY (%s)""",
            [list(tasks)],
        )
