"""Golds on a job's page of its people, and what a member does with them: add, confirm, withdraw, change the rate."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Case, IntegerField, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from frontend.review_forms import first_error
from frontend.session import requester_page
from labeling.models import GoldStatus, LabelingJob
from labeling.queries import golds
from labeling.services import scope
from labeling.services.golds import keeping, options
from marketplace.errors import DomainError
from marketplace.models import Role
from marketplace.services.scope import actor

PER_PAGE = 20


class OptionsForm(forms.Form):
    """What can be changed of a job's golds while it runs."""

    rate = forms.FloatField(label=_("Percent of the tasks"), help_text=_("0: no more golds."), **options.RATE.bounds)
    mint = forms.IntegerField(label=_("Golds of unanimous objects"), **options.MINT.bounds)
    pass_mark = forms.FloatField(label=_("An answer passes from a score of"), **options.PASS_MARK.bounds)


class WithdrawForm(forms.Form):
    """Why a gold is withdrawn."""

    reason = forms.CharField(required=False, max_length=keeping.REASON_LENGTH.longest, label=_("Reason"))


def section(request: HttpRequest, job: LabelingJob) -> dict[str, Any]:
    """What the page shows of golds: suspect ones first, each with its answers; the counts; the form of the options."""
    rows = scope.golds(job).annotate(
        first=Case(When(state=GoldStatus.SUSPECT, then=Value(0)), default=Value(1), output_field=IntegerField())
    )
    given = options.of(job)
    return {
        "page": Paginator(rows.order_by("first", "-pk"), PER_PAGE).get_page(request.GET.get("page")),
        "suspects": scope.golds(job).filter(state=GoldStatus.SUSPECT).count(),
        "options": given,
        "form": OptionsForm(initial=given) if job.status in ("Initializing", "InProgress") else None,
        "workers": golds.by_worker(job),
        "mark": golds.pass_mark(job),
    }


def _back(job: LabelingJob) -> HttpResponse:
    return redirect(reverse("requester:job-people", args=[job.pk]) + "#golds")


@require_POST
@requester_page(Role.MEMBER)
def add(request: HttpRequest, job_id: int, object_id: int) -> HttpResponse:
    """Make an object a gold, with its label as the truth."""
    job = scope.job(request.account, job_id)  # type: ignore[attr-defined]
    row = scope.data_object(job, object_id)
    try:
        keeping.add(data_object=row, by=actor(request.user))
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, gettext("This object is a gold now and is mixed into the work."))
    return redirect("requester:object", job_id, object_id)


@require_POST
@requester_page(Role.MEMBER)
def confirm(request: HttpRequest, job_id: int, gold_id: int) -> HttpResponse:
    """Say that a suspect gold is right."""
    job = scope.job(request.account, job_id)  # type: ignore[attr-defined]
    try:
        keeping.confirm(gold=scope.gold(job, gold_id), by=actor(request.user))
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, gettext("Kept: the gold is given out again."))
    return _back(job)


@require_POST
@requester_page(Role.MEMBER)
def withdraw(request: HttpRequest, job_id: int, gold_id: int) -> HttpResponse:
    """Take a gold out for good."""
    job = scope.job(request.account, job_id)  # type: ignore[attr-defined]
    gold, form = scope.gold(job, gold_id), WithdrawForm(request.POST)
    if not form.is_valid():
        messages.error(request, first_error(form))
    else:
        keeping.withdraw(gold=gold, reason=form.cleaned_data["reason"], by=actor(request.user))
        messages.success(request, gettext("Withdrawn: what was answered to it counts for nobody any more."))
    return _back(job)


@require_POST
@requester_page(Role.MEMBER)
def change_options(request: HttpRequest, job_id: int) -> HttpResponse:
    """Change rate, golds of unanimous objects and pass mark."""
    job = scope.job(request.account, job_id)  # type: ignore[attr-defined]
    form = OptionsForm(request.POST)
    if not form.is_valid():
        messages.error(request, first_error(form))
        return _back(job)
    try:
        options.change(job=job, by=actor(request.user), **form.cleaned_data)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, gettext("Saved. It holds from the next task on."))
    return _back(job)
