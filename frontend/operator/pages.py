"""The operator's pages: accounts with their balances, deposits, and appeals."""

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from frontend import appeal_pages
from frontend.session import operator_page
from frontend.templatetags.waggle import money as shown
from labeling.services import scope
from marketplace import money
from marketplace.errors import Invalid
from marketplace.models import Account
from marketplace.services import wallets
from marketplace.services.scope import actor

PER_PAGE = 50


class DepositForm(forms.Form):
    """A payment from a requester, to be recorded in their wallet once."""

    account = forms.ModelChoiceField(Account.objects.order_by("name"), empty_label=None, label=_("Account"))
    amount = forms.CharField(max_length=money.TEXT_LENGTH.longest, label=_("Amount in dollars"))
    reference = forms.CharField(
        max_length=wallets.REFERENCE_LENGTH.longest,
        help_text=_("Your reference of the payment. The same reference is recorded only once."),
        label=_("Reference"),
    )

    def clean_amount(self) -> int:
        """Micro-dollars."""
        try:
            return money.read(self.cleaned_data["amount"], field="amount")
        except Invalid as error:
            raise forms.ValidationError(error.message) from error


def _page(request: HttpRequest, form: DepositForm, status: int = 200) -> HttpResponse:
    form.fields["account"].label_from_instance = lambda a: f"{a.name} ({a.number})"  # type: ignore[attr-defined]
    page = Paginator(Account.objects.order_by("name"), PER_PAGE).get_page(request.GET.get("page"))
    funds = wallets.funds_of_many(page)
    rows = [(account, funds[account.pk].balance, funds[account.pk].held) for account in page]
    return render(request, "operator/accounts.html", {"page": page, "rows": rows, "form": form}, status=status)


@operator_page
def accounts_page(request: HttpRequest) -> HttpResponse:
    """Accounts and their money."""
    return _page(request, DepositForm())


@operator_page
def deposit(request: HttpRequest) -> HttpResponse:
    """Record a deposit."""
    if request.method != "POST":
        return redirect("operator:accounts")
    form = DepositForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    given = form.cleaned_data
    wallets.deposit(
        account=given["account"],
        amount_micros=given["amount"],
        reference=given["reference"],
        by=actor(request.user),
    )
    text = gettext("{amount} recorded for {account}.")
    messages.success(request, format_html(text, amount=shown(given["amount"]), account=given["account"].name))
    return redirect("operator:accounts")


@operator_page
def appeals_page(request: HttpRequest) -> HttpResponse:
    """The appeals of every account: open ones first."""
    return appeal_pages.listed(request, scope.appeals(), room="operator", per_page=PER_PAGE)


@require_POST
@operator_page
def answer_appeal(request: HttpRequest, appeal_id: int) -> HttpResponse:
    """Uphold or deny an appeal in place of its account."""
    return appeal_pages.answered(request, scope.appeal(appeal_id), room="operator")
