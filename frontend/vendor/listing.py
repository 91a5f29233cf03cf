"""A vendor's listing: writing it, making it public, and where its invoices are paid to."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from frontend.contract_pages import PriceFields
from frontend.session import requester_page
from marketplace.errors import Invalid
from marketplace.models import Role, VendorListing
from marketplace.services import payouts, scope, vendor_listings
from marketplace.services.accounts import RANKS, role_of
from marketplace.services.vendor_listings import Offer


class ListingForm(PriceFields):
    """What a vendor offers."""

    title = forms.CharField(max_length=vendor_listings.TITLE_LENGTH.longest)
    description = forms.CharField(
        max_length=vendor_listings.DESCRIPTION_LENGTH.longest, widget=forms.Textarea(attrs={"rows": 5})
    )
    services = forms.CharField(
        max_length=vendor_listings.TEXT_LENGTH.longest,
        required=False,
        help_text=_("For example: boxes on photographs."),
    )
    languages = forms.CharField(
        max_length=vendor_listings.LANGUAGES_LENGTH.longest, help_text=_('Separated by commas, as in "en, pt-BR".')
    )
    certifications = forms.CharField(max_length=vendor_listings.TEXT_LENGTH.longest, required=False)
    turnaround_hours = forms.IntegerField(
        label=_("Usual turnaround, hours"), **vendor_listings.TURNAROUND_HOURS.bounds, initial=48
    )

    def offer(self) -> Offer:
        """The offer of a valid form."""
        prices, given = self.prices(), self.cleaned_data
        return Offer(
            title=given["title"],
            description=given["description"],
            services=given["services"],
            languages=[one.strip() for one in given["languages"].split(",") if one.strip()],
            certifications=given["certifications"],
            turnaround_hours=given["turnaround_hours"],
            prices=prices,
        )


class PaymentForm(forms.Form):
    """Where the vendor's invoices are to be paid to."""

    holder = forms.CharField(max_length=payouts.TEXT_LENGTH.longest, label=_("Name on the account"))
    destination = forms.CharField(
        max_length=payouts.TEXT_LENGTH.longest,
        label=_("IBAN or account"),
        help_text=_("An IBAN, or what the operator of this installation has told you to give instead."),
    )


def _form(listing: VendorListing | None) -> ListingForm:
    if listing is None:
        return ListingForm()
    names = ("title", "description", "services", "certifications", "turnaround_hours")
    known = {name: getattr(listing, name) for name in names} | {"languages": ", ".join(listing.languages)}
    return ListingForm(prices=listing.prices, initial=known)


def _page(
    request: HttpRequest, *, form: ListingForm | None = None, payment: PaymentForm | None = None, status: int = 200
) -> HttpResponse:
    account = request.account  # type: ignore[attr-defined]
    listing = vendor_listings.own_or_none(account)
    role = role_of(account=account, user=request.user)
    owns = role == Role.OWNER
    known: dict[str, Any] = {"holder": listing.holder, "destination": listing.destination} if listing and owns else {}
    context = {
        "listing": listing,
        "form": form or _form(listing),
        "payment": payment or PaymentForm(initial=known),
        "manages": role is not None and RANKS[role] >= RANKS[Role.ADMIN],
        "owns": owns,
    }
    return render(request, "vendor/listing.html", context, status=status)


@requester_page()
def page(request: HttpRequest) -> HttpResponse:
    """The listing with its status."""
    return _page(request)


@require_POST
@requester_page(Role.ADMIN)
def save(request: HttpRequest) -> HttpResponse:
    """Write the listing."""
    form = ListingForm(request.POST)
    if form.is_valid():
        offer = form.offer()
        if form.is_valid():
            try:
                vendor_listings.save(account=request.account, offer=offer, by=scope.actor(request.user))  # type: ignore[attr-defined]
            except Invalid as error:
                form.refuse(error)
    if form.errors:
        return _page(request, form=form, status=422)
    messages.success(request, gettext("Saved."))
    return redirect("vendor:listing")


@require_POST
@requester_page(Role.ADMIN)
def submit(request: HttpRequest) -> HttpResponse:
    """Ask for the listing to be public."""
    listing = vendor_listings.submit(account=request.account, by=scope.actor(request.user))  # type: ignore[attr-defined]
    said = (
        gettext("Your listing is public.")
        if listing.status == "Published"
        else gettext("An operator reads your listing next.")
    )
    messages.success(request, said)
    return redirect("vendor:listing")


@require_POST
@requester_page(Role.ADMIN)
def withdraw(request: HttpRequest) -> HttpResponse:
    """Take the listing back."""
    vendor_listings.withdraw(account=request.account, by=scope.actor(request.user))  # type: ignore[attr-defined]
    messages.success(request, gettext("Your listing is shown to nobody now; contracts go on."))
    return redirect("vendor:listing")


@require_POST
@requester_page(Role.OWNER)
def payment(request: HttpRequest) -> HttpResponse:
    """Say where invoices are to be paid to."""
    form = PaymentForm(request.POST)
    if form.is_valid():
        try:
            vendor_listings.set_payment(
                account=request.account,  # type: ignore[attr-defined]
                by=scope.actor(request.user),
                **form.cleaned_data,
            )
        except Invalid as error:
            form.add_error(error.field, error.message)
    if form.errors:
        return _page(request, payment=form, status=422)
    messages.success(request, gettext("Saved. Operators pay your invoices there."))
    return redirect("vendor:listing")
