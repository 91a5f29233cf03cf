"""Sending events to their destinations, those of one subject one after the other. Run by the message queue.

How messages are sent at all, and sent again, is in message_sending.py.
"""

from datetime import timedelta

import orjson
from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet

from marketplace import aws_messages, event_kinds, queue
from marketplace.models import DestinationKind, EventDelivery, EventDestination, NoticeKind, Role, Subject
from marketplace.services import event_destinations, notifications
from marketplace.services.message_sending import Outcome, Sending, post

DESTINATION = "event-destination"
"""The type of destinations in notices. Stored, so never changed."""


class _Events(Sending[EventDestination, EventDelivery]):
    # Shorter than the five minutes in which FIFO queues and topics know a repeat.
    lease = timedelta(minutes=2)

    def attempt(self, message: EventDelivery) -> Outcome:
        destination = message.endpoint
        if destination.kind == DestinationKind.WEBHOOK:
            at = message.attempted_at or message.created_at
            return post(
                endpoint=destination, url=destination.target, message_id=message.message_id, body=message.body, at=at
            )
        target = event_destinations.address_of(destination)
        if message.kind in event_kinds.TEXTS:
            sent = aws_messages.publish(target, text=message.body, message_id=message.message_id, group=message.subject)
        else:
            sent = aws_messages.send(target, event=orjson.loads(message.body), group=message.subject)
        return Outcome(*sent)

    def tell_owners(self, endpoint: EventDestination, because: str) -> None:
        notifications.tell_account(
            account=endpoint.account,
            kind=NoticeKind.WEBHOOK,
            text=f"The event destination {endpoint.target} is disabled: {because}.",
            subject=Subject(DESTINATION, endpoint.pk),
            at_least=Role.ADMIN,
        )

    def sendable(self, rows: "QuerySet[EventDelivery]") -> "QuerySet[EventDelivery]":
        """Those before which no event of the same subject waits; what was sent again by hand keeps nobody waiting."""
        earlier = EventDelivery.objects.filter(
            endpoint=OuterRef("endpoint"),
            subject_type=OuterRef("subject_type"),
            subject_id=OuterRef("subject_id"),
            pk__lt=OuterRef("pk"),
            next_at__isnull=False,
            attempts=F("tries"),
        )
        return rows.exclude(Exists(earlier))

    def ended(self, message: EventDelivery) -> None:
        """The next event of the subject need not wait for the sweep."""
        later = EventDelivery.objects.filter(
            endpoint=message.endpoint_id,
            subject_type=message.subject_type,
            subject_id=message.subject_id,
            pk__gt=message.pk,
            next_at__isnull=False,
        )
        next_one = later.order_by("pk").values_list("pk", flat=True).first()
        if next_one is not None:
            with transaction.atomic():
                queue.enqueue(event_destinations.DELIVER, next_one)


EVENTS = _Events(event_destinations.LOG)
"""How events are sent."""
