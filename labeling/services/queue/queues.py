"""Creates, opens and closes work queues for their owners. Knows nothing of why."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from labeling import transitions
from labeling.models import WorkQueue
from labeling.services.queue import planned_advances
from marketplace.models import Account, Workteam
from marketplace.services import eligibility
from marketplace.services.requirements import Requirement


def create_queue(
    *,
    account: Account,
    owner_kind: str,
    workteam: Workteam,
    requirements: Sequence[Requirement] = (),
    adult_content: bool = False,
    **design: Any,
) -> WorkQueue:
    """Create a queue, Initializing, that admits those members of the team who meet the requirements.

    With `adult_content` it admits of the public pool only those who have confirmed that they are of age; a private
    team's account knows whom it has invited. `design`: the other fields of WorkQueue.
    """
    if workteam.is_panel:
        group = eligibility.group_of_panel(workteam)
    else:
        adults_only = adult_content and workteam.public
        group = eligibility.adults() if adults_only else eligibility.group_of(workteam)
    audience = eligibility.audience_for([group], requirements)
    queue = WorkQueue.objects.create(
        account=account, owner_kind=owner_kind, workteam=workteam, audience=audience, **design
    )
    planned_advances.no_later(queue.pk, planned_advances.soon())
    return queue


def open_queue(queue: WorkQueue, *, by: str, because: str = "") -> None:
    """Let workers claim tasks from now on; the head start of preferred ones begins. Safe to repeat."""
    with transaction.atomic():
        audience = eligibility.audience_from(queue.audience, opened_at=timezone.now())
        transitions.WORK_QUEUE.advance(queue, "InProgress", by=by, because=because, audience=audience)


def pause_queue(queue: WorkQueue, *, by: str, because: str = "") -> bool:
    """Let nobody claim tasks until the queue is opened again; leases and money for its seats stay as they are.

    Returns whether it was open. Safe to repeat.
    """
    with transaction.atomic():
        return transitions.WORK_QUEUE.advance(queue, "Paused", by=by, because=because)


def close_queue(queue: WorkQueue, *, by: str, because: str = "") -> None:
    """Let nobody claim tasks any more; running leases may still be answered. Safe to repeat."""
    with transaction.atomic():
        transitions.WORK_QUEUE.advance(queue, "Stopped", by=by, because=because)
