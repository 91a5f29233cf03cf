"""Signing up by oneself, and what workers say of themselves. Links and passwords are in no answer."""

import logging
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend import guesses, letters
from frontend.rates import address_of
from frontend.rest import schemas_people
from frontend.rest.fields import Body
from frontend.rest.scope import worker_of
from marketplace.errors import Invalid, WrongState
from marketplace.models import Account, SignUpPurpose, User, WorkerProfile
from marketplace.services import accounts, passwords, profiles, scope, signups

logger = logging.getLogger(__name__)
LONGEST = passwords.LENGTH.longest


class SignUpInput(Body):
    """Who wants to sign up, and as what."""

    email = serializers.EmailField()
    purpose = serializers.ChoiceField(choices=SignUpPurpose.choices)


class ProfileInput(Body):
    """What a worker says of themselves."""

    country = serializers.ChoiceField(choices=list(profiles.countries()), allow_blank=True, default="")
    languages = serializers.ListField(
        child=serializers.ChoiceField(choices=list(profiles.spoken())),
        max_length=profiles.LANGUAGES.longest,
        default=list,
    )
    adult = serializers.BooleanField(
        default=False, help_text="confirm that you are of age where you live, to be shown adult content"
    )


class FinishInput(ProfileInput):
    """The secret of the link and the password; for requesters the name of their account, for workers their profile."""

    secret = serializers.CharField(max_length=LONGEST)
    password = serializers.CharField(max_length=LONGEST, trim_whitespace=False, write_only=True)
    display_name = serializers.CharField(max_length=accounts.DISPLAY_NAME_LENGTH.longest, allow_blank=True, default="")
    account = serializers.CharField(max_length=accounts.ACCOUNT_NAME_LENGTH.longest, required=False)


class SignUpsView(APIView):
    """Asking for a link to sign up."""

    permission_classes = [AllowAny]

    @extend_schema(request=SignUpInput, responses={202: None}, operation_id="request_sign_up", auth=[])
    def post(self, request: Request) -> Response:
        """Have a letter sent to an address; the answer is the same whether it belongs to somebody or not."""
        data = SignUpInput(data=request.data)
        data.is_valid(raise_exception=True)
        if not letters.are_sent():
            raise WrongState("this installation sends no e-mail, so that nobody can sign up; ask for an invitation")
        email = data.validated_data["email"]
        guesses.count(request, email, what=guesses.SIGN_UP)
        logger.info("sign-up asked for: %s from %s", guesses.who(email), address_of(request))
        letters.deliver_sign_up(signups.begin(email=email, purpose=data.validated_data["purpose"]))
        return Response(status=status.HTTP_202_ACCEPTED)


class FinishView(APIView):
    """Finishing a sign-up."""

    permission_classes = [AllowAny]

    @extend_schema(
        request=FinishInput, responses={201: schemas_people.SignedUp}, operation_id="finish_sign_up", auth=[]
    )
    def post(self, request: Request) -> Response:
        """Make the sign-in of a link's address; the link is used up."""
        data = FinishInput(data=request.data)
        data.is_valid(raise_exception=True)
        user, account = _finish(data.validated_data)
        logger.info("signed up: %s from %s", scope.actor(user), address_of(request))
        body = {
            "id": user.pk,
            "email": user.email,
            "account": {"number": account.number, "name": account.name} if account is not None else None,
        }
        return Response(body, status=status.HTTP_201_CREATED)


def _finish(given: dict[str, Any]) -> tuple[User, Account | None]:
    who = {name: given[name] for name in ("secret", "password", "display_name")}
    if signups.of_link(given["secret"]).purpose == SignUpPurpose.WORKER:
        profile = {name: given[name] for name in ("country", "languages", "adult")}
        return signups.finish_worker(**who, **profile), None
    if "account" not in given:
        raise Invalid("a requester needs a name for their account", field="account")
    return signups.finish_requester(**who, account_name=given["account"])


def _row(profile: WorkerProfile) -> dict[str, Any]:
    return {
        "country": profile.country,
        "languages": profile.languages,
        "adult": profile.adult_since is not None,
    }


class ProfileView(APIView):
    """What the caller says of themselves as a worker."""

    @extend_schema(responses={200: schemas_people.Profile}, operation_id="get_profile")
    def get(self, request: Request) -> Response:
        """The caller's profile."""
        return Response(_row(profiles.of(worker_of(request))))

    @extend_schema(request=ProfileInput, responses={200: schemas_people.Profile}, operation_id="set_profile")
    def put(self, request: Request) -> Response:
        """Replace the caller's profile."""
        worker = worker_of(request)
        data = ProfileInput(data=request.data)
        data.is_valid(raise_exception=True)
        return Response(_row(profiles.put(worker=worker, **data.validated_data)))
