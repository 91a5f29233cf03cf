"""The caller's access keys, with which programs sign requests to the AWS wire."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.rest import schemas
from frontend.rest.fields import Body
from frontend.rest.paging import ListView, listed
from frontend.rest.scope import account_of, actor
from marketplace.models import AccessKey, Role
from marketplace.services import access_keys


class AccessKeyInput(Body):
    """What an access key is for."""

    name = serializers.CharField(max_length=access_keys.NAME_LENGTH.longest)


class AccessKeyRow(serializers.Serializer):
    """An access key, without its secret."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    access_key_id = serializers.CharField()
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)


class NewAccessKey(AccessKeyRow):
    """The only answer that holds the secret."""

    secret_access_key = serializers.CharField()


def _row(key: AccessKey) -> dict[str, Any]:
    return {
        "id": key.pk,
        "name": key.name,
        "access_key_id": key.key_id,
        "created_at": key.created_at,
        "last_used_at": key.last_used_at,
        "revoked_at": key.revoked_at,
    }


@listed(
    operation="list_access_keys",
    page=schemas.page("AccessKey", AccessKeyRow),
    description="Your access keys of the account, newest first.",
)
class AccessKeysView(ListView):
    """The caller's access keys."""

    def rows(self, request: Request, **place: Any) -> QuerySet[AccessKey]:
        """The caller's own."""
        return access_keys.keys(request.user, account_of(request))

    def row(self, found: AccessKey) -> dict[str, Any]:
        """Never the secret."""
        return _row(found)

    @extend_schema(request=AccessKeyInput, responses={201: NewAccessKey}, operation_id="create_access_key")
    def post(self, request: Request) -> Response:
        """Make an access key for the account. Its secret is in this answer and nowhere else; it is not replayable."""
        account = account_of(request, Role.MEMBER)
        data = AccessKeyInput(data=request.data)
        data.is_valid(raise_exception=True)
        key, secret = access_keys.create(user=request.user, account=account, name=data.validated_data["name"])
        return Response({**_row(key), "secret_access_key": secret}, status=status.HTTP_201_CREATED)


class AccessKeyView(APIView):
    """One access key."""

    @extend_schema(responses={204: None}, operation_id="revoke_access_key")
    def delete(self, request: Request, access_key_id: int) -> Response:
        """Revoke an access key of yours."""
        key = access_keys.key(request.user, account_of(request), access_key_id)
        access_keys.revoke(key=key, by=actor(request))
        return Response(status=status.HTTP_204_NO_CONTENT)
