"""The caller, their accounts, members and API tokens."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.rest import schemas, schemas_people
from frontend.rest.fields import Body
from frontend.rest.paging import ListView, listed
from frontend.rest.scope import account_of, actor, token_of
from marketplace.models import Account, ApiToken, Membership, Role, User
from marketplace.services import accounts, scope


class TokenInput(Body):
    """A new token's name; `personal` tokens belong to no account (for workers and operators).

    A token of one account makes neither these nor tokens of another account.
    """

    name = serializers.CharField(max_length=accounts.TOKEN_NAME_LENGTH.longest)
    personal = serializers.BooleanField(default=False)


class RoleInput(Body):
    """A member's new role."""

    role = serializers.ChoiceField(choices=Role.choices)


class OrganizationInput(Body):
    """The organization's name and where the invited can ask; empty texts take them back."""

    organization = serializers.CharField(max_length=accounts.ORGANIZATION_LENGTH.longest, allow_blank=True)
    contact_email = serializers.EmailField(allow_blank=True)


def token_row(token: ApiToken) -> dict[str, Any]:
    """A token as the API shows it: never the secret."""
    return {
        "id": token.pk,
        "name": token.name,
        "prefix": token.prefix,
        "created_at": token.created_at,
        "last_used_at": token.last_used_at,
        "revoked_at": token.revoked_at,
    }


class MeView(APIView):
    """The caller."""

    @extend_schema(responses={200: schemas.Me}, operation_id="me")
    def get(self, request: Request) -> Response:
        """Who you are, the accounts you are a member of with your role, and your worker id if you are a worker."""
        user: User = request.user
        worker = getattr(user, "worker", None)
        rows = scope.memberships(user)
        return Response(
            {
                "id": user.pk,
                "email": user.email,
                "display_name": user.display_name,
                "is_operator": user.is_operator,
                "worker": {"id": worker.public_id, "status": worker.status} if worker else None,
                "accounts": [{"number": m.account.number, "name": m.account.name, "role": m.role} for m in rows],
            }
        )


@listed(operation="list_tokens", page=schemas.page("Token", schemas.Token), description="Your tokens, newest first.")
class TokensView(ListView):
    """The caller's API tokens."""

    def rows(self, request: Request, **place: Any) -> QuerySet[ApiToken]:
        """The caller's own; with a token of one account, those of this account."""
        return scope.tokens(request.user, token_of(request))

    def row(self, found: ApiToken) -> dict[str, Any]:
        """Never the secret."""
        return token_row(found)

    @extend_schema(request=TokenInput, responses={201: schemas.NewToken}, operation_id="create_token")
    def post(self, request: Request) -> Response:
        """Create a token. Its secret is in this answer and nowhere else; it is not replayable."""
        data = TokenInput(data=request.data)
        data.is_valid(raise_exception=True)
        account = None if data.validated_data["personal"] else account_of(request, Role.MEMBER)
        token, secret = accounts.create_token(
            user=request.user, account=account, name=data.validated_data["name"], caller=token_of(request)
        )
        return Response({**token_row(token), "secret": secret}, status=status.HTTP_201_CREATED)


class TokenView(APIView):
    """One token."""

    @extend_schema(responses={204: None}, operation_id="revoke_token")
    def delete(self, request: Request, token_id: int) -> Response:
        """Revoke a token of yours."""
        token = scope.token(request.user, token_id, token_of(request))
        accounts.revoke_token(token=token, by=actor(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _member_row(row: Membership) -> dict[str, Any]:
    return {"user_id": row.user_id, "email": row.user.email, "display_name": row.user.display_name, "role": row.role}


@listed(operation="list_members", page=schemas.page("Member", schemas.Member), description="Members with their roles.")
class MembersView(ListView):
    """The members of the account."""

    filters = {"role": "role"}
    ordering = "id"

    def rows(self, request: Request, **place: Any) -> QuerySet[Membership]:
        """Of the account."""
        return scope.members(account_of(request))

    def row(self, found: Membership) -> dict[str, Any]:
        """Who, and which role."""
        return _member_row(found)


class MemberView(APIView):
    """One member."""

    @extend_schema(request=RoleInput, responses={200: schemas.Member}, operation_id="change_member_role")
    def put(self, request: Request, user_id: int) -> Response:
        """Give a member another role. Nobody gives or takes a rank above their own; new members are invited."""
        account = account_of(request, Role.ADMIN)
        user = scope.member(account, user_id)
        data = RoleInput(data=request.data)
        data.is_valid(raise_exception=True)
        role = Role(data.validated_data["role"])
        return Response(_member_row(accounts.change_role(account=account, user=user, role=role, acting=request.user)))

    @extend_schema(responses={204: None}, operation_id="remove_member")
    def delete(self, request: Request, user_id: int) -> Response:
        """Take a member out of the account; your own id lets you leave. Their tokens for the account are revoked."""
        account = account_of(request)
        accounts.remove_member(account=account, user=scope.member(account, user_id), acting=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _organization(account: Account) -> Response:
    return Response({"organization": account.organization, "contact_email": account.contact_email})


class OrganizationView(APIView):
    """Who invites, as invitations and portals say it."""

    @extend_schema(responses={200: schemas_people.Organization}, operation_id="get_organization")
    def get(self, request: Request) -> Response:
        """The organization of the account."""
        return _organization(account_of(request))

    @extend_schema(
        request=OrganizationInput, responses={200: schemas_people.Organization}, operation_id="set_organization"
    )
    def put(self, request: Request) -> Response:
        """Say the organization's name and contact address. For admins."""
        account = account_of(request, Role.ADMIN)
        data = OrganizationInput(data=request.data)
        data.is_valid(raise_exception=True)
        accounts.set_organization(account=account, acting=request.user, **data.validated_data)
        return _organization(account)
