"""A requester account's free money: deposits, balance, statement. Knows nothing of jobs."""

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from marketplace.errors import BookedAlready, Invalid
from marketplace.models import Account, Entry, LedgerAccount, LedgerKind, Posting
from marketplace.services import ledger

# 9,000,000,000 dollars in micro-dollars: far below what a bigint holds, far above any real deposit.
MAX_DEPOSIT_MICROS = 9 * 10**15


def deposit(*, account: Account, amount_micros: int, reference: str, by: str, description: str = "Deposit") -> Entry:
    """Book money that arrived from outside. `reference` names the fact ("deposit:2024-17") and counts once.

    Raises Invalid for an amount that is not positive, InUse when the reference was booked before.
    """
    if not 0 < amount_micros <= MAX_DEPOSIT_MICROS:
        raise Invalid("a deposit must be above zero and at most 9,000,000,000 dollars", field="amount")
    if not reference or len(reference) > 120:
        raise Invalid("a deposit needs a reference of 1 to 120 characters", field="reference")
    pockets = {ledger.pocket(LedgerKind.OUTSIDE): -amount_micros, wallet(account): amount_micros}
    try:
        with transaction.atomic():
            return ledger.post(reference=reference, postings=pockets, by=by, description=description)
    except IntegrityError:
        raise BookedAlready(f"{reference} was booked already", field="reference") from None


def wallet(account: Account) -> LedgerAccount:
    """The ledger account of the wallet."""
    return ledger.pocket(LedgerKind.WALLET, account=account)


def balance(account: Account) -> int:
    """Free micro-dollars of the account."""
    return ledger.total(LedgerKind.WALLET, account=account)


def statement(account: Account) -> QuerySet[Posting]:
    """Every movement of the wallet, newest first, with its entry."""
    pockets = LedgerAccount.objects.filter(kind=LedgerKind.WALLET, account=account)
    return ledger.movements(*pockets).select_related("entry").order_by("-id")


def held(account: Account) -> int:
    """Micro-dollars of the account that are set aside for open batches, over all jobs."""
    return ledger.balance(*LedgerAccount.objects.filter(kind=LedgerKind.ESCROW, account=account))
