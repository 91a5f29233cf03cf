"""Paying workers out: where to, how much, and what the bank said.

Money moves with the status: out of the worker's earnings when a payout is requested, out of the ledger when it is paid,
back to the earnings when it is cancelled, fails or is returned. Who makes the transfers is in services/payments.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Count, QuerySet, Sum
from django.utils import timezone
from stdnum import iban
from stdnum.exceptions import ValidationError

from marketplace import money, transitions
from marketplace.errors import Invalid, LimitExceeded, NotFound, WrongState
from marketplace.models import (
    UNDER_WAY,
    EntryKind,
    LedgerAccount,
    LedgerKind,
    NoticeKind,
    PaymentWay,
    Payout,
    PayoutDetails,
    Subject,
    Worker,
)
from marketplace.ranges import Range
from marketplace.services import audit, ledger, notifications

CENT = 10_000
"""Micro-dollars of the smallest amount that banks transfer; what is finer stays in the earnings."""

TEXT_LENGTH = Range(1, 70)
"""Characters of the holder's name and of the destination: what a SEPA transfer takes."""

REASON_LENGTH = Range(1, 300)
"""Characters of the reason why a payout failed."""

PAYOUT = "payout"
"""The type of payouts in ledger entries. Stored, so never changed."""

HOLDER = r"^[^\W\d_][^\x00-\x1f\x7f;|\"<>]*$"
"""What a holder's name is made of. The first character keeps spreadsheets from taking it for a formula."""

DESTINATION = r"^[A-Za-z0-9][A-Za-z0-9 @._/+-]*$"
"""What a destination is made of, likewise."""

_IBAN_LIKE = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")


def minimum() -> int:
    """The least micro-dollars that are paid out, by the operator's setting."""
    return money.parse(settings.MINIMUM_PAYOUT)


def details_of(worker: Worker) -> PayoutDetails | None:
    """Where the worker's pay is sent, None until they have said so."""
    return PayoutDetails.objects.filter(worker=worker).first()


def set_details(*, worker: Worker, holder: str, destination: str, provider: str = PaymentWay.MANUAL) -> PayoutDetails:
    """Say where a worker's pay is to be sent, and by whom. Payouts requested before go where they were going.

    Raises Invalid as `checked_details` does.
    """
    holder, destination = checked_details(holder, destination)
    now = timezone.now()
    changes = {"holder": holder, "destination": destination, "changed_at": now, "provider": provider}
    with transaction.atomic():
        details, _ = PayoutDetails.objects.update_or_create(worker=worker, defaults=changes)
        # Not where to: more people read the audit trail than may know it.
        audit.record(worker, by=f"user:{worker.user_id}", because="payout details set")
    return details


def checked_details(holder: str, destination: str) -> tuple[str, str]:
    """Name and destination of a bank account as they stand in bank files.

    Raises Invalid, naming the field, for a text that cannot stand in a bank file and for an IBAN with a wrong digit.
    """
    holder, destination = " ".join(holder.split()), " ".join(destination.split())
    for field, text, pattern in (("holder", holder, HOLDER), ("destination", destination, DESTINATION)):
        if len(text) not in TEXT_LENGTH:
            raise Invalid(f"{TEXT_LENGTH} characters are expected, {len(text)} found", field=field)
        if re.fullmatch(pattern, text) is None:
            raise Invalid("this holds characters that bank files cannot carry", field=field)
    if _IBAN_LIKE.fullmatch(destination.replace(" ", "").upper()):
        destination = _checked_iban(destination)
    return holder, destination


def _checked_iban(text: str) -> str:
    try:
        return str(iban.format(iban.validate(text)))
    except ValidationError:
        raise Invalid("this IBAN has a wrong digit: its check number does not fit", field="destination") from None


