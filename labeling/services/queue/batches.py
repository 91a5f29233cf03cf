"""Batches: tasks opened to people together, with the money for all their seats set aside first.

Knows neither why these tasks were chosen nor what their answers mean: that is the owner's concern.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import orjson
from django.db import connection, transaction
from django.db.models import Exists, Max, OuterRef, Q
from django.utils import timezone

from labeling import hooks, redundancy, subjects, transitions
from labeling.models import Assignment, AssignmentStatus, Batch, Task, TaskStatus, WorkQueue
from labeling.services import notices
from labeling.services.queue import due, leases, planned_advances
from labeling.services.queue.locking import lock_positions
from marketplace.errors import WrongState
from marketplace.models import EntryKind, LedgerKind, Subject
from marketplace.services import escrow, ledger

LIVE = ("Initializing", "InProgress")


class NewTask(NamedTuple):
    """A task about to be opened: what it shows (JSON), the data object it is about, if it is about one, and whether
    people check a pre-label of that."""

    input: dict[str, Any]
    data_object_id: int | None = None
    checks: bool = False


class NewGold(NamedTuple):
    """A task about to be opened whose true answer is known; so many workers get it."""

    input: dict[str, Any]
    data_object_id: int
    gold_id: int
    seats: int


def open_batch(
    *,
    queue: WorkQueue,
    tasks: Sequence[NewTask],
    golds: Sequence[NewGold] = (),
    purpose: str,
    relabels: bool = False,
    exclusive: bool = True,
    by: str,
) -> Batch:
    """Open these tasks to people, in this order of priority, and reserve the money for every seat they may get.

    The golds are mixed into the work on the others. A batch that is not `exclusive` may be open beside others.
    `relabels`: see Batch. Needs a transaction. Raises LimitExceeded when the wallet cannot pay, WrongState when an
    exclusive batch is open already or the queue is closed. When it raises, nothing has changed.
    """
    now = timezone.now()
    with transaction.atomic():
        # The row lock keeps the queue from being closed between the check and the opening.
        queue = WorkQueue.objects.select_for_update(no_key=True).get(pk=queue.pk)
        if not queue.open:
            raise WrongState(f"the work queue is {queue.status}; batches open while it is InProgress", field="status")
        if exclusive and (live := live_batch(queue)) is not None:
            raise WrongState(f"batch {live.number} is still open", field="batch")
        lock_positions(queue.pk)
        number = (Batch.objects.filter(queue=queue).aggregate(n=Max("number"))["n"] or 0) + 1
        batch = Batch.objects.create(
            queue=queue,
            number=number,
            exclusive=exclusive,
            purpose=purpose,
            relabels=relabels,
            opened_at=now,
            expires_at=now + timedelta(seconds=queue.task_availability_seconds),
        )
        micros = _make_tasks(queue, batch, tasks)
        _make_golds(queue, batch, golds)
        micros += sum(gold.seats for gold in golds) * queue.answer_micros(checks=False)
        escrow.reserve(
            account=queue.account,
            purpose=Subject(subjects.WORK_QUEUE, queue.pk),
            subject=Subject(subjects.BATCH, batch.pk),
            amount_micros=micros,
            by=by,
        )
        transitions.BATCH.advance(batch, "InProgress", by=by, because=f"{len(tasks)} tasks opened")
        planned_advances.no_later(queue.pk, now + timedelta(seconds=queue.task_availability_seconds))
        if number == 1:
            notices.work_opened(queue)
    return batch


def _make_tasks(queue: WorkQueue, batch: Batch, tasks: Sequence[NewTask]) -> int:
    """Insert all tasks in one statement; positions are drawn in the order of `tasks`, under the position lock.

    Returns what the seats that they may get cost, in micro-dollars with fees.
    """
    most = _seats(queue, tasks)
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO labeling_task (queue_id, batch_id, data_object_id, input, state, max_seats, seats_total,
                                          seats_free, answers_count, declines_count, due, responses_written, checks,
                                          queue_position)
               SELECT %s, %s, o.object_id, o.input::jsonb, 'Open', o.most,
                      least(o.most, o.first), least(o.most, o.first), 0, 0, false, false, o.checks,
                      nextval('labeling_queue_position')
               FROM (SELECT * FROM unnest(%s::bigint[], %s::text[], %s::smallint[], %s::smallint[], %s::boolean[])
                                   WITH ORDINALITY AS u(object_id, input, most, first, checks, place)
                     ORDER BY place) AS o""",
            [
                queue.pk,
                batch.pk,
                [task.data_object_id for task in tasks],
                [orjson.dumps(task.input).decode() for task in tasks],
                most,
                [queue.opens_with(checks=task.checks) for task in tasks],
                [task.checks for task in tasks],
            ],
        )
    return sum(seats * queue.answer_micros(checks=task.checks) for seats, task in zip(most, tasks, strict=True))


def _seats(queue: WorkQueue, tasks: Sequence[NewTask]) -> list[int]:
    """The most seats of each task; where they differ, a hash of queue and object decides."""
    before = queue.opened()
    keys = [f"{queue.pk}:{task.data_object_id or f'task {place}'}" for place, task in enumerate(tasks, before)]
    return redundancy.shared_out(keys, queue.max_seats, queue.fewer_percent, before=before)


def add_gold(*, queue: WorkQueue, batch: Batch, gold: NewGold, by: str) -> None:
    """Open one more gold in a batch that is open, and reserve the money for it.

    Needs a transaction that has locked the queue, the positions and the batch. Raises LimitExceeded when the wallet
    cannot pay, IntegrityError for a gold that was added to a batch before.
    """
    _make_golds(queue, batch, [gold])
    escrow.reserve(
        account=queue.account,
        purpose=Subject(subjects.WORK_QUEUE, queue.pk),
        subject=Subject(subjects.GOLD, gold.gold_id),
        amount_micros=gold.seats * queue.answer_micros(checks=False),
        by=by,
    )


