"""What a worker may work on now: open queues they are eligible for, with what is left for them and what it pays."""

from dataclasses import dataclass

import orjson
from django.db import connection

from marketplace.models import Worker

MOST_COUNTED = 1000
"""A larger count tells a worker nothing more, and the cost of counting would grow with the queue."""


@dataclass(frozen=True)
class AvailableWork:
    """A queue on a worker's list. `tasks_left` counts tasks with a free seat this worker has not had, at most 1000."""

    queue_id: int
    title: str
    description: str
    keywords: list[str]
    requester: str
    task_type: str
    price_micros: int
    expected_seconds: float
    hourly_micros: int
    task_time_limit_seconds: int
    tasks_left: int
    tasks_held: int


_AVAILABLE = """
    SELECT * FROM (
        SELECT q.id, q.title, q.description, q.keywords, r.name, q.task_type, q.price_micros, q.expected_seconds,
            q.task_time_limit_seconds,
            (SELECT count(*) FROM (
                SELECT 1 FROM labeling_claimable(%(worker)s, q.id)
                LIMIT %(most)s) AS counted) AS tasks_left,
            (SELECT count(*) FROM labeling_assignment a
                WHERE a.worker_id = %(worker)s AND a.queue_id = q.id AND a.state = 'Leased') AS tasks_held
        FROM labeling_workqueue q JOIN marketplace_account r ON r.id = q.account_id
        WHERE q.status = 'InProgress' AND marketplace_refusal(%(worker)s, q.audience_id, q.account_id) IS NULL
    ) AS available WHERE tasks_left > 0 OR tasks_held > 0
    ORDER BY price_micros / expected_seconds DESC, id"""


def work_available(*, worker: Worker) -> list[AvailableWork]:
    """The queues a worker can work on now, best paid hour first, in one query."""
    with connection.cursor() as cursor:
        cursor.execute(_AVAILABLE, {"worker": worker.pk, "most": MOST_COUNTED})
        rows = cursor.fetchall()
    return [
        AvailableWork(
            queue_id=pk,
            title=title,
            description=description,
            keywords=orjson.loads(keywords),
            requester=requester,
            task_type=task_type,
            price_micros=price,
            expected_seconds=seconds,
            hourly_micros=round(price * 3600 / seconds),
            task_time_limit_seconds=limit,
            tasks_left=left,
            tasks_held=held,
        )
        for pk, title, description, keywords, requester, task_type, price, seconds, limit, left, held in rows
    ]
