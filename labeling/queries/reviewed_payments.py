"""What the ledger must say about answers under review: held while pending, earned once accepted, gone when rejected."""

from collections.abc import Iterator

from labeling import subjects
from labeling.models import AppealStatus, AssignmentStatus, ReviewStatus
from marketplace.models import EntryKind, LedgerKind
from marketplace.money import text
from marketplace.services.ledger_audit import CHECKS, PER_CHECK, rows

KINDS = (EntryKind.HOLD, EntryKind.RELEASE, EntryKind.RETURN, EntryKind.APPEAL)
"""The kinds of entries that are about a review."""


def register() -> None:
    """Add these checks to those of `manage.py audit_ledger`. Safe to repeat."""
    CHECKS.update(
        {
            "reviewed answers are held, earned or returned": reviews_paid,
            "every entry about a review has one": entries_reviewed,
            "answers count as their reviews say": seats_as_reviewed,
            "appeals are answered as their reviews say": appeals_as_reviewed,
            "what reviews brought back is known": returns_known,
            "what is held is held for reviews": held_fits_the_reviews,
        }
    )


def reviews_paid() -> Iterator[str]:
    """Of each answer the price is held while it is pending, in its worker's earnings once accepted, in neither else.

    Under a contract it is held for the vendor that employs the worker, and accrues to them.
    """
    statement = """
        WITH moved AS (
            SELECT r.id, r.state, r.price_micros, r.fee_micros,
                coalesce(sum(p.amount_micros) FILTER (WHERE l.kind = %s AND l.account_id = q.account_id
                    AND CASE WHEN q.contract_id IS NULL THEN l.worker_id = r.worker_id
                        ELSE l.purpose_type = 'contract' AND l.purpose_id = q.contract_id END), 0) AS held,
                coalesce(sum(p.amount_micros) FILTER (WHERE l.kind = %s
                    AND l.account_id = q.account_id), 0) AS fee_held,
                coalesce(sum(p.amount_micros) FILTER (WHERE CASE WHEN q.contract_id IS NULL
                    THEN l.kind = %s AND l.worker_id = r.worker_id
                    ELSE l.kind = %s AND l.purpose_type = 'contract' AND l.purpose_id = q.contract_id
                    END), 0) AS earned,
                coalesce(sum(p.amount_micros) FILTER (WHERE l.kind = %s), 0) AS fees
            FROM labeling_answerreview r JOIN labeling_workqueue q ON q.id = r.queue_id
            LEFT JOIN marketplace_entry e ON e.reference = ANY (
                ARRAY(SELECT kind || %s || r.id FROM unnest(%s::text[]) AS kind))
            LEFT JOIN marketplace_posting p ON p.entry_id = e.id
            LEFT JOIN marketplace_ledgeraccount l ON l.id = p.ledger_account_id
            GROUP BY r.id)
        SELECT id, state, price_micros, held, earned FROM moved
        WHERE held <> CASE WHEN state = %s THEN price_micros ELSE 0 END
           OR fee_held <> CASE WHEN state = %s THEN fee_micros ELSE 0 END
           OR earned <> CASE WHEN state = %s THEN price_micros ELSE 0 END
           OR fees <> CASE WHEN state = %s THEN fee_micros ELSE 0 END
        ORDER BY id LIMIT %s"""
    pockets = [
        LedgerKind.HELD,
        LedgerKind.HELD_FEES,
        LedgerKind.EARNINGS,
        LedgerKind.ACCRUED,
        LedgerKind.FEES,
    ]
    named = [f":{subjects.ANSWER_REVIEW}:", [str(kind) for kind in KINDS]]
    states = [ReviewStatus.PENDING, ReviewStatus.PENDING, ReviewStatus.ACCEPTED, ReviewStatus.ACCEPTED]
    for pk, state, price, held, earned in rows(statement, [*pockets, *named, *states, PER_CHECK]):
        found = f"{text(int(held))} dollars are held and {text(int(earned))} were paid"
        yield f"review {pk} is {state} at a price of {text(price)}: {found}, or the fees differ"


def entries_reviewed() -> Iterator[str]:
    """Each entry of these kinds is about a review, and holds come from the escrow of its queue."""
    statement = """
        SELECT e.id, e.reference FROM marketplace_entry e
        LEFT JOIN labeling_answerreview r ON r.id = e.subject_id AND e.subject_type = %s
        WHERE e.kind = ANY (%s) AND (r.id IS NULL OR EXISTS (
            SELECT FROM marketplace_posting p JOIN marketplace_ledgeraccount l ON l.id = p.ledger_account_id
            WHERE p.entry_id = e.id AND l.kind = %s AND l.purpose_id <> r.queue_id))
        ORDER BY e.id LIMIT %s"""
    values = [subjects.ANSWER_REVIEW, [str(kind) for kind in KINDS], LedgerKind.ESCROW, PER_CHECK]
    for entry, reference in rows(statement, values):
        yield f"entry {entry} ({reference}) is not about a review, or about one of another work queue"


