"""The account's page about the conduct of workers in its jobs: findings, appeals, rules, and closing a job to
somebody."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from frontend.conduct_forms import CloseForm, DecideForm, RuleForm, rule_rows, shown
from frontend.review_forms import first_error
from frontend.session import requester_page
from labeling.services import scope
from labeling.services.conduct import acting, deciding, lists, policies
from marketplace.errors import DomainError
from marketplace.models import Role
from marketplace.services import scope as marketplace_scope
from marketplace.services.scope import actor

PER_PAGE = 20


@requester_page()
def page(request: HttpRequest) -> HttpResponse:
    """What was found in the account's jobs, open findings unless all are asked for, and the account's rules."""
    account = request.account  # type: ignore[attr-defined]
    which, rows = request.GET.get("which", "open"), lists.of_account(account)
    if which != "all":
        rows = lists.open_ones(rows)
    found = Paginator(rows.order_by("-pk"), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": found,
        "findings": shown(found),
        "which": which,
        "rules": rule_rows(policies.policies(account=account), operator=False),
        "decide_url": "requester:conduct-decide",
        "rule_url": "requester:conduct-rule",
        "minutes": policies.MINUTES,
    }
    return render(request, "requester/conduct.html", context)


@require_POST
@requester_page(Role.MEMBER)
def decide(request: HttpRequest, finding_id: int) -> HttpResponse:
    """Let a finding stand, or take it back; answers its appeal."""
    finding = lists.one(lists.of_account(request.account), finding_id)  # type: ignore[attr-defined]
    form = DecideForm(request.POST)
    if not form.is_valid():
        messages.error(request, first_error(form))
        return redirect("requester:conduct")
    try:
        done = deciding.decide(finding=finding, **form.cleaned_data, by=actor(request.user), operator=False)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        taken_back = done.state == "Dismissed"
        messages.success(request, "Taken back: the job is open to the worker." if taken_back else "It stands.")
    return redirect("requester:conduct")


@require_POST
@requester_page(Role.ADMIN)
def set_rule(request: HttpRequest) -> HttpResponse:
    """Choose what follows from a rule in the account's jobs."""
    form = RuleForm(request.POST)
    if not form.is_valid():
        messages.error(request, first_error(form))
        return redirect("requester:conduct")
    given = form.cleaned_data | {"minutes": form.cleaned_data["minutes"] or 0}
    try:
        done = policies.set_policy(**given, account=request.account, by=actor(request.user))  # type: ignore[attr-defined]
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"{done.rule.title}: {done.action.lower()}, in every job of the account.")
    return redirect("requester:conduct")


@require_POST
@requester_page(Role.MEMBER)
def close(request: HttpRequest, job_id: int) -> HttpResponse:
    """Close one job to a worker."""
    job = scope.job(request.account, job_id)  # type: ignore[attr-defined]
    form = CloseForm(request.POST)
    if not form.is_valid():
        messages.error(request, first_error(form))
        return redirect("requester:job-people", job.pk)
    try:
        worker = marketplace_scope.worker_named(form.cleaned_data["worker"])
        acting.block(queue=job.queue, worker=worker, reason=form.cleaned_data["reason"], by=actor(request.user))
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"This job is closed to {worker.public_id}. They may appeal to you.")
    return redirect("requester:job-people", job.pk)
