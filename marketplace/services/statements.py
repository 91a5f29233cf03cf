"""Statements: what an account or a worker had at the beginning of some days, every movement, what they had at the end.

An account's money is that of all its pockets: the wallet, what is set aside for work, held for reviews and wanted back,
less what it owes. So only what reached it or left it is a line, and the lines add up to the difference of the balances.
Days are those of UTC. Knows no jobs.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection
from django.utils import timezone

from marketplace.errors import Invalid
from marketplace.models import Account, Subject, Worker
from marketplace.ranges import Range

DAYS = Range(1, 366)
"""Days that one statement covers."""

# What a line of an account is called, by the pocket of the other side; and of a worker, by the kind of its entry.
_WHAT = """CASE l.kind WHEN 'outside' THEN 'bank' WHEN 'fees' THEN 'fee' WHEN 'taxes' THEN 'tax' ELSE 'pay' END"""
_WHAT_OF_WORKER = """CASE WHEN e.kind IN ('withdrawal', 'payback') THEN 'bank' ELSE 'pay' END"""
_COLUMNS = "p.id, e.created_at, e.kind, e.subject_type, e.subject_id, e.reference, e.description"


class _Owner(NamedTuple):
    """The pockets of somebody, and their lines, as SQL: with %(owner)s, %(since)s and %(until)s."""

    pockets: str
    lines: str


_ACCOUNT_POCKETS = "SELECT id FROM marketplace_ledgeraccount WHERE account_id = %(owner)s"
# Each posting of somebody else in an entry of the account's, with its sign turned.
_ACCOUNT = _Owner(
    _ACCOUNT_POCKETS,
    f"""SELECT {_COLUMNS}, {_WHAT} AS what, -p.amount_micros AS micros
        FROM (SELECT DISTINCT entry_id FROM marketplace_posting WHERE ledger_account_id IN ({_ACCOUNT_POCKETS})) AS mine
        JOIN marketplace_entry e ON e.id = mine.entry_id AND e.created_at >= %(since)s AND e.created_at < %(until)s
        JOIN marketplace_posting p ON p.entry_id = e.id AND p.ledger_account_id NOT IN ({_ACCOUNT_POCKETS})
        JOIN marketplace_ledgeraccount l ON l.id = p.ledger_account_id""",
)
_WORKER_POCKETS = "SELECT id FROM marketplace_ledgeraccount WHERE worker_id = %(owner)s AND kind = 'earnings'"
_WORKER = _Owner(
    _WORKER_POCKETS,
    f"""SELECT {_COLUMNS}, {_WHAT_OF_WORKER} AS what, p.amount_micros AS micros
        FROM marketplace_posting p
        JOIN marketplace_entry e ON e.id = p.entry_id AND e.created_at >= %(since)s AND e.created_at < %(until)s
        WHERE p.ledger_account_id IN ({_WORKER_POCKETS})""",
)


@dataclass(frozen=True)
class Period:
    """The days of a statement, both included."""

    first: date
    last: date

    @property
    def since(self) -> datetime:
        """The moment at which it begins."""
        return datetime(self.first.year, self.first.month, self.first.day, tzinfo=UTC)

    @property
    def until(self) -> datetime:
        """The moment at which it is over."""
        after = self.last + timedelta(days=1)
        return datetime(after.year, after.month, after.day, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Line:
    """One movement; `what` is bank, pay, fee or tax. `id` orders the lines of a statement."""

    id: int
    at: datetime
    kind: str
    what: str
    subject: Subject
    reference: str
    description: str
    amount_micros: int


@dataclass(frozen=True)
class Total:
    """The lines of one kind together; `what` as in Line."""

    kind: str
    what: str
    lines: int
    amount_micros: int


@dataclass(frozen=True)
class Statement:
    """Micro-dollars at the beginning and the end of a period, and the totals of its lines, by kind."""

    period: Period
    opening_micros: int
    closing_micros: int
    totals: list[Total]


def month_of(day: date) -> Period:
    """The month in which a day lies."""
    first = day.replace(day=1)
    return Period(first, (first + timedelta(days=32)).replace(day=1) - timedelta(days=1))


def period(first: date | None, last: date | None, *, today: date | None = None) -> Period:
    """The days from `first` to `last`; without either the current month, with one of them the month in which it lies.

    Raises Invalid for days in the wrong order, too many of them, or beyond the calendar.
    """
    this = month_of(first or last or today or timezone.now().date())
    found = Period(first or this.first, last or this.last)
    days = (found.last - found.first).days + 1
    if days < 1:
        raise Invalid(f"the last day, {found.last}, is before the first, {found.first}", field="last")
    if days not in DAYS:
        raise Invalid(f"a statement covers {DAYS} days, {days:,} found", field="last")
    if found.first < date(2000, 1, 1) or found.last > date(2200, 1, 1):
        raise Invalid("days between 2000 and 2200 are expected", field="first")
    return found


def of_account(account: Account, period: Period) -> Statement:
    """The statement of everything that an account has."""
    return _statement(_ACCOUNT, account.pk, period)


def of_worker(worker: Worker, period: Period) -> Statement:
    """The statement of a worker's earnings; pay that is held for a review is none of theirs yet."""
    return _statement(_WORKER, worker.pk, period)


