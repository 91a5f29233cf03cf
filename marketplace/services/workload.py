"""How much of an account's work may wait or run in the background at a time, so that it leaves room for the others'.

Knows no kind of work: each room registers a count of what it has under way when its app starts.
"""

from collections.abc import Callable

from django.conf import settings

from marketplace.errors import BackgroundLimit
from marketplace.models import Account

Count = Callable[[Account], int]
COUNTS: dict[str, Count] = {}
"""By the plural of what is counted, the number of them that an account has waiting or running."""


def register(noun: str, count: Count) -> None:
    """Register a kind of background work that `admit` counts. Safe to repeat."""
    COUNTS[noun] = count


def admit(*, account: Account) -> None:
    """Call this in the transaction that enqueues one more piece of work, before anything else is locked.

    Requests for one account wait for each other here until they commit, so that together they keep the limit. Raises
    BackgroundLimit, which names what is under way, when the account has WAGGLE_BACKGROUND_PER_ACCOUNT of them.
    """
    Account.objects.select_for_update(no_key=True).get(pk=account.pk)
    under_way = {noun: number for noun, count in COUNTS.items() if (number := count(account))}
    most = settings.BACKGROUND_PER_ACCOUNT
    if sum(under_way.values()) >= most:
        named = ", ".join(f"{number} {noun}" for noun, number in sorted(under_way.items()))
        raise BackgroundLimit(
            f"{named} of this account wait or run, and {most} may at a time; wait until one has ended, or stop one"
        )
