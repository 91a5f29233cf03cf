"""Shutting people out, by an operator or by an account, with what it means for work: the tasks they hold go to others.

What they have answered stays, and is paid. The decision itself is kept in marketplace.
"""

from labeling.services.queue import leases
from marketplace.models import Account, User, Worker
from marketplace.services import eligibility, people, scope


def deactivate(*, user: User, reason: str, by: str) -> int:
    """End somebody's sign-in (see people.deactivate) and return the tasks they hold; returns how many."""
    people.deactivate(user=user, reason=reason, by=by)
    worker = scope.worker_or_none(user)
    # Afterwards, so that no further task is claimed meanwhile. What a crash leaves leased expires.
    return leases.return_held(worker_id=worker.pk) if worker is not None else 0


def suspend(*, worker: Worker, reason: str, by: str) -> int:
    """Show the worker no work at all (see people.suspend) and return the tasks they hold; returns how many."""
    people.suspend(worker=worker, reason=reason, by=by)
    return leases.return_held(worker_id=worker.pk)


def block(*, account: Account, worker: Worker, reason: str, by: str) -> int:
    """Show the worker no work of the account (see eligibility.block) and return the tasks of the account that they
    hold; returns how many."""
    eligibility.block(account=account, worker=worker, reason=reason, by=by)
    return leases.return_held(worker_id=worker.pk, account_id=account.pk)
