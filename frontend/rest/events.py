"""Events of the account, and the destinations to which they are sent, for its admins."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.rest import schemas, schemas_events, schemas_told
from frontend.rest.fields import Body
from frontend.rest.idempotency import idempotent
from frontend.rest.paging import MOMENT, ListView, listed
from frontend.rest.scope import account_of, actor
from marketplace.models import CredentialsKind, DestinationKind, Event, EventDelivery, EventDestination, Role
from marketplace.services import event_destinations, events


class DestinationChangeInput(Body):
    """A destination as it is to be, and whether events are sent to it."""

    target = serializers.CharField(max_length=event_destinations.TARGET_LENGTH.longest)
    description = serializers.CharField(
        max_length=event_destinations.DESCRIPTION_LENGTH.longest, required=False, allow_blank=True
    )
    endpoint_url = serializers.CharField(
        max_length=event_destinations.URL_LENGTH.longest, required=False, allow_blank=True
    )
    source = serializers.CharField(
        max_length=event_destinations.SOURCE_LENGTH.longest, required=False, allow_blank=True
    )
    detail_types = serializers.ListField(
        child=serializers.CharField(max_length=event_destinations.NAME_LENGTH.longest),
        required=False,
        max_length=event_destinations.NAMES_COUNT.longest,
    )
    statuses = serializers.ListField(
        child=serializers.CharField(max_length=event_destinations.NAME_LENGTH.longest),
        required=False,
        max_length=event_destinations.NAMES_COUNT.longest,
    )
    credentials = serializers.ChoiceField(choices=CredentialsKind.choices, required=False)
    role_arn = serializers.CharField(
        max_length=event_destinations.TARGET_LENGTH.longest, required=False, allow_blank=True
    )
    access_key_id = serializers.CharField(
        max_length=event_destinations.KEY_LENGTH.longest, required=False, allow_blank=True
    )
    secret_access_key = serializers.CharField(
        max_length=event_destinations.SECRET_LENGTH.longest, required=False, allow_blank=True
    )
    active = serializers.BooleanField(default=True)


class DestinationInput(DestinationChangeInput):
    """A destination: an SNS topic, an SQS queue or an EventBridge event bus by its ARN, or the address of a webhook."""

    kind = serializers.ChoiceField(choices=DestinationKind.choices)
    active = None


def destination_row(found: EventDestination) -> dict[str, Any]:
    """A destination, without its secrets."""
    return {
        "id": found.pk,
        "kind": found.kind,
        "target": found.target,
        "description": found.description,
        "endpoint_url": found.endpoint_url or None,
        "source": found.source,
        "detail_types": found.detail_types,
        "statuses": found.statuses,
        "credentials": found.credentials,
        "role_arn": found.role_arn or None,
        "external_id": found.account.number,
        "access_key_id": found.access_key_id or None,
        "status": found.status,
        "failing_since": found.failing_since,
        "created_at": found.created_at,
    }


def delivery_row(found: EventDelivery) -> dict[str, Any]:
    """A message and what became of it."""
    return {
        "id": found.pk,
        "message_id": found.message_id,
        "detail_type": found.kind,
        "subject": found.subject,
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


@listed(
    operation="list_events",
    page=schemas.page("Event", schemas_events.Event),
    description="Changes of the state of labeling jobs, flow definitions, human loops, trainings, tuning jobs, batch "
    "transforms, models and endpoints, newest first.",
)
class EventsView(ListView):
    """The account's events."""

    filters = {
        "detail_type": "detail_type",
        "status": "status",
        "resource": "resource",
        "since": "at__gte",
        "until": "at__lt",
    }
    shapes = {"since": MOMENT, "until": MOMENT}

    def rows(self, request: Request, **place: Any) -> QuerySet[Event]:
        """Of the account."""
        return events.of(account_of(request)).select_related("account")

    def row(self, found: Event) -> dict[str, Any]:
        """One event."""
        return {
            "id": found.pk,
            "event_id": str(found.event_id),
            "subject": found.subject,
            "sequence": found.sequence,
            "detail_type": found.detail_type,
            "status": found.status,
            "resource": found.resource,
            "at": found.at,
            "event": event_destinations.as_sent(found),
        }


