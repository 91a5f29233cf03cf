"""Reads a task for the page of the worker who holds it, in one query, because every claim needs it."""

import orjson
from django.db import connection

from labeling.models import Task, WorkQueue
from marketplace.columns import columns

_TASK = columns(Task, "id", "queue_id", "input", "checks")
_QUEUE_JSON = ("labels", "label_category_config", "instructions")
_PAY = ("price_micros", "check_price_micros", "contract_id", "review_days")
_QUEUE = columns(WorkQueue, "id", "task_type", "title", *_PAY, *_QUEUE_JSON)
_JSON = {
    *(place for place, name in enumerate(_TASK) if name == "input"),
    *(len(_TASK) + place for place, name in enumerate(_QUEUE) if name in _QUEUE_JSON),
}
_SHOWN = f"""
    SELECT {", ".join(f"t.{name}" for name in _TASK)}, {", ".join(f"q.{name}" for name in _QUEUE)}
    FROM labeling_task t JOIN labeling_workqueue q ON q.id = t.queue_id WHERE t.id = %s"""
# Plain SQL, because building the query with the ORM for each claim would take longer than running it.


def task_shown(task_id: int) -> Task:
    """A task with its queue; fields a task's page does not need are loaded only when read."""
    with connection.cursor() as cursor:
        cursor.execute(_SHOWN, [task_id])
        row = cursor.fetchone()
    if row is None:
        raise Task.DoesNotExist(f"there is no task {task_id}")
    values = [orjson.loads(value) if place in _JSON else value for place, value in enumerate(row)]
    task: Task = Task.from_db(connection.alias, _TASK, values[: len(_TASK)])
    task.queue = WorkQueue.from_db(connection.alias, _QUEUE, values[len(_TASK) :])
    return task
