"""The worker's earnings: each payment and payout, where pay is sent, and asking for it."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from frontend import security, statement_files, statement_pages
from frontend.session import worker_page
from labeling.queries import hourly
from labeling.queries.statements import statement_lines
from labeling.services.results import history
from marketplace import money
from marketplace.errors import DomainError, Invalid
from marketplace.models import UNDER_WAY, PaymentWay
from marketplace.services import earnings, payouts
from marketplace.services.payments import records, registry
from marketplace.services.scope import actor

PER_PAGE = 50
PAYOUTS_SHOWN = 10


class DetailsForm(forms.Form):
    """Where pay is to be sent."""

    holder = forms.CharField(max_length=payouts.TEXT_LENGTH.longest, label=_("Name on the account"))
    destination = forms.CharField(
        max_length=payouts.TEXT_LENGTH.longest,
        label=_("IBAN or account"),
        help_text=_("An IBAN, or what the operator of this installation has told you to give instead."),
    )


class RequestForm(forms.Form):
    """How much; left empty, everything."""

    amount = forms.CharField(
        max_length=money.TEXT_LENGTH.longest,
        required=False,
        label=_("Amount in dollars"),
        help_text=_("Empty: everything."),
    )

    def clean_amount(self) -> int | None:
        """Micro-dollars; None for everything."""
        if not self.cleaned_data["amount"]:
            return None
        try:
            return money.read(self.cleaned_data["amount"], field="amount")
        except Invalid as error:
            raise forms.ValidationError(error.message) from error


def _page(
    request: HttpRequest, *, details: DetailsForm | None = None, asked: RequestForm | None = None, status: int = 200
) -> HttpResponse:
    worker = request.worker  # type: ignore[attr-defined]
    page = Paginator(earnings.statement(worker=worker), PER_PAGE).get_page(request.GET.get("page"))
    recent = list(payouts.of_worker(worker)[:PAYOUTS_SHOWN])
    known = payouts.details_of(worker)
    by_bank = known is not None and known.provider == PaymentWay.MANUAL
    stored: dict[str, Any] = {"holder": known.holder, "destination": known.destination} if known and by_bank else {}
    context = {
        "page": page,
        "lines": statement_lines(page),
        "balance": earnings.balance(worker=worker),
        "held": earnings.held(worker=worker),
        "held_by_day": history.held_by_day(worker),
        "payouts": recent,
        "weeks": hourly.weeks_of(worker),
        "under_way": any(row.status in UNDER_WAY for row in recent),
        "least": payouts.minimum(),
        "known": known,
        "details_form": details or DetailsForm(initial=stored),
        "request_form": asked or RequestForm(),
    }
    if not registry.stripe_is_on():
        return render(request, "worker/earnings.html", context, status=status)
    context |= {"stripe": True, "payee": records.payee_of(worker)}
    response = render(request, "worker/earnings.html", context, status=status)
    return security.forms_lead_to(response, registry.provider(PaymentWay.STRIPE).origins())


@worker_page
def page(request: HttpRequest) -> HttpResponse:
    """Each payment and payout, and the balance."""
    return _page(request)


@worker_page
def statement(request: HttpRequest) -> HttpResponse:
    """What the worker had, what moved, what they have."""
    return statement_pages.page(request, statement_files.of_worker(request.worker), room="worker")  # type: ignore[attr-defined]


@worker_page
def statement_file(request: HttpRequest) -> HttpResponse:
    """The statement as CSV."""
    whose = statement_files.of_worker(request.worker)  # type: ignore[attr-defined]
    return statement_files.csv_response(
        whose, statement_files.period_of(statement_files.filled(request.GET)), name="earnings"
    )


@require_POST
@worker_page
def set_details(request: HttpRequest) -> HttpResponse:
    """Say where pay is to be sent."""
    form = DetailsForm(request.POST)
    if form.is_valid():
        try:
            payouts.set_details(worker=request.worker, **form.cleaned_data)  # type: ignore[attr-defined]
        except Invalid as error:
            form.add_error(error.field, error.message)
    if form.errors:
        return _page(request, details=form, status=422)
    messages.success(request, gettext("Saved. Payouts you ask for from now on go there."))
    return redirect("worker:earnings")


@require_POST
@worker_page
def connect(request: HttpRequest) -> HttpResponse:
    """Go on to Stripe, to set up an account there; once it is ready, pay is sent there."""
    url = registry.provider(PaymentWay.STRIPE).connect(
        worker=request.worker,  # type: ignore[attr-defined]
        back=settings.PUBLIC_URL + reverse("worker:earnings"),
    )
    if url:
        return redirect(url)
    messages.success(request, gettext("Stripe has all it needs. Payouts you ask for from now on are paid by Stripe."))
    return redirect("worker:earnings")


@require_POST
@worker_page
def request_payout(request: HttpRequest) -> HttpResponse:
    """Ask for what was earned."""
    form = RequestForm(request.POST)
    if form.is_valid():
        try:
            payouts.request(
                worker=request.worker,  # type: ignore[attr-defined]
                amount_micros=form.cleaned_data["amount"],
                by=actor(request.user),
            )
        except DomainError as error:
            form.add_error("amount" if error.field == "amount" else None, error.message)
    if form.errors:
        return _page(request, asked=form, status=422)
    messages.success(request, gettext("Requested. You can cancel it until it is sent to the bank."))
    return redirect("worker:earnings")


@require_POST
@worker_page
def cancel_payout(request: HttpRequest, payout_id: int) -> HttpResponse:
    """Take back a payout that was not sent yet."""
    payout = payouts.one_of(request.worker, payout_id)  # type: ignore[attr-defined]
    payouts.cancel(payout=payout, by=actor(request.user))
    messages.success(
        request,
        gettext("{reference} is cancelled; the money is in your earnings again.").format(reference=payout.reference),
    )
    return redirect("worker:earnings")
