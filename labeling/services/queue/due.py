"""Due tasks, whose seats are all answered or withdrawn: their owner decides if they get one more seat or are over."""

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from labeling.models import Task, TaskStatus, WorkQueue
from labeling.services.queue import leases
from labeling.services.queue.locking import lock_positions
from labeling.services.queue.owners import QueueOwner, owner_of

CHUNK = 200
"""Tasks that one transaction settles."""


def settle_due(queue: WorkQueue) -> int:
    """Give every due task one more seat or finish it, as its owner decides. Returns the number of tasks.

    Safe to repeat, and to be killed anywhere: each chunk is one transaction.
    """
    owner, done = owner_of(queue), 0
    while True:
        chunk = list(Task.objects.filter(queue=queue, due=True).order_by("pk").select_related("data_object")[:CHUNK])
        if not chunk:
            return done
        _settle(queue, owner, chunk)
        done += len(chunk)


def _settle(queue: WorkQueue, owner: QueueOwner, tasks: Sequence[Task]) -> None:
    judgement = owner.judge(tasks)
    seen = {task.pk: _answers_of(task) for task in tasks}
    with transaction.atomic():
        lock_positions(queue.pk)
        queue.refresh_from_db(fields=["status"])
        locked = Task.objects.select_for_update(no_key=True).filter(pk__in=sorted(seen), due=True).order_by("pk")
        # A task that got or lost an answer meanwhile stays due and is judged again in the next round.
        current = [task for task in locked if _answers_of(task) == seen[task.pk]]
        offered = leases.batches_on_offer(queue, timezone.now())
        continued = [
            task
            for task in current
            if task.pk in judgement.wanting and task.batch_id in offered and task.seats_total < task.max_seats
        ]
        finished = [task for task in current if task not in continued]
        _add_seat(queue, continued)
        _close(finished)
        owner.finish(finished, judgement)


def _answers_of(task: Task) -> tuple[int, int, int]:
    """Tells one set of answers to a task from another: it only grows by answers and only shrinks by rejections."""
    return task.answers_count, task.rejections_count, task.extra_answers


def _add_seat(queue: WorkQueue, tasks: Sequence[Task]) -> None:
    for task in tasks:
        task.seats_total += 1
        task.due = False
    Task.objects.bulk_update(tasks, ["seats_total", "due"])
    if tasks:
        leases.requeue(queue_id=queue.pk, tasks=[task.pk for task in tasks], seats=1)


def _close(tasks: Sequence[Task]) -> None:
    for task in tasks:
        task.state = TaskStatus.DONE if task.answers_count else TaskStatus.EXPIRED
        task.due = False
    Task.objects.bulk_update(tasks, ["state", "due"])
