"""What a worker may see of a work queue: the queue itself, the pictures of its tasks, its example pictures.

Whether they may see the queue at all is decided by marketplace.services.eligibility.
"""

from labeling.models import Assignment, AssignmentStatus, DataObject, WorkQueue
from marketplace.services import eligibility


def refusal(*, worker_id: int, queue: WorkQueue) -> str | None:
    """Why the worker may not see the queue; None when they may. See eligibility.refusal."""
    return eligibility.refusal(worker_id=worker_id, audience_id=queue.audience_id, account_id=queue.account_id)


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
