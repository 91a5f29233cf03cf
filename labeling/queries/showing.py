"""What has to be read to show a task to the worker who holds it: one query, because every claim ends with it."""

import json

from django.db import connection

from labeling.models import DataObject, LabelingJob, Task
from marketplace.columns import columns

_TASK = columns(Task, "id", "job_id", "data_object_id")
_OBJECT = columns(DataObject, "id", "width", "height")
_JOB = columns(LabelingJob, "id", "task_type", "title", "price_micros", "labels", "instructions")
_JSON = [_JOB.index("labels"), _JOB.index("instructions")]
# Spelled out: composing it anew for each claim would take longer than running it.
_SHOWN = f"""
    SELECT {", ".join(f"t.{name}" for name in _TASK)}, {", ".join(f"o.{name}" for name in _OBJECT)},
           {", ".join(f"j.{name}" for name in _JOB)}
    FROM labeling_task t JOIN labeling_dataobject o ON o.id = t.data_object_id
    JOIN labeling_labelingjob j ON j.id = t.job_id WHERE t.id = %s"""


def task_shown(task_id: int) -> tuple[Task, LabelingJob, DataObject]:
    """A task with its job and object; fields a task's page does not need are loaded only when read."""
    with connection.cursor() as cursor:
        cursor.execute(_SHOWN, [task_id])
        row = cursor.fetchone()
    if row is None:
        raise Task.DoesNotExist(f"there is no task {task_id}")
    after_object = len(_TASK) + len(_OBJECT)
    job_row = [json.loads(value) if n in _JSON else value for n, value in enumerate(row[after_object:])]
    return (
        Task.from_db(connection.alias, _TASK, row[: len(_TASK)]),
        LabelingJob.from_db(connection.alias, _JOB, job_row),
        DataObject.from_db(connection.alias, _OBJECT, row[len(_TASK) : after_object]),
    )
