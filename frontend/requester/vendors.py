"""Vendors for a requester: the marketplace of listings, contracts with them, and the invoices received."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from frontend import contract_pages
from frontend.contract_pages import TermsForm
from frontend.session import requester_page
from labeling import task_types
from marketplace.errors import DomainError
from marketplace.models import Role
from marketplace.services import contracts, invoices, vendor_listings
from marketplace.services.scope import actor


class SearchForm(forms.Form):
    """Which vendors are shown."""

    task_type = forms.ChoiceField(required=False, label=_("Task type"))
    language = forms.RegexField(
        vendor_listings.LANGUAGE,
        max_length=vendor_listings.LANGUAGE_LENGTH.longest,
        required=False,
        label=_("Language"),
        help_text=_('As in "en" or "pt-BR".'),
    )

    def __init__(self, *args: object, **kwargs: object):
        super().__init__(*args, **kwargs)
        every = [(name, task_types.get(name).title) for name in task_types.names()]
        self.fields["task_type"].choices = [("", gettext("Every task type")), *every]  # type: ignore[attr-defined]


@requester_page()
def list_page(request: HttpRequest) -> HttpResponse:
    """The public listings, by task type and language."""
    form = SearchForm(request.GET if "task_type" in request.GET or "language" in request.GET else None)
    wanted = form.cleaned_data if form.is_valid() else {}
    page = contract_pages.page_of(request, vendor_listings.published(**wanted))
    return render(request, "requester/vendors.html", {"page": page, "form": form})


@requester_page()
def detail_page(request: HttpRequest, vendor_id: int) -> HttpResponse:
    """A listing, and a form to propose a contract."""
    return _detail(request, vendor_id)


def _detail(request: HttpRequest, vendor_id: int, form: TermsForm | None = None, status: int = 200) -> HttpResponse:
    listing = vendor_listings.public_one(vendor_id)
    context = {
        "listing": listing,
        "prices": [(task_types.get(name).title, micros) for name, micros in listing.prices.items()],
        "own": listing.pk == request.account.pk,  # type: ignore[attr-defined]
        "form": form or contract_pages.new_terms_form(listing.prices),
    }
    return render(request, "requester/vendor.html", context, status=status)


@require_POST
@requester_page(Role.ADMIN)
def propose(request: HttpRequest, vendor_id: int) -> HttpResponse:
    """Propose a contract."""
    form = TermsForm(request.POST)
    if form.is_valid():
        terms = form.terms()
        if form.is_valid():
            try:
                contract = contracts.propose(
                    requester=request.account,  # type: ignore[attr-defined]
                    vendor_id=vendor_id,
                    terms=terms,
                    by=actor(request.user),
                )
            except DomainError as error:
                form.refuse(error)
            else:
                return redirect("requester:contract", contract.pk)
    return _detail(request, vendor_id, form, status=422)


@requester_page()
def contracts_page(request: HttpRequest) -> HttpResponse:
    """The account's contracts with vendors."""
    page = contract_pages.page_of(request, contracts.as_requester(request.account))  # type: ignore[attr-defined]
    return render(request, "requester/contracts.html", {"page": page})


@requester_page()
def contract_page(request: HttpRequest, contract_id: int) -> HttpResponse:
    """A contract: its terms, what can be answered, and what has happened."""
    contract = contracts.one_as_requester(request.account, contract_id)  # type: ignore[attr-defined]
    return render(request, "requester/contract.html", contract_pages.contract_context(contract, contracts.REQUESTER))


@require_POST
@requester_page(Role.ADMIN)
def answer(request: HttpRequest, contract_id: int) -> HttpResponse:
    """Confirm, propose other terms, withdraw or give notice."""
    contract = contracts.one_as_requester(request.account, contract_id)  # type: ignore[attr-defined]
    form = contract_pages.answer(request, contract, contracts.REQUESTER)
    if form is not None:
        context = contract_pages.contract_context(contract, contracts.REQUESTER, form)
        return render(request, "requester/contract.html", context, status=422)
    return redirect("requester:contract", contract.pk)


@requester_page()
def invoices_page(request: HttpRequest) -> HttpResponse:
    """The invoices of vendors for the account."""
    page = contract_pages.page_of(request, invoices.received(request.account))  # type: ignore[attr-defined]
    return render(request, "requester/invoices.html", {"page": page})


@requester_page()
def invoice_page(request: HttpRequest, invoice_id: int) -> HttpResponse:
    """An invoice with its lines."""
    invoice = invoices.one_of(invoices.received(request.account), invoice_id)  # type: ignore[attr-defined]
    context = {"invoice": invoice, "lines": invoice.lines.order_by("queue_id", "price_micros")}
    return render(request, "requester/invoice.html", context)


@requester_page()
def invoice_file(request: HttpRequest, invoice_id: int) -> HttpResponse:
    """An invoice as CSV."""
    received = invoices.received(request.account)  # type: ignore[attr-defined]
    return contract_pages.invoice_file(invoices.one_of(received, invoice_id))
