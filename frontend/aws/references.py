"""What a request names by its ARN, and what it pays in dollars: read once for all operations."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from frontend.aws.registry import Call
from marketplace import arns
from marketplace.errors import Invalid, NotFound
from marketplace.models import Account, Workteam
from marketplace.services import scope

CENT, TENTH_OF_A_CENT, DOLLAR = 10_000, 1_000, 1_000_000
"""Micro-dollars."""

KMS = "The store encrypts what is written as its operator has set it up."
ROLE = "Access is decided by the role of the caller in the account; the ARN is kept and shown again."
NETWORK = "Programs run in the network of this installation."
"""Why members that many operations have change nothing."""


def named(call: Call, arn: str, kind: str) -> str:
    """The name in an ARN of this kind, or a name alone; the region is not looked at.

    Raises Invalid for another kind of ARN, NotFound for one of another account.
    """
    if not arn.startswith("arn:"):
        return arn
    try:
        parts = arns.parse(arn)
    except ValueError as error:
        raise Invalid(str(error)) from None
    if parts.kind != kind:
        raise Invalid(f"{arn!r} found, the ARN of a {kind} expected")
    if parts.account_number != call.account.number:
        raise NotFound(f"Could not find the {kind} {arn!r}: it is not of the account {call.account.number}")
    return parts.name


def workteam(call: Call, arn: str) -> Workteam:
    """The team that the account may give work to: its own, the public crowd, or a vendor's under a live contract.

    Raises Invalid for what is no team's ARN, NotFound.
    """
    return scope.team_of_arn(call.account, arn)


def arn(account: Account, kind: str, name: str) -> str:
    """The ARN of something of the account."""
    return arns.build(kind, account.number, name, region=settings.REGION)


def price_micros(price: Mapping[str, Any] | None) -> int | None:
    """Micro-dollars an answer of a PublicWorkforceTaskPrice, None where it says none."""
    amount = (price or {}).get("AmountInUsd")
    if amount is None:
        return None
    return int(
        amount.get("Dollars", 0) * DOLLAR
        + amount.get("Cents", 0) * CENT
        + amount.get("TenthFractionsOfACent", 0) * TENTH_OF_A_CENT
    )


def price(micros: int) -> dict[str, Any] | None:
    """The PublicWorkforceTaskPrice of micro-dollars an answer, cut at a tenth of a cent; None for work without pay."""
    if not micros:
        return None
    dollars, rest = divmod(micros, DOLLAR)
    cents, rest = divmod(rest, CENT)
    return {
        "AmountInUsd": {"Dollars": dollars, "Cents": cents, "TenthFractionsOfACent": rest // TENTH_OF_A_CENT},
    }