def _make_golds(queue: WorkQueue, batch: Batch, golds: Sequence[NewGold]) -> None:
    """Insert the tasks of golds, at random places below every cursor."""
    if not golds:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO labeling_task (queue_id, batch_id, data_object_id, gold_id, input, state, seats_total,
                                          seats_free, max_seats, answers_count, declines_count, due,
                                          responses_written, queue_position)
               SELECT %s, %s, u.object_id, u.gold_id, u.input::jsonb, 'Open', u.seats, u.seats, u.seats, 0, 0, false,
                      false, -1 - floor(random() * 4611686018427387903)::bigint
               FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::smallint[])
                    AS u(object_id, gold_id, input, seats)""",
            [
                queue.pk,
                batch.pk,
                [gold.data_object_id for gold in golds],
                [gold.gold_id for gold in golds],
                [orjson.dumps(gold.input).decode() for gold in golds],
                [gold.seats for gold in golds],
            ],
        )


def live_batch(queue: WorkQueue) -> Batch | None:
    """The exclusive batch that is open to people now, if one is."""
    return Batch.objects.filter(queue=queue, status__in=LIVE, exclusive=True).first()


def live_batches(queue: WorkQueue) -> list[Batch]:
    """Every batch that is open to people now, the oldest first."""
    return list(Batch.objects.filter(queue=queue, status__in=LIVE).order_by("number"))


def to_end(queue: WorkQueue, *, now: datetime) -> list[Batch]:
    """Those of the batches that are open of which something may end: all tasks are over, or the time is."""
    tasks = Task.objects.filter(batch=OuterRef("pk"))
    over = ~Exists(tasks.filter(state=TaskStatus.OPEN)) & ~Exists(tasks.filter(due=True))
    rows = Batch.objects.filter(queue=queue, status__in=LIVE)
    return list(rows.filter(over | Q(expires_at__lte=now) | Q(stopped_early=True)).order_by("number"))


def is_over(batch: Batch) -> bool:
    """Whether every task of the batch is Done or Expired and its owner has handled it."""
    tasks = Task.objects.filter(batch=batch)
    still_due = Task.objects.filter(queue=batch.queue_id, batch=batch, due=True)
    return not tasks.filter(state=TaskStatus.OPEN).exists() and not still_due.exists()


def expire_batch(*, batch: Batch, now: datetime) -> bool:
    """Withdraw the free seats of a batch that has expired; returns whether it has. Running leases stay valid."""
    if batch.expires_at is None or batch.expires_at > now:
        return False
    leases.withdraw(batch=batch)
    return True


def close_batch(*, batch: Batch, by: str = "system") -> bool:
    """Complete a batch whose tasks are all over, refund its unspent money, notify the listeners.

    Returns False, and changes nothing, while a task of it is open or due. Safe to repeat.
    """
    return _finish(batch, to="Completed", by=by, because="all its tasks are over")


def stop_batch(*, batch: Batch, by: str, grace_seconds: float = 0) -> bool:
    """End a batch early: free seats are withdrawn, leases may be answered for `grace_seconds` and are then cancelled.

    Answers are kept, the unspent money is refunded. Returns False while a lease still runs: call again (the grace
    period counts from the first call).
    """
    now = timezone.now()
    Batch.objects.filter(pk=batch.pk, stopped_early=False).update(stopped_early=True, expires_at=now)
    leases.withdraw(batch=batch)
    leases.shorten(queue_id=batch.queue_id, until=now + timedelta(seconds=grace_seconds))
    leased = Assignment.objects.filter(task__batch=batch, state=AssignmentStatus.LEASED, lease_expires_at__lte=now)
    leases.end_seats(
        queue_id=batch.queue_id,
        seats=list(leased.values_list("pk", flat=True)),
        to=AssignmentStatus.CANCELLED,
        now=now,
    )
    due.settle_due(batch.queue)
    return _finish(batch, to="Stopped", by=by, because="stopped early")


def _finish(batch: Batch, *, to: str, by: str, because: str) -> bool:
    with transaction.atomic():
        # Locked before looking: a rejection that reopens a task holds the batch until it commits.
        Batch.objects.select_for_update(no_key=True).get(pk=batch.pk)
        if not is_over(batch):
            return False
        if not transitions.BATCH.advance(batch, to, by=by, because=because):
            return True
        # Every seat is over, so no answer can be paid from the remaining money any more.
        escrow.refund(
            account=batch.queue.account,
            purpose=Subject(subjects.WORK_QUEUE, batch.queue_id),
            subject=Subject(subjects.BATCH, batch.pk),
            by=by,
            amount_micros=None if batch.exclusive else _left_of(batch),
        )
        hooks.send(hooks.batch_done, batch.pk)
    return True


def _left_of(batch: Batch) -> int:
    """What was reserved for a batch and paid for none of its answers, while others of the queue may be open."""
    reserved = ledger.moved([EntryKind.RESERVE], [Subject(subjects.BATCH, batch.pk)], pocket_kind=LedgerKind.ESCROW)
    seats = Assignment.objects.filter(task__batch=batch, state=AssignmentStatus.SUBMITTED).values_list("pk", flat=True)
    answers = [Subject(subjects.ASSIGNMENT, pk) for pk in seats]
    return reserved + ledger.moved([EntryKind.PAYMENT], answers, pocket_kind=LedgerKind.ESCROW)
