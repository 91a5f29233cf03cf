"""What a worker may work on now: open queues they are eligible for, with what is left for them and what it pays."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import BooleanField, ExpressionWrapper, F, FloatField, QuerySet
from django.db.models.expressions import RawSQL

from labeling.models import Assignment, AssignmentStatus, WorkQueue
from labeling.services.queue import visibility
from marketplace.models import Worker
from marketplace.services import team_access

MOST_COUNTED = 1000
"""A larger count tells a worker nothing more, and the cost of counting would grow with the queue."""

BEST_PAID_FIRST = ("-pay_per_second", "id")
"""The order of a worker's list; `queues_with_work` adds the first of the two columns."""

_HELD = "labeling_assignment a WHERE a.worker_id = %s AND a.queue_id = labeling_workqueue.id AND a.state = 'Leased'"
# Ordered like the claim's index, which is then read from the worker's cursor on.
_SOME_LEFT = f"""(SELECT c.id FROM labeling_claimable(%s, labeling_workqueue.id) c
        ORDER BY c.queue_position LIMIT 1) IS NOT NULL
    OR EXISTS (SELECT 1 FROM {_HELD})"""


@dataclass(frozen=True)
class AvailableWork:
    """A queue on a worker's list. `tasks_left` counts tasks with a free seat this worker has not had, at most 1000.

    `review_days`: answers are paid after a review, within so many days; None: at once. `employer`: the vendor that pays
    the worker for this work, "" when the requester does; then the prices shown are 0. `check_price_micros` is paid for
    tasks that begin with a label to be checked; None where there are none, or they are paid as others.
    """

    queue_id: int
    title: str
    description: str
    keywords: list[str]
    requester: str
    task_type: str
    price_micros: int
    review_days: int | None
    expected_seconds: float
    hourly_micros: int
    task_time_limit_seconds: int
    tasks_left: int
    tasks_held: int
    employer: str = ""
    check_price_micros: int | None = None


def queues_with_work(worker: Worker, address: str | None = None) -> QuerySet[WorkQueue]:
    """The open queues in which the worker can claim a task or holds one, best paid hour first.

    Without those of teams whose networks the `address` of the request is outside of (None: no request).
    """
    refusal = visibility.refusal_expression(worker_id=worker.pk, queue="pk")
    return (
        WorkQueue.objects.filter(status="InProgress")
        .alias(refusal=refusal, outside=team_access.outside_expression(address, cidrs="workteam__source_cidrs"))
        .filter(refusal=None, outside=False)
        .filter(RawSQL(_SOME_LEFT, [worker.pk, worker.pk], output_field=BooleanField()))
        .annotate(pay_per_second=ExpressionWrapper(F("price_micros") / F("expected_seconds"), FloatField()))
        .select_related("account", "contract__vendor")
        .order_by(*BEST_PAID_FIRST)
    )


def with_counts(worker: Worker, queues: Iterable[WorkQueue]) -> list[AvailableWork]:
    """Some of `queues_with_work`, usually one page, with the numbers of tasks, which are one query for all of them."""
    rows = list(queues)
    counted = _counts(worker, [row.pk for row in rows])
    return [
        AvailableWork(
            queue_id=row.pk,
            title=row.title,
            description=row.description,
            keywords=row.keywords,
            requester=row.account.name,
            task_type=row.task_type,
            price_micros=_shown_price(row),
            review_days=row.review_days,
            expected_seconds=row.expected_seconds,
            hourly_micros=round(_shown_price(row) * 3600 / row.expected_seconds),
            employer=row.contract.vendor.name if row.contract is not None else "",
            check_price_micros=row.check_price_micros,
            task_time_limit_seconds=row.task_time_limit_seconds,
            tasks_left=counted[row.pk][0],
            tasks_held=counted[row.pk][1],
        )
        for row in rows
    ]


def offered_before(*, queue: WorkQueue, users: QuerySet[Any, int], after: int, most: int) -> list[int]:
    """The keys of the next workers, by key, who had a task of the queue, whatever became of it, or are among `users`
    (their keys), as those who were told of its work."""
    had = Assignment.objects.filter(queue=queue, worker__gt=after).exclude(state=AssignmentStatus.WITHHELD)
    told = Worker.objects.filter(user__in=users, pk__gt=after)
    return list(had.values_list("worker", flat=True).union(told.values_list("pk", flat=True)).order_by("worker")[:most])


def with_work_in(*, queue: WorkQueue, worker_ids: Sequence[int]) -> list[int]:
    """Those of these workers who may see the queue now and can claim a task of it, or hold one."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT w.id FROM unnest(%(workers)s::bigint[]) AS w(id)
               JOIN labeling_workqueue q ON q.id = %(queue)s AND q.status = 'InProgress'
               WHERE labeling_refusal(w.id, q.id) IS NULL
                 AND ((SELECT c.id FROM labeling_claimable(w.id, q.id) c ORDER BY c.queue_position LIMIT 1) IS NOT NULL
                   OR EXISTS (SELECT FROM labeling_assignment a
                              WHERE a.worker_id = w.id AND a.queue_id = q.id AND a.state = 'Leased'))""",
            {"workers": list(worker_ids), "queue": queue.pk},
        )
        return [worker for (worker,) in cursor.fetchall()]


def _shown_price(queue: WorkQueue) -> int:
    """What the worker is paid for an answer; what their employer is paid is not shown to them."""
    return 0 if queue.contract_id is not None else queue.price_micros


def _counts(worker: Worker, queue_ids: list[int]) -> dict[int, tuple[int, int]]:
    """By queue: the tasks that the worker can claim, at most MOST_COUNTED, and those that they hold."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT labeling_workqueue.id,
                   least(%s, labeling_tasks_left(%s, labeling_workqueue.id, (SELECT count(*)::integer FROM (
                       SELECT 1 FROM labeling_claimable(%s, labeling_workqueue.id) c
                       ORDER BY c.queue_position LIMIT %s) AS counted))),
                   (SELECT count(*) FROM {_HELD})
               FROM labeling_workqueue WHERE labeling_workqueue.id = ANY (%s)""",
            [MOST_COUNTED, worker.pk, worker.pk, MOST_COUNTED, worker.pk, queue_ids],
        )
        return {pk: (left, held) for pk, left, held in cursor.fetchall()}
