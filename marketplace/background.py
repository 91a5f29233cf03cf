"""The functions of this room that the message queue calls. Each is safe to run twice."""

from marketplace import queue
from marketplace.services import idempotency, rates


def sweep() -> None:
    """Run every minute: delete what is over."""
    queue.run_each((rates.forget_ended, idempotency.forget_old))
