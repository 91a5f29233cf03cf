"""The operator's page of payouts: what workers ask for, files for the bank, and files of the bank."""

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from frontend.session import operator_page
from marketplace.errors import Invalid
from marketplace.models import PaymentWay, PayoutStatus
from marketplace.services import bank_files, payouts
from marketplace.services.payments import registry
from marketplace.services.payments.provider import Message
from marketplace.services.scope import actor

PER_PAGE = 50


class FileForm(forms.Form):
    """A CSV file of the bank."""

    kind = forms.ChoiceField(
        label=_("What the file says"),
        choices=[("settlements", _("What became of payouts")), ("deposits", _("Payments of requesters"))],
        help_text=format_lazy(
            _("Columns: {settlements}; or {deposits}."),
            settlements=", ".join(bank_files.SETTLEMENT_COLUMNS),
            deposits=", ".join(bank_files.DEPOSIT_COLUMNS),
        ),
    )
    file = forms.FileField(
        help_text=_("CSV with a heading, in UTF-8. Reading a file twice changes nothing."), label=_("File")
    )


def _page(
    request: HttpRequest, *, form: FileForm | None = None, lines: list[bank_files.Line] | None = None, status: int = 200
) -> HttpResponse:
    chosen = request.GET.get("status", "")
    rows = payouts.everybodys(chosen if chosen in PayoutStatus.values else None)
    context = {
        "page": Paginator(rows, PER_PAGE).get_page(request.GET.get("page")),
        "statuses": PayoutStatus.values,
        "chosen": chosen,
        "requested": payouts.requested_by_provider(),
        "form": form or FileForm(),
        "lines": lines,
    }
    if registry.stripe_is_on():
        context |= {"stripe": True, "problems": registry.provider(PaymentWay.STRIPE).problems()}
    return render(request, "operator/payouts.html", context, status=status)


@operator_page
def page(request: HttpRequest) -> HttpResponse:
    """All payouts."""
    return _page(request)


@require_POST
@operator_page
def send(request: HttpRequest) -> HttpResponse:
    """Make a bank file of what is requested."""
    name = registry.provider(PaymentWay.MANUAL).send_payouts(by=actor(request.user))
    if name:
        messages.success(request, gettext("{name}.csv is ready: give it to your bank.").format(name=name))
    else:
        messages.info(request, gettext("No payout is requested now."))
    return redirect("operator:payouts")


@require_POST
@operator_page
def send_by_stripe(request: HttpRequest) -> HttpResponse:
    """Let Stripe pay out what is requested of it."""
    sent = registry.provider(PaymentWay.STRIPE).send_payouts(by=actor(request.user))
    if sent:
        messages.success(
            request, gettext("{sent} handed to Stripe, which says itself what becomes of them.").format(sent=sent)
        )
    else:
        messages.info(request, gettext("No payout by Stripe is requested now."))
    return redirect("operator:payouts")


@operator_page
def file(request: HttpRequest, name: str) -> HttpResponse:
    """A bank file, to be saved."""
    response = HttpResponse(bank_files.payouts_as_csv(payouts.in_file(name)), content_type="text/csv")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    response["Cache-Control"] = "no-store"
    return response


@require_POST
@operator_page
def paid(request: HttpRequest, payout_id: int) -> HttpResponse:
    """The bank has made a transfer."""
    payout = payouts.any_one(payout_id)
    payouts.mark_paid(payout=payout, by=actor(request.user))
    messages.success(request, gettext("{reference} is paid.").format(reference=payout.reference))
    return redirect("operator:payouts")


@require_POST
@operator_page
def failed(request: HttpRequest, payout_id: int) -> HttpResponse:
    """The bank has refused a transfer."""
    payout = payouts.any_one(payout_id)
    payouts.mark_failed(payout=payout, reason=request.POST.get("reason", ""), by=actor(request.user))
    messages.success(
        request,
        gettext("{reference} failed; the worker has the money and the reason.").format(reference=payout.reference),
    )
    return redirect("operator:payouts")


@require_POST
@operator_page
def read(request: HttpRequest) -> HttpResponse:
    """Read a file of the bank, and say what became of each line."""
    form = FileForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, form=form, status=422)
    content = form.cleaned_data["file"].read(bank_files.FILE_BYTES.longest + 1)
    try:
        message = Message(content, form.cleaned_data["kind"])
        lines = registry.provider(PaymentWay.MANUAL).receive(message, by=actor(request.user))
    except Invalid as error:
        form.add_error("file", error.message)
        return _page(request, form=form, status=422)
    return _page(request, lines=lines)
