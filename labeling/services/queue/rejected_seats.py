"""What a rejected answer leaves behind: a seat that is offered again or withdrawn. And how an answer counts again.

Knows no money and no labels. Callers hold the position lock of the queue, the batches, tasks and seats (locking.py).
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from labeling.models import Assignment, AssignmentStatus, Task, TaskStatus, WorkQueue
from labeling.services.queue import advance_requests, leases
from labeling.services.queue.owners import owner_of

CHANGED = ("state", "seats_total", "answers_count", "rejections_count", "due", "responses_written")


def vacate(
    *, queue: WorkQueue, tasks: Sequence[Task], seats: Sequence[Assignment], to_same_worker: bool, now: datetime
) -> frozenset[int]:
    """Take the answers of these seats away from their tasks; returns the keys of the seats that are leased again.

    While a task is on offer its seat is: to the worker who had it, for one more lease, if `to_same_worker`, else to
    others at the end of the queue. Otherwise the seat is withdrawn, and a task left without open seats is due.
    """
    lost = Counter(seat.task_id for seat in seats)
    on_offer = leases.batches_on_offer(queue, now)
    offered = [task for task in tasks if task.batch_id in on_offer]
    wanted = owner_of(queue).reconsider(offered) if offered else frozenset()
    freed: dict[int, list[int]] = {}
    for task in tasks:
        count = lost[task.pk]
        task.answers_count -= count
        task.rejections_count += count
        task.responses_written = False
        if task.pk in wanted:
            task.state, task.due = TaskStatus.OPEN, False
            freed.setdefault(count, []).append(task.pk)
        else:
            task.seats_total -= count
            task.due = task.due or _is_over(task)
    Task.objects.bulk_update(tasks, CHANGED)
    again = frozenset(seat.pk for seat in seats if to_same_worker and seat.task_id in wanted)
    Assignment.objects.filter(pk__in=[seat.pk for seat in seats]).update(state=AssignmentStatus.REJECTED)
    if to_same_worker:
        Assignment.objects.filter(pk__in=again).update(
            state=AssignmentStatus.LEASED,
            accepted_at=now,
            lease_expires_at=now + timedelta(seconds=queue.task_time_limit_seconds),
            ended_at=None,
        )
    else:
        for count, ids in freed.items():
            leases.requeue(queue_id=queue.pk, tasks=ids, seats=count)
    advance_requests.request_advance(queue.pk)
    return again


def count_again(*, queue: WorkQueue, task: Task, seat: Assignment) -> None:
    """Let the answer of a rejected seat count again: in a seat that is still free, else in a further one."""
    task.answers_count += 1
    task.extra_answers += 1
    task.responses_written = False
    if task.seats_free:
        task.seats_free -= 1
    else:
        task.seats_total += 1
    task.due = task.due or _is_over(task)
    task.save(update_fields=[*CHANGED, "seats_free", "extra_answers"])
    Assignment.objects.filter(pk=seat.pk).update(state=AssignmentStatus.SUBMITTED)
    advance_requests.request_advance(queue.pk)


def _is_over(task: Task) -> bool:
    return task.seats_free == 0 and task.seats_total == task.answers_count
