"""The wallet page: free money, money held for jobs, every movement."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from frontend.requester.money import AmountForm
from frontend.session import requester_page
from labeling.queries.statements import StatementLine, statement_lines
from marketplace.models import EntryKind
from marketplace.services import debts, wallet_refunds, wallets

PER_PAGE = 50
REFUNDS_SHOWN = 5
# What a movement is called where its own description says less.
CALLED = {
    EntryKind.RESERVE: "Held for open tasks",
    EntryKind.REFUND: "Returned: not needed",
    EntryKind.RETURN: "Returned: an answer was rejected",
    EntryKind.APPEAL: "Paid: an appeal was upheld",
    EntryKind.TAKE_BACK: "Refund asked for",
    EntryKind.KEPT: "Refund that was not sent",
    EntryKind.SETTLEMENT: "Settled what was owed",
}


@requester_page()
def page(request: HttpRequest) -> HttpResponse:
    """Balance and statement."""
    account = request.account  # type: ignore[attr-defined]
    statement = Paginator(wallets.statement(account=account), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": statement,
        "rows": [{"line": line, "what": _called(line)} for line in statement_lines(statement)],
        "balance": wallets.balance(account=account),
        "held": wallets.held(account=account),
        "under_review": wallets.under_review(account=account),
        "owed": debts.owed(account),
        "refunds": list(wallet_refunds.of_account(account)[:REFUNDS_SHOWN]),
        "refund_form": AmountForm(),
    }
    return render(request, "requester/wallet.html", context)


def _called(line: StatementLine) -> str:
    kind = EntryKind(line.kind)
    return CALLED.get(kind) or line.description or str(kind.label)
