"""Erasing personal data: one's own, and by operators those of others."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.rest.fields import Body
from frontend.rest.scope import actor, require_operator, require_personal
from labeling.services import erasing
from marketplace.models import User
from marketplace.services import erasure, scope


class EraseInput(Body):
    """A confirmation."""

    confirm = serializers.CharField(
        max_length=erasure.CONFIRM_LENGTH.longest,
        help_text="the e-mail address of the person whose data are to be erased",
    )


class PersonalDataOutput(serializers.Serializer):
    """Whether somebody's data can be erased."""

    obstacles = serializers.ListField(
        child=serializers.CharField(), help_text="what is in the way, each with what to do about it; empty for nothing"
    )


class PersonalDataView(APIView):
    """The caller's personal data."""

    @extend_schema(responses={200: PersonalDataOutput}, operation_id="get_erasure_obstacles")
    def get(self, request: Request) -> Response:
        """What keeps the caller's data from being erased."""
        require_personal(request)
        return Response({"obstacles": erasure.obstacles(scope.user(request.user.pk))})

    @extend_schema(request=EraseInput, responses={204: None}, operation_id="erase_personal_data")
    def post(self, request: Request) -> Response:
        """Erase the caller's personal data for good: they cannot sign in any more. Answers and payments stay."""
        require_personal(request)
        return _erase(request, scope.user(request.user.pk))


class UserPersonalDataView(APIView):
    """Somebody's personal data."""

    @extend_schema(request=EraseInput, responses={204: None}, operation_id="erase_user")
    def post(self, request: Request, user_id: int) -> Response:
        """Erase a person's data for good, as an operator. Answers and payments stay, under a pseudonym."""
        require_operator(request)
        return _erase(request, scope.user(user_id))


def _erase(request: Request, user: User) -> Response:
    data = EraseInput(data=request.data)
    data.is_valid(raise_exception=True)
    erasing.erase(user=user, confirm=data.validated_data["confirm"], by=actor(request))
    return Response(status=status.HTTP_204_NO_CONTENT)
