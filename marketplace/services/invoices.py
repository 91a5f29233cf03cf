"""Invoices of vendors: issued once for a period of a contract, then paid by the operator in one transfer.

An invoice moves what has accrued under the contract to what the vendor has invoiced; its payment moves that out of the
ledger. Which answers are due, and how they are grouped, is known above (labeling/services/invoicing.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.db.models import Q, QuerySet, Sum
from django.utils import timezone

from marketplace import money
from marketplace.errors import Invalid, NotFound
from marketplace.models import (
    Account,
    Contract,
    EntryKind,
    Invoice,
    InvoicedPosting,
    InvoiceLine,
    LedgerAccount,
    LedgerKind,
    NoticeKind,
    Role,
    Subject,
)
from marketplace.ranges import Range
from marketplace.services import audit, ledger, notifications, payees
from marketplace.transitions import INVOICE

SUBJECT = "invoice"
"""The type of invoices in ledger entries. Stored, so never changed."""

REFERENCE_LENGTH = Range(1, 120)
"""Characters of the operator's reference of a transfer."""


class Due(NamedTuple):
    """A payment that is on no invoice yet: its posting, and the work that it pays for."""

    posting_id: int
    queue_id: int
    title: str
    task_type: str
    amount_micros: int
    fee_micros: int


@dataclass
class _Line:
    first: Due
    answers: int = 0
    amount_micros: int = 0
    fee_micros: int = 0


def issue(*, contract: Contract, start: datetime, end: datetime, due: Sequence[Due]) -> Invoice:
    """Put these payments on one invoice, and move their sum from what has accrued to what is invoiced.

    Needs a transaction that has locked the contract. Raises IntegrityError when one of them is on an invoice already.
    """
    lines: dict[tuple[int, int], _Line] = {}
    for one in due:
        line = lines.setdefault((one.queue_id, one.amount_micros), _Line(one))
        line.answers += 1
        line.amount_micros += one.amount_micros
        line.fee_micros += one.fee_micros
    count = Invoice.objects.filter(contract=contract).count()
    invoice = Invoice.objects.create(
        contract=contract,
        number=f"{contract.vendor.number}-{contract.pk}-{count + 1}",
        period_start=start,
        period_end=end,
        requester_name=contract.requester.name,
        vendor_name=contract.vendor.name,
        answers=len(due),
        amount_micros=sum(line.amount_micros for line in lines.values()),
        fee_micros=sum(line.fee_micros for line in lines.values()),
        issued_at=timezone.now(),
    )
    InvoiceLine.objects.bulk_create(
        InvoiceLine(
            invoice=invoice,
            queue_id=line.first.queue_id,
            title=line.first.title,
            task_type=line.first.task_type,
            answers=line.answers,
            price_micros=line.first.amount_micros,
            amount_micros=line.amount_micros,
            fee_micros=line.fee_micros,
        )
        for _, line in sorted(lines.items())
    )
    InvoicedPosting.objects.bulk_create(InvoicedPosting(posting_id=one.posting_id, invoice=invoice) for one in due)
    ledger.post(
        kind=EntryKind.INVOICE,
        subject=Subject(SUBJECT, invoice.pk),
        postings={
            payees.accrued(contract.employer): -invoice.amount_micros,
            _invoiced(contract.vendor): invoice.amount_micros,
        },
        by="system",
        description=f"Invoice {invoice.number}",
    )
    _record(invoice, f"issued, {invoice.answers} answers", to_status=invoice.status)
    return invoice


def mark_paid(*, invoice: Invoice, reference: str, by: str) -> bool:
    """The operator has transferred the invoice's amount to the vendor. Returns False when that was said before.

    Raises Invalid without a reference.
    """
    reference = reference.strip()
    if len(reference) not in REFERENCE_LENGTH:
        raise Invalid(f"a reference has {REFERENCE_LENGTH} characters", field="reference")
    with transaction.atomic():
        moved = INVOICE.advance(invoice, "Paid", by=by, because=reference, payment_reference=reference)
        if moved:
            vendor = invoice.contract.vendor
            ledger.post(
                kind=EntryKind.PAYOUT,
                subject=Subject(SUBJECT, invoice.pk),
                postings={
                    _invoiced(vendor): -invoice.amount_micros,
                    ledger.pocket(LedgerKind.OUTSIDE): invoice.amount_micros,
                },
                by=by,
                description=f"Invoice {invoice.number}",
            )
            amount = money.plain(invoice.amount_micros)
            notifications.tell_account(
                account=vendor,
                kind=NoticeKind.PAYOUT,
                text=f"Your invoice {invoice.number} of {amount} dollars was paid: {reference}.",
                subject=Subject(SUBJECT, invoice.pk),
                at_least=Role.ADMIN,
            )
    return moved


# --- what is read ---------------------------------------------------------------------------------------------------


class Owed(NamedTuple):
    """Micro-dollars of a vendor: paid for accepted answers and not invoiced yet, and invoiced and not transferred."""

    accrued: int
    invoiced: int


def owed_to(vendor: Account) -> Owed:
    """What the vendor was paid and has not received yet."""
    pockets = list(LedgerAccount.objects.filter(account=vendor, kind__in=[LedgerKind.ACCRUED, LedgerKind.INVOICED]))
    balances = ledger.balances(pockets)
    sums = {LedgerKind.ACCRUED: 0, LedgerKind.INVOICED: 0}
    for pocket in pockets:
        sums[LedgerKind(pocket.kind)] += balances[pocket.pk]
    return Owed(sums[LedgerKind.ACCRUED], sums[LedgerKind.INVOICED])


def of_account(account: Account) -> QuerySet[Invoice]:
    """The invoices that the account has sent as a vendor or received as a requester, newest first."""
    mine = Invoice.objects.filter(Q(contract__requester=account) | Q(contract__vendor=account))
    return mine.select_related("contract").order_by("-pk")


def received(account: Account) -> QuerySet[Invoice]:
    """The invoices for the account as a requester, newest first."""
    return of_account(account).filter(contract__requester=account)


def sent(account: Account) -> QuerySet[Invoice]:
    """The invoices of the account as a vendor, newest first."""
    return of_account(account).filter(contract__vendor=account)


def one_of(rows: QuerySet[Invoice], invoice_id: int) -> Invoice:
    """An invoice among these. Raises NotFound."""
    found = rows.filter(pk=invoice_id).first()
    if found is None:
        raise NotFound(f"there is no invoice {invoice_id}")
    return found


def everybodys(status: str | None = None) -> QuerySet[Invoice]:
    """All invoices, newest first, with where they are to be paid, for operators."""
    found = Invoice.objects.select_related("contract__vendor__vendor_listing").order_by("-pk")
    return found if status is None else found.filter(status=status)


def to_pay() -> int:
    """Micro-dollars of the invoices that are not paid yet."""
    return everybodys("Issued").aggregate(total=Sum("amount_micros"))["total"] or 0


def _invoiced(vendor: Account) -> LedgerAccount:
    return ledger.pocket(LedgerKind.INVOICED, account=vendor)


def _record(invoice: Invoice, because: str, to_status: str = "") -> None:
    audit.record(invoice, by="system", because=because, to_status=to_status, account=invoice.contract.requester)
