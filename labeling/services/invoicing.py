"""Which accepted answers of a contract are due on an invoice, and issuing those invoices whose period is over."""

from datetime import datetime, timedelta
from functools import partial

from django.db import connection, transaction
from django.utils import timezone

from labeling import subjects
from marketplace import queue
from marketplace.models import Contract, Invoice
from marketplace.services import invoice_periods, invoices, payees
from marketplace.services.invoices import Due

SETTLED_AFTER = timedelta(minutes=5)
"""After the end of a period, so that its payments have been committed; one that is later is on the next."""

AT_ONCE = 100
"""Contracts that one sweep looks at."""


def issue_due(*, now: datetime | None = None) -> int:
    """Issue the invoices whose period is over; returns how many. Run by the sweep, safe to repeat and to kill.

    A period without accepted answers gets none. After the end of a contract its invoices go on for answers that were
    accepted later.
    """
    now = now or timezone.now()
    issued: list[Invoice] = []
    due = Contract.objects.filter(next_invoice_at__lte=now - SETTLED_AFTER).order_by("next_invoice_at", "pk")
    queue.run_each(partial(_issue_for, pk, now, issued) for pk in list(due.values_list("pk", flat=True)[:AT_ONCE]))
    return len(issued)


def _issue_for(contract_id: int, now: datetime, issued: list[Invoice]) -> None:
    with transaction.atomic():
        rows = Contract.objects.select_for_update(no_key=True, of=("self",)).select_related("requester", "vendor")
        contract = rows.get(pk=contract_id)
        if contract.next_invoice_at is None or contract.next_invoice_at > now - SETTLED_AFTER:
            return
        invoice = _issue(contract, now)
    if invoice is not None:
        issued.append(invoice)


def _issue(contract: Contract, now: datetime) -> Invoice | None:
    """One invoice for everything that was accepted before the last period's end; a period without is skipped."""
    period = contract.invoice_period
    end = invoice_periods.last_end(period, now - SETTLED_AFTER)
    due = uninvoiced(contract, before=end)
    contract.next_invoice_at = invoice_periods.next_end(period, now - SETTLED_AFTER)
    contract.save(update_fields=["next_invoice_at"])
    if not due:
        return None
    return invoices.issue(contract=contract, start=invoice_periods.start_of(period, end), end=end, due=due)


def uninvoiced(contract: Contract, *, before: datetime) -> list[Due]:
    """The payments under the contract that were booked before this moment and are on no invoice, oldest first."""
    pocket = payees.accrued(contract.employer)
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT p.id, q.id, q.title, q.task_type, p.amount_micros, coalesce((
                   SELECT sum(f.amount_micros) FROM marketplace_posting f
                   JOIN marketplace_ledgeraccount l ON l.id = f.ledger_account_id
                   WHERE f.entry_id = e.id AND l.kind = 'fees'), 0)::bigint
               FROM marketplace_posting p JOIN marketplace_entry e ON e.id = p.entry_id
               LEFT JOIN labeling_assignment a ON e.subject_type = %s AND a.id = e.subject_id
               LEFT JOIN labeling_answerreview r ON e.subject_type = %s AND r.id = e.subject_id
               JOIN labeling_workqueue q ON q.id = coalesce(a.queue_id, r.queue_id)
               WHERE p.ledger_account_id = %s AND p.amount_micros > 0 AND e.created_at < %s
                 AND NOT EXISTS (SELECT FROM marketplace_invoicedposting i WHERE i.posting_id = p.id)
               ORDER BY p.id""",
            [subjects.ASSIGNMENT, subjects.ANSWER_REVIEW, pocket.pk, before],
        )
        return [Due(*row) for row in cursor.fetchall()]
