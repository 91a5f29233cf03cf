"""Proves on a live database that the ledger is whole: every check reads one snapshot and changes nothing.

The rooms above know what must have been paid for; they append their checks to CHECKS when their app is ready.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, NamedTuple

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

from marketplace.errors import Unavailable
from marketplace.models import UNDER_WAY, EntryKind, LedgerKind, WalletRefundStatus
from marketplace.money import text
from marketplace.services.ledger import MAY_BE_NEGATIVE

TRIGGERS = ("ledger_entry_balances", "ledger_posting_append_only", "ledger_entry_append_only")
"""What keeps the ledger whole between two audits."""

PAID = {LedgerKind.EARNINGS, LedgerKind.ACCRUED, LedgerKind.FEES}
"""Where the pay of an answer goes: to the worker or the vendor that employs them, and to the platform."""

MOVES = {
    EntryKind.DEPOSIT: ({LedgerKind.OUTSIDE}, {LedgerKind.WALLET}),
    EntryKind.RESERVE: ({LedgerKind.WALLET}, {LedgerKind.ESCROW}),
    EntryKind.PAYMENT: ({LedgerKind.ESCROW}, PAID),
    EntryKind.REFUND: ({LedgerKind.ESCROW}, {LedgerKind.WALLET}),
    EntryKind.WITHDRAWAL: ({LedgerKind.EARNINGS}, {LedgerKind.PAYOUTS}),
    EntryKind.PAYOUT: ({LedgerKind.PAYOUTS, LedgerKind.INVOICED}, {LedgerKind.OUTSIDE}),
    EntryKind.PAYBACK: ({LedgerKind.PAYOUTS, LedgerKind.OUTSIDE}, {LedgerKind.EARNINGS}),
    EntryKind.HOLD: ({LedgerKind.ESCROW}, {LedgerKind.HELD, LedgerKind.HELD_FEES}),
    EntryKind.RELEASE: ({LedgerKind.HELD, LedgerKind.HELD_FEES}, PAID),
    EntryKind.RETURN: ({LedgerKind.HELD, LedgerKind.HELD_FEES}, {LedgerKind.ESCROW, LedgerKind.WALLET}),
    EntryKind.APPEAL: ({LedgerKind.WALLET}, PAID),
    EntryKind.INVOICE: ({LedgerKind.ACCRUED}, {LedgerKind.INVOICED}),
    EntryKind.BONUS: ({LedgerKind.WALLET}, {LedgerKind.EARNINGS, LedgerKind.FEES}),
    EntryKind.CHARGEBACK: ({LedgerKind.WALLET, LedgerKind.OWED}, {LedgerKind.OUTSIDE}),
    EntryKind.SETTLEMENT: ({LedgerKind.WALLET}, {LedgerKind.OWED}),
    EntryKind.TAX: ({LedgerKind.WALLET, LedgerKind.OWED}, {LedgerKind.TAXES}),
    EntryKind.TAKE_BACK: ({LedgerKind.WALLET}, {LedgerKind.REFUNDS}),
    EntryKind.TAKEN_BACK: ({LedgerKind.REFUNDS}, {LedgerKind.OUTSIDE}),
    EntryKind.KEPT: ({LedgerKind.REFUNDS}, {LedgerKind.WALLET}),
}
"""Which kinds of pockets an entry of each kind takes money from, and which it brings money to."""

PER_CHECK = 100
"""Findings that one check reports at most; one is enough to know that something is wrong."""


class Finding(NamedTuple):
    """Something that must not be: the check that found it, and what was found where."""

    check: str
    what: str


class Report(NamedTuple):
    """What an audit read, and what it found."""

    entries: int
    postings: int
    pockets: int
    findings: list[Finding]


Check = Callable[[], Iterator[str]]
CHECKS: dict[str, Check] = {}
"""The checks of the rooms above, by name."""


def audit(*, seconds: float | None = None) -> Report:
    """Run every check on one snapshot of the database, each for so many seconds at most.

    Must not be called in a transaction that has read something. Raises OperationalError for a check that takes longer.
    """
    with _snapshot(seconds):
        counted = rows("""SELECT (SELECT count(*) FROM marketplace_entry), (SELECT count(*) FROM marketplace_posting),
                                 (SELECT count(*) FROM marketplace_ledgeraccount)""")
        entries, postings, pockets = counted[0]
        return Report(entries, postings, pockets, findings())


def audit_within(*, seconds: float) -> Report:
    """`audit`, on a connection of its own, so that it does not matter what the caller's transaction has read.

    Raises Unavailable when one of its checks takes longer than `seconds`.
    """
    with ThreadPoolExecutor(max_workers=1) as apart:
        return apart.submit(_limited, seconds).result()


def _limited(seconds: float) -> Report:
    try:
        return audit(seconds=seconds)
    except OperationalError as error:
        if not isinstance(error.__cause__, QueryCanceled):
            raise
        raise Unavailable(f"a check took longer than {seconds:g} s: run `manage.py audit_ledger`") from error
    finally:
        connection.close()


def findings() -> list[Finding]:
    """What every check finds on what the caller's transaction sees; nothing when the ledger is whole."""
    checks: dict[str, Check] = {
        "every entry balances": entries_balance,
        "no pocket is below zero": pockets_not_negative,
        "entries move money as their kind says": entries_move_as_their_kind,
        "nobody is owed by the platform": debts_not_above_zero,
        "payouts hold what is on its way": payouts_on_their_way,
        "refunds hold what is on its way": refunds_on_their_way,
        "chargebacks reverse a deposit": chargebacks_reverse,
        "the database refuses changes": triggers_work,
    }
    return [Finding(name, what) for name, check in (checks | CHECKS).items() for what in check()]