@listed(
    operation="list_event_destinations",
    page=schemas.page("EventDestination", schemas_events.EventDestination),
    description="Where the account's events are sent; for admins.",
)
class EventDestinationsView(ListView):
    """The account's destinations."""

    def rows(self, request: Request, **place: Any) -> QuerySet[EventDestination]:
        """Of the account."""
        return event_destinations.of(account_of(request, Role.ADMIN))

    def row(self, found: EventDestination) -> dict[str, Any]:
        """Never the secrets."""
        return destination_row(found)

    @extend_schema(
        operation_id="create_event_destination",
        request=DestinationInput,
        responses={201: schemas_events.NewEventDestination},
    )
    def post(self, request: Request) -> Response:
        """Make a destination. Messages to a webhook are signed as Standard Webhooks says; its secret is shown once."""
        account = account_of(request, Role.ADMIN)
        data = DestinationInput(data=request.data)
        data.is_valid(raise_exception=True)
        made, secret = event_destinations.create(account=account, **data.validated_data, by=actor(request))
        return Response({**destination_row(made), "secret": secret or None}, status=status.HTTP_201_CREATED)


class EventDestinationView(APIView):
    """One of the account's destinations."""

    @extend_schema(operation_id="get_event_destination", responses={200: schemas_events.EventDestination})
    def get(self, request: Request, destination_id: int) -> Response:
        """The destination, without its secrets."""
        return Response(destination_row(_destination(request, destination_id)))

    @extend_schema(
        operation_id="change_event_destination",
        request=DestinationChangeInput,
        responses={200: schemas_events.EventDestination},
    )
    def put(self, request: Request, destination_id: int) -> Response:
        """Change the destination; with `active` it is enabled or disabled. A secret access key left out stays."""
        found = _destination(request, destination_id)
        data = DestinationChangeInput(data=request.data)
        data.is_valid(raise_exception=True)
        active = data.validated_data.pop("active")
        event_destinations.change(destination=found, **data.validated_data, by=actor(request))
        if active:
            event_destinations.LOG.enable(found, by=actor(request))
        else:
            event_destinations.LOG.disable(found, by=actor(request), because="disabled by its owner")
        return Response(destination_row(found))

    @extend_schema(operation_id="delete_event_destination", responses={204: None})
    def delete(self, request: Request, destination_id: int) -> Response:
        """Delete the destination with its delivery log."""
        event_destinations.delete(destination=_destination(request, destination_id), by=actor(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class EventDestinationSecretView(APIView):
    """A new secret of a webhook."""

    @extend_schema(
        operation_id="renew_event_destination_secret", request=None, responses={200: schemas_told.WebhookSecret}
    )
    def post(self, request: Request, destination_id: int) -> Response:
        """Change the secret; messages are signed with the earlier one too for a day. It is shown this once."""
        secret = event_destinations.new_secret(destination=_destination(request, destination_id), by=actor(request))
        return Response({"secret": secret})


class EventDestinationTestView(APIView):
    """A test of a destination."""

    @extend_schema(operation_id="test_event_destination", request=None, responses={204: None})
    @idempotent
    def post(self, request: Request, destination_id: int) -> Response:
        """Send an event that says of itself that it is a test."""
        event_destinations.send_test(destination=_destination(request, destination_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


@listed(
    operation="list_event_deliveries",
    page=schemas.page("EventDelivery", schemas_events.EventDelivery),
    description="Events to the destination and what became of them, newest first.",
)
class EventDeliveriesView(ListView):
    """The delivery log of a destination."""

    filters = {"detail_type": "kind", "message_id": "message_id"}
    shapes = {"message_id": {"type": "string"}}

    def rows(self, request: Request, **place: Any) -> QuerySet[EventDelivery]:
        """To the destination."""
        return event_destinations.LOG.log(_destination(request, place["destination_id"]))

    def row(self, found: EventDelivery) -> dict[str, Any]:
        """One message."""
        return delivery_row(found)


class EventRedeliveryView(APIView):
    """Sending an event once more."""

    @extend_schema(operation_id="redeliver_event", request=None, responses={200: schemas_events.EventDelivery})
    @idempotent
    def post(self, request: Request, destination_id: int, event_delivery_id: int) -> Response:
        """Send an event again, under the same id. Repeating it while it waits changes nothing."""
        delivery = event_destinations.LOG.message(_destination(request, destination_id), event_delivery_id)
        event_destinations.LOG.redeliver(delivery)
        delivery.refresh_from_db()
        return Response(delivery_row(delivery))


def _destination(request: Request, destination_id: int) -> EventDestination:
    return event_destinations.one_of(account_of(request, Role.ADMIN), destination_id)
