"""Work teams: the account's private teams and their workers."""

from django import forms
from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from frontend.requester.fields import name_field
from frontend.session import requester_page
from marketplace.errors import NotFound
from marketplace.models import Role
from marketplace.services import scope, workteams


class TeamForm(forms.Form):
    """A private team."""

    name = name_field()
    description = forms.CharField(max_length=workteams.DESCRIPTION_LENGTH.longest, required=False)


class AddForm(forms.Form):
    """A worker to add, by the address they sign in with."""

    email = forms.EmailField(label="Worker's email")


@requester_page()
def page(request: HttpRequest, form: TeamForm | None = None, status: int = 200) -> HttpResponse:
    """All teams the account can give work to."""
    account = request.account  # type: ignore[attr-defined]
    rows = scope.teams(account).annotate(count=Count("memberships")).order_by("name")
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
def detail_page(request: HttpRequest, team_id: int, form: AddForm | None = None, status: int = 200) -> HttpResponse:
    """A team and its workers."""
    team = scope.own_team(request.account, team_id)  # type: ignore[attr-defined]
    members = team.memberships.select_related("worker__user").order_by("pk")
    context = {"team": team, "members": members, "form": form or AddForm()}
    return render(request, "requester/team.html", context, status=status)


@require_POST
@requester_page(Role.ADMIN)
def add(request: HttpRequest, team_id: int) -> HttpResponse:
    """Add a registered worker."""
    team = scope.own_team(request.account, team_id)  # type: ignore[attr-defined]
    form = AddForm(request.POST)
    worker = None
    if form.is_valid():
        try:
            worker = scope.worker_by_email(form.cleaned_data["email"])
        except NotFound:
            form.add_error("email", "No worker is registered with this address.")
    if worker is None:
        return detail_page(request, team_id, form=form, status=422)
    workteams.add_worker(team=team, worker=worker, by=scope.actor(request.user))
    messages.success(request, f"{worker.public_id} was added to the team.")
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
