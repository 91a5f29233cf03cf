"""Changing one's own password, and setting a forgotten one by a link. Passwords and links are in no answer."""

import logging

from django.contrib.auth import update_session_auth_hash
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend import guesses, letters
from frontend.rates import address_of
from frontend.rest.fields import Body
from marketplace.errors import Invalid, WrongState
from marketplace.services import passwords, scope

logger = logging.getLogger(__name__)
LONGEST = passwords.LENGTH.longest


class PasswordInput(Body):
    """The old password and the new one."""

    old_password = serializers.CharField(max_length=LONGEST, trim_whitespace=False, write_only=True)
    new_password = serializers.CharField(max_length=LONGEST, trim_whitespace=False, write_only=True)


class ForgottenInput(Body):
    """The address that one signs in with."""

    email = serializers.EmailField()


class ResetInput(Body):
    """The two parts of a link's address, and the new password."""

    uid = serializers.CharField(max_length=LONGEST)
    token = serializers.CharField(max_length=LONGEST)
    new_password = serializers.CharField(max_length=LONGEST, trim_whitespace=False, write_only=True)


class PasswordView(APIView):
    """The caller's password."""

    @extend_schema(request=PasswordInput, responses={204: None}, operation_id="change_password")
    def put(self, request: Request) -> Response:
        """Change your password. Your sessions end, but for the one of this request; wrong old passwords are limited."""
        data = PasswordInput(data=request.data)
        data.is_valid(raise_exception=True)
        user = scope.user(request.user.pk)
        taken = guesses.count(request, user.email)
        try:
            passwords.change(
                user=user, old=data.validated_data["old_password"], new=data.validated_data["new_password"]
            )
        except Invalid as error:
            if error.field == "old_password":
                who, address = scope.actor(user), address_of(request)
                logger.warning("password not changed, wrong old password: %s from %s", who, address)
                raise
            guesses.give_back(taken)
            raise
        guesses.give_back(taken)
        if request.auth is None:
            update_session_auth_hash(request, user)
        logger.info("password changed: %s from %s", scope.actor(user), address_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class ForgottenView(APIView):
    """Asking for a link to set a new password."""

    permission_classes = [AllowAny]

    @extend_schema(request=ForgottenInput, responses={202: None}, operation_id="request_password_link", auth=[])
    def post(self, request: Request) -> Response:
        """Have a link sent to an address, if it belongs to a sign-in; the answer is the same if it does not.

        Without a mail server an operator makes the link.
        """
        data = ForgottenInput(data=request.data)
        data.is_valid(raise_exception=True)
        if not letters.are_sent():
            raise WrongState("this installation sends no e-mail; ask an operator for a link")
        email = data.validated_data["email"]
        guesses.count(request, email, what=guesses.FORGOTTEN)
        logger.info("password link asked for: %s from %s", guesses.who(email), address_of(request))
        letters.deliver_password_link(scope.user_or_none(email))
        return Response(status=status.HTTP_202_ACCEPTED)


class ResetView(APIView):
    """Setting a new password by a link."""

    permission_classes = [AllowAny]

    @extend_schema(request=ResetInput, responses={204: None}, operation_id="reset_password", auth=[])
    def post(self, request: Request) -> Response:
        """Set the password of a link's user; the link is used up and their sessions end."""
        data = ResetInput(data=request.data)
        data.is_valid(raise_exception=True)
        given = data.validated_data
        user = passwords.reset(uid=given["uid"], token=given["token"], new=given["new_password"])
        logger.info("password set by a link: %s from %s", scope.actor(user), address_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)
