"""A vendor's invoices: what it has earned, what it has invoiced, and what was paid."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from frontend import contract_pages
from frontend.session import requester_page
from marketplace.services import invoices


@requester_page()
def list_page(request: HttpRequest) -> HttpResponse:
    """All invoices, newest first, and what the vendor is owed."""
    account = request.account  # type: ignore[attr-defined]
    context = {"page": contract_pages.page_of(request, invoices.sent(account)), "owed": invoices.owed_to(account)}
    return render(request, "vendor/invoices.html", context)


@requester_page()
def detail_page(request: HttpRequest, invoice_id: int) -> HttpResponse:
    """An invoice with its lines."""
    invoice = invoices.one_of(invoices.sent(request.account), invoice_id)  # type: ignore[attr-defined]
    context = {"invoice": invoice, "lines": invoice.lines.order_by("queue_id", "price_micros")}
    return render(request, "vendor/invoice.html", context)


@requester_page()
def file(request: HttpRequest, invoice_id: int) -> HttpResponse:
    """An invoice as CSV."""
    sent = invoices.sent(request.account)  # type: ignore[attr-defined]
    return contract_pages.invoice_file(invoices.one_of(sent, invoice_id))
