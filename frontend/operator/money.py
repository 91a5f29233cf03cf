"""The operator's page of reversed deposits, refunds of wallets, and taxes on fees."""

from decimal import Decimal

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from frontend.session import operator_page
from frontend.templatetags.waggle import money as shown
from marketplace.errors import DomainError
from marketplace.models import Account
from marketplace.services import billing, debts, wallet_refunds, wallets
from marketplace.services.scope import actor

PER_PAGE = 50


class ChargebackForm(forms.Form):
    """A deposit that the bank took back."""

    reference = forms.CharField(
        max_length=wallets.REFERENCE_LENGTH.longest,
        label=_("Reference of the deposit"),
        help_text=_("As it was recorded."),
    )
    reason = forms.CharField(
        max_length=debts.REASON_LENGTH.longest, help_text=_("The account's admins read it."), label=_("Reason")
    )


class TaxForm(forms.Form):
    """The tax on an account's fees."""

    account = forms.ModelChoiceField(Account.objects.order_by("name"), empty_label=None, label=_("Account"))
    percent = forms.RegexField(
        billing.PERCENT_TEXT, max_length=billing.PERCENT_LENGTH.longest, label=_("Percent"), help_text=_("0: no tax.")
    )
    label = forms.CharField(
        max_length=billing.LABEL_LENGTH.longest,
        required=False,
        label=_("Name of the tax"),
        help_text=_("For example VAT."),
    )


def _page(
    request: HttpRequest, *, chargeback: ChargebackForm | None = None, tax: TaxForm | None = None, status: int = 200
) -> HttpResponse:
    taxes = tax or TaxForm()
    taxes.fields["account"].label_from_instance = lambda a: f"{a.name} ({a.number})"  # type: ignore[attr-defined]
    page = Paginator(wallet_refunds.everybodys(), PER_PAGE).get_page(request.GET.get("page"))
    owed = debts.owed_by_each({refund.account for refund in page})
    context = {
        "page": page,
        "rows": [(refund, owed[refund.account_id]) for refund in page],
        "chargeback_form": chargeback or ChargebackForm(),
        "tax_form": taxes,
    }
    return render(request, "operator/money.html", context, status=status)


@operator_page
def page(request: HttpRequest) -> HttpResponse:
    """Refunds that are asked for, and forms for reversed deposits and taxes."""
    return _page(request)


@require_POST
@operator_page
def reverse_deposit(request: HttpRequest) -> HttpResponse:
    """The bank has taken a deposit back."""
    form = ChargebackForm(request.POST)
    if form.is_valid():
        try:
            done = debts.reverse_deposit(by=actor(request.user), **form.cleaned_data)
        except DomainError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
    if form.errors:
        return _page(request, chargeback=form, status=422)
    text = gettext("{amount} taken back from {account}.")
    if done.owed_micros:
        text = gettext("{amount} taken back from {account}. It owes {debt}; its jobs wait.")
    amounts = {"amount": shown(done.amount_micros), "debt": shown(done.owed_micros)}
    messages.success(request, format_html(text, account=done.account.name, **amounts))
    return redirect("operator:money")


@require_POST
@operator_page
def set_tax(request: HttpRequest) -> HttpResponse:
    """Charge a tax on an account's fees."""
    form = TaxForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        try:
            billing.set_tax(
                account=given["account"],
                percent=Decimal(given["percent"]),
                label=given["label"],
                by=actor(request.user),
            )
        except DomainError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
    if form.errors:
        return _page(request, tax=form, status=422)
    messages.success(
        request,
        gettext("Fees of {name} are taxed with {percent} %.").format(
            name=given["account"].name, percent=given["percent"]
        ),
    )
    return redirect("operator:money")


@require_POST
@operator_page
def refund_paid(request: HttpRequest, refund_id: int) -> HttpResponse:
    """A refund was sent."""
    refund = wallet_refunds.any_one(refund_id)
    wallet_refunds.mark_paid(refund=refund, by=actor(request.user))
    messages.success(request, gettext("The refund to {name} is paid.").format(name=refund.account.name))
    return redirect("operator:money")


@require_POST
@operator_page
def refund_refused(request: HttpRequest, refund_id: int) -> HttpResponse:
    """A refund is not sent."""
    refund = wallet_refunds.any_one(refund_id)
    wallet_refunds.refuse(refund=refund, reason=request.POST.get("reason", ""), by=actor(request.user))
    messages.success(
        request, gettext("Refused; the money is in the wallet of {name} again.").format(name=refund.account.name)
    )
    return redirect("operator:money")
