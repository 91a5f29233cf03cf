"""What messages to programs have in common, whatever they carry: to whom they go, and what became of each."""

from django.db import models


class EndpointStatus(models.TextChoices):
    """Whether messages are sent to an endpoint."""

    ACTIVE = "Active"
    DISABLED = "Disabled"


class MessageEndpoint(models.Model):
    """Somebody's program that is sent messages; the base of every kind of endpoint."""

    description = models.CharField(max_length=80, blank=True, default="")
    status = models.CharField(max_length=10, choices=EndpointStatus, default=EndpointStatus.ACTIVE)
    status_changed_at = models.DateTimeField(null=True)
    # Sealed (marketplace/sealing.py): a signature needs the secret itself.
    secret = models.CharField(max_length=300)
    # The secret before it was changed, with which messages are signed too until then.
    earlier_secret = models.CharField(max_length=300, blank=True, default="")
    earlier_until = models.DateTimeField(null=True)
    # Since when no attempt has succeeded, null while the last one did.
    failing_since = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True


class MessageDelivery(models.Model):
    """One message to one endpoint: delivered once `delivered_at` is set, given up once `next_at` is null without it.

    A subclass adds `endpoint`, `message_id` (the same for every attempt, so that the receiver can tell a repeat) and
    `kind`.
    """

    body = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)
    attempts = models.PositiveIntegerField(default=0)
    # Attempts since it was made or sent again by hand; the pauses between them grow with it.
    tries = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField(null=True)
    attempted_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    response_status = models.PositiveSmallIntegerField(null=True)
    # The beginning of the answer, or why there was none.
    response = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        abstract = True

    @property
    def outcome(self) -> str:
        """Delivered, Waiting (for its first or next attempt) or Failed."""
        if self.delivered_at is not None:
            return "Delivered"
        return "Waiting" if self.next_at is not None else "Failed"
