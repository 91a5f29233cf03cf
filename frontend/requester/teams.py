"""Work teams: the account's private teams and their workers."""

from django import forms
from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from frontend import letters
from frontend.requester.fields import name_field
from frontend.requester.settings import roles_to_give
from frontend.session import requester_page
from marketplace.errors import NameTaken
from marketplace.models import Role, Workteam
from marketplace.services import invitations, scope, workteams


class TeamForm(forms.Form):
    """A private team."""

    name = name_field()
    description = forms.CharField(max_length=workteams.DESCRIPTION_LENGTH.longest, required=False)


class InviteForm(forms.Form):
    """A worker to invite, by their address."""

    email = forms.EmailField(label="Worker's email")


@requester_page()
def page(request: HttpRequest, form: TeamForm | None = None, status: int = 200) -> HttpResponse:
    """All teams the account can give work to."""
    account = request.account  # type: ignore[attr-defined]
    rows = scope.teams(account).filter(panel=None).annotate(count=Count("memberships")).order_by("name")
    return render(request, "requester/teams.html", {"rows": rows, "form": form or TeamForm()}, status=status)


@require_POST
@requester_page(Role.ADMIN)
def new(request: HttpRequest) -> HttpResponse:
    """Create a private team."""
    form = TeamForm(request.POST)
    if not form.is_valid():
        return page(request, form=form, status=422)
    team = workteams.create_team(
        account=request.account,  # type: ignore[attr-defined]
        by=scope.actor(request.user),
        **form.cleaned_data,
    )
    return redirect("requester:team", team.pk)


@requester_page()
def detail_page(request: HttpRequest, team_id: int) -> HttpResponse:
    """A team, its workers, and who is invited to it."""
    return _render(request, scope.own_team(request.account, team_id))  # type: ignore[attr-defined]


def _render(
    request: HttpRequest,
    team: Workteam,
    form: InviteForm | None = None,
    link: str = "",
    invited: str = "",
    status: int = 200,
) -> HttpResponse:
    account = request.account  # type: ignore[attr-defined]
    manages = bool(roles_to_give(request))
    context = {
        "team": team,
        "members": team.memberships.select_related("worker__user").order_by("pk"),
        "manages": manages,
        "invitations": scope.invitations(account).filter(workteam=team) if manages else [],
        "form": form or InviteForm(),
        "link": link,
        "invited": invited,
    }
    response = render(request, "requester/team.html", context, status=status)
    if link:
        response["Cache-Control"] = "no-store"
    return response


@require_POST
@requester_page(Role.ADMIN)
def invite(request: HttpRequest, team_id: int) -> HttpResponse:
    """Invite somebody to the team; without a mail server their link is shown on this one page."""
    team = scope.own_team(request.account, team_id)  # type: ignore[attr-defined]
    form = InviteForm(request.POST)
    if not form.is_valid():
        return _render(request, team, form, status=422)
    try:
        invitation = invitations.to_team(team=team, email=form.cleaned_data["email"], acting=request.user)
    except NameTaken:
        form.add_error("email", "Is on the team already.")
        return _render(request, team, form, status=422)
    link = letters.deliver_invitation(invitation)
    if link:
        return _render(request, team, link=link, invited=invitation.email)
    messages.success(request, f"An invitation is on its way to {invitation.email}.")
    return redirect("requester:team", team.pk)


@require_POST
@requester_page(Role.ADMIN)
def remove(request: HttpRequest, team_id: int) -> HttpResponse:
    """Remove a worker from the team."""
    team = scope.own_team(request.account, team_id)  # type: ignore[attr-defined]
    worker = scope.worker_in(team, request.POST.get("worker", ""))
    workteams.remove_worker(team=team, worker=worker, by=scope.actor(request.user))
    messages.success(request, f"{worker.public_id} was removed from the team.")
    return redirect("requester:team", team.pk)
