"""Events: every change of the state of an account's jobs, loops, models and endpoints, and where they are sent."""

import uuid

from django.db import models

from marketplace.models.accounts import Account
from marketplace.models.messages import MessageDelivery, MessageEndpoint

WAITING = models.Q(next_at__isnull=False)


class Event(models.Model):
    """One change of state, written in its transaction. `sequence` counts those of one subject from 1, without gaps.

    `detail_type` and `detail` are AWS's. `final`: the subject cannot change its state any more.
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="+", db_index=False)
    event_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    subject_type = models.CharField(max_length=40)
    subject_id = models.BigIntegerField()
    sequence = models.PositiveIntegerField()
    detail_type = models.CharField(max_length=100)
    status = models.CharField(max_length=30)
    resource = models.CharField(max_length=2048)
    detail = models.JSONField()
    final = models.BooleanField(default=False)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subject_type", "subject_id", "sequence"], name="event_sequence_once")
        ]
        indexes = [
            models.Index(fields=["account", "-id"], name="event_by_account"),
            models.Index(fields=["at"], name="event_by_age"),
        ]

    @property
    def subject(self) -> str:
        """What it is about, as one word."""
        return f"{self.subject_type}/{self.subject_id}"


class DestinationKind(models.TextChoices):
    """What an event is sent to."""

    SNS = "sns", "Amazon SNS topic"
    SQS = "sqs", "Amazon SQS queue"
    EVENTBRIDGE = "eventbridge", "Amazon EventBridge event bus"
    WEBHOOK = "webhook", "Webhook"


class CredentialsKind(models.TextChoices):
    """With which AWS credentials events are sent."""

    NONE = "none", "None (webhooks)"
    ROLE = "role", "An IAM role"
    KEYS = "keys", "An access key"
    INSTALLATION = "installation", "Those of this installation"


class EventDestination(MessageEndpoint):
    """Where events of an account are sent, and which of them.

    `target` is an ARN, or the address of a webhook, whose messages are signed with `secret`. `endpoint_url`: the AWS
    service is asked there instead of at AWS. `secret_access_key` is sealed (marketplace/sealing.py).
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="event_destinations")
    kind = models.CharField(max_length=12, choices=DestinationKind)
    target = models.CharField(max_length=2048)
    endpoint_url = models.CharField(max_length=500, blank=True, default="")
    # The `source` of its events.
    source = models.CharField(max_length=256)
    # Empty lists stand for every detail-type, and for every status.
    detail_types = models.JSONField(default=list)
    statuses = models.JSONField(default=list)
    credentials = models.CharField(max_length=12, choices=CredentialsKind, default=CredentialsKind.NONE)
    role_arn = models.CharField(max_length=2048, blank=True, default="")
    access_key_id = models.CharField(max_length=128, blank=True, default="")
    secret_access_key = models.CharField(max_length=500, blank=True, default="")

    def wants(self, detail_type: str, status: str) -> bool:
        """Whether it is to be sent events of this type about this status."""
        return (not self.detail_types or detail_type in self.detail_types) and (
            not self.statuses or status in self.statuses
        )


class EventDelivery(MessageDelivery):
    """One event to one destination; `message_id` is the id of the event."""

    endpoint = models.ForeignKey(EventDestination, models.CASCADE, related_name="deliveries", db_index=False)
    message_id = models.CharField(max_length=40)
    kind = models.CharField(max_length=100)
    subject_type = models.CharField(max_length=40)
    subject_id = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["endpoint", "message_id"], name="event_delivery_once")]
        indexes = [
            models.Index(fields=["endpoint", "-id"], name="event_delivery_by_endpoint"),
            models.Index(fields=["next_at"], condition=WAITING, name="event_delivery_due"),
            models.Index(
                fields=["endpoint", "subject_type", "subject_id", "id"],
                condition=WAITING,
                name="event_delivery_waiting",
            ),
            models.Index(fields=["created_at"], name="event_delivery_by_age"),
        ]

    @property
    def subject(self) -> str:
        """What the event is about, as one word: events of one subject are sent one after the other."""
        return f"{self.subject_type}/{self.subject_id}"
