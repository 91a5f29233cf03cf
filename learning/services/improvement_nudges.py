"""Wakes the improvement policies that wait for a program or for an endpoint. Knows nothing of what they do then."""

from learning.models import FOLLOWED_RUNS, PolicyRun
from marketplace.queue import enqueue

ADVANCE = "learning.background.advance_improvements_of_account"


def waiting(account_id: int) -> None:
    """Request an advance of the account's policies with a run under way, in the caller's transaction."""
    if PolicyRun.objects.filter(policy__account=account_id, status__in=FOLLOWED_RUNS).exists():
        enqueue(ADVANCE, account_id)
