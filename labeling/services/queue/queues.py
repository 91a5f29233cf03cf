"""Work queues: made and opened and closed by their owners. Knows nothing of why."""

from typing import Any

from django.db import transaction

from labeling import transitions
from labeling.models import WorkQueue
from marketplace.models import Account, Workteam
from marketplace.services import eligibility


def create_queue(*, account: Account, owner_kind: str, workteam: Workteam, **design: Any) -> WorkQueue:
    """A queue, Initializing, that admits the members of the team. `design`: the other fields of WorkQueue."""
    audience = eligibility.audience_for([eligibility.group_of(workteam)])
    return WorkQueue.objects.create(
        account=account, owner_kind=owner_kind, workteam=workteam, audience=audience, **design
    )


def open_queue(queue: WorkQueue, *, by: str, because: str = "") -> None:
    """Hand out tasks from now on. Safe to repeat."""
    with transaction.atomic():
        transitions.WORK_QUEUE.advance(queue, "InProgress", by=by, because=because)


def close_queue(queue: WorkQueue, *, by: str, because: str = "") -> None:
    """Hand out nothing more; leases that run may still be answered. Safe to repeat."""
    with transaction.atomic():
        transitions.WORK_QUEUE.advance(queue, "Stopped", by=by, because=because)
