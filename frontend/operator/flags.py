"""The operator's list of what was found in workers' conduct: rules, workers who agree too much, appeals, bans."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from frontend import conduct_pages
from frontend.session import operator_page
from labeling.models import ConductFinding
from labeling.services.conduct import lists, policies


@operator_page
def page(request: HttpRequest) -> HttpResponse:
    """Findings of every account, open ones unless all are asked for, and what rules do where nobody chose."""
    return conduct_pages.listed(
        request,
        lists.of_operator(),
        policies.policies(),
        template="operator/flags.html",
        address="operator:flag",
        operator=True,
    )


def _said(done: ConductFinding) -> str:
    if done.action == "Ban" and done.state == "Active":
        return gettext("The worker is banned.")
    return gettext("Taken back.") if done.state == "Dismissed" else gettext("It stands.")


@require_POST
@operator_page
def decide(request: HttpRequest, finding_id: int) -> HttpResponse:
    """Let a finding stand, take it back, or ban the worker; answers its appeal."""
    finding = lists.one(lists.of_operator(), finding_id)
    conduct_pages.decide(request, finding, operator=True, said=_said)
    return redirect("operator:flags")


@require_POST
@operator_page
def set_rule(request: HttpRequest) -> HttpResponse:
    """Choose what follows from a rule wherever no account chose."""
    conduct_pages.set_rule(request, account=None, where=gettext("wherever no account chose"))
    return redirect("operator:flags")
