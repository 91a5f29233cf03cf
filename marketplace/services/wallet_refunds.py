"""Free money of a wallet that its account wants back: asked for, then sent by the operator outside, or refused.

Money moves with the status, as in payouts.py: out of the wallet when it is asked for, out of the ledger when it is
sent, back into the wallet when the refund is cancelled or refused.
"""

from django.db import transaction
from django.db.models import QuerySet

from marketplace import money, transitions
from marketplace.errors import Invalid, LimitExceeded, NotFound, WrongState
from marketplace.models import (
    Account,
    EntryKind,
    LedgerKind,
    NoticeKind,
    Role,
    Subject,
    WalletRefund,
    WalletRefundStatus,
)
from marketplace.ranges import Range
from marketplace.services import debts, ledger, notifications

CENT = 10_000
"""Micro-dollars of the smallest amount that banks transfer."""

REASON_LENGTH = Range(1, 300)
"""Characters of the reason why a refund was refused."""

WALLET_REFUND = "wallet-refund"
"""The type of these rows in ledger entries. Stored, so never changed."""


def request(*, account: Account, by: str, amount_micros: int | None = None) -> WalletRefund:
    """Ask for `amount_micros` back, or for all that is free in whole cents. The money leaves the wallet at once.

    Raises Invalid for an amount of zero or finer than a cent, LimitExceeded for more than is free, AccountOwes while
    the account owes money, WrongState while another refund is under way.
    """
    wallet = ledger.pocket(LedgerKind.WALLET, account=account)
    with ledger.locked(wallet):
        debts.require_none(account)
        if WalletRefund.objects.filter(account=account, status=WalletRefundStatus.REQUESTED).exists():
            raise WrongState("a refund is under way; another one can follow it", field="status")
        free = ledger.balance(wallet)
        amount = free - free % CENT if amount_micros is None else amount_micros
        if amount <= 0 or amount % CENT:
            raise Invalid("a refund is a number of whole cents above zero", field="amount")
        if amount > free:
            raise LimitExceeded(
                f"the wallet holds {money.text(free)} dollars, {money.text(amount)} are asked for", field="amount"
            )
        refund = WalletRefund.objects.create(account=account, amount_micros=amount, requested_by=by)
        _move(refund, EntryKind.TAKE_BACK, LedgerKind.WALLET, LedgerKind.REFUNDS, by=by)
    return refund


def cancel(*, refund: WalletRefund, by: str) -> bool:
    """Take back a request that was not sent yet; returns False when that was done before."""
    return _keep(refund, "Cancelled", by=by, because="cancelled by the account")


def mark_paid(*, refund: WalletRefund, by: str) -> bool:
    """The operator has sent the money. Returns False when that was said before.

    Raises WrongState while the account owes money: then the refund is to be refused, which settles the debt.
    """
    with transaction.atomic():
        if refund.status == WalletRefundStatus.REQUESTED and (debt := debts.owed(refund.account)):
            raise WrongState(
                f"the account owes {money.text(debt)} dollars: refuse the refund, which settles them", field="status"
            )
        moved = transitions.WALLET_REFUND.advance(refund, "Paid", by=by)
        if moved:
            _move(refund, EntryKind.TAKEN_BACK, LedgerKind.REFUNDS, LedgerKind.OUTSIDE, by=by)
            _tell(refund, "was paid")
    return moved


def refuse(*, refund: WalletRefund, reason: str, by: str) -> bool:
    """Do not send the money: it is in the wallet again, and the account reads why. Returns False when said before.

    Raises Invalid without a reason.
    """
    if len(reason.strip()) not in REASON_LENGTH:
        raise Invalid(f"a reason has {REASON_LENGTH} characters", field="reason")
    reason = reason.strip()
    with transaction.atomic():
        moved = _keep(refund, "Refused", by=by, because=reason, reason=reason)
        if moved:
            _tell(refund, f"was refused and is in the wallet again: {reason}")
    return moved


def _keep(refund: WalletRefund, to: str, *, by: str, because: str, **changes: str) -> bool:
    with transaction.atomic():
        moved = transitions.WALLET_REFUND.advance(refund, to, by=by, because=because, **changes)
        if moved:
            _move(refund, EntryKind.KEPT, LedgerKind.REFUNDS, LedgerKind.WALLET, by=by)
            debts.settle(account=refund.account, by=by)
    return moved


def _tell(refund: WalletRefund, what: str) -> None:
    amount = money.plain(refund.amount_micros)
    notifications.tell_account(
        account=refund.account,
        kind=NoticeKind.PAYOUT,
        text=f"The refund of {amount} dollars from the wallet of {refund.account.name} {what}.",
        subject=Subject(WALLET_REFUND, refund.pk),
        at_least=Role.ADMIN,
    )


def _move(refund: WalletRefund, kind: str, source: str, target: str, *, by: str) -> None:
    pockets = [
        ledger.pocket(of_kind, account=None if of_kind == LedgerKind.OUTSIDE else refund.account)
        for of_kind in (source, target)
    ]
    ledger.post(
        kind=kind,
        subject=Subject(WALLET_REFUND, refund.pk),
        postings=dict(zip(pockets, (-refund.amount_micros, refund.amount_micros), strict=True)),
        by=by,
        description=f"Refund {refund.pk}" + (" was not sent" if kind == EntryKind.KEPT else ""),
    )


# --- what is read ---------------------------------------------------------------------------------------------------


def of_account(account: Account) -> QuerySet[WalletRefund]:
    """The account's refunds, newest first."""
    return WalletRefund.objects.filter(account=account).order_by("-pk")


def one_of(account: Account, refund_id: int) -> WalletRefund:
    """A refund of the account. Raises NotFound."""
    found = of_account(account).select_related("account").filter(pk=refund_id).first()
    if found is None:
        raise NotFound(f"the account has no refund {refund_id}")
    return found


def any_one(refund_id: int) -> WalletRefund:
    """Any refund, for operators. Raises NotFound."""
    found = WalletRefund.objects.select_related("account").filter(pk=refund_id).first()
    if found is None:
        raise NotFound(f"there is no refund {refund_id}")
    return found


def everybodys() -> QuerySet[WalletRefund]:
    """All refunds with their accounts, newest first, for operators."""
    return WalletRefund.objects.select_related("account").order_by("-pk")
