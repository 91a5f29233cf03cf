"""What requests of AWS's clients said of the things that they made, so that describing them shows it again."""

from collections.abc import Callable
from typing import Any

from marketplace import addresses
from marketplace.models import Account, ResourceRequest


def keep(*, account: Account, arn: str, members: dict[str, Any]) -> None:
    """Keep what was said of the thing with this ARN, in the place of what was said before.

    `members` are JSON; texts in them that begin with the address of the store are kept relative to it.
    """
    kept = _each_text(members, addresses.relative)
    ResourceRequest.objects.update_or_create(account=account, arn=arn.lower(), defaults={"members": kept})


def of(account: Account, arn: str) -> dict[str, Any]:
    """What was said of the thing; {} for one that was made in another way."""
    return of_many(account, [arn]).get(arn, {})


def of_many(account: Account, arns: list[str]) -> dict[str, dict[str, Any]]:
    """What was said of each of several things, by ARN; those of which nothing is kept are left out."""
    rows = ResourceRequest.objects.filter(account=account, arn__in=[arn.lower() for arn in arns])
    found = dict(rows.values_list("arn", "members"))
    return {arn: _each_text(found[arn.lower()], addresses.absolute) for arn in arns if arn.lower() in found}


def forget(*, account: Account, arn: str) -> None:
    """Of a thing that is deleted itself."""
    ResourceRequest.objects.filter(account=account, arn=arn.lower()).delete()


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_each_text(one, change) for one in value]
    return {name: _each_text(one, change) for name, one in value.items()} if isinstance(value, dict) else value