def request(*, worker: Worker, by: str, amount_micros: int | None = None) -> Payout:
    """Ask for `amount_micros`, or for all that is there in whole cents. The money leaves the earnings at once.

    Raises Invalid for an amount below the minimum or finer than a cent, LimitExceeded for more than was earned,
    WrongState without payout details and while another payout is under way.
    """
    if (details := details_of(worker)) is None:
        raise WrongState("say first where your pay is to be sent", field="destination")
    pocket = ledger.pocket(LedgerKind.EARNINGS, worker=worker)
    # The lock on the earnings keeps a second request of the worker out until this one has committed.
    with ledger.locked(pocket):
        if Payout.objects.filter(worker=worker, status__in=UNDER_WAY).exists():
            raise WrongState("a payout of yours is under way; another one can follow it", field="status")
        amount = _amount(amount_micros, ledger.balance(pocket))
        payout = Payout.objects.create(
            worker=worker,
            amount_micros=amount,
            provider=details.provider,
            holder=details.holder,
            destination=details.destination,
        )
        audit.record(payout, by=by, because=f"requested: {money.plain(amount)} dollars", to_status=payout.status)
        _move(payout, EntryKind.WITHDRAWAL, LedgerKind.EARNINGS, LedgerKind.PAYOUTS, by=by)
    return payout


def _amount(wanted: int | None, balance: int) -> int:
    amount = balance - balance % CENT if wanted is None else wanted
    if amount % CENT:
        raise Invalid("a payout is a number of whole cents", field="amount")
    if amount < minimum():
        have = "" if wanted is not None else f", you have earned {money.text(balance)}"
        raise Invalid(f"the least that is paid out is {money.text(minimum())} dollars{have}", field="amount")
    if amount > balance:
        raise LimitExceeded(
            f"you have earned {money.text(balance)} dollars, {money.text(amount)} are asked for", field="amount"
        )
    return amount


def cancel(*, payout: Payout, by: str) -> bool:
    """Take back a payout that was not sent yet; returns False when it was cancelled before.

    Raises WrongState for one that was sent.
    """
    return _end(payout, "Cancelled", by=by, because="cancelled by the worker")


def send(*, by: str, now: datetime | None = None) -> str:
    """Put every requested payout that the operator sends in one bank file; returns its name, "" when there is none."""
    name = f"payouts-{now or timezone.now():%Y%m%d-%H%M%S-%f}"
    with transaction.atomic():
        sent = mark_sent(provider=PaymentWay.MANUAL, by=by, because=name, sent_with=name)
    return name if sent else ""


def mark_sent(*, provider: str, by: str, because: str, sent_with: str = "") -> list[Payout]:
    """Every requested payout of a provider is sent from now on; returns them. Needs an open transaction."""
    requested = Payout.objects.select_for_update(no_key=True, of=("self",)).filter(
        status="Requested", provider=provider
    )
    payouts = list(requested.select_related("worker__user").order_by("pk"))
    for payout in payouts:
        transitions.PAYOUT.advance(payout, "Sent", by=by, because=because, sent_with=sent_with)
        _tell(payout, "is on its way to your bank")
    return payouts


def mark_paid(*, payout: Payout, by: str, provider: str = PaymentWay.MANUAL) -> bool:
    """The transfer was made: the money has left. Returns False when that was said before.

    Raises WrongState for a payout that another provider sends: that one says what became of it.
    """
    _require_provider(payout, provider)
    with transaction.atomic():
        moved = transitions.PAYOUT.advance(payout, "Paid", by=by)
        if moved:
            _move(payout, EntryKind.PAYOUT, LedgerKind.PAYOUTS, LedgerKind.OUTSIDE, by=by)
            _tell(payout, "was paid")
    return moved


def mark_failed(*, payout: Payout, reason: str, by: str, provider: str = PaymentWay.MANUAL) -> bool:
    """The transfer was refused: the money is the worker's again, who is shown the reason.

    Returns False when that was said before. Raises Invalid without a reason, and WrongState as `mark_paid` does.
    """
    if len(reason.strip()) not in REASON_LENGTH:
        raise Invalid(f"a reason has {REASON_LENGTH} characters", field="reason")
    _require_provider(payout, provider)
    reason = reason.strip()
    with transaction.atomic():
        moved = _end(payout, "Failed", by=by, because=reason, failure_reason=reason)
        if moved:
            _tell(payout, f"failed and is in your earnings again: {reason}")
    return moved


