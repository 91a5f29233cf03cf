"""Money set aside for work: reserved when a batch opens, paid answer by answer, the rest given back.

`reference` names what the money is for ("labeling-job:12"), `fact` the event ("assignment:81:pay"); a fact moves money
once. Knows nothing of batches or answers.
"""

from marketplace.errors import Invalid
from marketplace.models import Account, Entry, LedgerKind, Worker
from marketplace.services import ledger
from marketplace.services.ledger import Leg


def reserve(*, account: Account, reference: str, amount_micros: int, fact: str, by: str) -> Entry | None:
    """Move money from the wallet into escrow; nothing is booked for zero.

    Raises LimitExceeded when the wallet holds less, IntegrityError when `fact` was booked before.
    """
    if amount_micros < 0:
        raise Invalid("a negative amount cannot be reserved", field="amount")
    if amount_micros == 0:
        return None
    postings = {
        ledger.pocket(LedgerKind.WALLET, account=account): -amount_micros,
        ledger.pocket(LedgerKind.ESCROW, account=account, reference=reference): amount_micros,
    }
    return ledger.post(reference=fact, postings=postings, by=by, description=f"Reserved for {reference}")


def pay(
    *,
    reference: str,
    account: Account,
    worker: Worker,
    price_micros: int,
    fee_micros: int,
    fact: str,
    by: str,
    description: str = "",
) -> None:
    """Pay a worker and the platform out of escrow, in one round trip and without a lock.

    Nothing is locked because the seat that is being paid was funded when its batch opened: the caller holds that seat.
    Raises IntegrityError when `fact` was booked before.
    """
    if price_micros < 0 or fee_micros < 0:
        raise Invalid("price and fee cannot be negative", field="price")
    if price_micros + fee_micros == 0:
        return
    ledger.post_legs(
        reference=fact,
        legs=[
            Leg(LedgerKind.ESCROW, -price_micros - fee_micros, account_id=account.pk, reference=reference),
            Leg(LedgerKind.EARNINGS, price_micros, worker_id=worker.pk),
            Leg(LedgerKind.FEES, fee_micros),
        ],
        by=by,
        description=description,
    )


def refund(*, account: Account, reference: str, fact: str, by: str, amount_micros: int | None = None) -> int:
    """Give escrow money back to the wallet, all that is left or `amount_micros`; returns what was moved.

    The caller first ends every seat that could still be paid (and so waits for submits in flight): payments do not
    lock the escrow. Raises LimitExceeded when escrow holds less, IntegrityError when `fact` was booked before.
    """
    escrow = ledger.pocket(LedgerKind.ESCROW, account=account, reference=reference)
    with ledger.locked(escrow):
        left = ledger.balance(escrow)
        amount = left if amount_micros is None else amount_micros
        if amount < 0:
            raise Invalid("a negative amount cannot be refunded", field="amount")
        if amount:
            postings = {escrow: -amount, ledger.pocket(LedgerKind.WALLET, account=account): amount}
            ledger.post(reference=fact, postings=postings, by=by, description=f"Returned from {reference}")
    return amount


def held(*, account: Account, reference: str) -> int:
    """Micro-dollars now set aside under `reference`."""
    return ledger.total(LedgerKind.ESCROW, account=account, reference=reference)
