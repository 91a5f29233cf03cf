"""What the ledger must say about invoices: each is the sum of payments under its contract, and none is on two."""

from collections.abc import Iterator

from marketplace.models import EntryKind, LedgerKind
from marketplace.money import text
from marketplace.services.invoices import SUBJECT
from marketplace.services.ledger_audit import CHECKS, PER_CHECK, rows


def register() -> None:
    """Add these checks to those of `manage.py audit_ledger`. Safe to repeat."""
    CHECKS.update(
        {
            "invoices are the payments on them": invoices_add_up,
            "what has accrued is on no invoice yet": accrued_is_uninvoiced,
            "what is invoiced is not paid yet": invoiced_is_unpaid,
        }
    )


def invoices_add_up() -> Iterator[str]:
    """The lines of each invoice, its payments under the contract, and its entry in the ledger have its amount."""
    statement = """
        WITH found AS (
            SELECT i.id, i.number, i.amount_micros, i.answers,
                (SELECT coalesce(sum(n.amount_micros), 0) FROM marketplace_invoiceline n
                 WHERE n.invoice_id = i.id) AS lines,
                paid.micros AS paid, paid.count AS payments,
                (SELECT coalesce(sum(p.amount_micros), 0) FROM marketplace_entry e
                 JOIN marketplace_posting p ON p.entry_id = e.id
                 JOIN marketplace_ledgeraccount l ON l.id = p.ledger_account_id
                 WHERE e.reference = %s || i.id AND l.kind = %s AND l.account_id = c.vendor_id) AS booked
            FROM marketplace_invoice i JOIN marketplace_contract c ON c.id = i.contract_id
            LEFT JOIN LATERAL (
                SELECT coalesce(sum(p.amount_micros), 0) AS micros, count(*) AS count
                FROM marketplace_invoicedposting v JOIN marketplace_posting p ON p.id = v.posting_id
                JOIN marketplace_ledgeraccount l ON l.id = p.ledger_account_id
                WHERE v.invoice_id = i.id AND l.kind = %s AND l.purpose_type = 'contract'
                  AND l.purpose_id = c.id AND p.amount_micros > 0) paid ON true)
        SELECT number, amount_micros, lines, paid, booked FROM found
        WHERE amount_micros <> lines OR amount_micros <> paid OR amount_micros <> booked OR answers <> payments
        ORDER BY id LIMIT %s"""
    values = [f"{EntryKind.INVOICE}:{SUBJECT}:", LedgerKind.INVOICED, LedgerKind.ACCRUED, PER_CHECK]
    for number, amount, lines, paid, booked in rows(statement, values):
        yield (
            f"invoice {number} is of {text(amount)} dollars: its lines have {text(int(lines))}, its payments "
            f"{text(int(paid))}, the ledger {text(int(booked))}, or the number of answers differs"
        )


def accrued_is_uninvoiced() -> Iterator[str]:
    """What a contract's pocket holds is the sum of its payments that are on no invoice."""
    statement = """
        SELECT l.purpose_id, sum(p.amount_micros),
               coalesce(sum(p.amount_micros) FILTER (WHERE p.amount_micros > 0 AND v.posting_id IS NULL), 0)
        FROM marketplace_ledgeraccount l JOIN marketplace_posting p ON p.ledger_account_id = l.id
        LEFT JOIN marketplace_invoicedposting v ON v.posting_id = p.id
        WHERE l.kind = %s GROUP BY l.id
        HAVING sum(p.amount_micros)
            <> coalesce(sum(p.amount_micros) FILTER (WHERE p.amount_micros > 0 AND v.posting_id IS NULL), 0)
        ORDER BY 1 LIMIT %s"""
    for contract, held, due in rows(statement, [LedgerKind.ACCRUED, PER_CHECK]):
        yield f"contract {contract}: {text(int(held))} dollars have accrued, {text(int(due))} are on no invoice"


def invoiced_is_unpaid() -> Iterator[str]:
    """What each vendor has invoiced and not received is the sum of its issued invoices."""
    statement = """
        WITH held AS (
            SELECT l.account_id, sum(p.amount_micros) AS micros FROM marketplace_posting p
            JOIN marketplace_ledgeraccount l ON l.id = p.ledger_account_id WHERE l.kind = %s GROUP BY l.account_id),
        issued AS (
            SELECT c.vendor_id, sum(i.amount_micros) AS micros FROM marketplace_invoice i
            JOIN marketplace_contract c ON c.id = i.contract_id WHERE i.status = 'Issued' GROUP BY c.vendor_id)
        SELECT coalesce(held.account_id, issued.vendor_id), coalesce(held.micros, 0), coalesce(issued.micros, 0)
        FROM held FULL JOIN issued ON issued.vendor_id = held.account_id
        WHERE coalesce(held.micros, 0) <> coalesce(issued.micros, 0) ORDER BY 1 LIMIT %s"""
    for vendor, held, issued in rows(statement, [LedgerKind.INVOICED, PER_CHECK]):
        yield f"vendor {vendor}: {text(int(held))} dollars are invoiced, invoices of {text(int(issued))} are unpaid"
