"""Work teams of the account, and registering as a worker."""

from typing import Any

from django.db.models import Count, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend import letters
from frontend.rest import schemas, schemas_people
from frontend.rest.fields import Body
from frontend.rest.idempotency import idempotent
from frontend.rest.paging import ListView, listed
from frontend.rest.scope import account_of, actor, worker_of
from marketplace import names
from marketplace.models import Role, Workteam, WorkteamMember
from marketplace.services import scope, team_access, workteams


class WorkteamInput(Body):
    """A private team's name (as CreateWorkteam) and description."""

    name = serializers.RegexField(names.PATTERN, max_length=names.LENGTH.longest)
    description = serializers.CharField(
        max_length=workteams.DESCRIPTION_LENGTH.longest, required=False, allow_blank=True, default=""
    )


def team_row(team: Workteam, members: int) -> dict[str, Any]:
    """A team as the API shows it, with the number of its workers."""
    return {
        "id": team.pk,
        "name": team.name,
        "description": team.description,
        "crowd": team.crowd,
        "panel": team.panel.pk if team.is_panel else None,
        "members": members,
        "portal_url": None if team.public else letters.portal_link(team),
        "source_cidrs": team.source_cidrs,
        "created_at": team.created_at,
    }


@listed(
    operation="list_workteams",
    page=schemas.page("Workteam", schemas.Workteam),
    description="The account's private teams, those of its panels, and the public pool.",
)
class WorkteamsView(ListView):
    """Teams the account can give work to."""

    filters = {"crowd": "crowd"}

    def rows(self, request: Request, **place: Any) -> QuerySet[Workteam]:
        """The account's own teams and the public pool."""
        return scope.teams(account_of(request)).annotate(workers=Count("memberships"))

    def row(self, found: Workteam) -> dict[str, Any]:
        """As one alone is shown."""
        return team_row(found, found.workers)

    @extend_schema(request=WorkteamInput, responses={201: schemas.Workteam}, operation_id="create_workteam")
    @idempotent
    def post(self, request: Request) -> Response:
        """Create a private team."""
        account = account_of(request, Role.ADMIN)
        data = WorkteamInput(data=request.data)
        data.is_valid(raise_exception=True)
        team = workteams.create_team(account=account, by=actor(request), **data.validated_data)
        return Response(team_row(team, members=0), status=status.HTTP_201_CREATED)


@listed(
    operation="list_workteam_members",
    page=schemas.page("TeamMember", schemas.TeamMember),
    description="Workers by their public id.",
)
class TeamMembersView(ListView):
    """The workers of a private team."""

    ordering = "id"

    def rows(self, request: Request, **place: Any) -> QuerySet[WorkteamMember]:
        """Of one of the account's own teams."""
        return scope.own_team(account_of(request), place["team_id"]).memberships.select_related("worker__user")

    def row(self, found: WorkteamMember) -> dict[str, Any]:
        """Public id and address."""
        return {"worker": found.worker.public_id, "email": found.worker.user.email}


class TeamMemberView(APIView):
    """One worker of a private team."""

    @extend_schema(responses={204: None}, operation_id="remove_workteam_member")
    def delete(self, request: Request, team_id: int, worker_id: str) -> Response:
        """Remove a worker from the team; their answers are kept."""
        team = scope.own_team(account_of(request, Role.ADMIN), team_id)
        worker = scope.worker_in(team, worker_id)
        workteams.remove_worker(team=team, worker=worker, by=actor(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class TeamAccessInput(Body):
    """How the workers come in; what is left out stays as it is."""

    portal = serializers.RegexField(
        team_access.SLUG_PATTERN,
        min_length=team_access.SLUG_LENGTH.low,
        max_length=team_access.SLUG_LENGTH.longest,
        required=False,
        allow_null=True,
        help_text="the last part of the portal's address; null: a new one that nobody guesses",
    )
    source_cidrs = serializers.ListField(
        child=serializers.RegexField(team_access.CIDR_PATTERN, max_length=team_access.CIDR_LENGTH.longest),
        max_length=team_access.CIDRS.longest,
        required=False,
        help_text="IPv4 networks (SourceIpConfig.Cidrs) from which the team's work is open; empty: from everywhere",
    )


class TeamAccessView(APIView):
    """The portal and the networks of a private team."""

    @extend_schema(request=TeamAccessInput, responses={200: schemas.Workteam}, operation_id="set_workteam_access")
    def put(self, request: Request, team_id: int) -> Response:
        """Give the portal another address, or say from which networks the team's work is open. For admins."""
        team = scope.own_team(account_of(request, Role.ADMIN), team_id)
        data = TeamAccessInput(data=request.data)
        data.is_valid(raise_exception=True)
        given = data.validated_data
        slug = (given["portal"] or "") if "portal" in given else None
        team_access.change(team=team, slug=slug, cidrs=given.get("source_cidrs"), by=actor(request))
        return Response(team_row(team, members=team.memberships.count()))


class RegisterWorkerView(APIView):
    """Becoming a worker."""

    @extend_schema(request=None, responses={201: schemas.WorkerNamed}, operation_id="register_worker")
    @idempotent
    def post(self, request: Request) -> Response:
        """Register the caller as a worker; repeating it changes nothing."""
        worker = workteams.register_worker(user=request.user)
        return Response({"worker": worker.public_id}, status=status.HTTP_201_CREATED)


class PublicPoolView(APIView):
    """The public pool."""

    @extend_schema(request=None, responses={200: schemas.PoolMember}, operation_id="join_public_pool")
    @idempotent
    def post(self, request: Request) -> Response:
        """Join the public pool as a worker."""
        worker = worker_of(request)
        workteams.join_public_pool(worker=worker)
        return Response({"worker": worker.public_id, "crowd": "public-crowd"})


@listed(
    operation="list_my_workteams",
    page=schemas.page("MyTeam", schemas_people.MyTeam),
    description="The work teams you are on, the public pool too.",
)
class MyTeamsView(ListView):
    """The caller's teams."""

    ordering = "id"

    def rows(self, request: Request, **place: Any) -> QuerySet[WorkteamMember]:
        """Of the caller as a worker."""
        return scope.teams_of(worker_of(request))

    def row(self, found: WorkteamMember) -> dict[str, Any]:
        """Which team of whom, and since when."""
        team = found.workteam
        return {
            "id": team.pk,
            "name": team.name,
            "crowd": team.crowd,
            "account": team.account.name if team.account is not None else None,
            "joined_at": found.created_at,
        }


class MyTeamView(APIView):
    """One of the caller's teams."""

    @extend_schema(responses={204: None}, operation_id="leave_workteam")
    def delete(self, request: Request, team_id: int) -> Response:
        """Leave a team, or the public pool; what you hold may still be submitted."""
        worker = worker_of(request)
        workteams.remove_worker(team=scope.team_of(worker, team_id), worker=worker, by=actor(request))
        return Response(status=status.HTTP_204_NO_CONTENT)
