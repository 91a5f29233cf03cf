"""The wallet page: free money, money held for jobs, every movement."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from frontend.session import requester_page
from labeling.queries.statements import StatementLine, statement_lines
from marketplace.models import EntryKind
from marketplace.services import wallets

PER_PAGE = 50
# What a movement is called where its own description says less.
CALLED = {
    EntryKind.RESERVE: "Held for open tasks",
    EntryKind.REFUND: "Returned: not needed",
    EntryKind.RETURN: "Returned: an answer was rejected",
    EntryKind.APPEAL: "Paid: an appeal was upheld",
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
    }
    return render(request, "requester/wallet.html", context)


def _called(line: StatementLine) -> str:
    kind = EntryKind(line.kind)
    return CALLED.get(kind) or line.description or str(kind.label)