@contextmanager
def _snapshot(seconds: float | None) -> Iterator[None]:
    """A read-only transaction that sees one moment, whatever is booked meanwhile; limits the time of its statements."""
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            if seconds is not None:
                # Of this transaction: behind a PgBouncer the session is shared with others.
                cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(round(seconds * 1000))])
        yield


def rows(statement: str, values: list[Any] | None = None) -> list[tuple[Any, ...]]:
    """The rows of one statement; checks limit them by PER_CHECK."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values or [])
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def entries_balance() -> Iterator[str]:
    """The postings of each entry sum to zero, and there are two or more."""
    statement = """SELECT e.id, e.reference, count(p.id), coalesce(sum(p.amount_micros), 0)
                   FROM marketplace_entry e LEFT JOIN marketplace_posting p ON p.entry_id = e.id
                   GROUP BY e.id HAVING count(p.id) < 2 OR sum(p.amount_micros) <> 0 ORDER BY e.id LIMIT %s"""
    for entry, reference, count, total in rows(statement, [PER_CHECK]):
        yield f"entry {entry} ({reference}) has {count} postings that sum to {text(int(total))} dollars"


def pockets_not_negative() -> Iterator[str]:
    """No pocket holds less than nothing, but the one that stands for the world outside."""
    statement = """SELECT l.id, l.kind, sum(p.amount_micros) FROM marketplace_posting p
                   JOIN marketplace_ledgeraccount l ON l.id = p.ledger_account_id WHERE NOT l.kind = ANY(%s)
                   GROUP BY l.id HAVING sum(p.amount_micros) < 0 ORDER BY l.id LIMIT %s"""
    for pocket, kind, total in rows(statement, [[str(kind) for kind in MAY_BE_NEGATIVE], PER_CHECK]):
        yield f"pocket {pocket} ({kind}) holds {text(int(total))} dollars"


def entries_move_as_their_kind() -> Iterator[str]:
    """A deposit comes from outside into a wallet, a payment from escrow to a worker and the platform, and so on."""
    allowed = [
        (str(kind), str(pocket), sign)
        for kind, sides in MOVES.items()
        for sign, pockets in zip((-1, 1), sides, strict=True)
        for pocket in pockets
    ]
    kinds, pockets, signs = (list(column) for column in zip(*allowed, strict=True))
    statement = """SELECT e.id, e.reference, l.kind, p.amount_micros FROM marketplace_posting p
                   JOIN marketplace_entry e ON e.id = p.entry_id
                   JOIN marketplace_ledgeraccount l ON l.id = p.ledger_account_id
                   WHERE NOT EXISTS (
                       SELECT 1 FROM unnest(%s::text[], %s::text[], %s::int[]) AS a(entry_kind, pocket_kind, sign)
                       WHERE a.entry_kind = e.kind AND a.pocket_kind = l.kind AND a.sign = sign(p.amount_micros))
                   ORDER BY p.id LIMIT %s"""
    for entry, reference, kind, amount in rows(statement, [kinds, pockets, signs, PER_CHECK]):
        yield f"entry {entry} ({reference}) moves {text(amount)} dollars in a pocket of kind {kind}"


def debts_not_above_zero() -> Iterator[str]:
    """What accounts owe is a negative balance, and a settlement never settles more than that."""
    statement = """SELECT l.account_id, sum(p.amount_micros) FROM marketplace_posting p
                   JOIN marketplace_ledgeraccount l ON l.id = p.ledger_account_id WHERE l.kind = %s
                   GROUP BY l.account_id HAVING sum(p.amount_micros) > 0 ORDER BY 1 LIMIT %s"""
    for account, total in rows(statement, [LedgerKind.OWED, PER_CHECK]):
        yield f"account {account} has settled {text(int(total))} dollars more than it owed"


def chargebacks_reverse() -> Iterator[str]:
    """Each chargeback takes out what the deposit of its reference brought to its account."""
    statement = """
        SELECT c.id, c.reference, out.micros, d.micros FROM marketplace_entry c
        JOIN LATERAL (SELECT sum(p.amount_micros) AS micros FROM marketplace_posting p
                      WHERE p.entry_id = c.id AND p.amount_micros > 0) AS out ON true
        LEFT JOIN LATERAL (SELECT sum(p.amount_micros) AS micros FROM marketplace_entry e
                      JOIN marketplace_posting p ON p.entry_id = e.id AND p.amount_micros > 0
                      WHERE e.reference = %s || substr(c.reference, length(c.kind) + 1)
                        AND e.subject_id = c.subject_id) AS d ON true
        WHERE c.kind = %s AND out.micros IS DISTINCT FROM d.micros ORDER BY c.id LIMIT %s"""
    for entry, reference, taken, deposited in rows(statement, [EntryKind.DEPOSIT, EntryKind.CHARGEBACK, PER_CHECK]):
        found = "no deposit" if deposited is None else f"a deposit of {text(int(deposited))} dollars"
        yield f"entry {entry} ({reference}) takes {text(int(taken))} dollars back, of {found}"


def payouts_on_their_way() -> Iterator[str]:
    """Each worker's payouts that are asked for or sent, and no others, are in the pocket for payouts."""
    yield from _on_their_way("worker", "payout", LedgerKind.PAYOUTS, [str(status) for status in UNDER_WAY])


