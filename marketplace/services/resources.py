"""Things that AWS's clients make, change and delete, together with their tags and with what the requests said of them.

Everything of one request happens, or nothing. How a thing is made is an argument.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.db import transaction

from marketplace.models import Account
from marketplace.services import resource_requests, tags

T = TypeVar("T")


def make(
    *,
    account: Account,
    make: Callable[[], T],
    arn: Callable[[T], str],
    tagged: Mapping[str, str],
    said: dict[str, Any] | None = None,
) -> T:
    """Make a thing, tag it, and keep what was said of it, if anything is to be. Raises what these raise."""
    with transaction.atomic():
        made = make()
        name = arn(made)
        tags.add(account=account, arn=name, added=tagged)
        if said is not None:
            resource_requests.keep(account=account, arn=name, members=said)
    return made


def change(*, account: Account, arn: str, change: Callable[[], object], said: dict[str, Any]) -> None:
    """Change a thing, and keep what is said of it now beside what was said before."""
    with transaction.atomic():
        change()
        resource_requests.keep(account=account, arn=arn, members=resource_requests.of(account, arn) | said)


def delete(*, account: Account, arn: str, delete: Callable[[], None]) -> None:
    """Delete a thing with its tags and with what was said of it."""
    with transaction.atomic():
        delete()
        tags.forget(account=account, arn=arn)
        resource_requests.forget(account=account, arn=arn)
