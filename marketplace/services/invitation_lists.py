"""Inviting many people to a team at once, by a list of addresses as it is pasted. Knows nothing of pages and mail."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import transaction

from marketplace.errors import Forbidden, Invalid
from marketplace.models import Invitation, Role, User, Workteam
from marketplace.ranges import Range
from marketplace.services import accounts, invitations

ADDRESSES = Range(1, 50)
"""How many addresses one list has, as in Ground Truth's console."""

ADDRESS_LENGTH = Range(1, 400)
"""Characters of one address, with the name before it."""

TEXT_LENGTH = Range(1, ADDRESSES.longest * (ADDRESS_LENGTH.longest + 1))
"""Characters of a list that is pasted as one text."""

# A name in quotes may hold commas; with the address in angle brackets behind it, it says nothing.
_QUOTED_NAME = re.compile(r'"[^"]*"\s*(?=<)')
_PARTS = re.compile(r"[,;\r\n\t]+")


@dataclass
class Sorted:
    """A list of addresses: those to invite, and why the others are not, as they were given."""

    good: list[str] = field(default_factory=list)
    bad: list[tuple[str, str]] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    members: list[str] = field(default_factory=list)


@dataclass
class Invited:
    """What became of a list: the invitations made, and the addresses that got none."""

    invitations: list[Invitation]
    left_out: Sorted


def split(text: str) -> list[str]:
    """The addresses in a pasted text: separated by commas, semicolons, spaces or lines; `Ada <a@b.example>` is one."""
    found: list[str] = []
    for part in _PARTS.split(_QUOTED_NAME.sub("", text)):
        while (bracket := part.find("<")) >= 0:
            # Words before the bracket are a name, unless they are addresses themselves.
            found += [word for word in part[:bracket].split() if "@" in word]
            inside, _, part = part[bracket + 1 :].partition(">")
            found.append(inside.strip() or "<>")
        found += part.split()
    return found


def to_team_many(*, team: Workteam, given: Sequence[str], skip_bad: bool, acting: User) -> Invited:
    """Invite every address of a list to a private team; all of them or, when something is refused, none.

    Addresses that come twice are invited once, workers of the team not at all. A bad address refuses the whole list,
    unless `skip_bad` leaves it out. Raises Invalid, with a reason for each bad address, and for none or too many of
    them; NotFound and Forbidden as `invitations.to_team` does, LimitExceeded above invitations.PER_DAY.
    """
    if team.account is None:
        raise Forbidden("everybody joins the public pool by themselves")
    accounts.require_role(account=team.account, user=acting, at_least=Role.ADMIN)
    if len(given) not in ADDRESSES:
        raise Invalid(f"{len(given)} addresses found, {ADDRESSES} expected in one list", field="emails")
    found = sort(team=team, given=given)
    if found.bad and not skip_bad:
        errors = [("emails", f"{text!r}: {reason}") for text, reason in found.bad]
        raise Invalid(
            f"nobody was invited, {len(found.bad)} of the addresses cannot be: "
            + "; ".join(f"{text!r} {reason}" for text, reason in found.bad),
            field="emails",
            errors=errors,
        )
    with transaction.atomic():
        made = [invitations.to_team(team=team, email=address, acting=acting) for address in found.good]
    return Invited(made, found)


def sort(*, team: Workteam, given: Sequence[str]) -> Sorted:
    """Which addresses of a list can be invited to the team."""
    on_it = set(team.memberships.values_list("worker__user__email", flat=True))
    found, seen = Sorted(), set()
    for text in given:
        _, bracket, inside = text.partition("<")
        try:
            address = accounts.checked_address(inside.removesuffix(">") if bracket else text)
        except Invalid:
            found.bad.append((text, "is not an e-mail address"))
            continue
        if address in seen:
            found.duplicates.append(address)
        elif address in on_it:
            found.members.append(address)
        else:
            found.good.append(address)
        seen.add(address)
    return found
