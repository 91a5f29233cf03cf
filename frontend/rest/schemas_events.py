"""The shapes of answers about events and their destinations; see schemas.py."""

from rest_framework import serializers as s


class Event(s.Serializer):
    """One change of state; `event` is what destinations are sent."""

    id = s.IntegerField()
    event_id = s.CharField()
    subject = s.CharField(help_text="its type and key; events of one subject have consecutive sequences")
    sequence = s.IntegerField()
    detail_type = s.CharField()
    status = s.CharField()
    resource = s.CharField()
    at = s.DateTimeField()
    event = s.DictField(help_text="as a rule of EventBridge passes it on")


class EventDestination(s.Serializer):
    """A destination, without its secrets; empty lists stand for all detail-types and all statuses."""

    id = s.IntegerField()
    kind = s.CharField()
    target = s.CharField()
    description = s.CharField(allow_blank=True)
    endpoint_url = s.CharField(allow_null=True, help_text="null: AWS's own")
    source = s.CharField()
    detail_types = s.ListField(child=s.CharField())
    statuses = s.ListField(child=s.CharField())
    credentials = s.CharField()
    role_arn = s.CharField(allow_null=True)
    external_id = s.CharField(help_text="what the trust policy of a role has to ask for: the number of the account")
    access_key_id = s.CharField(allow_null=True)
    status = s.CharField()
    failing_since = s.DateTimeField(allow_null=True)
    created_at = s.DateTimeField()


class NewEventDestination(EventDestination):
    """The only answer that holds the secret with which a webhook is signed; null for others."""

    secret = s.CharField(allow_null=True)


class EventDelivery(s.Serializer):
    """An event to a destination and what became of it."""

    id = s.IntegerField()
    message_id = s.CharField(help_text="the id of the event")
    detail_type = s.CharField()
    subject = s.CharField()
    outcome = s.CharField(help_text="Waiting, Delivered or Failed")
    attempts = s.IntegerField()
    body = s.CharField()
    response_status = s.IntegerField(allow_null=True)
    response = s.CharField(allow_blank=True)
    created_at = s.DateTimeField()
    attempted_at = s.DateTimeField(allow_null=True)
    next_at = s.DateTimeField(allow_null=True)
    delivered_at = s.DateTimeField(allow_null=True)
