"""The account's page about the conduct of workers in its jobs: findings, appeals, rules, and closing a job to
somebody."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from frontend import conduct_pages
from frontend.conduct_forms import CloseForm
from frontend.review_forms import first_error
from frontend.session import requester_page
from labeling.models import ConductFinding
from labeling.services import scope
from labeling.services.conduct import acting, lists, policies
from marketplace.errors import DomainError
from marketplace.models import Role
from marketplace.services import scope as marketplace_scope
from marketplace.services.scope import actor


@requester_page()
def page(request: HttpRequest) -> HttpResponse:
    """What was found in the account's jobs, open findings unless all are asked for, and the account's rules."""
    account = request.account  # type: ignore[attr-defined]
    return conduct_pages.listed(
        request,
        lists.of_account(account),
        policies.policies(account=account),
        template="requester/conduct.html",
        address="requester:conduct",
        operator=False,
    )


def _said(done: ConductFinding) -> str:
    if done.state == "Dismissed":
        return gettext("Taken back: the job is open to the worker.")
    return gettext("It stands.")


@require_POST
@requester_page(Role.MEMBER)
def decide(request: HttpRequest, finding_id: int) -> HttpResponse:
    """Let a finding stand, or take it back; answers its appeal."""
    finding = lists.one(lists.of_account(request.account), finding_id)  # type: ignore[attr-defined]
    conduct_pages.decide(request, finding, operator=False, said=_said)
    return redirect("requester:conduct")


@require_POST
@requester_page(Role.ADMIN)
def set_rule(request: HttpRequest) -> HttpResponse:
    """Choose what follows from a rule in the account's jobs."""
    account = request.account  # type: ignore[attr-defined]
    conduct_pages.set_rule(request, account=account, where=gettext("in every job of the account"))
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
        messages.success(
            request,
            gettext("This job is closed to {public_id}. They may appeal to you.").format(public_id=worker.public_id),
        )
    return redirect("requester:job-people", job.pk)
