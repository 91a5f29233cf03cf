"""Webhooks of the account, for its admins, and of the caller: the same operations at two addresses."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.rest import schemas, schemas_told
from frontend.rest.fields import Body
from frontend.rest.idempotency import idempotent
from frontend.rest.paging import ListView, listed
from frontend.rest.scope import account_of, actor, require_personal
from marketplace.models import NoticeKind, Role, WebhookDelivery, WebhookEndpoint
from marketplace.services import webhooks

V = TypeVar("V", bound=type[APIView])


class WebhookInput(Body):
    """An endpoint: where to, and which kinds of notices; none for all."""

    url = serializers.CharField(max_length=webhooks.URL_LENGTH.longest)
    description = serializers.CharField(
        max_length=webhooks.DESCRIPTION_LENGTH.longest, required=False, allow_blank=True, default=""
    )
    kinds = serializers.ListField(
        child=serializers.ChoiceField(choices=NoticeKind.choices),
        required=False,
        default=list,
        max_length=webhooks.KINDS_COUNT.longest,
    )


class WebhookChangeInput(WebhookInput):
    """An endpoint as it is to be, and whether messages are sent to it."""

    active = serializers.BooleanField(default=True)


def webhook_row(found: WebhookEndpoint) -> dict[str, Any]:
    """An endpoint, without its secret."""
    return {
        "id": found.pk,
        "url": found.url,
        "description": found.description,
        "kinds": found.kinds,
        "status": found.status,
        "failing_since": found.failing_since,
        "created_at": found.created_at,
    }


def delivery_row(found: WebhookDelivery) -> dict[str, Any]:
    """A message and what became of it."""
    return {
        "id": found.pk,
        "message_id": found.message_id,
        "kind": found.kind,
        "outcome": found.outcome,
        "attempts": found.attempts,
        "body": found.body,
        "response_status": found.response_status,
        "response": found.response,
        "created_at": found.created_at,
        "attempted_at": found.attempted_at,
        "next_at": found.next_at,
        "delivered_at": found.delivered_at,
    }


class Owned:
    """Whose endpoints a view is about; the names of the parts of its address that hold the keys."""

    ENDPOINT = "webhook_id"
    MESSAGE = "delivery_id"

    def owner(self, request: Request) -> dict[str, Any]:
        """The account or person."""
        raise NotImplementedError

    def endpoint(self, request: Request, place: dict[str, int]) -> WebhookEndpoint:
        """The endpoint that the address names. Raises NotFound for another owner's."""
        return webhooks.one_of(webhook_id=place[self.ENDPOINT], **self.owner(request))


class OfAccount(Owned):
    """The account's endpoints."""

    def owner(self, request: Request) -> dict[str, Any]:
        """The account. Raises Forbidden for less than an admin."""
        return {"account": account_of(request, Role.ADMIN), "user": None}


class OfCaller(Owned):
    """The caller's own endpoints."""

    ENDPOINT = "endpoint_id"
    MESSAGE = "message_id"

    def owner(self, request: Request) -> dict[str, Any]:
        """The caller. Raises Forbidden for a token of one account."""
        require_personal(request)
        return {"account": None, "user": request.user}


class _Many(Owned, ListView):
    """All endpoints of an owner, and making one."""

    def rows(self, request: Request, **place: Any) -> QuerySet[WebhookEndpoint]:
        """Of the owner."""
        return webhooks.of(**self.owner(request))

    def row(self, found: WebhookEndpoint) -> dict[str, Any]:
        """Never the secret."""
        return webhook_row(found)

    @extend_schema(request=WebhookInput, responses={201: schemas_told.NewWebhook})
    def post(self, request: Request) -> Response:
        """Make an endpoint. Messages to it are signed as Standard Webhooks says; the secret is shown this once."""
        owner = self.owner(request)
        data = WebhookInput(data=request.data)
        data.is_valid(raise_exception=True)
        endpoint, secret = webhooks.create(**owner, **data.validated_data, by=actor(request))
        return Response({**webhook_row(endpoint), "secret": secret}, status=status.HTTP_201_CREATED)


