"""Panels: outside crowds, the links to give to their providers, and the sessions of those who came."""

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from frontend import panels as shared
from frontend.requester.fields import name_field
from frontend.requester.settings import roles_to_give
from frontend.session import requester_page
from labeling import transitions
from labeling.queries import panel_costs
from labeling.services import panel_sessions
from marketplace import money, strict
from marketplace.errors import DomainError, Invalid
from marketplace.models import Panel, PanelProvider, Role
from marketplace.services import panels, scope

PER_PAGE = 50
JOBS_SHOWN = 20
CONSENT = _(
    "You will label pictures. Your answers are used to train computer vision models. We store your answers, how long "
    "they took and the id that your provider gave us, nothing else about you. You may stop at any time."
)


def _code(said: Promise) -> forms.CharField:
    return forms.CharField(
        max_length=panels.CODE_LENGTH.longest, required=False, label=format_lazy(_("{said}: code"), said=said)
    )


def _url(said: Promise) -> forms.CharField:
    return forms.CharField(
        max_length=panels.URL_LENGTH.longest, required=False, label=format_lazy(_("{said}: address"), said=said)
    )


def _parameter(said: str) -> forms.CharField:
    return forms.CharField(
        max_length=panels.PARAMETER_LENGTH.longest,
        required=False,
        label=format_lazy(_("Name of the {said}'s id"), said=said),
    )


class PanelForm(forms.Form):
    """A panel; the services check what is in it."""

    name = name_field()
    provider = forms.ChoiceField(choices=PanelProvider.choices, initial=PanelProvider.PROLIFIC)
    tasks_per_session = forms.IntegerField(initial=10, label=_("Tasks of a session"), **panels.TASKS.bounds)
    session_minutes = forms.IntegerField(initial=30, label=_("Minutes of a session"), **panels.MINUTES.bounds)
    sessions_wanted = forms.IntegerField(
        initial=10,
        label=_("Sessions wanted"),
        help_text=_("For each job; more are sent away."),
        **panels.SESSIONS.bounds,
    )
    reward = forms.CharField(
        max_length=money.TEXT_LENGTH.longest, initial="1.50", label=_("Reward of a session in dollars"),
        help_text=_("What the provider pays a participant. It is recorded here and paid there."),
    )  # fmt: skip
    provider_fee_percent = forms.DecimalField(
        initial="33.33", decimal_places=2, label=_("Provider's fee in percent"), **panels.FEE_PERCENT.bounds
    )
    consent = forms.CharField(
        max_length=panels.CONSENT_LENGTH.longest, initial=CONSENT, widget=forms.Textarea(attrs={"rows": 6}),
        label=_("What participants agree to"),
    )  # fmt: skip

    completed_code, completed_url = _code(_("Completed")), _url(_("Completed"))
    screened_out_code, screened_out_url = _code(_("Screened out")), _url(_("Screened out"))
    quota_full_code, quota_full_url = _code(_("Full")), _url(_("Full"))
    no_consent_code, no_consent_url = _code(_("No consent")), _url(_("No consent"))
    participant_parameter = _parameter("participant")
    study_parameter = _parameter("study")
    session_parameter = _parameter("visit")

    def parts(self) -> list[tuple[str, str, list[forms.BoundField]]]:
        """The fields in groups: title, what it is about, fields."""
        exits = [self[name] for name in shared.EXIT_FIELDS]
        parameters = [self[name] for name in shared.PARAMETERS]
        rest = [field for field in self if field.name not in (*shared.EXIT_FIELDS, *shared.PARAMETERS)]
        return [
            (gettext("Study"), "", rest),
            (
                gettext("Ways out"),
                gettext("Prolific: the codes are enough. Others: paste the address to which people return."),
                exits,
            ),
            (gettext("Names in the link"), gettext("Left empty, they are those of the provider."), parameters),
        ]


class RejectForm(forms.Form):
    """Why a session is not paid."""

    reason = forms.CharField(max_length=panel_sessions.REASON_LENGTH.longest)


@requester_page()
def list_page(request: HttpRequest) -> HttpResponse:
    """The account's panels."""
    rows = scope.panels(request.account).annotate(people=Count("participants"))  # type: ignore[attr-defined]
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "requester/panels.html", {"page": page, "manages": bool(roles_to_give(request))})


@requester_page(Role.ADMIN)
def new_page(request: HttpRequest) -> HttpResponse:
    """Make a panel."""
    form = PanelForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            panel = panels.create_panel(
                account=request.account,  # type: ignore[attr-defined]
                name=form.cleaned_data["name"],
                by=scope.actor(request.user),
                **shared.values(form.cleaned_data),
            )
        except DomainError as error:
            _show(form, error)
        else:
            return redirect("requester:panel", panel.pk)
    return render(request, "requester/panel_edit.html", {"form": form}, status=422 if form.errors else 200)


