"""The functions of this room that the message queue calls. Each is safe to run twice."""

from marketplace import queue
from marketplace.services import contracts, idempotency, invitations, rates


def sweep() -> None:
    """Run every minute: end and delete what is over."""
    queue.run_each((rates.forget_ended, idempotency.forget_old, invitations.expire_overdue, contracts.end_overdue))