class _One(Owned, APIView):
    """One endpoint of an owner."""

    @extend_schema(responses={200: schemas_told.Webhook})
    def get(self, request: Request, **place: int) -> Response:
        """The endpoint, without its secret."""
        return Response(webhook_row(self.endpoint(request, place)))

    @extend_schema(request=WebhookChangeInput, responses={200: schemas_told.Webhook})
    def put(self, request: Request, **place: int) -> Response:
        """Change the endpoint; with `active` it is enabled or disabled."""
        endpoint = self.endpoint(request, place)
        data = WebhookChangeInput(data=request.data)
        data.is_valid(raise_exception=True)
        active = data.validated_data.pop("active")
        webhooks.change(endpoint=endpoint, **data.validated_data, by=actor(request))
        if active:
            webhooks.enable(endpoint=endpoint, by=actor(request))
        else:
            webhooks.disable(endpoint=endpoint, by=actor(request), because="disabled by its owner")
        return Response(webhook_row(endpoint))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, **place: int) -> Response:
        """Delete the endpoint with its delivery log."""
        webhooks.delete(endpoint=self.endpoint(request, place), by=actor(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class _Secret(Owned, APIView):
    """A new secret of an endpoint."""

    @extend_schema(request=None, responses={200: schemas_told.WebhookSecret})
    def post(self, request: Request, **place: int) -> Response:
        """Change the secret; messages are signed with the earlier one too for a day. It is shown this once."""
        endpoint = self.endpoint(request, place)
        return Response({"secret": webhooks.new_secret(endpoint=endpoint, by=actor(request))})


class _Test(Owned, APIView):
    """A test message to an endpoint."""

    @extend_schema(request=None, responses={204: None})
    @idempotent
    def post(self, request: Request, **place: int) -> Response:
        """Send a message that says of itself that it is a test."""
        webhooks.send_test(endpoint=self.endpoint(request, place))
        return Response(status=status.HTTP_204_NO_CONTENT)


class _Deliveries(Owned, ListView):
    """The delivery log of an endpoint."""

    filters = {"kind": "kind"}

    def rows(self, request: Request, **place: Any) -> QuerySet[WebhookDelivery]:
        """Of the endpoint."""
        return webhooks.deliveries(self.endpoint(request, place))

    def row(self, found: WebhookDelivery) -> dict[str, Any]:
        """One message."""
        return delivery_row(found)


class _Redelivery(Owned, APIView):
    """Sending a message once more."""

    @extend_schema(request=None, responses={200: schemas_told.WebhookDelivery})
    @idempotent
    def post(self, request: Request, **place: int) -> Response:
        """Send a message again, under the same id. Repeating it while it waits changes nothing."""
        endpoint = self.endpoint(request, place)
        delivery = webhooks.delivery(endpoint, place[self.MESSAGE])
        webhooks.redeliver(delivery=delivery)
        delivery.refresh_from_db()
        return Response(delivery_row(delivery))


def named(**operations: str) -> Callable[[V], V]:
    """Decorate a view: the operation id of each of its methods."""

    def decorate(view: V) -> V:
        schema = {method: extend_schema(operation_id=name) for method, name in operations.items()}
        decorated: V = extend_schema_view(**schema)(view)
        return decorated

    return decorate


@named(post="create_webhook")
@listed(
    operation="list_webhooks",
    page=schemas.page("Webhook", schemas_told.Webhook),
    description="The account's webhooks; for admins.",
)
class WebhooksView(OfAccount, _Many):
    """The account's webhooks."""


@named(get="get_webhook", put="change_webhook", delete="delete_webhook")
class WebhookView(OfAccount, _One):
    """One of the account's webhooks."""


@named(post="renew_webhook_secret")
class WebhookSecretView(OfAccount, _Secret):
    """Its secret."""


@named(post="test_webhook")
class WebhookTestView(OfAccount, _Test):
    """A test of it."""


@listed(
    operation="list_webhook_deliveries",
    page=schemas.page("WebhookDelivery", schemas_told.WebhookDelivery),
    description="Messages to the webhook and what became of them, newest first.",
)
class WebhookDeliveriesView(OfAccount, _Deliveries):
    """Its delivery log."""


@named(post="redeliver_webhook_message")
class WebhookRedeliveryView(OfAccount, _Redelivery):
    """Sending a message to it again."""


@named(post="create_my_webhook")
@listed(
    operation="list_my_webhooks",
    page=schemas.page("MyWebhook", schemas_told.Webhook),
    description="The caller's own webhooks.",
)
class MyWebhooksView(OfCaller, _Many):
    """The caller's webhooks."""


@named(get="get_my_webhook", put="change_my_webhook", delete="delete_my_webhook")
class MyWebhookView(OfCaller, _One):
    """One of the caller's webhooks."""


@named(post="renew_my_webhook_secret")
class MyWebhookSecretView(OfCaller, _Secret):
    """Its secret."""


@named(post="test_my_webhook")
class MyWebhookTestView(OfCaller, _Test):
    """A test of it."""


@listed(
    operation="list_my_webhook_deliveries",
    page=schemas.page("MyWebhookDelivery", schemas_told.WebhookDelivery),
    description="Messages to the webhook and what became of them, newest first.",
)
class MyWebhookDeliveriesView(OfCaller, _Deliveries):
    """Its delivery log."""


@named(post="redeliver_my_webhook_message")
class MyWebhookRedeliveryView(OfCaller, _Redelivery):
    """Sending a message to it again."""
