"""What a worker may see of a work queue: the queue itself, the pictures of its tasks, its example pictures.

Whether they may see the queue at all is decided by marketplace.services.eligibility.
"""

from django.db.models import QuerySet

from labeling.models import Assignment, DataObject, WorkQueue
from marketplace.errors import Forbidden
from marketplace.services import eligibility, team_access


def refusal(*, worker_id: int, queue: WorkQueue) -> str | None:
    """Why the worker may not see the queue; None when they may. See eligibility.refusal."""
    return eligibility.refusal(worker_id=worker_id, audience_id=queue.audience_id, account_id=queue.account_id)


def with_outside(queues: QuerySet[WorkQueue], address: str | None) -> QuerySet[WorkQueue]:
    """The queues with the attribute `outside`: whether the address is outside of the networks of the queue's team."""
    return queues.annotate(outside=team_access.outside_expression(address, cidrs="workteam__source_cidrs"))


def require_inside(queue: WorkQueue, address: str | None) -> None:
    """Raises Forbidden, saying why, when the address is outside; `queue` is one of `with_outside`."""
    if queue.outside:  # type: ignore[attr-defined]
        raise Forbidden(team_access.refusal(address))


def may_see_object(*, worker_id: int, data_object: DataObject) -> bool:
    """Whether the worker may see the picture of this object.

    Eligible workers see every picture while the queue is open, afterwards those of tasks they had. Somebody who left
    the team sees none, whatever they worked on before.
    """
    queue = data_object.job.queue
    if refusal(worker_id=worker_id, queue=queue) is not None:
        return False
    return queue.open or Assignment.objects.filter(worker_id=worker_id, task__data_object=data_object).exists()
