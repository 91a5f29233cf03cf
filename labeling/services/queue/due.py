"""Tasks whose seats are all answered or withdrawn: their owner is asked, then they get one more seat or are over."""

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from labeling.models import Task, TaskStatus, WorkQueue
from labeling.services.queue import leases
from labeling.services.queue.locking import lock_positions
from labeling.services.queue.owners import QueueOwner, owner_of

CHUNK = 200


def settle_due(queue: WorkQueue) -> int:
    """Ask the owner about every task that is due: it gets one more seat, or is finished. Returns how many there were.

    Safe to repeat, and to be killed anywhere: each chunk is one transaction.
    """
    owner, done = owner_of(queue), 0
    while True:
        some = list(Task.objects.filter(queue=queue, due=True).order_by("pk").select_related("data_object")[:CHUNK])
        if not some:
            return done
        _settle(queue, owner, some)
        done += len(some)


def _settle(queue: WorkQueue, owner: QueueOwner, tasks: Sequence[Task]) -> None:
    judgement = owner.judge(tasks)
    seen = {task.pk: task.answers_count for task in tasks}
    with transaction.atomic():
        lock_positions(queue.pk)
        queue.refresh_from_db(fields=["status"])
        locked = Task.objects.select_for_update(no_key=True).filter(pk__in=sorted(seen), due=True).order_by("pk")
        # An answer that came in meanwhile (a late one) is looked at in the next round.
        current = [task for task in locked if task.answers_count == seen[task.pk]]
        offered = leases.batches_on_offer(queue, timezone.now())
        more = [
            task
            for task in current
            if task.pk in judgement.wanting and task.batch_id in offered and task.seats_total < queue.max_seats
        ]
        over = [task for task in current if task not in more]
        _ask_one_more(queue, more)
        _close(over)
        owner.finish(over, judgement)


def _ask_one_more(queue: WorkQueue, tasks: Sequence[Task]) -> None:
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
