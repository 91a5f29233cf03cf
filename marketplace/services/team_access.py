"""How the workers of a team come in: the address of its portal, and the networks from which its work is open.

The rule about networks is the SQL function marketplace_outside; the claim, the submit, the worker's lists and the
images read it. Knows neither queues nor requests.
"""

import ipaddress
import re
from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.db.models import BooleanField, F, Func, TextField, Value

from marketplace.errors import Invalid, NameTaken, NotFound
from marketplace.models import Crowd, Worker, Workteam, new_portal_slug
from marketplace.ranges import Range
from marketplace.services import audit

SLUG_LENGTH = Range(3, 63)
"""Characters of the last part of a portal's address."""

SLUG_PATTERN = r"^[a-z0-9](-?[a-z0-9])*$"
SLUG_RULE = f"{SLUG_LENGTH} small letters, digits and inner hyphens"

CIDRS = Range(0, 10)
"""How many networks a team's list has (SourceIpConfig.Cidrs); an empty list admits every address."""

CIDR_LENGTH = Range(7, 18)
"""Characters of one network."""

NETWORKS_LENGTH = Range(0, CIDRS.longest * (CIDR_LENGTH.longest + 2))
"""Characters of a list of networks that is typed as one text."""

_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
CIDR_PATTERN = rf"^({_OCTET}\.){{3}}{_OCTET}(/(3[0-2]|[12]?[0-9]))?$"
"""An IPv4 network as a regular expression that the OpenAPI document understands too."""

_CIDR = re.compile(CIDR_PATTERN)
_SLUG = re.compile(SLUG_PATTERN)


def change(*, team: Workteam, slug: str | None, cidrs: Sequence[str] | None, by: str) -> None:
    """`set_portal` and `set_networks`, both or neither; None leaves one as it is. Raises as they do."""
    with transaction.atomic():
        if slug is not None:
            set_portal(team=team, slug=slug, by=by)
        if cidrs is not None:
            set_networks(team=team, cidrs=cidrs, by=by)


def set_portal(*, team: Workteam, slug: str, by: str) -> None:
    """Give the team's portal another address; "" makes one that nobody guesses. The old address leads nowhere.

    Raises Invalid for what is no part of an address, NameTaken when another team has it.
    """
    wanted = slug.strip().lower() or new_portal_slug()
    if len(wanted) not in SLUG_LENGTH or not _SLUG.fullmatch(wanted):
        raise Invalid(f"{slug!r} found, {SLUG_RULE} expected", field="portal")
    try:
        with transaction.atomic():
            Workteam.objects.filter(pk=team.pk).update(portal_slug=wanted)
            audit.record(team, by=by, because="portal's address changed")
    except IntegrityError:
        raise NameTaken(f"another portal has the address {wanted!r}", field="portal") from None
    team.portal_slug = wanted


def set_networks(*, team: Workteam, cidrs: Sequence[str], by: str) -> None:
    """Open the team's work to these networks only, from now on; an empty list opens it to all. Safe to repeat.

    Raises Invalid as `networks` does.
    """
    wanted = networks(cidrs)
    with transaction.atomic():
        Workteam.objects.filter(pk=team.pk).update(source_cidrs=wanted)
        audit.record(team, by=by, because=f"networks: {', '.join(wanted) or 'all'}")
    team.source_cidrs = wanted


def networks(cidrs: Sequence[str]) -> list[str]:
    """Networks as they are stored, each once.

    Raises Invalid naming every entry that is no IPv4 network, and for too many of them.
    """
    if len(cidrs) not in CIDRS:
        raise Invalid(f"{len(cidrs)} networks found, {CIDRS} expected", field="source_cidrs")
    read = [_network(text) for text in cidrs]
    errors = [
        (f"source_cidrs[{place}]", f"{text!r} is no IPv4 network such as 203.0.113.0/24")
        for place, (text, network) in enumerate(zip(cidrs, read, strict=True))
        if not network
    ]
    if errors:
        raise Invalid("; ".join(problem for _, problem in errors), field="source_cidrs", errors=errors)
    return list(dict.fromkeys(read))


def _network(text: str) -> str:
    """The network as it is stored, "" for what is none. An address inside of a network stands for the network."""
    if not _CIDR.fullmatch(text.strip()):
        return ""
    return str(ipaddress.IPv4Network(text.strip(), strict=False))


def of_slug(slug: str) -> Workteam:
    """The private team whose portal has this address, with its account. Raises NotFound."""
    rows = Workteam.objects.filter(crowd=Crowd.PRIVATE, portal_slug=slug.lower()).select_related("account")
    team = rows.first()
    if team is None:
        raise NotFound("there is no such portal")
    return team


def is_on(*, team: Workteam, worker: Worker | None) -> bool:
    """Whether the worker is on the team."""
    return worker is not None and team.memberships.filter(worker=worker).exists()


def outside_expression(address: str | None, *, cidrs: str) -> Func:
    """Whether the address is outside of the networks in each row's column `cidrs`; see marketplace/sql/outside.sql."""
    return Func(F(cidrs), Value(address, TextField()), function="marketplace_outside", output_field=BooleanField())


def teams_outside(*, worker: Worker, address: str | None) -> list[Workteam]:
    """The worker's teams whose work is not open to this address, by name."""
    rows = Workteam.objects.filter(memberships__worker=worker).exclude(source_cidrs=[])
    outside = rows.alias(outside=outside_expression(address, cidrs="source_cidrs")).filter(outside=True)
    return list(outside.order_by("name", "pk"))


def refusal(address: str | None) -> str:
    """What a worker is told whose address is outside."""
    where = f"you come from {address}" if address else "your address is unknown"
    return f"the work of this team is open to the networks of its organization only; {where}"
