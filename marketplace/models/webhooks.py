"""Webhooks: addresses of requester accounts and of people to which notices are posted, and what became of each."""

from django.db import models

from marketplace.models.accounts import Account, User
from marketplace.models.notices import NoticeKind


class WebhookStatus(models.TextChoices):
    """Whether messages are sent to an endpoint."""

    ACTIVE = "Active"
    DISABLED = "Disabled"


class WebhookEndpoint(models.Model):
    """An address that belongs to a requester account or to one person, and the kinds of notices it wants."""

    account = models.ForeignKey(Account, models.CASCADE, null=True, related_name="webhooks")
    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="webhooks")
    url = models.CharField(max_length=500)
    description = models.CharField(max_length=80, blank=True, default="")
    # ["job.done", ...]; an empty list stands for every kind.
    kinds = models.JSONField(default=list)
    status = models.CharField(max_length=10, choices=WebhookStatus, default=WebhookStatus.ACTIVE)
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
        constraints = [
            models.CheckConstraint(
                condition=models.Q(account__isnull=False, user__isnull=True)
                | models.Q(account__isnull=True, user__isnull=False),
                name="webhook_of_account_or_person",
            )
        ]

    def wants(self, kind: str) -> bool:
        """Whether it is to be sent notices of this kind."""
        return not self.kinds or kind in self.kinds


class WebhookDelivery(models.Model):
    """One message to one endpoint: delivered once `delivered_at` is set, given up once `next_at` is null without it."""

    endpoint = models.ForeignKey(WebhookEndpoint, models.CASCADE, related_name="deliveries", db_index=False)
    # `webhook-id`: the same for every attempt, so that the receiver can tell a repeat.
    message_id = models.CharField(max_length=40, unique=True)
    kind = models.CharField(max_length=30, choices=NoticeKind)
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
        indexes = [
            models.Index(fields=["endpoint", "-id"], name="delivery_by_endpoint"),
            models.Index(fields=["next_at"], condition=models.Q(next_at__isnull=False), name="delivery_due"),
            models.Index(fields=["created_at"], name="delivery_by_age"),
        ]

    @property
    def outcome(self) -> str:
        """Delivered, Waiting (for its first or next attempt) or Failed."""
        if self.delivered_at is not None:
            return "Delivered"
        return "Waiting" if self.next_at is not None else "Failed"
