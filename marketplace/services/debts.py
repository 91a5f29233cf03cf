"""What an account owes: a charge that its wallet could not pay, and how it is settled. Knows nothing of jobs.

An account owes after a deposit was reversed whose money it has spent. While it does, nothing can be reserved, given or
taken out of its wallet, and whatever arrives there settles the debt first. Who changes a debt has locked the wallet.
"""

import uuid
from collections.abc import Callable, Iterable
from typing import NamedTuple

from django.db import IntegrityError, transaction

from marketplace.errors import AccountOwes, BookedAlready, Invalid, NotFound
from marketplace.models import Account, Entry, EntryKind, LedgerAccount, LedgerKind, NoticeKind, Posting, Role, Subject
from marketplace.money import plain, text
from marketplace.ranges import Range
from marketplace.services import audit, funds, ledger, notifications

REASON_LENGTH = Range(1, 180)
"""Characters of the reason why a deposit was reversed."""


LISTENERS: list[Callable[[Account], None]] = []
"""Called, in the same transaction, with an account to which money was deposited or that owes since now. The room above
appends to it when its app is ready."""


class Reversal(NamedTuple):
    """A deposit that was reversed: micro-dollars together, and how many of them its account now owes."""

    account: Account
    amount_micros: int
    owed_micros: int


def tell_listeners(account: Account) -> None:
    """Call every listener."""
    for listener in LISTENERS:
        listener(account)


def owed(account: Account) -> int:
    """Micro-dollars that the account owes."""
    return -ledger.total(LedgerKind.OWED, account=account)


def owed_by_each(accounts: Iterable[Account]) -> dict[int, int]:
    """`owed` of each of several accounts, by the account's key, in two queries."""
    found = dict.fromkeys((account.pk for account in accounts), 0)
    pockets = list(LedgerAccount.objects.filter(kind=LedgerKind.OWED, account__in=list(found)))
    balances = ledger.balances(pockets)
    return found | {pocket.account_id: -balances[pocket.pk] for pocket in pockets}


def require_none(account: Account) -> None:
    """Raises AccountOwes while the account owes anything."""
    if debt := owed(account):
        raise AccountOwes(f"the account owes {text(debt)} dollars; it can spend again once they are deposited")


def settle(*, account: Account, by: str) -> int:
    """Pay what the account owes with what is in its wallet, as far as that goes; returns what was paid."""
    wallet = ledger.pocket(LedgerKind.WALLET, account=account)
    with ledger.locked(wallet):
        debt = owed(account)
        amount = min(debt, ledger.balance(wallet)) if debt else 0
        if amount > 0:
            ledger.post(
                kind=EntryKind.SETTLEMENT,
                subject=Subject("account", account.pk),
                given_reference=f"{account.pk}:{uuid.uuid4().hex}",
                postings={wallet: -amount, ledger.pocket(LedgerKind.OWED, account=account): amount},
                by=by,
                description="Settled what was owed",
            )
    return amount


def settle_all() -> None:
    """Settle every debt as far as the wallets go: money may have come back into them from jobs."""
    for pocket in LedgerAccount.objects.filter(kind=LedgerKind.OWED).select_related("account").order_by("pk"):
        if pocket.account is not None and ledger.balance(pocket):
            settle(account=pocket.account, by="system")


def charge(
    *,
    kind: str,
    account: Account,
    amount_micros: int,
    given_reference: str,
    to: LedgerAccount,
    by: str,
    description: str,
) -> int:
    """Take an amount out of the wallet, and owe what it does not hold; returns what is owed of it.

    Raises IntegrityError when this was booked before.
    """
    wallet = ledger.pocket(LedgerKind.WALLET, account=account)
    with ledger.locked(wallet):
        missing = max(0, amount_micros - ledger.balance(wallet))
        ledger.post(
            kind=kind,
            subject=Subject("account", account.pk),
            given_reference=given_reference,
            postings={
                wallet: missing - amount_micros,
                ledger.pocket(LedgerKind.OWED, account=account): -missing,
                to: amount_micros,
            },
            by=by,
            description=description,
        )
    return missing


def reverse_deposit(*, reference: str, reason: str, by: str) -> Reversal:
    """Book that the bank has taken a deposit back: out of the wallet, and what is not there any more is owed.

    Raises NotFound for a reference of no deposit, BookedAlready when it was reversed before, Invalid for a bad reason.
    """
    if len(reason.strip()) not in REASON_LENGTH:
        raise Invalid(f"a reason has {REASON_LENGTH} characters", field="reason")
    deposit = Entry.objects.filter(kind=EntryKind.DEPOSIT, reference=f"{EntryKind.DEPOSIT}:{reference}").first()
    if deposit is None:
        raise NotFound(f"no deposit has the reference {reference[:120]!r}", field="reference")
    arrived = Posting.objects.select_related("ledger_account__account").get(entry=deposit, amount_micros__gt=0)
    account = arrived.ledger_account.account
    if account is None:
        raise LookupError(f"deposit {deposit.pk} went to no account")
    try:
        with transaction.atomic():
            # Before the wallet is locked: others request an advance of a job first, and then want the wallet.
            tell_listeners(account)
            missing = charge(
                kind=EntryKind.CHARGEBACK,
                account=account,
                amount_micros=arrived.amount_micros,
                given_reference=reference,
                to=ledger.pocket(LedgerKind.OUTSIDE),
                by=by,
                description=f"Deposit {reference} was reversed: {reason.strip()}"[:200],
            )
            said = f"A deposit of {plain(arrived.amount_micros)} dollars was reversed: {reason.strip()}."
            debt = f" {account.name} owes {plain(missing)} dollars; its jobs wait for them." if missing else ""
            notifications.tell_account(
                account=account,
                kind=NoticeKind.LOW_FUNDS,
                text=said + debt,
                subject=Subject(funds.WALLET, account.pk),
                at_least=Role.ADMIN,
            )
            audit.record(account, by=by, because=f"the deposit {reference} was reversed: {reason.strip()}")
    except IntegrityError:
        raise BookedAlready(f"the deposit {reference} was reversed already", field="reference") from None
    return Reversal(account, arrived.amount_micros, missing)
