"""Pay that waits for a review: held when the answer arrives, then released to the worker or returned to the requester.

Under a contract it is the `employer` that is paid in the place of the worker.

`subject` is the review that an entry is about: its pay is held once and leaves what is held once. Knows nothing of who
decides, and when.
"""

from marketplace.errors import Invalid
from marketplace.models import Account, Employer, EntryKind, LedgerKind, Subject, Worker
from marketplace.services import ledger, payees, wallets
from marketplace.services.ledger import Leg


def hold(
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
    """Move an answer's pay out of escrow into what is held, without a lock: its seat was funded with its batch.

    Raises IntegrityError when this was booked before.
    """
    if price_micros < 0 or fee_micros < 0:
        raise Invalid("price and fee cannot be negative", field="price")
    ledger.post_legs(
        kind=EntryKind.HOLD,
        subject=subject,
        legs=[
            Leg(LedgerKind.ESCROW, -price_micros - fee_micros, account_id=account.pk, purpose=purpose),
            *_held(account, worker, employer, price_micros, fee_micros),
        ],
        by=by,
        description=description,
    )


def release(
    *,
    subject: Subject,
    account: Account,
    worker: Worker,
    price_micros: int,
    fee_micros: int,
    by: str,
    employer: Employer | None = None,
    description: str = "",
) -> None:
    """Pay out what is held for an answer. The caller has locked its review, so nobody else decides about it.

    Raises IntegrityError when this was booked before.
    """
    ledger.post_legs(
        kind=EntryKind.RELEASE,
        subject=subject,
        legs=[
            *_held(account, worker, employer, -price_micros, -fee_micros),
            payees.earned(worker.pk, employer, price_micros),
            Leg(LedgerKind.FEES, fee_micros),
        ],
        by=by,
        description=description,
    )


def give_back(
    *,
    subject: Subject,
    account: Account,
    worker: Worker,
    price_micros: int,
    fee_micros: int,
    escrow: Subject | None,
    by: str,
    employer: Employer | None = None,
    description: str = "",
) -> None:
    """Return what is held for a rejected answer to the escrow of this purpose, or to the wallet for None.

    The caller has locked the review. Raises IntegrityError when this was booked before.
    """
    target = LedgerKind.WALLET if escrow is None else LedgerKind.ESCROW
    ledger.post_legs(
        kind=EntryKind.RETURN,
        subject=subject,
        legs=[
            *_held(account, worker, employer, -price_micros, -fee_micros),
            Leg(target, price_micros + fee_micros, account_id=account.pk, purpose=escrow),
        ],
        by=by,
        description=description,
    )


def pay_from_wallet(
    *,
    subject: Subject,
    account: Account,
    worker: Worker,
    price_micros: int,
    fee_micros: int,
    by: str,
    employer: Employer | None = None,
    description: str = "",
) -> None:
    """Pay for an answer whose money went back already, because an appeal was upheld.

    Raises as `wallets.pay_worker` does.
    """
    wallets.pay_worker(
        kind=EntryKind.APPEAL,
        subject=subject,
        account=account,
        worker=worker,
        employer=employer,
        price_micros=price_micros,
        fee_micros=fee_micros,
        by=by,
        description=description,
    )


def _held(account: Account, worker: Worker, employer: Employer | None, price_micros: int, fee_micros: int) -> list[Leg]:
    return [
        payees.held(account.pk, worker.pk, employer, price_micros),
        Leg(LedgerKind.HELD_FEES, fee_micros, account_id=account.pk),
    ]
