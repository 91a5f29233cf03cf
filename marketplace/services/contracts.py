"""Contracts between a requester and a vendor: proposed by one, countered, confirmed by the other, ended.

Each side confirms the version of the terms that it has read. A contract opens a work team of the vendor to the
requester's jobs. When it ends, no new job can be given to it; jobs that were made before are finished under it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from marketplace import arns, money
from marketplace.errors import Invalid, NotFound, WrongState
from marketplace.models import Account, AuditEvent, Contract, Crowd, InvoicePeriod, Workteam
from marketplace.ranges import Range
from marketplace.services import audit, vendor_listings, workteams
from marketplace.services.invoice_periods import next_end
from marketplace.services.vendor_listings import price_errors
from marketplace.transitions import CONTRACT

NOTE_LENGTH = Range(0, 500)
"""Characters of the note that goes with terms."""

NOTICE_DAYS = 14
"""A contract ends so many days after either side has given notice, if it does not end before."""

LONGEST_DAYS = 3 * 366
"""Days that a contract can run."""

VERSIONS = Range(1, 2_147_483_647)
"""Numbers of versions of terms."""

TEAM_NAME = "contract-{}"
REQUESTER, VENDOR = "Requester", "Vendor"
"""The two sides of a contract."""


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What is agreed on. `prices`: micro-dollars of one accepted answer by task type; `ends_on`: the last day, UTC."""

    prices: Mapping[str, int]
    ends_on: date
    invoice_period: str = InvoicePeriod.MONTHLY
    note: str = ""

    def check(self) -> None:
        """Raises Invalid with every field that is wrong."""
        errors = price_errors(self.prices)
        if not 0 <= (self.ends_on - _today()).days <= LONGEST_DAYS:
            errors.append(("ends_on", f"a day from today on and within {LONGEST_DAYS} days expected"))
        if self.invoice_period not in InvoicePeriod.values:
            errors.append(("invoice_period", f"one of {', '.join(InvoicePeriod.values)} expected"))
        if len(self.note.strip()) not in NOTE_LENGTH:
            errors.append(("note", f"{NOTE_LENGTH} characters expected"))
        if errors:
            raise Invalid(f"the terms are wrong in {', '.join(name for name, _ in errors)}", errors=errors)


def propose(*, requester: Account, vendor_id: int, terms: Terms, by: str) -> Contract:
    """Propose a contract to a vendor whose listing is public.

    Raises Invalid for wrong terms and for one's own listing, NotFound for a vendor without a public listing, WrongState
    while another contract with this vendor is negotiated.
    """
    terms.check()
    listing = vendor_listings.public_one(vendor_id)
    if listing.pk == requester.pk:
        raise Invalid("an account makes no contract with itself", field="vendor")
    try:
        with transaction.atomic():
            contract = Contract.objects.create(
                requester=requester,
                vendor=listing.account,
                prices=_sorted(terms.prices),
                ends_on=terms.ends_on,
                invoice_period=terms.invoice_period,
                note=terms.note.strip(),
            )
            _record(contract, by, _said(contract), to_status=contract.status)
    except IntegrityError as error:
        if "contract_one_negotiated" not in str(error):
            raise
        raise WrongState("a contract with this vendor is being negotiated; answer it first", field="vendor") from None
    return contract


def propose_other(*, contract: Contract, side: str, terms: Terms, version: int, by: str) -> Contract:
    """Answer the terms of the other side by other ones, which then wait for the other side.

    Raises Invalid for wrong terms, WrongState when it is not this side's turn or the terms have changed.
    """
    terms.check()
    with transaction.atomic():
        locked = _locked(contract)
        _must_wait_for(locked, side, version)
        to = "Countered" if side == VENDOR else "Proposed"
        CONTRACT.advance(
            locked,
            to,
            by=by,
            because=f"version {locked.version + 1}",
            prices=_sorted(terms.prices),
            ends_on=terms.ends_on,
            invoice_period=terms.invoice_period,
            note=terms.note.strip(),
            version=locked.version + 1,
        )
        _record(locked, by, _said(locked))
    return locked


def confirm(*, contract: Contract, side: str, version: int, by: str, now: datetime | None = None) -> Contract:
    """Agree to the terms that the other side has proposed: the contract is live. Safe to repeat.

    Raises WrongState when it is not this side's turn, the terms have changed or its last day is over.
    """
    now = now or timezone.now()
    with transaction.atomic():
        locked = _locked(contract)
        if locked.status == "Live" and locked.version == version:
            return locked
        _must_wait_for(locked, side, version)
        if locked.ends_on < now.astimezone(UTC).date():
            raise WrongState("the last day of these terms is over; propose another one", field="ends_on")
        team = workteams.create_vendor_team(
            vendor=locked.vendor,
            name=TEAM_NAME.format(locked.pk),
            description=f"For jobs of {locked.requester.name}",
            by=by,
        )
        CONTRACT.advance(
            locked,
            "Live",
            by=by,
            because=f"version {version} confirmed by the {side.lower()}",
            workteam=team,
            live_at=now,
            next_invoice_at=next_end(locked.invoice_period, now),
        )
    return locked


def refuse(*, contract: Contract, side: str, by: str) -> Contract:
    """End the negotiation: the vendor declines, the requester withdraws. Safe to repeat.

    Raises WrongState for a contract that was live.
    """
    with transaction.atomic():
        locked = _locked(contract)
        CONTRACT.advance(locked, "Declined" if side == VENDOR else "Withdrawn", by=by)
    return locked


