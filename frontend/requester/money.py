"""The account's money beside the wallet: statements, what invoices say, refunds, and the bonuses of a job."""

import uuid

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from frontend import invoice_pdf, statement_files, statement_pages
from frontend.requester import jobs
from frontend.session import requester_page
from frontend.templatetags.waggle import money as shown
from labeling.services import bonuses, scope
from labeling.services.jobs import pausing
from marketplace import money
from marketplace.errors import DomainError, Invalid
from marketplace.models import Role, Worker
from marketplace.services import billing, wallet_refunds
from marketplace.services.scope import actor

PER_PAGE = 50


class AmountForm(forms.Form):
    """How much of the free money is wanted back; left empty, everything."""

    amount = forms.CharField(
        max_length=money.TEXT_LENGTH.longest,
        required=False,
        label=_("Amount in dollars"),
        help_text=_("Empty: everything."),
    )

    def clean_amount(self) -> int | None:
        """Micro-dollars; None for everything."""
        text = self.cleaned_data["amount"]
        return _micros(text) if text else None


class BillingForm(forms.Form):
    """What invoices say of the account."""

    billing_name = forms.CharField(max_length=billing.NAME_LENGTH.longest, required=False, label=_("Name on invoices"))
    billing_address = forms.CharField(
        max_length=billing.ADDRESS_LENGTH.longest,
        required=False,
        label=_("Address"),
        widget=forms.Textarea({"rows": 3}),
    )
    tax_number = forms.CharField(
        max_length=billing.NUMBER_LENGTH.longest,
        required=False,
        label=_("Tax number"),
        help_text=_("A VAT number of the EU is checked."),
    )


class BonusForm(forms.Form):
    """A worker who has worked for the job, how much, and why."""

    worker = forms.CharField(max_length=Worker._meta.get_field("public_id").max_length, label=_("Worker's id"))
    amount = forms.CharField(max_length=money.TEXT_LENGTH.longest, label=_("Amount in dollars"))
    reason = forms.CharField(max_length=bonuses.REASON_LENGTH.longest, help_text=_("The worker reads it."))
    token = forms.CharField(max_length=bonuses.TOKEN_LENGTH.longest, widget=forms.HiddenInput)

    def clean_amount(self) -> int:
        """Micro-dollars."""
        return _micros(self.cleaned_data["amount"])


def _micros(text: str) -> int:
    try:
        return money.read(text, field="amount")
    except Invalid as error:
        raise forms.ValidationError(error.message) from error


@requester_page()
def statement(request: HttpRequest) -> HttpResponse:
    """What the account had, what moved, what it has."""
    return statement_pages.page(request, statement_files.of_account(request.account), room="requester")  # type: ignore[attr-defined]


@requester_page()
def statement_file(request: HttpRequest) -> HttpResponse:
    """The statement as CSV."""
    account = request.account  # type: ignore[attr-defined]
    period = statement_files.period_of(statement_files.filled(request.GET))
    return statement_files.csv_response(statement_files.of_account(account), period, name=f"statement-{account.number}")


@requester_page()
def statement_invoice(request: HttpRequest) -> HttpResponse:
    """The statement as PDF: invoice and receipt."""
    return invoice_pdf.response(request.account, statement_files.period_of(statement_files.filled(request.GET)))  # type: ignore[attr-defined]


@require_POST
@requester_page(Role.OWNER)
def request_refund(request: HttpRequest) -> HttpResponse:
    """Ask for free money back."""
    form = AmountForm(request.POST)
    if form.is_valid():
        refund = wallet_refunds.request(
            account=request.account,  # type: ignore[attr-defined]
            amount_micros=form.cleaned_data["amount"],
            by=actor(request.user),
        )
        messages.success(request, format_html(gettext("{} will be sent back to you."), shown(refund.amount_micros)))
        return redirect("requester:wallet")
    raise Invalid(form.errors["amount"][0], field="amount")


@require_POST
@requester_page(Role.OWNER)
def cancel_refund(request: HttpRequest, refund_id: int) -> HttpResponse:
    """Take back a request that was not sent yet."""
    refund = wallet_refunds.one_of(request.account, refund_id)  # type: ignore[attr-defined]
    wallet_refunds.cancel(refund=refund, by=actor(request.user))
    messages.success(request, gettext("Cancelled; the money is in your wallet again."))
    return redirect("requester:wallet")


@requester_page(Role.ADMIN)
def invoicing(request: HttpRequest) -> HttpResponse:
    """What invoices say of the account."""
    account = request.account  # type: ignore[attr-defined]
    terms = billing.terms(account)
    form = BillingForm(request.POST if request.method == "POST" else None, initial=vars(terms))
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            billing.set_invoicing(
                account=account,
                name=given["billing_name"],
                address=given["billing_address"],
                number=given["tax_number"],
            )
        except Invalid as error:
            form.add_error(error.field, error.message)
        else:
            messages.success(request, gettext("Saved. Invoices say it from now on."))
            return redirect("requester:billing")
    return render(request, "requester/billing.html", {"form": form, "terms": terms}, status=422 if form.errors else 200)


@requester_page()
def job_bonuses(request: HttpRequest, job_id: int) -> HttpResponse:
    """The bonuses of a job."""
    return _bonuses(request, job_id, BonusForm(initial={"token": uuid.uuid4().hex}))


@require_POST
@requester_page(Role.MEMBER)
def pay_bonus(request: HttpRequest, job_id: int) -> HttpResponse:
    """Pay a bonus; a form that is sent twice pays once."""
    job = scope.job(request.account, job_id)  # type: ignore[attr-defined]
    form = BonusForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        try:
            bonus = bonuses.pay(
                job=job,
                worker=bonuses.worker_who_worked(job, given["worker"].strip().upper()),
                amount_micros=given["amount"],
                reason=given["reason"],
                token=given["token"],
                by=actor(request.user),
            )
        except DomainError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            messages.success(
                request, format_html(gettext("{} paid to {}."), shown(bonus.amount_micros), bonus.worker.public_id)
            )
            return redirect("requester:job-bonuses", job.pk)
    return _bonuses(request, job_id, form, status=422)


def _bonuses(request: HttpRequest, job_id: int, form: BonusForm, status: int = 200) -> HttpResponse:
    job = scope.job(request.account, job_id)  # type: ignore[attr-defined]
    page = Paginator(bonuses.of_job(job), PER_PAGE).get_page(request.GET.get("page"))
    context = {**jobs.job_context(request, job, "bonuses"), "page": page, "form": form}
    return render(request, "requester/job_bonuses.html", context, status=status)


@require_POST
@requester_page(Role.MEMBER)
def resume(request: HttpRequest, job_id: int) -> HttpResponse:
    """Look at once whether a job that waits for money can go on."""
    job = scope.job(request.account, job_id)  # type: ignore[attr-defined]
    pausing.resume(job=job)
    messages.info(request, gettext("The wallet is looked at again; the job goes on as soon as it can."))
    return redirect("requester:job", job.pk)
