"""The page of findings about workers, and what its forms do: an account's own, and the operator's of all accounts."""

from collections.abc import Callable, Mapping

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext

from frontend import words
from frontend.conduct_forms import DecideForm, RuleForm, rule_rows, shown
from frontend.review_forms import first_error
from labeling.models import ConductFinding
from labeling.services.conduct import deciding, lists, policies
from marketplace.errors import DomainError
from marketplace.models import Account
from marketplace.services.scope import actor

PER_PAGE = 20


def listed(
    request: HttpRequest,
    rows: QuerySet[ConductFinding],
    chosen: Mapping[str, policies.Policy],
    *,
    template: str,
    address: str,
    operator: bool,
) -> HttpResponse:
    """The findings, open ones unless all are asked for, and what follows from each rule.

    The forms go to the routes `address`-decide and `address`-rule.
    """
    which = request.GET.get("which", "open")
    if which != "all":
        rows = lists.open_ones(rows)
    found = Paginator(rows.order_by("-pk"), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": found,
        "findings": shown(found),
        "which": which,
        "operator": operator,
        "rules": rule_rows(chosen, operator=operator),
        "decide_url": f"{address}-decide",
        "rule_url": f"{address}-rule",
        "minutes": policies.MINUTES,
    }
    return render(request, template, context)


def decide(
    request: HttpRequest, finding: ConductFinding, *, operator: bool, said: Callable[[ConductFinding], str]
) -> None:
    """Do with the finding what the form says, and leave a message: what `said` makes of the finding, or the error."""
    form = DecideForm(request.POST)
    if not form.is_valid():
        messages.error(request, first_error(form))
        return
    try:
        done = deciding.decide(finding=finding, **form.cleaned_data, by=actor(request.user), operator=operator)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, said(done))


def set_rule(request: HttpRequest, *, account: Account | None, where: str) -> None:
    """Choose what follows from a rule as the form says, and leave a message: done `where`, or the error."""
    form = RuleForm(request.POST)
    if not form.is_valid():
        messages.error(request, first_error(form))
        return
    given = form.cleaned_data | {"minutes": form.cleaned_data["minutes"] or policies.USUAL_MINUTES}
    try:
        done = policies.set_policy(**given, account=account, by=actor(request.user))
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"{gettext(done.rule.title)}: {words.status(done.action).lower()}, {where}.")
