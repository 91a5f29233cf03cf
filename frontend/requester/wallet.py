"""The wallet page: free money, money held for jobs, every movement, deposits by card."""

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop as word
from django.views.decorators.http import require_POST

from frontend import security, words
from frontend.requester.money import AmountForm
from frontend.session import requester_page
from labeling.queries.statements import StatementLine, statement_lines
from marketplace import money
from marketplace.errors import Invalid
from marketplace.models import EntryKind, PaymentWay, Role
from marketplace.services import debts, funds, wallet_refunds, wallets
from marketplace.services.payments import records, registry
from marketplace.services.scope import actor

PER_PAGE = 50
REFUNDS_SHOWN = 5
DEPOSITS_SHOWN = 5
# What a movement is called where its own description says less.
CALLED = {
    EntryKind.RESERVE: word("Held for open tasks"),
    EntryKind.REFUND: word("Returned: not needed"),
    EntryKind.RETURN: word("Returned: an answer was rejected"),
    EntryKind.APPEAL: word("Paid: an appeal was upheld"),
    EntryKind.TAKE_BACK: word("Refund asked for"),
    EntryKind.KEPT: word("Refund that was not sent"),
    EntryKind.SETTLEMENT: word("Settled what was owed"),
}


class LowFundsForm(forms.Form):
    """Below how much free money the account is told."""

    threshold = forms.CharField(
        max_length=money.TEXT_LENGTH.longest,
        required=False,
        label=_("Tell me below so many dollars"),
        help_text=_("Empty: only when open work cannot be paid for."),
    )

    def clean_threshold(self) -> int:
        """Micro-dollars; 0 for never."""
        if not self.cleaned_data["threshold"]:
            return 0
        try:
            return money.read(self.cleaned_data["threshold"], field="threshold", zero=True)
        except Invalid as error:
            raise forms.ValidationError(error.message) from error


class DepositForm(forms.Form):
    """How much is to be paid by card."""

    amount = forms.CharField(max_length=money.TEXT_LENGTH.longest, label=_("Amount to pay in dollars"))

    def clean_amount(self) -> int:
        """Micro-dollars."""
        try:
            return money.read(self.cleaned_data["amount"], field="amount")
        except Invalid as error:
            raise forms.ValidationError(error.message) from error


@requester_page()
def page(
    request: HttpRequest,
    form: LowFundsForm | None = None,
    deposit_form: DepositForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """Balance and statement."""
    account = request.account  # type: ignore[attr-defined]
    statement = Paginator(wallets.statement(account=account), PER_PAGE).get_page(request.GET.get("page"))
    least = funds.threshold(account)
    context = {
        "page": statement,
        "rows": [{"line": line, "what": _called(line)} for line in statement_lines(statement)],
        "balance": wallets.balance(account=account),
        "held": wallets.held(account=account),
        "under_review": wallets.under_review(account=account),
        "owed": debts.owed(account),
        "refunds": list(wallet_refunds.of_account(account)[:REFUNDS_SHOWN]),
        "refund_form": AmountForm(),
        "form": form or LowFundsForm(initial={"threshold": money.plain(least) if least else ""}),
    }
    if not registry.stripe_is_on():
        return render(request, "requester/wallet.html", context, status=status)
    context |= {
        "deposit_form": deposit_form or DepositForm(auto_id="id_deposit_%s"),
        "deposits": records.recent_deposits(account, most=DEPOSITS_SHOWN),
    }
    response = render(request, "requester/wallet.html", context, status=status)
    return security.forms_lead_to(response, registry.provider(PaymentWay.STRIPE).origins())


@require_POST
@requester_page(Role.OWNER)
def deposit(request: HttpRequest) -> HttpResponse:
    """Go on to Stripe, to pay by card. The deposit is booked when Stripe reports the payment."""
    provider = registry.provider(PaymentWay.STRIPE)
    form = DepositForm(request.POST, auto_id="id_deposit_%s")
    if form.is_valid():
        try:
            url = provider.start_deposit(
                account=request.account,  # type: ignore[attr-defined]
                amount_micros=form.cleaned_data["amount"],
                by=actor(request.user),
                back=settings.PUBLIC_URL + reverse("requester:wallet"),
            )
        except Invalid as error:
            form.add_error("amount", error.message)
        else:
            return redirect(url)
    return page(request, deposit_form=form, status=422)


@require_POST
@requester_page(Role.ADMIN)
def low_funds(request: HttpRequest) -> HttpResponse:
    """Say below how much free money the account's admins are told."""
    form = LowFundsForm(request.POST)
    if not form.is_valid():
        return page(request, form=form, status=422)
    funds.set_threshold(
        account=request.account,  # type: ignore[attr-defined]
        amount_micros=form.cleaned_data["threshold"],
        by=actor(request.user),
    )
    messages.success(request, gettext("Saved."))
    return redirect("requester:wallet")


def _called(line: StatementLine) -> str:
    kind = EntryKind(line.kind)
    called = CALLED.get(kind)
    return gettext(called) if called else line.description or str(words.ENTRIES[kind])
