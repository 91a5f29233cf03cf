"""Tags of what an account owns, by ARN. What the ARN names need not be known here."""

from collections.abc import Iterable, Mapping

from django.db import transaction
from django.db.models import QuerySet

from marketplace import arns
from marketplace.errors import Invalid, LimitExceeded, NotFound
from marketplace.models import Account, Tag
from marketplace.ranges import Range
from marketplace.services import accounts

MOST = 50
"""Tags of one thing."""

KEY_LENGTH = Range(1, 128)
"""Characters of a tag's key."""

VALUE_LENGTH = Range(0, 256)
"""Characters of a tag's value."""

RESERVED = "aws:"
"""How no key may begin."""


def of(account: Account, arn: str) -> dict[str, str]:
    """Key -> value of a thing's tags, by key. Raises Invalid for what is no ARN, NotFound for another account's."""
    return dict(_rows(account, arn).order_by("key").values_list("key", "value"))


def add(*, account: Account, arn: str, added: Mapping[str, str]) -> None:
    """Add tags, or change the values of those that there are.

    Raises Invalid for a key or value that cannot be, NotFound for another account's ARN, LimitExceeded for more than
    MOST.
    """
    problems = [("tags", problem) for key, value in added.items() if (problem := _problem(key, value))]
    if problems:
        raise Invalid(problems[0][1], errors=problems)
    rows = _rows(account, arn)
    with transaction.atomic():
        # So that two requests at once do not exceed the limit together.
        accounts.lock_members(account)
        kept = set(rows.values_list("key", flat=True)) | added.keys()
        if len(kept) > MOST:
            raise LimitExceeded(f"{len(kept)} tags found, at most {MOST} of one thing expected", field="tags")
        Tag.objects.bulk_create(
            [Tag(account=account, arn=_plain(arn), key=key, value=value) for key, value in added.items()],
            update_conflicts=True,
            unique_fields=["account", "arn", "key"],
            update_fields=["value"],
        )


def delete(*, account: Account, arn: str, keys: Iterable[str]) -> None:
    """Delete the tags with these keys; safe to repeat. Raises as `of`."""
    _rows(account, arn).filter(key__in=list(keys)).delete()


def forget(*, account: Account, arn: str) -> None:
    """Delete every tag of a thing that is deleted itself."""
    _rows(account, arn).delete()


def _rows(account: Account, arn: str) -> QuerySet[Tag]:
    return Tag.objects.filter(account=account, arn=_checked(account, arn))


def _checked(account: Account, arn: str) -> str:
    try:
        parts = arns.parse(arn)
    except ValueError as error:
        raise Invalid(str(error), field="arn") from None
    if parts.account_number != account.number:
        raise NotFound(f"{arn!r} is not of the account {account.number}", field="arn")
    return _plain(arn)


def _plain(arn: str) -> str:
    """Without the case of its letters, in which the ARNs of one thing may differ."""
    return arn.lower()


def _problem(key: str, value: str) -> str:
    if len(key) not in KEY_LENGTH or len(value) not in VALUE_LENGTH:
        return f"{key!r}: a key of {KEY_LENGTH} and a value of {VALUE_LENGTH} characters expected"
    return f"{key!r} found, no key begins with {RESERVED!r}" if key.lower().startswith(RESERVED) else ""
