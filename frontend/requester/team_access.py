"""How a team's workers come in: its portal's address and its networks."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from frontend.requester.team_forms import NetworksForm, PortalForm
from frontend.requester.teams import render_team
from frontend.session import requester_page
from marketplace.errors import Invalid, NameTaken
from marketplace.models import Role
from marketplace.services import scope, team_access


@require_POST
@requester_page(Role.ADMIN)
def set_portal(request: HttpRequest, team_id: int) -> HttpResponse:
    """Give the team's portal another address."""
    team = scope.own_team(request.account, team_id)  # type: ignore[attr-defined]
    form = PortalForm(request.POST)
    if form.is_valid():
        try:
            team_access.set_portal(team=team, slug=form.cleaned_data["portal"], by=scope.actor(request.user))
        except (Invalid, NameTaken) as error:
            form.add_error("portal", error.message)
    if form.errors:
        return render_team(request, team, portal=form, status=422)
    messages.success(request, gettext("The portal has a new address; the old one leads nowhere."))
    return redirect("requester:team", team.pk)


@require_POST
@requester_page(Role.ADMIN)
def set_networks(request: HttpRequest, team_id: int) -> HttpResponse:
    """Say from which networks the team's work is open."""
    team = scope.own_team(request.account, team_id)  # type: ignore[attr-defined]
    form = NetworksForm(request.POST)
    if form.is_valid():
        try:
            team_access.set_networks(team=team, cidrs=form.cleaned_data["source_cidrs"], by=scope.actor(request.user))
        except Invalid as error:
            for _, reason in error.errors or [("", error.message)]:
                form.add_error("source_cidrs", reason)
    if form.errors:
        return render_team(request, team, networks=form, status=422)
    said = (
        gettext("The team's work is open from these networks only.")
        if team.source_cidrs
        else gettext("The team's work is open from everywhere.")
    )
    messages.success(request, said)
    return redirect("requester:team", team.pk)
