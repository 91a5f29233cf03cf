"""Opens golds to people: with each batch, in the batch that is open, and takes them away when they are not needed.

Which tasks of a worker are golds is decided by the claim (labeling/sql/claim_0060.sql); here is how many answers golds
may get, and that the money for them is set aside.
"""

import random
from collections.abc import Sequence
from math import ceil

from django.db import transaction
from django.db.models import F, Sum
from django.utils import timezone

from labeling.models import Batch, Gold, GoldStatus, LabelingJob, Task, TaskStatus, WorkQueue
from labeling.queries import gold_budget
from labeling.services.queue import batches, leases
from labeling.services.queue.batches import NewGold
from labeling.services.queue.locking import lock_positions
from marketplace.errors import InsufficientFunds


def for_batch(job: LabelingJob, objects: int) -> list[NewGold]:
    """The golds of a batch of so many objects, with the seats that its answers call for."""
    ordinary = job.queue.most_answers(objects, before=job.queue.opened())
    seats = gold_budget.answers(ordinary, job.queue.gold_rate)
    return _spread(_active(job.queue), seats) if seats else []


def _active(queue: WorkQueue) -> list[Gold]:
    rows = Gold.objects.filter(queue=queue, state=GoldStatus.ACTIVE).exclude(data_object__width=None)
    return list(rows.select_related("data_object").order_by("pk"))


def _spread(golds: Sequence[Gold], seats: int) -> list[NewGold]:
    """So many seats, evenly; of more golds than seats some at random."""
    if not golds:
        return []
    chosen = random.sample(list(golds), min(seats, len(golds)))
    each, rest = divmod(seats, len(chosen))
    return [_new(gold, each + (place < rest)) for place, gold in enumerate(chosen)]


def _new(gold: Gold, seats: int) -> NewGold:
    shown = gold.data_object
    return NewGold({"object": shown.pk, "width": shown.width, "height": shown.height}, shown.pk, gold.pk, seats)


def open_now(gold: Gold, *, by: str) -> bool:
    """Mix a new gold into the batch that is open; returns whether it was. Otherwise it comes with the next batch.

    Its seats are paid for from the wallet; where that holds too little, the gold waits for the next batch as well.
    """
    try:
        with transaction.atomic():
            queue = WorkQueue.objects.select_for_update(no_key=True).get(pk=gold.queue_id)
            live = batches.live_batch(queue)
            if live is None or queue.gold_rate <= 0 or live.pk not in leases.batches_on_offer(queue, timezone.now()):
                return False
            lock_positions(queue.pk)
            Batch.objects.select_for_update(no_key=True).get(pk=live.pk)
            golds = _active(queue)
            in_batch = Task.objects.filter(batch=live, data_object=gold.data_object_id).exists()
            if in_batch or gold.pk not in {one.pk for one in golds}:
                return False
            left = F("seats_total") - F("answers_count")
            ordinary = Task.objects.filter(batch=live, gold=None, state=TaskStatus.OPEN).aggregate(n=Sum(left))["n"]
            seats = ceil(gold_budget.answers(ordinary or 0, queue.gold_rate) / len(golds))
            if not seats:
                return False
            new = next(one for one in golds if one.pk == gold.pk)
            batches.add_gold(queue=queue, batch=live, gold=_new(new, seats), by=by)
    except InsufficientFunds:
        return False
    return True


def take_away(gold: Gold) -> None:
    """Give the gold to nobody any more; who holds it may still answer."""
    tasks = Task.objects.filter(gold=gold, state=TaskStatus.OPEN).order_by("pk")
    leases.withdraw_tasks(queue_id=gold.queue_id, tasks=list(tasks.values_list("pk", flat=True)))


def end_with_work(batch: Batch) -> None:
    """Withdraw the golds of a batch whose ordinary tasks are over. Safe to repeat."""
    golds = Task.objects.filter(batch=batch, gold__isnull=False, state=TaskStatus.OPEN, seats_free__gt=0)
    if not golds.exists() or Task.objects.filter(batch=batch, gold=None, state=TaskStatus.OPEN).exists():
        return
    leases.withdraw_tasks(queue_id=batch.queue_id, tasks=list(golds.order_by("pk").values_list("pk", flat=True)))