@requester_page(Role.ADMIN)
def edit_page(request: HttpRequest, panel_id: int) -> HttpResponse:
    """Change a panel; sessions under way keep what held when they began."""
    panel = scope.panel(request.account, panel_id)  # type: ignore[attr-defined]
    known = shared.fields(panel)
    known["reward"] = known["reward"].rstrip("0").rstrip(".")
    form = PanelForm(request.POST or None, initial=known)
    form.fields["name"].disabled = True
    if request.method == "POST" and form.is_valid():
        try:
            panels.change_panel(panel=panel, by=scope.actor(request.user), **shared.values(form.cleaned_data))
        except Invalid as error:
            _show(form, error)
        else:
            messages.success(request, gettext("Saved. Sessions that are under way keep what held when they began."))
            return redirect("requester:panel", panel.pk)
    context = {"form": form, "panel": panel}
    return render(request, "requester/panel_edit.html", context, status=422 if form.errors else 200)


def _show(form: forms.Form, error: DomainError) -> None:
    for field, reason in error.errors or [("", error.message)]:
        form.add_error(field if field in form.fields else None, reason)


@requester_page()
def detail_page(request: HttpRequest, panel_id: int) -> HttpResponse:
    """A panel: the link of each job, what it has cost elsewhere, and the sessions."""
    return _render(request, scope.panel(request.account, panel_id))  # type: ignore[attr-defined]


def _render(request: HttpRequest, panel: Panel, problem: str = "", status: int = 200) -> HttpResponse:
    wanted = request.GET.get("status", "")
    rows = panel_sessions.of_panel(panel)
    if wanted in transitions.PANEL_SESSION.states:
        rows = rows.filter(status=wanted)
    jobs = list(panel_sessions.jobs_of(panel)[:JOBS_SHOWN])
    counted = panel_costs.counts([job.queue_id for job in jobs])
    context = {
        "panel": panel,
        "jobs": [
            {
                "job": job,
                "link": shared.link(panel, job.queue),
                "counts": counted[job.queue_id],
                "completed": counted[job.queue_id].get("Completed", 0),
            }
            for job in jobs
        ],
        "exits": [(kind, *panels.way_out(panel, kind)) for kind in panels.EXITS],
        "page": Paginator(rows, PER_PAGE).get_page(request.GET.get("page")),
        "statuses": transitions.PANEL_SESSION.states,
        "wanted": wanted,
        "problem": problem,
        "manages": bool(roles_to_give(request)),
        "paid": panel_costs.of_panel(panel),
    }
    return render(request, "requester/panel.html", context, status=status)


@requester_page()
def participants_file(request: HttpRequest, panel_id: int, decision: str) -> HttpResponse:
    """The participants to approve or to reject, for the provider; of one job with `job`."""
    panel = scope.panel(request.account, panel_id)  # type: ignore[attr-defined]
    rows = panel_sessions.of_panel(panel).filter(status=shared.status_of(decision))
    if (job := strict.whole_number(request.GET.get("job", ""))) is not None:
        rows = rows.filter(queue__labeling_job=job)
    return shared.participants_file(panel, decision, rows)


@require_POST
@requester_page(Role.ADMIN)
def accept(request: HttpRequest, panel_id: int, session_id: int) -> HttpResponse:
    """Count a rejected or timed-out session as completed."""
    session = panel_sessions.of_account(request.account, panel_id, session_id)  # type: ignore[attr-defined]
    panel_sessions.accept(session=session, by=scope.actor(request.user))
    messages.success(
        request,
        gettext("The session of {participant} counts as completed.").format(participant=session.worker.participant),
    )
    return redirect("requester:panel", panel_id)


@require_POST
@requester_page(Role.ADMIN)
def reject(request: HttpRequest, panel_id: int, session_id: int) -> HttpResponse:
    """Refuse to pay for a session."""
    session = panel_sessions.of_account(request.account, panel_id, session_id)  # type: ignore[attr-defined]
    form = RejectForm(request.POST)
    if not form.is_valid():
        panel = scope.panel(request.account, panel_id)  # type: ignore[attr-defined]
        return _render(request, panel, problem=gettext("A reason of at most 200 characters is needed."), status=422)
    panel_sessions.reject(session=session, reason=form.cleaned_data["reason"], by=scope.actor(request.user))
    messages.success(
        request, gettext("The session of {participant} is rejected.").format(participant=session.worker.participant)
    )
    return redirect("requester:panel", panel_id)
