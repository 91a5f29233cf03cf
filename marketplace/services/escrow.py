"""Money set aside for work: reserved when a batch opens, paid answer by answer, the rest given back.

`purpose` is the row the money is set aside for, `subject` the row an entry is about (the batch that opened, the
assignment that is paid): each is reserved for, paid and refunded once. Knows nothing of batches or answers.
"""

from collections.abc import Collection, Iterable

from marketplace.errors import Invalid
from marketplace.models import Account, Employer, Entry, EntryKind, LedgerAccount, LedgerKind, Subject, Worker
from marketplace.services import debts, funds, ledger, payees
from marketplace.services.ledger import Leg


def reserve(*, account: Account, purpose: Subject, subject: Subject, amount_micros: int, by: str) -> Entry | None:
    """Move money from the wallet into escrow; nothing is booked for zero.

    Raises InsufficientFunds when the wallet holds less, AccountOwes while the account owes money, IntegrityError when
    this was booked before.
    """
    if amount_micros < 0:
        raise Invalid("a negative amount cannot be reserved", field="amount")
    if amount_micros == 0:
        return None
    wallet = ledger.pocket(LedgerKind.WALLET, account=account)
    postings = {
        wallet: -amount_micros,
        ledger.pocket(LedgerKind.ESCROW, account=account, purpose=purpose): amount_micros,
    }
    # Debts change under the lock of the wallet only.
    with ledger.locked(wallet):
        debts.require_none(account)
        entry = ledger.post(
            kind=EntryKind.RESERVE, subject=subject, postings=postings, by=by, description="Reserved for open tasks"
        )
        funds.watch_balance(account)
    return entry


def pay(
    *,
    purpose: Subject,
    subject: Subject,
    account: Account,
    worker: Worker,
    price_micros: int,
    fee_micros: int,
    by: str,
    employer: Employer | None = None,
    description: str = "",
) -> None:
    """Pay a worker, or their employer, and the platform out of escrow, in one round trip and without a lock.

    Nothing is locked because the seat that is being paid was funded when its batch opened: the caller holds that seat.
    Raises IntegrityError when this was booked before.
    """
    if price_micros < 0 or fee_micros < 0:
        raise Invalid("price and fee cannot be negative", field="price")
    if price_micros + fee_micros == 0:
        return
    ledger.post_legs(
        kind=EntryKind.PAYMENT,
        subject=subject,
        legs=[
            Leg(LedgerKind.ESCROW, -price_micros - fee_micros, account_id=account.pk, purpose=purpose),
            payees.earned(worker.pk, employer, price_micros),
            Leg(LedgerKind.FEES, fee_micros),
        ],
        by=by,
        description=description,
    )


def refund(*, account: Account, purpose: Subject, subject: Subject, by: str, amount_micros: int | None = None) -> int:
    """Give escrow money back to the wallet, all that is left or `amount_micros`; returns what was moved.

    The caller first ends every seat that could still be paid (and so waits for submits in flight): payments do not
    lock the escrow. Raises LimitExceeded when escrow holds less, IntegrityError when this was booked before.
    """
    escrow = ledger.pocket(LedgerKind.ESCROW, account=account, purpose=purpose)
    with ledger.locked(escrow):
        left = ledger.balance(escrow)
        amount = left if amount_micros is None else amount_micros
        if amount < 0:
            raise Invalid("a negative amount cannot be refunded", field="amount")
        if amount:
            postings = {escrow: -amount, ledger.pocket(LedgerKind.WALLET, account=account): amount}
            ledger.post(
                kind=EntryKind.REFUND, subject=subject, postings=postings, by=by, description="Returned, not needed"
            )
    return amount


def held(*, account: Account, purpose: Subject) -> int:
    """Micro-dollars now set aside for `purpose`."""
    return ledger.total(LedgerKind.ESCROW, account=account, purpose=purpose)


def held_for_each(
    *, account_ids: Collection[int], purpose_type: str, purposes: Iterable[Subject]
) -> dict[Subject, int]:
    """`held` for each of several purposes of one type and of these accounts, in two queries."""
    found = dict.fromkeys(purposes, 0)
    pockets = LedgerAccount.objects.filter(
        kind=LedgerKind.ESCROW,
        account__in=account_ids,
        purpose_type=purpose_type,
        purpose_id__in=[purpose.id for purpose in found],
    )
    rows = list(pockets)
    balances = ledger.balances(rows)
    for pocket in rows:
        found[Subject(purpose_type, pocket.purpose_id)] += balances[pocket.pk]
    return found
