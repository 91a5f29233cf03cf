"""Work teams: the account's private teams and their workers."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import format_lazy
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from frontend import letters
from frontend.requester.fields import name_field
from frontend.requester.settings import roles_to_give
from frontend.requester.team_forms import NetworksForm, PortalForm
from frontend.session import requester_page
from marketplace.errors import Invalid
from marketplace.models import Role, Workteam
from marketplace.services import invitation_lists, scope, workteams


class TeamForm(forms.Form):
    """A private team."""

    name = name_field()
    description = forms.CharField(max_length=workteams.DESCRIPTION_LENGTH.longest, required=False)


class InviteForm(forms.Form):
    """Workers to invite, by their addresses."""

    emails = forms.CharField(
        max_length=invitation_lists.TEXT_LENGTH.longest,
        widget=forms.Textarea(attrs={"rows": 5, "autocomplete": "off", "spellcheck": "false"}),
        label=_("E-mail addresses"),
        help_text=format_lazy(
            _("Up to {longest}, with commas, spaces or lines between them; “Ada <ada@example.org>” is fine, too."),
            longest=invitation_lists.ADDRESSES.longest,
        ),
    )
    skip_bad = forms.BooleanField(required=False, label=_("If some are no addresses, invite the others"))


@requester_page()
def page(request: HttpRequest, form: TeamForm | None = None, status: int = 200) -> HttpResponse:
    """All teams the account can give work to."""
    account = request.account  # type: ignore[attr-defined]
    rows = scope.teams(account).filter(panel=None).select_related("contract__vendor")
    rows = rows.annotate(count=Count("memberships")).order_by("name")
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
    return render_team(request, scope.own_team(request.account, team_id))  # type: ignore[attr-defined]


def render_team(
    request: HttpRequest,
    team: Workteam,
    form: InviteForm | None = None,
    report: dict[str, Any] | None = None,
    portal: PortalForm | None = None,
    networks: NetworksForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """A team's page, with the forms as they were sent; `report` is what became of a list of addresses."""
    account = request.account  # type: ignore[attr-defined]
    manages = bool(roles_to_give(request))
    context = {
        "team": team,
        "members": team.memberships.select_related("worker__user").order_by("pk"),
        "manages": manages,
        "invitations": scope.invitations(account).filter(workteam=team) if manages else [],
        "form": form or InviteForm(),
        "report": report,
        "portal_url": letters.portal_link(team),
        "portal_form": portal or PortalForm(initial={"portal": team.portal_slug}),
        "networks_form": networks or NetworksForm(initial={"source_cidrs": "\n".join(team.source_cidrs)}),
    }
    response = render(request, "requester/team.html", context, status=status)
    if report and report["links"]:
        response["Cache-Control"] = "no-store"
    return response


@require_POST
@requester_page(Role.ADMIN)
def invite(request: HttpRequest, team_id: int) -> HttpResponse:
    """Invite a list of people to the team; without a mail server their links are shown on this one page."""
    team = scope.own_team(request.account, team_id)  # type: ignore[attr-defined]
    form = InviteForm(request.POST)
    if not form.is_valid():
        return render_team(request, team, form, status=422)
    given = invitation_lists.split(form.cleaned_data["emails"])
    try:
        done = invitation_lists.to_team_many(
            team=team, given=given, skip_bad=form.cleaned_data["skip_bad"], acting=request.user
        )
    except Invalid as error:
        for _, reason in error.errors or [("", error.message)]:
            form.add_error("emails", reason)
        return render_team(request, team, form, status=422)
    links = [(row.email, letters.deliver_invitation(row)) for row in done.invitations]
    report = {"links": [pair for pair in links if pair[1]], "invited": len(links), "left_out": done.left_out}
    if report["links"] or len(links) < len(given):
        return render_team(request, team, report=report)
    messages.success(
        request,
        ngettext("{n} invitation is on the way.", "{n} invitations are on the way.", len(links)).format(n=len(links)),
    )
    return redirect("requester:team", team.pk)


@require_POST
@requester_page(Role.ADMIN)
def remove(request: HttpRequest, team_id: int) -> HttpResponse:
    """Remove a worker from the team."""
    team = scope.own_team(request.account, team_id)  # type: ignore[attr-defined]
    worker = scope.worker_in(team, request.POST.get("worker", ""))
    workteams.remove_worker(team=team, worker=worker, by=scope.actor(request.user))
    messages.success(request, gettext("{public_id} was removed from the team.").format(public_id=worker.public_id))
    return redirect("requester:team", team.pk)
