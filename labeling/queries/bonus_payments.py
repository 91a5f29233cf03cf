"""What the ledger must say about bonuses: each one paid once, in full, out of its account's wallet."""

from collections.abc import Iterator

from labeling import subjects
from marketplace.models import EntryKind, LedgerKind
from marketplace.money import text
from marketplace.services.ledger_audit import CHECKS, PER_CHECK, rows


def register() -> None:
    """Add this check to those of `manage.py audit_ledger`. Safe to repeat."""
    CHECKS["every bonus is paid"] = bonuses_paid


def bonuses_paid() -> Iterator[str]:
    """Each bonus brought its worker its amount from the wallet of its account; each entry of a bonus has one."""
    statement = """
        WITH paid AS (
            SELECT e.id, e.subject_id,
                sum(p.amount_micros) FILTER (WHERE l.kind = %s AND l.worker_id = b.worker_id) AS micros,
                sum(p.amount_micros) FILTER (WHERE l.kind = %s) AS fees,
                sum(p.amount_micros) FILTER (WHERE l.kind = %s AND l.account_id = b.account_id) AS taken
            FROM marketplace_entry e LEFT JOIN labeling_bonus b ON b.id = e.subject_id AND e.subject_type = %s
            JOIN marketplace_posting p ON p.entry_id = e.id
            JOIN marketplace_ledgeraccount l ON l.id = p.ledger_account_id
            WHERE e.kind = %s GROUP BY e.id)
        SELECT coalesce(b.id, paid.subject_id), b.amount_micros, coalesce(paid.micros, 0)
        FROM labeling_bonus b FULL JOIN paid ON paid.subject_id = b.id
        WHERE b.id IS NULL OR paid.micros IS DISTINCT FROM b.amount_micros
           OR coalesce(paid.fees, 0) <> b.fee_micros OR paid.taken IS DISTINCT FROM -b.amount_micros - b.fee_micros
        ORDER BY 1 LIMIT %s"""
    pockets = [LedgerKind.EARNINGS, LedgerKind.FEES, LedgerKind.WALLET]
    for pk, amount, paid in rows(statement, [*pockets, subjects.BONUS, EntryKind.BONUS, PER_CHECK]):
        due = "nothing" if amount is None else text(amount)
        yield f"bonus {pk}: {due} dollars are due, {text(int(paid))} were paid, or the fee differs"
