"""The only writer of ledger postings. Knows facts and pockets, not why money moves."""

from collections.abc import Mapping

from django.db import transaction
from django.db.models import Sum

from marketplace.errors import LimitExceeded
from marketplace.models import Account, Entry, LedgerAccount, LedgerKind, Posting, Worker
from marketplace.money import text

MAY_BE_NEGATIVE = frozenset({LedgerKind.OUTSIDE})


def pocket(
    kind: LedgerKind, *, account: Account | None = None, worker: Worker | None = None, reference: str = ""
) -> LedgerAccount:
    """The ledger account of this kind and owner, made at its first use."""
    found, _ = LedgerAccount.objects.get_or_create(kind=kind, account=account, worker=worker, reference=reference)
    return found


def balance(pocket: LedgerAccount) -> int:
    """Micro-dollars in a pocket: the sum of its postings."""
    return Posting.objects.filter(ledger_account=pocket).aggregate(total=Sum("amount_micros"))["total"] or 0


def post(
    *, reference: str, postings: Mapping[LedgerAccount, int], by: str, description: str = "", guard: bool = True
) -> Entry:
    """Book one fact: `postings` maps pockets to micro-dollars and must sum to zero; zero amounts are left out.

    With `guard`, pockets that money leaves are locked in pk order and must not fall below zero. Callers that hold a
    reservation which already bounds what leaves (a seat of a funded batch) pass guard=False and take no lock.
    Raises LimitExceeded when a pocket would become negative, IntegrityError when `reference` was booked before,
    ValueError when the postings do not balance.
    """
    amounts = {pocket: micros for pocket, micros in postings.items() if micros}
    if sum(amounts.values()) != 0:
        raise ValueError(f"{reference}: the postings sum to {sum(amounts.values())} micro-dollars, not to zero")
    with transaction.atomic():
        if guard:
            _check_funds(amounts)
        entry = Entry.objects.create(reference=reference, by=by, description=description)
        Posting.objects.bulk_create(
            [
                Posting(entry=entry, ledger_account=pocket, amount_micros=micros)
                for pocket, micros in sorted(amounts.items(), key=lambda item: item[0].pk)
            ]
        )
    return entry


def _check_funds(amounts: Mapping[LedgerAccount, int]) -> None:
    paying = sorted(p.pk for p, micros in amounts.items() if micros < 0 and p.kind not in MAY_BE_NEGATIVE)
    locked = {row.pk: row for row in LedgerAccount.objects.select_for_update().filter(pk__in=paying).order_by("pk")}
    for pocket, micros in amounts.items():
        if pocket.pk in locked and (have := balance(pocket)) + micros < 0:
            raise LimitExceeded(f"the {pocket.kind} holds {text(have)} dollars, {text(-micros)} are needed")