def give_notice(*, contract: Contract, side: str, by: str) -> Contract:
    """End a live contract NOTICE_DAYS from now, or at its end if that comes first. Safe to repeat.

    Raises WrongState for a contract that is not live.
    """
    with transaction.atomic():
        locked = _locked(contract)
        if locked.status != "Live":
            raise WrongState(f"the contract is {locked.status}; notice is given for a live one", field="status")
        if locked.notice_at is None:
            locked.notice_at = timezone.now()
            locked.ends_on = min(locked.ends_on, _today() + timedelta(days=NOTICE_DAYS))
            locked.save(update_fields=["notice_at", "ends_on"])
            _record(locked, by, f"notice given by the {side.lower()}, ends on {locked.ends_on}")
    return locked


def end_overdue(*, now: datetime | None = None) -> int:
    """End the live contracts whose last day is over; returns how many. Run by the sweep, safe to repeat."""
    today = (now or timezone.now()).astimezone(UTC).date()
    overdue = Contract.objects.filter(status="Live", ends_on__lt=today).order_by("pk")
    for contract in overdue:
        with transaction.atomic():
            CONTRACT.advance(contract, "Ended", by="system", because=f"its last day was {contract.ends_on}")
    return len(overdue)


def live_contract(*, team: Workteam, requester: Account, keep: bool = False) -> Contract:
    """The live contract that opens a vendor's team to the requester's jobs. Raises NotFound.

    With `keep`, which needs a transaction, it stays live until that ends.
    """
    rows = Contract.objects.select_for_update(no_key=True, of=("self",)) if keep else Contract.objects.all()
    found = rows.filter(workteam=team, requester=requester, status="Live", ends_on__gte=_today()).first()
    if found is None:
        raise NotFound("there is no live contract with this vendor", field="workteam")
    return found


# --- what is read ---------------------------------------------------------------------------------------------------


def of_account(account: Account) -> QuerySet[Contract]:
    """The contracts of which the account is a side, newest first, with both accounts."""
    mine = Contract.objects.filter(Q(requester=account) | Q(vendor=account))
    return mine.select_related("requester", "vendor", "vendor__vendor_listing").order_by("-pk")


def as_requester(account: Account) -> QuerySet[Contract]:
    """The contracts that the account has with vendors, newest first."""
    return of_account(account).filter(requester=account)


def as_vendor(account: Account) -> QuerySet[Contract]:
    """The contracts that the account has as a vendor, newest first."""
    return of_account(account).filter(vendor=account)


def one_of(account: Account, contract_id: int) -> Contract:
    """A contract of which the account is a side. Raises NotFound."""
    return _one(of_account(account), contract_id)


def one_as_requester(account: Account, contract_id: int) -> Contract:
    """A contract that the account has with a vendor. Raises NotFound."""
    return _one(as_requester(account), contract_id)


def one_as_vendor(account: Account, contract_id: int) -> Contract:
    """A contract that the account has as a vendor. Raises NotFound."""
    return _one(as_vendor(account), contract_id)


def side_of(contract: Contract, account: Account) -> str:
    """Which side of the contract the account is."""
    return VENDOR if contract.vendor_id == account.pk else REQUESTER


def waits_for(contract: Contract) -> str:
    """The side whose answer is waited for, "" for none."""
    return {"Proposed": VENDOR, "Countered": REQUESTER}.get(contract.status, "")


def team_arn(contract: Contract) -> str | None:
    """The WorkteamArn of the contract's team, in AWS's words for a vendor's; None before the contract is live."""
    if contract.workteam_id is None:
        return None
    name = f"{Crowd.VENDOR}/{TEAM_NAME.format(contract.pk)}"
    return arns.build("workteam", contract.vendor.number, name, region=settings.REGION)


def history(contract: Contract) -> list[AuditEvent]:
    """What was recorded of the contract, newest first, at most fifty rows."""
    rows = AuditEvent.objects.filter(object_type=Contract._meta.label, object_id=contract.pk)
    return list(rows.order_by("-pk")[:50])


def _one(rows: QuerySet[Contract], contract_id: int) -> Contract:
    found = rows.filter(pk=contract_id).first()
    if found is None:
        raise NotFound(f"the account has no contract {contract_id}")
    return found


def _locked(contract: Contract) -> Contract:
    rows = Contract.objects.select_for_update(no_key=True, of=("self",)).select_related("requester", "vendor")
    return rows.get(pk=contract.pk)


def _must_wait_for(contract: Contract, side: str, version: int) -> None:
    if waits_for(contract) != side:
        raise WrongState(f"the contract is {contract.status}; it does not wait for the {side.lower()}", field="status")
    if contract.version != version:
        raise WrongState(f"the terms have changed: version {contract.version} is proposed now", field="version")


def _today() -> date:
    return timezone.now().astimezone(UTC).date()


def _sorted(prices: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(prices.items()))


def _said(contract: Contract) -> str:
    prices = ", ".join(f"{task_type} {money.text(micros)} dollars" for task_type, micros in contract.prices.items())
    return f"version {contract.version}: {prices}; until {contract.ends_on}, {contract.invoice_period}"[:500]


def _record(contract: Contract, by: str, because: str, to_status: str = "") -> None:
    audit.record(contract, by=by, because=because, to_status=to_status, account=contract.requester)
