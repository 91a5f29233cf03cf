"""An invoice as a CSV file: a line for each work queue, then the total. Knows no HTTP."""

import csv
import io

from marketplace import money
from marketplace.models import Invoice

COLUMNS = (
    *("invoice", "vendor", "requester", "period_start", "period_end", "work", "task_type", "answers", "price"),
    *("amount", "fee", "total", "currency"),
)


def as_csv(invoice: Invoice) -> str:
    """The lines with amounts of six decimals; the last one, without work and price, is their sum.

    `amount` is what the vendor is owed, `fee` the platform's share, `total` what the requester has paid.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    head = [
        *(invoice.number, _plain(invoice.vendor_name), _plain(invoice.requester_name)),
        *(f"{moment:%Y-%m-%d}" for moment in (invoice.period_start, invoice.period_end)),
    ]
    for line in invoice.lines.order_by("queue_id", "price_micros"):
        amounts = (line.price_micros, line.amount_micros, line.fee_micros, line.total_micros)
        writer.writerow(
            [
                *head,
                _plain(line.title),
                line.task_type,
                line.answers,
                *(money.text(micros) for micros in amounts),
                "USD",
            ]
        )
    sums = [money.text(micros) for micros in (invoice.amount_micros, invoice.fee_micros, invoice.total_micros)]
    writer.writerow([*head, "", "", invoice.answers, "", *sums, "USD"])
    return text.getvalue()


def _plain(text: str) -> str:
    """So that a spreadsheet takes it for no formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