def bring_back(*, payout: Payout, reason: str, by: str, provider: str) -> bool:
    """The money of a payout is back at the provider, which had sent or even paid it: it is the worker's again.

    Returns False when that was said before. Raises Invalid and WrongState as `mark_failed` does.
    """
    with transaction.atomic():
        locked = Payout.objects.select_for_update(no_key=True).get(pk=payout.pk)
        if locked.status in ("Failed", "Returned"):
            return False
        if locked.status != "Paid":
            return mark_failed(payout=payout, reason=reason, by=by, provider=provider)
        _require_provider(payout, provider)
        transitions.PAYOUT.advance(payout, "Returned", by=by, because=reason, failure_reason=reason)
        _move(payout, EntryKind.PAYBACK, LedgerKind.OUTSIDE, LedgerKind.EARNINGS, by=by)
        _tell(payout, f"was sent back and is in your earnings again: {reason}")
    return True


def _require_provider(payout: Payout, provider: str) -> None:
    if payout.provider != provider:
        sender = PaymentWay(payout.provider).label
        raise WrongState(f"{payout.reference} is sent by {sender}, which says itself what became of it", field="status")


def _end(payout: Payout, to: str, *, by: str, because: str, **changes: str) -> bool:
    with transaction.atomic():
        moved = transitions.PAYOUT.advance(payout, to, by=by, because=because, **changes)
        if moved:
            _move(payout, EntryKind.PAYBACK, LedgerKind.PAYOUTS, LedgerKind.EARNINGS, by=by)
    return moved


def _tell(payout: Payout, what: str) -> None:
    notifications.tell(
        user=payout.worker.user,
        kind=NoticeKind.PAYOUT,
        text=f"Your payout {payout.reference} of {money.plain(payout.amount_micros)} dollars {what}.",
        subject=Subject(PAYOUT, payout.pk),
    )


def _move(payout: Payout, kind: str, source: str, target: str, *, by: str) -> None:
    def pocket(of_kind: str) -> LedgerAccount:
        return ledger.pocket(of_kind, worker=None if of_kind == LedgerKind.OUTSIDE else payout.worker)

    ledger.post(
        kind=kind,
        subject=Subject(PAYOUT, payout.pk),
        postings={pocket(source): -payout.amount_micros, pocket(target): payout.amount_micros},
        by=by,
        description=f"Payout {payout.reference}" + (" came back" if kind == EntryKind.PAYBACK else ""),
    )


# --- what is read ---------------------------------------------------------------------------------------------------


def of_worker(worker: Worker) -> QuerySet[Payout]:
    """The worker's payouts, newest first."""
    return Payout.objects.filter(worker=worker).order_by("-pk")


def one_of(worker: Worker, payout_id: int) -> Payout:
    """A payout of the worker. Raises NotFound."""
    found = of_worker(worker).filter(pk=payout_id).first()
    if found is None:
        raise NotFound(f"you have no payout {payout_id}")
    return found


def any_one(payout_id: int) -> Payout:
    """Any payout, for operators. Raises NotFound."""
    found = Payout.objects.select_related("worker").filter(pk=payout_id).first()
    if found is None:
        raise NotFound(f"there is no payout {payout_id}")
    return found


def everybodys(status: str | None = None) -> QuerySet[Payout]:
    """All payouts, newest first, for operators."""
    found = Payout.objects.select_related("worker__user").order_by("-pk")
    return found if status is None else found.filter(status=status)


class Total(NamedTuple):
    """How many payouts, and their micro-dollars together."""

    payouts: int
    micros: int


def requested_by_provider() -> dict[str, Total]:
    """Number and amount of everybody's requested payouts, by provider; one without any is left out."""
    rows = Payout.objects.filter(status="Requested").values_list("provider")
    counted = rows.annotate(count=Count("pk"), micros=Sum("amount_micros")).order_by()
    return {provider: Total(count, micros) for provider, count, micros in counted}


def in_file(name: str) -> list[Payout]:
    """The payouts of a bank file, in the order of their requests. Raises NotFound for a file that was never made."""
    found = list(Payout.objects.filter(sent_with=name).order_by("pk")) if name else []
    if not found:
        raise NotFound(f"there is no bank file {name}")
    return found


def by_reference(references: Iterable[str]) -> dict[str, Payout]:
    """The payouts that these references ("WG81") name; others are left out."""
    keys = {int(text[2:]) for text in references if re.fullmatch(r"WG[1-9][0-9]{0,17}", text)}
    return {payout.reference: payout for payout in Payout.objects.select_related("worker").filter(pk__in=keys)}
