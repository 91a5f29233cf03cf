"""What the ledger must say about work: each answer paid once and in full, and the money for open seats held.

Answers that are reviewed are in reviewed_payments.py.
"""

from collections.abc import Iterator

from labeling import subjects
from labeling.models import AssignmentStatus
from marketplace.models import EntryKind, LedgerKind
from marketplace.money import text
from marketplace.services.ledger_audit import CHECKS, PER_CHECK, rows

PAYMENT_OF = f"{EntryKind.PAYMENT}:{subjects.ASSIGNMENT}:"
"""What the reference of an answer's payment begins with (marketplace.services.ledger.reference_of)."""


def register() -> None:
    """Add these checks to those of `manage.py audit_ledger`. Safe to repeat."""
    CHECKS.update(
        {
            "every accepted answer is paid": answers_paid,
            "every payment is for an accepted answer": payments_earned,
            "open seats are funded, the rest is returned": escrow_fits_the_seats,
            "no answer is paid less than was shown": promises_kept,
        }
    )


def answers_paid() -> Iterator[str]:
    """Each submitted assignment of a queue without a review brought its worker just what was promised.

    Under a contract it brought it to the vendor that employs the worker.
    """
    statement = """
        WITH paid AS (
            SELECT a.id, a.worker_id, a.paid_micros, coalesce((
                SELECT sum(p.amount_micros) FROM marketplace_entry e
                JOIN marketplace_posting p ON p.entry_id = e.id
                JOIN marketplace_ledgeraccount l ON l.id = p.ledger_account_id
                WHERE e.reference = %s || a.id AND CASE WHEN q.contract_id IS NULL
                    THEN l.kind = %s AND l.worker_id = a.worker_id
                    ELSE l.kind = %s AND l.purpose_type = 'contract' AND l.purpose_id = q.contract_id END), 0) AS micros
            FROM labeling_assignment a JOIN labeling_workqueue q ON q.id = a.queue_id
            WHERE a.state = %s AND NOT EXISTS (SELECT FROM labeling_answerreview r WHERE r.assignment_id = a.id))
        SELECT id, worker_id, paid_micros, micros FROM paid WHERE micros IS DISTINCT FROM paid_micros
        ORDER BY id LIMIT %s"""
    values = [PAYMENT_OF, LedgerKind.EARNINGS, LedgerKind.ACCRUED, AssignmentStatus.SUBMITTED, PER_CHECK]
    for pk, worker, promised, paid in rows(statement, values):
        due = "nothing" if promised is None else text(promised)
        yield f"assignment {pk}: {due} dollars are due to worker {worker}, {text(int(paid))} were paid"


def payments_earned() -> Iterator[str]:
    """Each payment is for one submitted assignment, out of the escrow of its queue."""
    statement = """SELECT e.id, e.reference, a.state, a.queue_id, l.purpose_id
                   FROM marketplace_entry e
                   LEFT JOIN marketplace_posting p ON p.entry_id = e.id AND p.amount_micros < 0
                   LEFT JOIN marketplace_ledgeraccount l ON l.id = p.ledger_account_id
                   LEFT JOIN labeling_assignment a ON a.id = e.subject_id
                   WHERE e.kind = %s AND e.subject_type = %s
                     AND (a.state IS DISTINCT FROM %s OR a.queue_id IS DISTINCT FROM l.purpose_id
                          OR EXISTS (SELECT FROM labeling_answerreview r WHERE r.assignment_id = a.id))
                   ORDER BY e.id LIMIT %s"""
    values = [EntryKind.PAYMENT, subjects.ASSIGNMENT, AssignmentStatus.SUBMITTED, PER_CHECK]
    for entry, reference, state, queue, purpose in rows(statement, values):
        if state is None:
            yield f"entry {entry} ({reference}) pays for an assignment that does not exist"
        elif state != AssignmentStatus.SUBMITTED:
            yield f"entry {entry} ({reference}) pays for an assignment that is {state}"
        elif queue == purpose:
            yield f"entry {entry} ({reference}) pays for an answer that is under review"
        else:
            yield f"entry {entry} ({reference}) pays for work queue {queue} out of the escrow of work queue {purpose}"


def escrow_fits_the_seats() -> Iterator[str]:
    """While a batch is open its queue's escrow can pay every answer its tasks may still get; then it is empty.

    Where the price rose, what a rejection would need for the seat of an answer under review is kept there as well.
    """
    statement = """
        WITH held AS (
            SELECT l.purpose_id AS queue_id, coalesce(sum(p.amount_micros), 0) AS micros
            FROM marketplace_ledgeraccount l LEFT JOIN marketplace_posting p ON p.ledger_account_id = l.id
            WHERE l.kind = %s AND l.purpose_type = %s GROUP BY l.purpose_id),
        needed AS (
            SELECT q.id AS queue_id, sum((t.max_seats - t.answers_count + t.extra_answers)
                                         * CASE WHEN t.checks AND q.check_price_micros IS NOT NULL
                                                THEN q.check_price_micros + q.check_fee_micros
                                                ELSE q.price_micros + q.fee_micros END) AS micros
            FROM labeling_batch b JOIN labeling_workqueue q ON q.id = b.queue_id
            JOIN labeling_task t ON t.batch_id = b.id
            WHERE b.status IN ('Initializing', 'InProgress') GROUP BY q.id),
        kept AS (
            SELECT r.queue_id, sum(r.kept_micros) AS micros
            FROM labeling_answerreview r JOIN labeling_assignment a ON a.id = r.assignment_id
            JOIN labeling_task t ON t.id = a.task_id JOIN labeling_batch b ON b.id = t.batch_id
            WHERE r.kept_micros > 0 AND b.status IN ('Initializing', 'InProgress') GROUP BY r.queue_id)
        SELECT coalesce(held.queue_id, needed.queue_id), coalesce(held.micros, 0),
            needed.micros + coalesce(kept.micros, 0)
        FROM held FULL JOIN needed ON needed.queue_id = held.queue_id
        LEFT JOIN kept ON kept.queue_id = needed.queue_id
        WHERE coalesce(held.micros, 0) IS DISTINCT FROM coalesce(needed.micros, 0) + coalesce(kept.micros, 0)
        ORDER BY 1 LIMIT %s"""
    for queue, held, needed in rows(statement, [LedgerKind.ESCROW, subjects.WORK_QUEUE, PER_CHECK]):
        if needed is None:
            yield f"work queue {queue} has no open batch and holds {text(int(held))} dollars in escrow"
        else:
            yield f"work queue {queue} holds {text(int(held))} dollars, its open seats may cost {text(int(needed))}"


def promises_kept() -> Iterator[str]:
    """Each answer is paid at least the price that was shown when its task was claimed."""
    statement = """SELECT id, promised_micros, paid_micros FROM labeling_assignment
                   WHERE state = %s AND paid_micros < promised_micros ORDER BY id LIMIT %s"""
    for pk, promised, paid in rows(statement, [AssignmentStatus.SUBMITTED, PER_CHECK]):
        yield f"assignment {pk}: {text(promised)} dollars were shown when it was claimed, {text(paid)} were paid"
