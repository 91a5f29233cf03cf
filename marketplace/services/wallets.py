"""A requester account's money: deposits, balance, statement, spending. Knows nothing of jobs."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import QuerySet, Sum
from django.db.models.functions import TruncDate

from marketplace.errors import BookedAlready, Invalid
from marketplace.models import Account, Employer, Entry, EntryKind, LedgerAccount, LedgerKind, Posting, Subject, Worker
from marketplace.money import AMOUNT_MICROS, MICROS, plain
from marketplace.ranges import Range
from marketplace.services import audit, debts, funds, ledger, payees

REFERENCE_LENGTH = Range(1, 120)
"""Characters of a deposit's reference."""


SPENDING = (EntryKind.PAYMENT, EntryKind.RELEASE, EntryKind.APPEAL, EntryKind.BONUS)
"""The entries by which money of an account reaches a worker and the platform."""


def deposit(*, account: Account, amount_micros: int, reference: str, by: str, description: str = "Deposit") -> Entry:
    """Book money that arrived from outside; it settles first what the account owes.

    `reference` is the operator's own ("bank:2024-17") and counts once.

    Raises Invalid for an amount that is not positive, BookedAlready when a deposit of this reference was booked before.
    """
    if amount_micros == 0 or amount_micros not in AMOUNT_MICROS:
        most = AMOUNT_MICROS.longest // MICROS
        raise Invalid(f"a deposit must be above zero and at most {most:,} dollars", field="amount")
    if len(reference) not in REFERENCE_LENGTH:
        raise Invalid(f"a deposit needs a reference of {REFERENCE_LENGTH} characters", field="reference")
    pockets = {ledger.pocket(LedgerKind.OUTSIDE): -amount_micros, wallet(account): amount_micros}
    try:
        with transaction.atomic():
            # Before the wallet is locked: others request an advance of a job first, and then want the wallet.
            debts.tell_listeners(account)
            entry = ledger.post(
                kind=EntryKind.DEPOSIT,
                subject=Subject("account", account.pk),
                given_reference=reference,
                postings=pockets,
                by=by,
                description=description,
            )
            debts.settle(account=account, by=by)
            audit.record(account, by=by, because=f"deposit of {plain(amount_micros)} dollars booked: {reference}")
            funds.arrived(account)
    except IntegrityError:
        raise BookedAlready(f"{reference} was booked already", field="reference") from None
    return entry


def pay_worker(
    *,
    kind: str,
    subject: Subject,
    account: Account,
    worker: Worker,
    price_micros: int,
    fee_micros: int,
    by: str,
    employer: Employer | None = None,
    description: str = "",
) -> None:
    """Pay a worker, or under a contract the employer, and the platform straight out of the wallet; nothing for zero.

    Raises InsufficientFunds when the wallet holds less, AccountOwes while the account owes money, IntegrityError when
    this was booked before.
    """
    if price_micros + fee_micros == 0:
        return
    free = wallet(account)
    earning = ledger.pocket(LedgerKind.EARNINGS, worker=worker) if employer is None else payees.accrued(employer)
    with ledger.locked(free):
        debts.require_none(account)
        ledger.post(
            kind=kind,
            subject=subject,
            postings={
                free: -price_micros - fee_micros,
                earning: price_micros,
                ledger.pocket(LedgerKind.FEES): fee_micros,
            },
            by=by,
            description=description,
        )
        funds.watch_balance(account)


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


def under_review(account: Account) -> int:
    """Micro-dollars of the account that are held for answers under review, with the fees."""
    return ledger.balance(
        *LedgerAccount.objects.filter(kind__in=[LedgerKind.HELD, LedgerKind.HELD_FEES], account=account)
    )


class Funds(NamedTuple):
    """Micro-dollars of an account: free in its wallet, and set aside for open batches."""

    balance: int
    held: int


def funds_of_many(accounts: Iterable[Account]) -> dict[int, Funds]:
    """`balance` and `held` of each of several accounts, by the account's key, in two queries."""
    found = {account.pk: {LedgerKind.WALLET: 0, LedgerKind.ESCROW: 0} for account in accounts}
    pockets = list(
        LedgerAccount.objects.filter(kind__in=[LedgerKind.WALLET, LedgerKind.ESCROW], account__in=list(found))
    )
    balances = ledger.balances(pockets)
    for pocket in pockets:
        found[pocket.account_id][LedgerKind(pocket.kind)] += balances[pocket.pk]
    return {key: Funds(kinds[LedgerKind.WALLET], kinds[LedgerKind.ESCROW]) for key, kinds in found.items()}


def spent_by_day(account: Account, *, since: datetime) -> dict[date, int]:
    """Micro-dollars that were paid to workers and the platform, for each day that had payments, oldest first.

    Money that is only held, or came back, is not spent.
    """
    # What the account receives as a vendor is no spending of its own.
    received = [LedgerKind.ACCRUED, LedgerKind.INVOICED]
    pockets = LedgerAccount.objects.filter(account=account).exclude(kind__in=received)
    paid = ledger.movements(*pockets).filter(entry__kind__in=SPENDING, entry__created_at__gte=since)
    rows = paid.annotate(day=TruncDate("entry__created_at")).values("day").annotate(total=Sum("amount_micros"))
    return {row["day"]: -row["total"] for row in rows.order_by("day")}
