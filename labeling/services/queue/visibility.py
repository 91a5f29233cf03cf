"""What a worker may see of a work queue: the queue itself, the pictures of its tasks, its example pictures.

Whether they may see the queue at all is decided by the SQL function labeling_refusal (labeling/sql/refusal_0040.sql),
which asks marketplace.services.eligibility's first.
"""

from django.db import connection
from django.db.models import BigIntegerField, F, Func, QuerySet, TextField, Value

from labeling.models import Assignment, AssignmentStatus, DataObject, WorkQueue
from marketplace.errors import Forbidden
from marketplace.services import eligibility, team_access

BLOCKED_JOB, RETRAIN, PAUSED, REVIEWER = "blocked-job", "retrain", "paused", "reviewer"
SAID = {
    BLOCKED_JOB: "this job is closed to you because of something found in your answers; your page Conduct says what",
    RETRAIN: "read the instructions of this job again, on your page Conduct, before you go on",
    PAUSED: "you are paused in this job; your page Conduct says why and until when",
    REVIEWER: "you were named to review the answers of this job, so you answer none of its tasks yourself",
}
"""What a worker is told of the reasons that are the queue's own."""


def said(reason: str) -> str | None:
    """A reason of `refusal` in words for the worker; None for what is none."""
    return SAID.get(reason) or eligibility.said(reason)


def refusal(*, worker_id: int, queue: WorkQueue) -> str | None:
    """Why the worker may not see the queue, which `said` puts into words; None when they may."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT labeling_refusal(%s, %s)", [worker_id, queue.pk])
        found: str | None = cursor.fetchone()[0]
    return found


def refusal_expression(*, worker_id: int, queue: str) -> Func:
    """`refusal` of each row of a queryset; `queue` is the rows' column with the queue's key."""
    return Func(Value(worker_id, BigIntegerField()), F(queue), function="labeling_refusal", output_field=TextField())


def with_outside(queues: QuerySet[WorkQueue], address: str | None) -> QuerySet[WorkQueue]:
    """The queues with the attribute `outside`: whether the address is outside of the networks of the queue's team."""
    return queues.annotate(outside=team_access.outside_expression(address, cidrs="workteam__source_cidrs"))


def require_inside(queue: WorkQueue, address: str | None) -> None:
    """Raises Forbidden, saying why, when the address is outside; `queue` is one of `with_outside`."""
    if queue.outside:  # type: ignore[attr-defined]
        raise Forbidden(team_access.refusal(address))


def may_see_object(*, worker_id: int, data_object: DataObject) -> bool:
    """Whether the worker may see the picture of this object.

    Eligible workers see every picture while the queue is open, afterwards those of tasks they had; where a routing rule
    decides who sees which object, only those of tasks they had. Somebody who left
    the team sees none, whatever they worked on before.
    """
    queue = data_object.job.queue
    if refusal(worker_id=worker_id, queue=queue) is not None:
        return False
    if queue.open and not queue.routing_rule:
        return True
    had = Assignment.objects.filter(worker_id=worker_id, task__data_object=data_object)
    return had.exclude(state=AssignmentStatus.WITHHELD).exists()
