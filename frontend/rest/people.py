"""Users and requester accounts, for operators: making them, letting people sign in and work or not."""

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
from frontend.rest.scope import actor, require_operator
from labeling.services import exclusion
from marketplace.models import User
from marketplace.services import accounts, passwords, people, scope


class UserInput(Body):
    """A user to be made, with an account of their own if it has a name."""

    email = serializers.EmailField()
    display_name = serializers.CharField(
        max_length=accounts.DISPLAY_NAME_LENGTH.longest, required=False, allow_blank=True, default=""
    )
    account = serializers.CharField(
        max_length=accounts.ACCOUNT_NAME_LENGTH.longest, required=False, allow_blank=True, default=""
    )
    is_operator = serializers.BooleanField(default=False)


class AccountInput(Body):
    """A requester account to be made, and who owns it."""

    name = serializers.CharField(max_length=accounts.ACCOUNT_NAME_LENGTH.longest)
    owner = serializers.EmailField(help_text="the address of somebody with a sign-in")


class ExclusionInput(Body):
    """Why somebody is shut out."""

    reason = serializers.CharField(max_length=people.REASON_LENGTH.longest)


def user_row(user: User) -> dict[str, Any]:
    """A user as an operator sees them."""
    worker = getattr(user, "worker", None)
    return {
        "id": user.pk,
        "email": user.email,
        "display_name": user.display_name,
        "is_active": user.is_active,
        "is_operator": user.is_operator,
        "is_simulated": user.is_simulated,
        "worker": {"id": worker.public_id, "status": worker.status} if worker else None,
        "created_at": user.date_joined,
        "last_login": user.last_login,
    }


def _link(request: Request, user: User) -> str:
    return letters.password_link(*passwords.make_link(user=user, by=actor(request)))


@listed(
    operation="list_users",
    page=schemas.page("User", schemas_people.User),
    description="Everybody with a sign-in, newest first.",
)
class UsersView(ListView):
    """Everybody, for operators."""

    filters = {"email": "email__icontains", "worker": "worker__public_id"}

    def rows(self, request: Request, **place: Any) -> QuerySet[User]:
        """Of the installation."""
        require_operator(request)
        return scope.users()

    def row(self, found: User) -> dict[str, Any]:
        """Never anything of the password."""
        return user_row(found)

    @extend_schema(request=UserInput, responses={201: schemas_people.NewUser}, operation_id="create_user")
    def post(self, request: Request) -> Response:
        """Make a user. They set their password by the link in this answer, which is shown this once."""
        require_operator(request)
        data = UserInput(data=request.data)
        data.is_valid(raise_exception=True)
        user = people.create(by=actor(request), **data.validated_data)
        return Response({**user_row(user), "link": _link(request, user)}, status=status.HTTP_201_CREATED)


class PasswordLinkView(APIView):
    """A link for somebody who has forgotten their password."""

    @extend_schema(request=None, responses={201: schemas_people.PasswordLink}, operation_id="create_password_link")
    def post(self, request: Request, user_id: int) -> Response:
        """Make a link by which a user sets a new password, once and for a limited time."""
        require_operator(request)
        return Response({"link": _link(request, scope.user(user_id))}, status=status.HTTP_201_CREATED)


class _ActionView(APIView):
    """Something that an operator does with a user."""

    def act(self, request: Request, user: User, reason: str) -> None:
        """Do it."""
        raise NotImplementedError

    def done(self, request: Request, user_id: int, *, with_reason: bool = False) -> Response:
        """Do it, and show the user."""
        require_operator(request)
        user, reason = scope.user(user_id), ""
        if with_reason:
            data = ExclusionInput(data=request.data)
            data.is_valid(raise_exception=True)
            reason = data.validated_data["reason"]
        self.act(request, user, reason)
        return Response(user_row(scope.user(user_id)))


class DeactivateView(_ActionView):
    """Ending a sign-in."""

    @extend_schema(request=ExclusionInput, responses={200: schemas_people.User}, operation_id="deactivate_user")
    @idempotent
    def post(self, request: Request, user_id: int) -> Response:
        """End a user's sign-in, sessions and tokens at once; the tasks they hold go to others."""
        return self.done(request, user_id, with_reason=True)

    def act(self, request: Request, user: User, reason: str) -> None:
        """See exclusion."""
        exclusion.deactivate(user=user, reason=reason, by=actor(request))


class ReactivateView(_ActionView):
    """Letting somebody sign in again."""

    @extend_schema(request=None, responses={200: schemas_people.User}, operation_id="reactivate_user")
    @idempotent
    def post(self, request: Request, user_id: int) -> Response:
        """Let a user sign in again; their tokens have to be made anew."""
        return self.done(request, user_id)

    def act(self, request: Request, user: User, reason: str) -> None:
        """See people."""
        people.reactivate(user=user, by=actor(request))


class SuspendView(_ActionView):
    """Shutting a worker out of all work."""

    @extend_schema(request=ExclusionInput, responses={200: schemas_people.User}, operation_id="suspend_worker")
    @idempotent
    def post(self, request: Request, user_id: int) -> Response:
        """Show a worker no work of any account any more; the tasks they hold go to others."""
        return self.done(request, user_id, with_reason=True)

    def act(self, request: Request, user: User, reason: str) -> None:
        """See exclusion."""
        exclusion.suspend(worker=scope.worker_by_email(user.email), reason=reason, by=actor(request))


class LiftView(_ActionView):
    """Ending a suspension."""

    @extend_schema(request=None, responses={200: schemas_people.User}, operation_id="lift_suspension")
    @idempotent
    def post(self, request: Request, user_id: int) -> Response:
        """Let a suspended worker work again."""
        return self.done(request, user_id)

    def act(self, request: Request, user: User, reason: str) -> None:
        """See people."""
        people.lift_suspension(worker=scope.worker_by_email(user.email), by=actor(request))


class AccountsView(APIView):
    """Requester accounts."""

    @extend_schema(request=AccountInput, responses={201: schemas_people.Account}, operation_id="create_account")
    @idempotent
    def post(self, request: Request) -> Response:
        """Make a requester account for somebody with a sign-in."""
        require_operator(request)
        data = AccountInput(data=request.data)
        data.is_valid(raise_exception=True)
        owner = scope.user_by_email(data.validated_data["owner"])
        account = people.create_account(name=data.validated_data["name"], owner=owner, by=actor(request))
        return Response({"number": account.number, "name": account.name}, status=status.HTTP_201_CREATED)