def account_lines(
    account: Account, period: Period, *, after: int = 0, most: int | None = None, what: str | None = None
) -> list[Line]:
    """The lines of an account's statement, oldest first: all, or `most` of those that come after the line `after`.

    `what`: only those of which Line.what is this.
    """
    return _lines(_ACCOUNT, account.pk, period, after, most, what)


def worker_lines(worker: Worker, period: Period, *, after: int = 0, most: int | None = None) -> list[Line]:
    """The lines of a worker's statement, likewise."""
    return _lines(_WORKER, worker.pk, period, after, most)


def _statement(whose: _Owner, owner: int, period: Period) -> Statement:
    # One statement, so that a movement meanwhile cannot make the balances and the totals differ.
    statement = f"""
        SELECT 'opening', '', 0, coalesce(sum(p.amount_micros), 0) FROM marketplace_posting p
        JOIN marketplace_entry e ON e.id = p.entry_id
        WHERE p.ledger_account_id IN ({whose.pockets}) AND e.created_at < %(since)s
        UNION ALL
        SELECT 'closing', '', 0, coalesce(sum(p.amount_micros), 0) FROM marketplace_posting p
        JOIN marketplace_entry e ON e.id = p.entry_id
        WHERE p.ledger_account_id IN ({whose.pockets}) AND e.created_at < %(until)s
        UNION ALL
        (SELECT kind, what, count(*), sum(micros) FROM ({whose.lines}) AS lines GROUP BY 1, 2 ORDER BY 1, 2)"""
    (_, _, _, opening), (_, _, _, closing), *totals = _fetch(statement, owner, period)
    return Statement(
        period, int(opening), int(closing), [Total(kind, what, count, int(m)) for kind, what, count, m in totals]
    )


def _lines(
    whose: _Owner, owner: int, period: Period, after: int, most: int | None, what: str | None = None
) -> list[Line]:
    statement = f"""SELECT * FROM ({whose.lines}) AS lines
                    WHERE id > %(after)s AND (%(what)s::text IS NULL OR what = %(what)s)
                    ORDER BY id LIMIT %(most)s"""
    found = _fetch(statement, owner, period, after=after, most=most, what=what)
    return [
        Line(pk, at, kind, what, Subject(subject_type, subject_id), reference, description, int(micros))
        for pk, at, kind, subject_type, subject_id, reference, description, what, micros in found
    ]


def _fetch(statement: str, owner: int, period: Period, **more: int | str | None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"owner": owner, "since": period.since, "until": period.until, **more})
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def fees(account: Account, period: Period) -> int:
    """Micro-dollars of fees that an account has paid."""
    return -sum(total.amount_micros for total in of_account(account, period).totals if total.what == "fee")
