"""Invitations: those that an account makes, to itself and to its teams, and those to the caller."""

from typing import Any

from django.db.models import QuerySet
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
from frontend.rest.scope import account_of, require_personal
from marketplace.models import Invitation, Role
from marketplace.services import invitation_lists, invitations, scope


class InvitationInput(Body):
    """Somebody by their address, and the role they are offered."""

    email = serializers.EmailField()
    role = serializers.ChoiceField(choices=Role.choices)


class TeamInvitationInput(Body):
    """A worker, by their address."""

    email = serializers.EmailField()


class InvitationListInput(Body):
    """Workers, by their addresses; `Ada <ada@example.org>` is one, too."""

    emails = serializers.ListField(
        child=serializers.CharField(max_length=invitation_lists.ADDRESS_LENGTH.longest),
        min_length=invitation_lists.ADDRESSES.low,
        max_length=invitation_lists.ADDRESSES.longest,
    )
    skip_bad = serializers.BooleanField(default=False, help_text="invite the others when some are no addresses")


def invitation_row(row: Invitation) -> dict[str, Any]:
    """An invitation as the account that made it sees it: the same whether the address belongs to somebody or not."""
    return {
        "id": row.pk,
        "email": row.email,
        "role": row.role or None,
        "workteam": {"id": row.workteam.pk, "name": row.workteam.name} if row.workteam is not None else None,
        "invited_by": row.invited_by.email if row.invited_by is not None else None,
        "created_at": row.created_at,
        "expires_at": row.expires_at,
    }


def _delivered(row: Invitation) -> dict[str, Any]:
    return {**invitation_row(row), "link": letters.deliver_invitation(row) or None}


def _made(row: Invitation) -> Response:
    return Response(_delivered(row), status=status.HTTP_201_CREATED)


@listed(
    operation="list_invitations",
    page=schemas.page("Invitation", schemas_people.Invitation),
    description="Invitations to the account and to its teams that can still be accepted, newest first; for admins.",
)
class InvitationsView(ListView):
    """The account's invitations."""

    filters = {"email": "email", "workteam_id": "workteam"}

    def rows(self, request: Request, **place: Any) -> QuerySet[Invitation]:
        """Of the account."""
        return scope.invitations(account_of(request, Role.ADMIN))

    def row(self, found: Invitation) -> dict[str, Any]:
        """Never the link."""
        return invitation_row(found)

    @extend_schema(
        request=InvitationInput, responses={201: schemas_people.NewInvitation}, operation_id="create_invitation"
    )
    def post(self, request: Request) -> Response:
        """Invite an address to the account, with a rank up to your own; they are a member once they accept.

        The answer is the same whether the address belongs to somebody or not. Without a mail server it holds the link
        to pass on, which is shown this once; inviting again makes a new one.
        """
        account = account_of(request, Role.ADMIN)
        data = InvitationInput(data=request.data)
        data.is_valid(raise_exception=True)
        return _made(invitations.to_account(account=account, acting=request.user, **data.validated_data))


class InvitationView(APIView):
    """One invitation of the account."""

    @extend_schema(responses={204: None}, operation_id="withdraw_invitation")
    def delete(self, request: Request, invitation_id: int) -> Response:
        """Withdraw an invitation; its link ends."""
        invitation = scope.invitation(account_of(request, Role.ADMIN), invitation_id)
        invitations.withdraw(invitation=invitation, acting=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


class TeamInvitationsView(APIView):
    """Invitations to a private team."""

    @extend_schema(
        request=TeamInvitationInput,
        responses={201: schemas_people.NewInvitation},
        operation_id="create_workteam_invitation",
    )
    def post(self, request: Request, team_id: int) -> Response:
        """Invite an address to the team, as a worker; as `create_invitation` otherwise."""
        team = scope.own_team(account_of(request, Role.ADMIN), team_id)
        data = TeamInvitationInput(data=request.data)
        data.is_valid(raise_exception=True)
        return _made(invitations.to_team(team=team, acting=request.user, **data.validated_data))


class TeamInvitationListsView(APIView):
    """Many invitations to a private team at once."""

    @extend_schema(
        request=InvitationListInput,
        responses={201: schemas_people.InvitedList},
        operation_id="create_workteam_invitations",
    )
    def post(self, request: Request, team_id: int) -> Response:
        """Invite up to 50 addresses to the team, all or, when one is no address and `skip_bad` is off, none.

        Addresses that come twice are invited once, workers of the team not at all. Links as in `create_invitation`.
        """
        team = scope.own_team(account_of(request, Role.ADMIN), team_id)
        data = InvitationListInput(data=request.data)
        data.is_valid(raise_exception=True)
        given = data.validated_data
        done = invitation_lists.to_team_many(
            team=team, given=given["emails"], skip_bad=given["skip_bad"], acting=request.user
        )
        out = done.left_out
        body = {
            "invitations": [_delivered(row) for row in done.invitations],
            "bad": [{"text": text, "reason": reason} for text, reason in out.bad],
            "duplicates": out.duplicates,
            "members": out.members,
        }
        return Response(body, status=status.HTTP_201_CREATED)


@listed(
    operation="list_my_invitations",
    page=schemas.page("MyInvitation", schemas_people.MyInvitation),
    description="Invitations to your address that you can accept, newest first.",
)
class MyInvitationsView(ListView):
    """What the caller is invited to."""

    def rows(self, request: Request, **place: Any) -> QuerySet[Invitation]:
        """To the caller's address."""
        require_personal(request)
        return scope.invitations_to(request.user)

    def row(self, found: Invitation) -> dict[str, Any]:
        """Who invites to what."""
        account = {"number": found.account.number, "name": found.account.name}
        return {name: value for name, value in invitation_row(found).items() if name != "email"} | {"account": account}


class AcceptView(APIView):
    """Accepting an invitation."""

    @extend_schema(request=None, responses={204: None}, operation_id="accept_invitation")
    @idempotent
    def post(self, request: Request, invitation_id: int) -> Response:
        """Become a member of the account or team. Repeating it changes nothing."""
        require_personal(request)
        invitations.accept(invitation=scope.invitation_to(request.user, invitation_id), user=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


class DeclineView(APIView):
    """Declining an invitation."""

    @extend_schema(request=None, responses={204: None}, operation_id="decline_invitation")
    @idempotent
    def post(self, request: Request, invitation_id: int) -> Response:
        """Refuse an invitation. Repeating it changes nothing."""
        require_personal(request)
        invitations.decline(invitation=scope.invitation_to(request.user, invitation_id), user=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)
