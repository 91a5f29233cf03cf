"""The functions of this room that the message queue calls. Each is safe to run twice."""

from marketplace.services import invitations, rates


def sweep() -> None:
    """Run every minute: end and delete what is over."""
    rates.forget_ended()
    invitations.expire_overdue()
