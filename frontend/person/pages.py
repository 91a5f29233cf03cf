"""One's own page: invitations to accept or decline, the accounts and teams one belongs to and can leave."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from frontend.person.signing_up import ProfileForm
from frontend.session import worker_page
from marketplace.models import Invitation, Worker
from marketplace.services import accounts, identity_providers, invitations, profiles, scope, workteams


@login_required
def you(request: HttpRequest) -> HttpResponse:
    """Who one is, what one is invited to, and where one belongs."""
    worker = scope.worker_or_none(request.user)
    teams = list(scope.teams_of(worker)) if worker is not None else []
    context = {
        "invitations": scope.invitations_to(request.user),
        "memberships": scope.memberships(request.user),
        "teams": teams,
        "in_pool": any(row.workteam.public for row in teams),
        "profile_form": _profile_form(worker) if worker is not None else None,
        "worker": worker,
        "connected": identity_providers.connected(request.user),
        "connectable": identity_providers.connectable(request.user),
    }
    return render(request, "person/you.html", context)


def _profile_form(worker: Worker) -> ProfileForm:
    profile = profiles.of(worker)
    adult = profile.adult_since is not None
    return ProfileForm(initial={"country": profile.country, "languages": profile.languages, "adult": adult})


def offered(invitation: Invitation) -> str:
    """What an invitation is to, in words."""
    if invitation.workteam is not None:
        return gettext("the team {name} of {account}").format(
            name=invitation.workteam.name, account=invitation.account.name
        )
    return invitation.account.name


@require_POST
@login_required
def accept(request: HttpRequest, invitation_id: int) -> HttpResponse:
    """Accept an invitation."""
    invitation = scope.invitation_to(request.user, invitation_id)
    invitations.accept(invitation=invitation, user=request.user)
    messages.success(request, gettext("You have joined {offered}.").format(offered=offered(invitation)))
    return redirect("person:you")


@require_POST
@login_required
def decline(request: HttpRequest, invitation_id: int) -> HttpResponse:
    """Decline an invitation."""
    invitation = scope.invitation_to(request.user, invitation_id)
    invitations.decline(invitation=invitation, user=request.user)
    messages.success(
        request, gettext("You have declined the invitation to {offered}.").format(offered=offered(invitation))
    )
    return redirect("person:you")


@require_POST
@login_required
def leave_account(request: HttpRequest, account_id: int) -> HttpResponse:
    """Leave an account that one is a member of."""
    account = scope.account_of_member(request.user, account_id)
    accounts.remove_member(account=account, user=request.user, acting=request.user)
    messages.success(request, gettext("You have left {name}.").format(name=account.name))
    return redirect("person:you")


@require_POST
@worker_page
def leave_team(request: HttpRequest, team_id: int) -> HttpResponse:
    """Leave a team that one is on."""
    worker = request.worker  # type: ignore[attr-defined]
    team = scope.team_of(worker, team_id)
    workteams.remove_worker(team=team, worker=worker, by=scope.actor(request.user))
    left = (
        gettext("You have left the team of the public pool.")
        if team.public
        else gettext("You have left the team {name}.")
    )
    messages.success(request, left.format(name=team.name))
    return redirect("person:you")
