"""Event destinations with a delivery, as rows, with right requests about them and the limits of their fields."""

from typing import Any

from django.urls import reverse

from marketplace.models import Account, EventDelivery, User
from marketplace.services import event_destinations

DECLARED = {
    f"{where}.{name}": limit
    for where in (
        "DestinationInput", "DestinationChangeInput", "DestinationForm", "DestinationChangeForm",
    )
    for name, limit in {
        "target": event_destinations.TARGET_LENGTH,
        "description": event_destinations.DESCRIPTION_LENGTH,
        "endpoint_url": event_destinations.URL_LENGTH,
        "source": event_destinations.SOURCE_LENGTH,
        "role_arn": event_destinations.TARGET_LENGTH,
        "access_key_id": event_destinations.KEY_LENGTH,
        "secret_access_key": event_destinations.SECRET_LENGTH,
        "detail_types": event_destinations.NAMES_COUNT,
        "detail_types[]": event_destinations.NAME_LENGTH,
        "statuses": event_destinations.NAMES_COUNT,
        "statuses[]": event_destinations.NAME_LENGTH,
    }.items()
    if where.endswith("Input") or name not in ("detail_types", "detail_types[]", "statuses", "statuses[]")
}  # fmt: skip
"""For test_ranges.py."""

FORBIDDEN_TO_VIEWERS = (
    "events/destinations/",
    "events/destinations/<int:destination_id>/",
    "events/destinations/<int:destination_id>/act/",
    "events/destinations/<int:destination_id>/deliveries/<int:event_delivery_id>/redeliver/",
    "api/v1/event-destinations",
    "api/v1/event-destinations/<int:destination_id>/secret",
    "api/v1/event-destinations/<int:destination_id>/test",
    "api/v1/event-destinations/<int:destination_id>/deliveries/<int:event_delivery_id>/redeliver",
)
"""For test_permissions.py; see route_sets.py."""

QUEUE = {
    "target": "arn:aws:sqs:us-east-1:123456789012:bees",
    "description": "ours",
    "detail_types": ["SageMaker Endpoint State Change"],
    "statuses": ["InService"],
    "credentials": "role",
    "role_arn": "arn:aws:iam::123456789012:role/bees",
}
HOOK = {"target": "https://example.org/secret-hook", "description": "ours", "credentials": "none"}


def ids(account: Account) -> dict[str, int]:
    """A webhook that is sent events and a message to it, by the names of their parts of an address."""
    made, _ = event_destinations.create(account=account, kind="webhook", by="system", **HOOK)
    event_destinations.send_test(destination=made)
    return {"destination_id": made.pk, "event_delivery_id": EventDelivery.objects.get(endpoint=made).pk}


def grow(account: Account) -> None:
    """Another destination; the first one is sent another event."""
    event_destinations.create(account=account, kind="sqs", by="system", **QUEUE)
    event_destinations.send_test(destination=event_destinations.of(account)[0])


def pages(account: Account, viewer: User) -> dict[str, tuple[User, str]]:
    """Pages about events: name -> (user, path)."""
    first = event_destinations.of(account)[0].pk
    return {
        "events": (viewer, reverse("requester:events")),
        "event_destinations": (viewer, reverse("requester:event-destinations")),
        "event_destination": (viewer, reverse("requester:event-destination", args=[first])),
    }


def lists(account: Account, owner: User) -> dict[str, tuple[User, str]]:
    """Lists of the API below an address with a key."""
    first = event_destinations.of(account)[0].pk
    return {"event_deliveries": (owner, f"/api/v1/event-destinations/{first}/deliveries")}


def bodies() -> dict[str, dict[str, Any]]:
    """A JSON body for each operation that takes one."""
    return {"create_event_destination": {"kind": "sqs", **QUEUE}, "change_event_destination": {**HOOK, "active": True}}


def posts() -> list[tuple[str, dict[str, Any]]]:
    """Every operation by POST that answers with a body, in an order in which all of them can be called."""
    names = ("create_event_destination", "renew_event_destination_secret", "redeliver_event")
    return [(name, bodies().get(name, {})) for name in names]


def forms(world_ids: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """(address, fields) of every form."""
    place = "/events/destinations/"
    one = f"{place}{world_ids['destination_id']}/"
    empty = dict.fromkeys(("source", "endpoint_url", "access_key_id", "secret_access_key"), "")
    return [
        (place, {"kind": "sqs", **QUEUE, **empty}),
        (one, {**HOOK, **empty}),
        (f"{one}act/", {"act": "test"}),
        (f"{one}deliveries/{world_ids['event_delivery_id']}/redeliver/", {}),
    ]
