"""Telling an account that its money runs low: once, and again only after money has come. Moves no money."""

from django.db import transaction
from django.utils import timezone

from marketplace import money
from marketplace.errors import Invalid
from marketplace.models import Account, FundsWatch, LedgerKind, NoticeKind, Role, Subject
from marketplace.services import audit, ledger, notifications

WALLET = "wallet"
"""The type of wallets in notices. Stored, so never changed."""


def threshold(account: Account) -> int:
    """Below how many free micro-dollars the account is told; 0 for never, unless open work cannot be paid for."""
    watch = FundsWatch.objects.filter(account=account).first()
    return watch.threshold_micros if watch is not None else 0


def set_threshold(*, account: Account, amount_micros: int, by: str) -> None:
    """Say below how much free money the account is to be told. Raises Invalid for a negative or too large amount."""
    if amount_micros not in money.AMOUNT_MICROS:
        raise Invalid("an amount of dollars expected", field="threshold")
    with transaction.atomic():
        FundsWatch.objects.update_or_create(
            account=account, defaults={"threshold_micros": amount_micros, "told_at": None}
        )
        said = f"{money.plain(amount_micros)} dollars" if amount_micros else "off"
        audit.record(account, by=by, because=f"low-funds warning: {said}")
        watch_balance(account)


def low(account: Account) -> int | None:
    """What is free in the wallet, if that is less than the threshold; else None."""
    least = threshold(account)
    balance = ledger.total(LedgerKind.WALLET, account=account) if least else 0
    return balance if balance < least else None


def watch_balance(account: Account) -> None:
    """Tell the account if its free money is below its threshold; call it in the transaction that takes money out."""
    untold = FundsWatch.objects.filter(account=account, told_at=None, threshold_micros__gt=0)
    watch = untold.first()
    if watch is None:
        return
    balance = ledger.total(LedgerKind.WALLET, account=account)
    # Of two that find too little at the same time one changes the row, and only that one tells.
    if balance < watch.threshold_micros and untold.update(told_at=timezone.now()):
        free, least = money.plain(balance), money.plain(watch.threshold_micros)
        _tell(account, f"The wallet of {account.name} holds {free} dollars, less than {least}.", None)


def tell_short(*, account: Account, work: str, subject: Subject | None = None) -> None:
    """Tell the account that its wallet cannot pay for `work` ("the labeling job bees"), unless it knows already."""
    with transaction.atomic():
        FundsWatch.objects.get_or_create(account=account)
        untold = FundsWatch.objects.filter(account=account, told_short_at=None)
        if untold.update(told_short_at=timezone.now()):
            free = money.plain(ledger.total(LedgerKind.WALLET, account=account))
            _tell(
                account,
                f"The wallet of {account.name} holds {free} dollars, too little for {work}. It waits for a deposit.",
                subject,
            )


def arrived(account: Account) -> None:
    """Money has come: from now on the account is told again. Call it in the transaction of the deposit."""
    FundsWatch.objects.filter(account=account).update(told_at=None, told_short_at=None)


def _tell(account: Account, text: str, subject: Subject | None) -> None:
    notifications.tell_account(
        account=account,
        kind=NoticeKind.LOW_FUNDS,
        text=text,
        subject=subject or Subject(WALLET, account.pk),
        at_least=Role.ADMIN,
    )
