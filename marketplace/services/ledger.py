"""The only writer of ledger postings. Knows entries and pockets, not why money moves."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import QuerySet, Sum
from django.utils import timezone

from marketplace.errors import InsufficientFunds
from marketplace.models import Account, Entry, EntryKind, LedgerAccount, LedgerKind, Posting, Subject, Worker
from marketplace.money import text

MAY_BE_NEGATIVE = frozenset({LedgerKind.OUTSIDE, LedgerKind.OWED})
"""Pockets that are no money of anybody's: the world outside, and what an account owes, which is never above zero."""


class Leg(NamedTuple):
    """One side of an entry; the pocket is named by kind, owner and purpose, so that it need not be loaded first."""

    kind: str
    amount_micros: int
    account_id: int | None = None
    worker_id: int | None = None
    purpose: Subject | None = None


def reference_of(kind: str, subject: Subject, *, given: str = "") -> str:
    """The unique name of a fact: its kind, then what else makes it one of a kind.

    That is the row it is about, or the reference `given` from outside. The kind comes first and holds no colon, so
    whatever is given from outside cannot name a fact of another kind. Raises ValueError for a kind that is none.
    """
    return f"{EntryKind(kind)}:{given}" if given else f"{EntryKind(kind)}:{subject.type}:{subject.id}"


def is_booked(kind: str, subject: Subject) -> bool:
    """Whether this fact is booked already."""
    return Entry.objects.filter(reference=reference_of(kind, subject)).exists()


def shown_reference(entry: Entry) -> str:
    """The reference people know the entry by: of a deposit or its reversal the one the operator gave."""
    return given_part(entry.kind, entry.reference)


def given_part(kind: str, reference: str) -> str:
    """`shown_reference` of an entry by its kind and reference."""
    return reference.removeprefix(f"{kind}:") if kind in (EntryKind.DEPOSIT, EntryKind.CHARGEBACK) else reference


def pocket(
    kind: str, *, account: Account | None = None, worker: Worker | None = None, purpose: Subject | None = None
) -> LedgerAccount:
    """The ledger account of this kind, owner and purpose, created at its first use."""
    found, _ = LedgerAccount.objects.get_or_create(kind=kind, account=account, worker=worker, **_columns(purpose))
    return found


def _columns(purpose: Subject | None) -> dict[str, str | int | None]:
    return {"purpose_type": purpose.type if purpose else "", "purpose_id": purpose.id if purpose else None}


def movements(*pockets: LedgerAccount) -> QuerySet[Posting]:
    """The postings of these pockets.

    Filters by key and never joins the pockets: with a join PostgreSQL estimates the number of postings by the average
    pocket, and then reads the postings of all pockets instead of using the index.
    """
    return Posting.objects.filter(ledger_account__in=[pocket.pk for pocket in pockets])


def balance(*pockets: LedgerAccount) -> int:
    """Micro-dollars in these pockets together: the sum of their postings."""
    return movements(*pockets).aggregate(total=Sum("amount_micros"))["total"] or 0


def balances(pockets: Iterable[LedgerAccount]) -> dict[int, int]:
    """Micro-dollars in each of these pockets, by the pocket's key, in one query; 0 where nothing has moved."""
    found = {pocket.pk: 0 for pocket in pockets}
    rows = Posting.objects.filter(ledger_account__in=list(found)).values_list("ledger_account")
    return found | dict(rows.annotate(total=Sum("amount_micros")).order_by())


def total(
    kind: str, *, account: Account | None = None, worker: Worker | None = None, purpose: Subject | None = None
) -> int:
    """Micro-dollars in the pocket of this kind, owner and purpose; 0 when there is none, and none is created."""
    return balance(*LedgerAccount.objects.filter(kind=kind, account=account, worker=worker, **_columns(purpose)))


def moved(kinds: Sequence[str], subjects: Iterable[Subject], *, pocket_kind: str) -> int:
    """Micro-dollars that entries of these kinds about these rows brought into pockets of a kind, less what left."""
    return sum(moved_of_each(kinds, subjects, pocket_kind=pocket_kind).values())


def moved_of_each(kinds: Sequence[str], subjects: Iterable[Subject], *, pocket_kind: str) -> dict[Subject, int]:
    """`moved` for each row that any such entry is about, in one query.

    Entries are found by their references, which have an index; the subject columns have none, to keep paying cheap.
    """
    references = [reference_of(kind, subject) for subject in subjects for kind in kinds]
    rows = Posting.objects.filter(entry__reference__in=references, ledger_account__kind=pocket_kind)
    by_subject = rows.values_list("entry__subject_type", "entry__subject_id").annotate(total=Sum("amount_micros"))
    return {Subject(subject_type, subject_id): total for subject_type, subject_id, total in by_subject.order_by()}


