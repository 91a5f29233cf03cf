"""Panels of the account, the links of their jobs, and the sessions of those who came."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend import panels as shared
from frontend.rest import schemas, schemas_panels
from frontend.rest.fields import Body, DollarsField, FiniteFloatField
from frontend.rest.idempotency import idempotent
from frontend.rest.paging import KEY, ListView, filtered, listed
from frontend.rest.scope import account_of, actor
from labeling.models import PanelSession
from labeling.queries import panel_costs
from labeling.services import panel_sessions
from marketplace import money, names
from marketplace.models import Panel, PanelProvider, Role
from marketplace.services import panels, scope

SESSION_FILTERS = {"status": "status", "participant": "worker__participant", "job_id": "queue__labeling_job"}


def _code() -> serializers.CharField:
    return serializers.CharField(required=False, allow_blank=True, max_length=panels.CODE_LENGTH.longest)


def _url() -> serializers.CharField:
    return serializers.CharField(required=False, allow_blank=True, max_length=panels.URL_LENGTH.longest)


def _parameter() -> serializers.CharField:
    return serializers.CharField(required=False, allow_blank=True, max_length=panels.PARAMETER_LENGTH.longest)


class PanelChangeInput(Body):
    """Fields of a panel. Each exit has a code, an address to return to, or both; all of them are given together.

    The provider's fee is rounded to two decimals.
    """

    provider = serializers.ChoiceField(choices=PanelProvider.choices)
    participant_parameter = _parameter()
    study_parameter = _parameter()
    session_parameter = _parameter()
    completed_code = _code()
    completed_url = _url()
    screened_out_code = _code()
    screened_out_url = _url()
    quota_full_code = _code()
    quota_full_url = _url()
    no_consent_code = _code()
    no_consent_url = _url()
    tasks_per_session = serializers.IntegerField(**panels.TASKS.bounds)
    session_minutes = serializers.IntegerField(**panels.MINUTES.bounds)
    sessions_wanted = serializers.IntegerField(**panels.SESSIONS.bounds)
    consent = serializers.CharField(max_length=panels.CONSENT_LENGTH.longest)
    reward = DollarsField(zero=True)
    provider_fee_percent = FiniteFloatField(required=False, default=0, **panels.FEE_PERCENT.bounds)


class PanelInput(PanelChangeInput):
    """A panel; names of the query that are left out are those of the provider."""

    name = serializers.RegexField(names.PATTERN, max_length=names.LENGTH.longest)


class RejectSessionInput(Body):
    """Why a session is not paid."""

    reason = serializers.CharField(max_length=panel_sessions.REASON_LENGTH.longest)


def panel_row(panel: Panel) -> dict[str, Any]:
    """A panel as its account sees it."""
    return {"id": panel.pk, "workteam": panel.workteam_id, **shared.fields(panel), "created_at": panel.created_at}


def panel_detail(panel: Panel) -> dict[str, Any]:
    """With the links of its newest jobs, and what was paid elsewhere."""
    paid = panel_costs.of_panel(panel)
    per_label = paid.per_label_micros
    return {
        **panel_row(panel),
        "links": [
            {"job": job.pk, "link": shared.link(panel, job.queue)} for job in panel_sessions.jobs_of(panel)[:100]
        ],
        "paid_elsewhere": {
            "sessions": paid.sessions,
            "rewards": money.text(paid.reward_micros),
            "fee": money.text(paid.fee_micros),
            "labels": paid.labels,
            "per_label": money.text(per_label) if per_label is not None else None,
        },
    }


def session_row(session: PanelSession) -> dict[str, Any]:
    """A session; `worker` is who it is in the job's answers."""
    return {
        "id": session.pk,
        "participant": session.worker.participant,
        "worker": session.worker.public_id,
        "job": session.queue.labeling_job.pk,
        "study": session.study,
        "provider_session": session.provider_session,
        "status": session.status,
        "started_at": session.started_at,
        "expires_at": session.expires_at,
        "tasks_wanted": session.tasks_wanted,
        "tasks_done": session.tasks_done,
        "left_by": session.left_by or None,
        "reason": session.reason,
        "reward": money.text(session.reward_micros),
        "provider_fee": money.text(panel_costs.fee_micros(session)),
    }


