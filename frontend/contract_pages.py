"""What the pages of both sides of a contract share: the forms of prices and terms, answers to terms, and invoices."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from frontend import formats, words
from labeling import task_types
from marketplace import money, strict
from marketplace.errors import DomainError, Invalid
from marketplace.models import Contract, Invoice, InvoicePeriod
from marketplace.services import contracts, invoice_files
from marketplace.services.contracts import Terms
from marketplace.services.scope import actor

PER_PAGE = 50
DEFAULT_DAYS = 90
"""Days that a proposed contract runs unless something else is typed."""


class PriceFields(forms.Form):
    """A price for each task type; those left empty are not offered."""

    def __init__(self, *args: Any, prices: dict[str, int] | None = None, **kwargs: Any):
        super().__init__(*args, **kwargs)
        for name in task_types.names():
            self.fields[f"price_{name}"] = forms.CharField(
                max_length=money.TEXT_LENGTH.longest,
                required=False,
                label=gettext("Dollars per answer: {title}").format(title=gettext(task_types.get(name).title)),
                widget=forms.TextInput(attrs={"inputmode": "decimal"}),
            )
            if prices and name in prices:
                self.initial[f"price_{name}"] = money.text(prices[name])

    def prices(self) -> dict[str, int]:
        """Micro-dollars by task type, of the fields that are filled in. Records what is wrong with a field."""
        found = {}
        for name in task_types.names():
            text = self.cleaned_data.get(f"price_{name}")
            if text:
                try:
                    found[name] = money.read(text, field="prices")
                except Invalid as error:
                    self.add_error(f"price_{name}", error.message)
        return found

    def refuse(self, error: DomainError) -> None:
        """Show what a service has refused beside the field it names, else above the form."""
        for field, reason in error.errors or [("", error.message)]:
            self.add_error(field if field in self.fields else None, reason)


class TermsForm(PriceFields):
    """What is to be agreed on."""

    ends_on = forms.DateField(label=_("Last day"), widget=forms.DateInput(attrs={"type": "date"}))
    invoice_period = forms.ChoiceField(choices=words.choices(InvoicePeriod), label=_("An invoice"))
    note = forms.CharField(
        max_length=contracts.NOTE_LENGTH.longest, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.order_fields([name for name in self.fields if name.startswith("price_")])

    def terms(self) -> Terms:
        """The terms of a valid form."""
        given = self.cleaned_data
        return Terms(
            prices=self.prices(),
            ends_on=given["ends_on"],
            invoice_period=given["invoice_period"],
            note=given["note"],
        )


def new_terms_form(prices: dict[str, int]) -> TermsForm:
    """A form for a first proposal, with the vendor's own prices."""
    last = timezone.now().date() + timedelta(days=DEFAULT_DAYS)
    return TermsForm(prices=prices, initial={"ends_on": last, "invoice_period": InvoicePeriod.MONTHLY})


def contract_context(contract: Contract, side: str, form: TermsForm | None = None) -> dict[str, Any]:
    """What the page of a contract shows to one side."""
    known = {"ends_on": contract.ends_on, "invoice_period": contract.invoice_period}
    return {
        "contract": contract,
        "side": side,
        "other": contract.requester if side == contracts.VENDOR else contract.vendor,
        "prices": [(task_types.get(name).title, micros) for name, micros in contract.prices.items()],
        "waits_for": contracts.waits_for(contract),
        "team_arn": contracts.team_arn(contract),
        "history": contracts.history(contract),
        "notice_days": contracts.NOTICE_DAYS,
        "form": form or TermsForm(prices=contract.prices, initial=known),
    }


def answer(request: HttpRequest, contract: Contract, side: str) -> TermsForm | None:
    """Do what the pressed button says: confirm, terms, refuse or notice. Returns the form when it is wrong.

    Raises DomainErrors of the contract's state, which the page shows as messages.
    """
    by, decision = actor(request.user), request.POST.get("decision", "")
    version = request.POST.get("version", "")
    read = strict.whole_number(version) or 0
    if decision == "terms":
        form = TermsForm(request.POST)
        if form.is_valid():
            terms = form.terms()
            if form.is_valid():
                try:
                    contracts.propose_other(contract=contract, side=side, terms=terms, version=read, by=by)
                except Invalid as error:
                    form.refuse(error)
        if form.errors:
            return form
        messages.success(request, gettext("Your terms are proposed to the other side."))
    elif decision == "confirm":
        contracts.confirm(contract=contract, side=side, version=read, by=by)
        messages.success(request, gettext("The contract is live."))
    elif decision == "refuse":
        done = contracts.refuse(contract=contract, side=side, by=by)
        messages.success(request, gettext("The contract is {status}.").format(status=words.status(done.status).lower()))
    elif decision == "notice":
        done = contracts.give_notice(contract=contract, side=side, by=by)
        messages.success(request, gettext("The contract ends on {ends_on}.").format(ends_on=formats.day(done.ends_on)))
    else:
        raise Invalid("confirm, terms, refuse or notice is expected", field="decision")
    return None


def page_of(request: HttpRequest, rows: QuerySet[Any]) -> Any:
    """The page of a list that the address names."""
    return Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))


def invoice_file(invoice: Invoice) -> HttpResponse:
    """The invoice as CSV, to be saved."""
    response = HttpResponse(invoice_files.as_csv(invoice), content_type="text/csv")
    response["Content-Disposition"] = f'attachment; filename="invoice-{invoice.number}.csv"'
    response["Cache-Control"] = "no-store"
    return response
