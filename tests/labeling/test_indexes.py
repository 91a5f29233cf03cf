"""Queries that would read whole tables find their rows by an index, whatever the size of the installation."""

import pytest
from django.db import connection

from labeling.models import Assignment, Batch, DataObject, Label, Task
from labeling.services.queue import assignments
from tests.labeling import stories

pytestmark = pytest.mark.django_db

INDEXED = {
    "task_by_queue": "SELECT id FROM labeling_task WHERE queue_id = {queue} AND id > 5 ORDER BY id LIMIT 500",
    "assignment_by_queue_state": "SELECT id FROM labeling_assignment WHERE queue_id = {queue} AND state = 'Submitted'",
    "label_by_model": "SELECT count(*) FROM labeling_label WHERE model_name = 'bees-1'",
}


@pytest.mark.parametrize("index", INDEXED)
def test_rows_of_a_queue_and_labels_of_a_model_are_found_by_an_index(index):
    for objects in (300, 3):
        job, (worker,) = stories.an_open_job(workers=1, objects=objects, workers_per_object=1)
    seat = assignments.claim(worker=worker, queue=job.queue)
    stories.answer(seat)
    others = Batch.objects.exclude(queue=job.queue).get()
    Assignment.objects.bulk_create(
        Assignment(task_id=pk, queue=others.queue, worker=worker, state="Leased", accepted_at=seat.accepted_at,
                   lease_expires_at=seat.lease_expires_at)
        for pk in Task.objects.filter(batch=others).values_list("pk", flat=True)
    )  # fmt: skip
    Label.objects.bulk_create(
        Label(data_object_id=pk, revision=1, source="machine", algorithm="x", value={},
              model_name="bees-1" if pk % 50 == 0 else "")
        for pk in DataObject.objects.values_list("pk", flat=True)
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE labeling_task, labeling_assignment, labeling_label")
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN " + INDEXED[index].format(queue=job.queue_id))
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert index in plan, plan
