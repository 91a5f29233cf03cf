"""Who an answer is paid to: its worker, or under a contract the vendor that employs them. Names pockets only."""

from marketplace.models import Account, Employer, LedgerAccount, LedgerKind
from marketplace.services import ledger
from marketplace.services.ledger import Leg


def earned(worker_id: int, employer: Employer | None, micros: int) -> Leg:
    """The leg that brings pay to whoever is paid for the worker's answer."""
    if employer is None:
        return Leg(LedgerKind.EARNINGS, micros, worker_id=worker_id)
    return Leg(LedgerKind.ACCRUED, micros, account_id=employer.vendor_id, purpose=employer.purpose)


def held(account_id: int, worker_id: int, employer: Employer | None, micros: int) -> Leg:
    """The leg that holds pay by the account for whoever is paid for the worker's answer."""
    if employer is None:
        return Leg(LedgerKind.HELD, micros, account_id=account_id, worker_id=worker_id)
    return Leg(LedgerKind.HELD, micros, account_id=account_id, purpose=employer.purpose)


def accrued(employer: Employer) -> LedgerAccount:
    """The pocket of what the vendor was paid under the contract and has not invoiced yet."""
    return ledger.pocket(LedgerKind.ACCRUED, account=Account(pk=employer.vendor_id), purpose=employer.purpose)
