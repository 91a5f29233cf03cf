"""The functions of this room that the message queue calls. Each is safe to run twice."""

from marketplace import queue
from marketplace.services import idempotency, invitations, rates, signups


def sweep() -> None:
    """Run every minute: end and delete what is over."""
    queue.run_each((rates.forget_ended, idempotency.forget_old, invitations.expire_overdue, signups.forget_expired))
