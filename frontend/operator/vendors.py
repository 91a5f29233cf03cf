"""The operator's pages of vendors: listings to review, and invoices to pay."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from frontend import contract_pages
from frontend.session import operator_page
from labeling import task_types
from marketplace import strict
from marketplace.models import InvoiceStatus, ListingStatus
from marketplace.services import invoices, vendor_listings
from marketplace.services.scope import actor


@operator_page
def listings_page(request: HttpRequest) -> HttpResponse:
    """All listings but drafts, those to be reviewed first."""
    chosen = request.GET.get("status", "")
    rows = vendor_listings.everybodys()
    if chosen in ListingStatus.values:
        rows = rows.filter(status=chosen)
    page = contract_pages.page_of(request, rows)
    shown = [(row, [(task_types.get(name).title, micros) for name, micros in row.prices.items()]) for row in page]
    context = {"page": page, "shown": shown, "chosen": chosen, "statuses": ListingStatus.values[1:]}
    return render(request, "operator/vendors.html", context)


@require_POST
@operator_page
def publish(request: HttpRequest, vendor_id: int) -> HttpResponse:
    """Make a listing public, as it was read."""
    listing = vendor_listings.any_one(vendor_id)
    revision = strict.whole_number(request.POST.get("revision", "")) or 0
    vendor_listings.publish(listing=listing, revision=revision, by=actor(request.user))
    messages.success(request, gettext("{title} is public.").format(title=listing.title))
    return redirect("operator:vendors")


@require_POST
@operator_page
def refuse(request: HttpRequest, vendor_id: int) -> HttpResponse:
    """Refuse a listing, or take a public one off."""
    listing = vendor_listings.any_one(vendor_id)
    vendor_listings.refuse(listing=listing, reason=request.POST.get("reason", ""), by=actor(request.user))
    messages.success(request, gettext("{title} is refused; its vendor reads the reason.").format(title=listing.title))
    return redirect("operator:vendors")


@operator_page
def invoices_page(request: HttpRequest) -> HttpResponse:
    """The invoices of all vendors, with where they are to be paid."""
    chosen = request.GET.get("status", "")
    rows = invoices.everybodys(chosen if chosen in InvoiceStatus.values else None)
    context = {
        "page": contract_pages.page_of(request, rows),
        "statuses": InvoiceStatus.values,
        "chosen": chosen,
        "to_pay": invoices.to_pay(),
    }
    return render(request, "operator/invoices.html", context)


@require_POST
@operator_page
def invoice_paid(request: HttpRequest, invoice_id: int) -> HttpResponse:
    """An invoice was transferred to its vendor."""
    invoice = invoices.one_of(invoices.everybodys(), invoice_id)
    invoices.mark_paid(invoice=invoice, reference=request.POST.get("reference", ""), by=actor(request.user))
    messages.success(request, gettext("{number} is paid.").format(number=invoice.number))
    return redirect("operator:invoices")
