"""What a worker may see of a work queue: the queue itself, the pictures of its tasks, its example pictures.

Whether they may see the queue at all is decided by the SQL function labeling_refusal (labeling/sql/refusal_0025.sql),
which asks marketplace.services.eligibility's first.
"""

from django.db import connection
from django.db.models import BigIntegerField, F, Func, TextField, Value

from labeling.models import Assignment, DataObject, WorkQueue
from marketplace.services import eligibility

BLOCKED_JOB, RETRAIN, PAUSED = "blocked-job", "retrain", "paused"
SAID = eligibility.SAID | {
    BLOCKED_JOB: "this job is closed to you because of something found in your answers; your page Conduct says what",
    RETRAIN: "read the instructions of this job again, on your page Conduct, before you go on",
    PAUSED: "you are paused in this job; your page Conduct says why and until when",
}
"""What a worker is told, by the reason why they may not see a queue."""


def refusal(*, worker_id: int, queue: WorkQueue) -> str | None:
    """Why the worker may not see the queue, a key of SAID; None when they may."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT labeling_refusal(%s, %s)", [worker_id, queue.pk])
        found: str | None = cursor.fetchone()[0]
    return found


def refusal_expression(*, worker_id: int, queue: str) -> Func:
    """`refusal` of each row of a queryset; `queue` is the rows' column with the queue's key."""
    return Func(Value(worker_id, BigIntegerField()), F(queue), function="labeling_refusal", output_field=TextField())


def may_see_object(*, worker_id: int, data_object: DataObject) -> bool:
    """Whether the worker may see the picture of this object.

    Eligible workers see every picture while the queue is open, afterwards those of tasks they had. Somebody who left
    the team sees none, whatever they worked on before.
    """
    queue = data_object.job.queue
    if refusal(worker_id=worker_id, queue=queue) is not None:
        return False
    return queue.open or Assignment.objects.filter(worker_id=worker_id, task__data_object=data_object).exists()