def seats_as_reviewed() -> Iterator[str]:
    """An answer counts unless its newest review has rejected it; each answer to a queue with a review has one."""
    statement = """
        SELECT a.id, a.state, n.state FROM labeling_assignment a
        LEFT JOIN LATERAL (SELECT r.state FROM labeling_answerreview r WHERE r.assignment_id = a.id
                           ORDER BY r.id DESC LIMIT 1) n ON true
        WHERE a.queue_id IN (SELECT id FROM labeling_workqueue WHERE review_days IS NOT NULL)
          AND ((a.state = %s AND n.state IS DISTINCT FROM %s AND n.state IS DISTINCT FROM %s)
            OR (a.state <> %s AND coalesce(n.state, %s) <> %s))
        ORDER BY a.id LIMIT %s"""
    submitted, rejected = AssignmentStatus.SUBMITTED, ReviewStatus.REJECTED
    values = [submitted, ReviewStatus.PENDING, ReviewStatus.ACCEPTED, submitted, rejected, rejected, PER_CHECK]
    for pk, state, review in rows(statement, values):
        yield f"assignment {pk} is {state}, the review of its answer is {review or 'missing'}"


def appeals_as_reviewed() -> Iterator[str]:
    """The answer of an upheld appeal is accepted, and that of an open or denied one is not."""
    statement = """
        SELECT p.id, p.state, r.id, r.state FROM labeling_appeal p JOIN labeling_answerreview r ON r.id = p.review_id
        WHERE (p.state = %s) <> (r.state = %s) ORDER BY p.id LIMIT %s"""
    for appeal, state, review, decided in rows(statement, [AppealStatus.UPHELD, ReviewStatus.ACCEPTED, PER_CHECK]):
        yield f"appeal {appeal} is {state}, review {review} of its answer is {decided}"


def returns_known() -> Iterator[str]:
    """A review knows what it brought to its account's wallet, less what its appeal took from there."""
    statement = """
        WITH moved AS (
            SELECT e.subject_id AS review, sum(p.amount_micros) AS micros FROM marketplace_entry e
            JOIN marketplace_posting p ON p.entry_id = e.id
            JOIN marketplace_ledgeraccount l ON l.id = p.ledger_account_id
            WHERE e.subject_type = %s AND e.kind = ANY (%s) AND l.kind = %s GROUP BY e.subject_id)
        SELECT r.id, r.to_wallet_micros, coalesce(moved.micros, 0) FROM labeling_answerreview r
        LEFT JOIN moved ON moved.review = r.id
        WHERE r.to_wallet_micros <> coalesce(moved.micros, 0) ORDER BY r.id LIMIT %s"""
    values = [subjects.ANSWER_REVIEW, [str(kind) for kind in KINDS], LedgerKind.WALLET, PER_CHECK]
    for review, known, moved in rows(statement, values):
        yield f"review {review} brought {text(int(moved))} dollars to the wallet, it says {text(known)}"


def held_fits_the_reviews() -> Iterator[str]:
    """Together the pockets of what is held have what the pending answers of each account cost."""
    statement = """
        WITH held AS (
            SELECT l.account_id, sum(p.amount_micros) AS micros FROM marketplace_posting p
            JOIN marketplace_ledgeraccount l ON l.id = p.ledger_account_id
            WHERE l.kind = ANY (%s) GROUP BY l.account_id),
        pending AS (
            SELECT q.account_id, sum(r.price_micros + r.fee_micros) AS micros FROM labeling_answerreview r
            JOIN labeling_workqueue q ON q.id = r.queue_id WHERE r.state = %s GROUP BY q.account_id)
        SELECT coalesce(held.account_id, pending.account_id), coalesce(held.micros, 0), coalesce(pending.micros, 0)
        FROM held FULL JOIN pending ON pending.account_id = held.account_id
        WHERE coalesce(held.micros, 0) <> coalesce(pending.micros, 0) ORDER BY 1 LIMIT %s"""
    values = [[str(LedgerKind.HELD), str(LedgerKind.HELD_FEES)], ReviewStatus.PENDING, PER_CHECK]
    for account, held, pending in rows(statement, values):
        yield f"account {account}: {text(int(held))} dollars are held, answers under review cost {text(int(pending))}"