@listed(
    operation="list_panels",
    page=schemas.page("Panel", schemas_panels.Panel),
    description="Panels, newest first. A job is given to a panel by its `workteam`, at a price of 0.",
)
class PanelsView(ListView):
    """The account's panels."""

    filters = {"provider": "provider"}

    def rows(self, request: Request, **place: Any) -> QuerySet[Panel]:
        """Of the account."""
        return scope.panels(account_of(request))

    def row(self, found: Panel) -> dict[str, Any]:
        """Without links."""
        return panel_row(found)

    @extend_schema(request=PanelInput, responses={201: schemas_panels.PanelDetail}, operation_id="create_panel")
    @idempotent
    def post(self, request: Request) -> Response:
        """Make a panel."""
        account = account_of(request, Role.ADMIN)
        data = PanelInput(data=request.data)
        data.is_valid(raise_exception=True)
        given = shared.values(data.validated_data)
        panel = panels.create_panel(account=account, name=data.validated_data["name"], by=actor(request), **given)
        return Response(panel_detail(panel), status=status.HTTP_201_CREATED)


class PanelView(APIView):
    """One panel."""

    @extend_schema(responses={200: schemas_panels.PanelDetail}, operation_id="get_panel")
    def get(self, request: Request, panel_id: int) -> Response:
        """With the links of its jobs, and what was paid elsewhere."""
        return Response(panel_detail(scope.panel(account_of(request), panel_id)))

    @extend_schema(request=PanelChangeInput, responses={200: schemas_panels.PanelDetail}, operation_id="change_panel")
    def put(self, request: Request, panel_id: int) -> Response:
        """Change it; sessions that are under way keep what held when they began."""
        panel = scope.panel(account_of(request, Role.ADMIN), panel_id)
        data = PanelChangeInput(data=request.data)
        data.is_valid(raise_exception=True)
        panels.change_panel(panel=panel, by=actor(request), **shared.values(data.validated_data))
        return Response(panel_detail(panel))


@listed(
    operation="list_panel_sessions",
    page=schemas.page("PanelSession", schemas_panels.PanelSession),
    description="Sessions of the panel's participants, newest first.",
)
class PanelSessionsView(ListView):
    """The sessions of a panel."""

    filters = SESSION_FILTERS

    def rows(self, request: Request, **place: Any) -> QuerySet[PanelSession]:
        """Of one of the account's panels."""
        return panel_sessions.of_panel(scope.panel(account_of(request), place["panel_id"]))

    def row(self, found: PanelSession) -> dict[str, Any]:
        """With the id of the provider."""
        return session_row(found)


class PanelParticipantsView(APIView):
    """The lists that providers take."""

    @extend_schema(
        operation_id="download_panel_participants",
        parameters=[
            OpenApiParameter("decision", str, OpenApiParameter.PATH, enum=list(shared.LISTS)),
            OpenApiParameter("job_id", KEY, description="of one job"),
        ],
        responses={(200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request, panel_id: int, decision: str) -> HttpResponse:
        """The ids of the participants to approve, or to reject, one a line."""
        panel = scope.panel(account_of(request), panel_id)
        rows = panel_sessions.of_panel(panel).filter(status=shared.status_of(decision))
        return shared.participants_file(panel, decision, filtered(request, rows, {"job_id": "queue__labeling_job"}))


class PanelSessionAcceptView(APIView):
    """Accepting a session."""

    @extend_schema(request=None, responses={200: schemas_panels.PanelSession}, operation_id="accept_panel_session")
    @idempotent
    def post(self, request: Request, panel_id: int, session_id: int) -> Response:
        """Count a rejected or timed-out session as completed. Repeating it changes nothing."""
        session = panel_sessions.of_account(account_of(request, Role.ADMIN), panel_id, session_id)
        panel_sessions.accept(session=session, by=actor(request))
        return Response(session_row(session))


class PanelSessionRejectView(APIView):
    """Rejecting a session."""

    @extend_schema(
        request=RejectSessionInput, responses={200: schemas_panels.PanelSession}, operation_id="reject_panel_session"
    )
    @idempotent
    def post(self, request: Request, panel_id: int, session_id: int) -> Response:
        """Refuse to pay for a completed or timed-out session, with a reason. Its answers stay."""
        session = panel_sessions.of_account(account_of(request, Role.ADMIN), panel_id, session_id)
        data = RejectSessionInput(data=request.data)
        data.is_valid(raise_exception=True)
        panel_sessions.reject(session=session, reason=data.validated_data["reason"], by=actor(request))
        return Response(session_row(session))
