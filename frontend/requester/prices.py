"""The price of a job on its page: the history, the forecast end beside the wanted one, raising it, its ceiling."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from frontend.requester.fields import dollars
from frontend.review_forms import first_error
from frontend.session import requester_page
from labeling.models import LabelingJob
from labeling.services import scope
from labeling.services.jobs import limits, pacing, repricing
from marketplace import money
from marketplace.errors import DomainError
from marketplace.models import Role
from marketplace.services.scope import actor

SHOWN = 20
"""Rises that the page lists."""


class RaiseForm(forms.Form):
    """The new price of an answer."""

    price = forms.CharField(
        max_length=money.TEXT_LENGTH.longest, label=_("New price in dollars"), help_text=_("Higher than now.")
    )

    def clean_price(self) -> int:
        """Micro-dollars."""
        return dollars(self.cleaned_data["price"])


class CeilingForm(forms.Form):
    """How far the price may rise for the job to be done in time; both empty: it stays."""

    price_ceiling = forms.CharField(
        max_length=money.TEXT_LENGTH.longest, required=False, label=_("Highest price in dollars")
    )
    wanted_hours = forms.FloatField(
        required=False,
        label=_("Done within hours from now"),
        help_text=_("Both empty: the price stays."),
        **limits.WANTED_HOURS.bounds,
    )

    def clean_price_ceiling(self) -> int | None:
        """Micro-dollars, or none."""
        text = self.cleaned_data["price_ceiling"]
        return dollars(text) if text else None


def section(job: LabelingJob) -> dict[str, Any]:
    """What the job's page shows of its price."""
    own = not (job.workteam.is_panel or job.workteam.of_vendor)
    changeable = own and job.status in repricing.CHANGEABLE
    initial = {}
    if job.price_ceiling_micros is not None and job.wanted_end is not None:
        left = (job.wanted_end - timezone.now()) / timedelta(hours=1)
        initial = {
            "price_ceiling": money.text(job.price_ceiling_micros).rstrip("0").rstrip("."),
            "wanted_hours": max(limits.WANTED_HOURS.low, round(left, 1)),
        }
    return {
        "own": own,
        "changes": list(repricing.history(job)[:SHOWN]),
        "pace": pacing.pace(job) if changeable else None,
        "next": pacing.next_price(job),
        "raising": RaiseForm() if changeable else None,
        "ceiling": CeilingForm(initial=initial) if changeable else None,
    }


def _back(job: LabelingJob) -> HttpResponse:
    return redirect(reverse("requester:job", args=[job.pk]) + "#price")


@require_POST
@requester_page(Role.MEMBER)
def raise_price(request: HttpRequest, job_id: int) -> HttpResponse:
    """Pay more from now on."""
    job = scope.job(request.account, job_id)  # type: ignore[attr-defined]
    form = RaiseForm(request.POST)
    if not form.is_valid():
        messages.error(request, first_error(form))
        return _back(job)
    try:
        repricing.raise_price(job=job, price_micros=form.cleaned_data["price"], by=actor(request.user))
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, gettext("Raised: it is paid for every answer that is handed in from now on."))
    return _back(job)


@require_POST
@requester_page(Role.MEMBER)
def set_ceiling(request: HttpRequest, job_id: int) -> HttpResponse:
    """Let the price rise by itself while the job is too slow, or let it stay."""
    job = scope.job(request.account, job_id)  # type: ignore[attr-defined]
    form = CeilingForm(request.POST)
    if not form.is_valid():
        messages.error(request, first_error(form))
        return _back(job)
    hours = form.cleaned_data["wanted_hours"]
    try:
        repricing.set_ceiling(
            job=job,
            price_ceiling_micros=form.cleaned_data["price_ceiling"],
            wanted_end=None if hours is None else timezone.now() + timedelta(hours=hours),
            by=actor(request.user),
        )
    except DomainError as error:
        messages.error(request, error.errors[0][1] if error.errors else error.message)
    else:
        messages.success(request, gettext("Saved."))
    return _back(job)
