"""The wallet page: free money, money held for jobs, every movement."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from frontend.session import requester_page
from marketplace.services import wallets

PER_PAGE = 50


@requester_page()
def page(request: HttpRequest) -> HttpResponse:
    """Balance and statement."""
    account = request.account  # type: ignore[attr-defined]
    statement = Paginator(wallets.statement(account=account), PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "requester/wallet.html",
        {"page": statement, "balance": wallets.balance(account=account), "held": wallets.held(account=account)},
    )
