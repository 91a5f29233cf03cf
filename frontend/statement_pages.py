"""The page of a statement, for accounts and for workers: the days, the balances, totals by kind, the lines."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from frontend import statement_files
from frontend.statement_files import Whose
from marketplace import strict
from marketplace.errors import Invalid
from marketplace.services import statements

PER_PAGE = 50
MONTHS = 12
CALLED = {
    ("deposit", "bank"): _("Deposits"),
    ("chargeback", "bank"): _("Reversed deposits"),
    ("taken-back", "bank"): _("Refunds that were sent"),
    ("payment", "pay"): _("Pay for answers"),
    ("release", "pay"): _("Pay for reviewed answers"),
    ("appeal", "pay"): _("Pay after appeals"),
    ("bonus", "pay"): _("Bonuses"),
    ("tax", "tax"): _("Taxes on fees"),
    ("withdrawal", "bank"): _("Payouts"),
    ("payback", "bank"): _("Payouts that came back"),
}
FEES = _("Platform fees")


def page(request: HttpRequest, whose: Whose, *, room: str) -> HttpResponse:
    """A statement with at most PER_PAGE lines after the line `after`; 422 with the reason for days that are none."""
    error = ""
    try:
        period = statement_files.period_of(statement_files.filled(request.GET))
    except Invalid as refused:
        period, error = statements.period(None, None), refused.message
    after = strict.whole_number(request.GET.get("after", "0"), allowed=strict.COUNTS) or 0
    lines = whose.lines(period, after=after, most=PER_PAGE + 1)
    shown = list(statement_files.rows(whose, lines[:PER_PAGE]))
    found = whose.statement(period)
    context: dict[str, Any] = {
        "statement": found,
        "period": period,
        "error": error,
        "totals": [(called(total.kind, total.what), total) for total in found.totals],
        "rows": [(called(row["kind"], row["what"]), row) for row in shown],
        "next": shown[-1]["id"] if len(lines) > PER_PAGE else None,
        "after": after,
    }
    return render(request, f"{room}/statement.html", context, status=422 if error else 200)


def called(kind: str, what: str) -> str:
    """What a line or a total is called."""
    return str(FEES if what == "fee" else CALLED.get((kind, what), gettext(kind.capitalize())))