def refunds_on_their_way() -> Iterator[str]:
    """Each account's refunds that are asked for, and no others, are in the pocket for refunds."""
    yield from _on_their_way("account", "walletrefund", LedgerKind.REFUNDS, [str(WalletRefundStatus.REQUESTED)])


def _on_their_way(owner: str, table: str, pocket: str, statuses: list[str]) -> Iterator[str]:
    """What differs between the pocket of each owner and the rows of a table with these statuses."""
    statement = f"""
        WITH held AS (
            SELECT l.{owner}_id AS owner, sum(p.amount_micros) AS micros FROM marketplace_posting p
            JOIN marketplace_ledgeraccount l ON l.id = p.ledger_account_id WHERE l.kind = %s GROUP BY 1),
        under_way AS (
            SELECT {owner}_id AS owner, sum(amount_micros) AS micros FROM marketplace_{table}
            WHERE status = ANY(%s) GROUP BY 1)
        SELECT coalesce(held.owner, under_way.owner), coalesce(held.micros, 0), coalesce(under_way.micros, 0)
        FROM held FULL JOIN under_way ON under_way.owner = held.owner
        WHERE coalesce(held.micros, 0) <> coalesce(under_way.micros, 0) ORDER BY 1 LIMIT %s"""
    for key, held, asked in rows(statement, [pocket, statuses, PER_CHECK]):
        due, have = text(int(asked)), text(int(held))
        yield f"{owner} {key} has {pocket} of {due} dollars under way, {have} are held for them"


def triggers_work() -> Iterator[str]:
    """The triggers that refuse unbalanced and changed entries exist and are not switched off."""
    found = dict(rows("SELECT tgname, tgenabled FROM pg_trigger WHERE tgname = ANY(%s)", [list(TRIGGERS)]))
    for name in TRIGGERS:
        if found.get(name) not in ("O", "A"):
            yield f"the trigger {name} is {'switched off' if name in found else 'missing'}"
