"""What a worker was paid. Knows nothing of tasks; each entry's reference names the fact it was paid for."""

from django.db.models import QuerySet

from marketplace.models import LedgerKind, Posting, Worker
from marketplace.services import ledger


def balance(worker: Worker) -> int:
    """Micro-dollars earned and not drawn."""
    return ledger.total(LedgerKind.EARNINGS, worker=worker)


def payments(worker: Worker) -> QuerySet[Posting]:
    """Every payment to the worker, newest first, with its entry."""
    return (
        Posting.objects.filter(
            ledger_account__kind=LedgerKind.EARNINGS, ledger_account__worker=worker, amount_micros__gt=0
        )
        .select_related("entry")
        .order_by("-id")
    )
