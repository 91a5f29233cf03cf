"""The operator's list of what was found in workers' conduct: rules, workers who agree too much, appeals, bans."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from frontend.conduct_forms import DecideForm, RuleForm, rule_rows, shown
from frontend.review_forms import first_error
from frontend.session import operator_page
from labeling.services.conduct import deciding, lists, policies
from marketplace.errors import DomainError
from marketplace.services.scope import actor

PER_PAGE = 20


@operator_page
def page(request: HttpRequest) -> HttpResponse:
    """Findings of every account, open ones unless all are asked for, and what rules do where nobody chose."""
    which, rows = request.GET.get("which", "open"), lists.of_operator()
    if which != "all":
        rows = lists.open_ones(rows)
    found = Paginator(rows.order_by("-pk"), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": found,
        "findings": shown(found),
        "which": which,
        "operator": True,
        "rules": rule_rows(policies.policies(), operator=True),
        "decide_url": "operator:flag-decide",
        "rule_url": "operator:flag-rule",
        "minutes": policies.MINUTES,
    }
    return render(request, "operator/flags.html", context)


@require_POST
@operator_page
def decide(request: HttpRequest, finding_id: int) -> HttpResponse:
    """Let a finding stand, take it back, or ban the worker; answers its appeal."""
    finding = lists.one(lists.of_operator(), finding_id)
    form = DecideForm(request.POST)
    if not form.is_valid():
        messages.error(request, first_error(form))
        return redirect("operator:flags")
    try:
        done = deciding.decide(finding=finding, **form.cleaned_data, by=actor(request.user), operator=True)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        said = {"Dismissed": "Taken back."}.get(done.state, "It stands.")
        messages.success(request, "The worker is banned." if done.action == "Ban" and done.state == "Active" else said)
    return redirect("operator:flags")


@require_POST
@operator_page
def set_rule(request: HttpRequest) -> HttpResponse:
    """Choose what follows from a rule wherever no account chose."""
    form = RuleForm(request.POST)
    if not form.is_valid():
        messages.error(request, first_error(form))
        return redirect("operator:flags")
    given = form.cleaned_data | {"minutes": form.cleaned_data["minutes"] or 0}
    try:
        done = policies.set_policy(**given, by=actor(request.user))
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"{done.rule.title}: {done.action.lower()}, wherever no account chose.")
    return redirect("operator:flags")