def post(
    *,
    kind: str,
    subject: Subject,
    postings: Mapping[LedgerAccount, int],
    by: str,
    given_reference: str = "",
    description: str = "",
    guard: bool = True,
) -> Entry:
    """Book one fact: `postings` maps pockets to micro-dollars and must sum to zero; zero amounts are left out.

    `given_reference` is for facts that come from outside and have a reference of their own (see `reference_of`).

    With `guard`, pockets that money leaves are locked in pk order and must not fall below zero. Callers whose money
    was reserved before (a seat of a funded batch) pass guard=False and take no lock.
    Raises LimitExceeded when a pocket would become negative, IntegrityError when the fact was booked before,
    ValueError when the postings do not balance.
    """
    reference = reference_of(kind, subject, given=given_reference)
    amounts = {pocket: micros for pocket, micros in postings.items() if micros}
    if sum(amounts.values()) != 0:
        raise ValueError(f"{reference}: the postings sum to {sum(amounts.values())} micro-dollars, not to zero")
    with transaction.atomic():
        if guard:
            _check_funds(amounts)
        entry = Entry.objects.create(
            kind=kind,
            subject_type=subject.type,
            subject_id=subject.id,
            reference=reference,
            by=by,
            description=description,
        )
        Posting.objects.bulk_create(
            [
                Posting(entry=entry, ledger_account=pocket, amount_micros=micros)
                for pocket, micros in sorted(amounts.items(), key=lambda item: item[0].pk)
            ]
        )
    return entry


def post_legs(*, kind: str, subject: Subject, legs: Sequence[Leg], by: str, description: str = "") -> None:
    """Book one fact in one statement, without any lock; pockets used for the first time are created.

    For callers whose money was reserved before. Legs of zero are left out. Raises ValueError when the legs do
    not balance, IntegrityError when the fact was booked before.
    """
    reference = reference_of(kind, subject)
    legs = [leg for leg in legs if leg.amount_micros]
    if sum(leg.amount_micros for leg in legs) != 0:
        raise ValueError(f"{reference}: the legs sum to {sum(leg.amount_micros for leg in legs)} micro-dollars")
    entry: list[str | int] = [str(kind), subject.type, subject.id, reference, description, by]
    if not legs or _insert(entry, legs):
        return
    for leg in legs:
        LedgerAccount.objects.get_or_create(
            kind=leg.kind, account_id=leg.account_id, worker_id=leg.worker_id, **_columns(leg.purpose)
        )
    if not _insert(entry, legs):
        raise LookupError(f"{reference}: a ledger account that was just made cannot be found")


def _insert(entry: Sequence[str | int], legs: Sequence[Leg]) -> bool:
    """Entry and postings in one round trip; False when a pocket does not exist yet (then nothing is written).

    `entry` has the values of kind, subject_type, subject_id, reference, description and by.
    """
    rows: list[str] = []
    values: list[str | int] = []
    for leg in legs:
        purpose_type, purpose_id = leg.purpose or ("", None)
        owner: list[str | int] = [str(leg.kind), purpose_type]
        where = "kind = %s AND purpose_type = %s"
        columns = (("account_id", leg.account_id), ("worker_id", leg.worker_id), ("purpose_id", purpose_id))
        for column, value in columns:
            # The unique index serves IS NULL and =, but not IS NOT DISTINCT FROM.
            where += f" AND {column} IS NULL" if value is None else f" AND {column} = %s"
            owner += [] if value is None else [value]
        rows.append(f"(SELECT id, %s::bigint AS amount FROM marketplace_ledgeraccount WHERE {where})")
        values += [leg.amount_micros, *owner]
    statement = f"""
        WITH pocket AS MATERIALIZED ({" UNION ALL ".join(rows)}),
        entry AS (
            INSERT INTO marketplace_entry (kind, subject_type, subject_id, reference, description, by, created_at)
            SELECT %s, %s, %s, %s, %s, %s, %s WHERE (SELECT count(*) FROM pocket) = %s RETURNING id)
        INSERT INTO marketplace_posting (entry_id, ledger_account_id, amount_micros)
        SELECT entry.id, pocket.id, pocket.amount FROM entry, pocket"""
    with connection.cursor() as cursor:
        cursor.execute(statement, [*values, *entry, timezone.now(), len(legs)])
        return cursor.rowcount == len(legs)


@contextmanager
def locked(pocket: LedgerAccount) -> Iterator[None]:
    """A transaction in which nobody else can take guarded money out of the pocket."""
    with transaction.atomic():
        LedgerAccount.objects.select_for_update(no_key=True).get(pk=pocket.pk)
        yield


def _check_funds(amounts: Mapping[LedgerAccount, int]) -> None:
    paying = sorted(p.pk for p, micros in amounts.items() if micros < 0 and p.kind not in MAY_BE_NEGATIVE)
    # FOR NO KEY UPDATE: postings that only point at the pocket need not wait for this transaction.
    rows = LedgerAccount.objects.select_for_update(no_key=True).filter(pk__in=paying).order_by("pk")
    held = {row.pk for row in rows}
    for pocket, micros in amounts.items():
        if pocket.pk in held and (have := balance(pocket)) + micros < 0:
            raise InsufficientFunds(f"the {pocket.kind} holds {text(have)} dollars, {text(-micros)} are needed")
