"""Creates, opens and closes work queues for their owners. Knows nothing of why."""

from typing import Any

from django.db import transaction

from labeling import transitions
from labeling.models import WorkQueue
from marketplace.models import Account, Workteam
from marketplace.services import eligibility


def create_queue(*, account: Account, owner_kind: str, workteam: Workteam, **design: Any) -> WorkQueue:
    """Create a queue, Initializing, that admits the members of the team. `design`: the other fields of WorkQueue."""
    group = eligibility.group_of_panel(workteam) if workteam.is_panel else eligibility.group_of(workteam)
    audience = eligibility.audience_for([group])
    return WorkQueue.objects.create(
        account=account, owner_kind=owner_kind, workteam=workteam, audience=audience, **design
    )


def open_queue(queue: WorkQueue, *, by: str, because: str = "") -> None:
    """Let workers claim tasks from now on. Safe to repeat."""
    with transaction.atomic():
        transitions.WORK_QUEUE.advance(queue, "InProgress", by=by, because=because)


def close_queue(queue: WorkQueue, *, by: str, because: str = "") -> None:
    """Let nobody claim tasks any more; running leases may still be answered. Safe to repeat."""
    with transaction.atomic():
        transitions.WORK_QUEUE.advance(queue, "Stopped", by=by, because=because)
