"""What a worker was paid and has taken out. Knows nothing of tasks; an entry's subject is what was paid for."""

from django.db.models import QuerySet

from marketplace.models import LedgerAccount, LedgerKind, Posting, Worker
from marketplace.services import ledger


def balance(worker: Worker) -> int:
    """Micro-dollars earned and not withdrawn."""
    return ledger.total(LedgerKind.EARNINGS, worker=worker)


def held(worker: Worker) -> int:
    """Micro-dollars held for the worker's answers that are under review, of all requester accounts."""
    return ledger.balance(*LedgerAccount.objects.filter(kind=LedgerKind.HELD, worker=worker))


def statement(worker: Worker) -> QuerySet[Posting]:
    """Every payment to the worker and every payout, newest first, with its entry."""
    pockets = LedgerAccount.objects.filter(kind=LedgerKind.EARNINGS, worker=worker)
    return ledger.movements(*pockets).select_related("entry").order_by("-id")
