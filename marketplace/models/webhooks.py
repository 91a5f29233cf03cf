"""Webhooks: addresses of requester accounts and of people to which notices are posted, and what became of each."""

from django.db import models

from marketplace.models.accounts import Account, User
from marketplace.models.messages import EndpointStatus, MessageDelivery, MessageEndpoint
from marketplace.models.notices import NoticeKind

WebhookStatus = EndpointStatus


class WebhookEndpoint(MessageEndpoint):
    """An address that belongs to a requester account or to one person, and the kinds of notices it wants."""

    account = models.ForeignKey(Account, models.CASCADE, null=True, related_name="webhooks")
    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="webhooks")
    url = models.CharField(max_length=500)
    # ["job.done", ...]; an empty list stands for every kind.
    kinds = models.JSONField(default=list)

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


class WebhookDelivery(MessageDelivery):
    """One notice to one endpoint."""

    endpoint = models.ForeignKey(WebhookEndpoint, models.CASCADE, related_name="deliveries", db_index=False)
    # `webhook-id`
    message_id = models.CharField(max_length=40, unique=True)
    kind = models.CharField(max_length=30, choices=NoticeKind)

    class Meta:
        indexes = [
            models.Index(fields=["endpoint", "-id"], name="delivery_by_endpoint"),
            models.Index(fields=["next_at"], condition=models.Q(next_at__isnull=False), name="delivery_due"),
            models.Index(fields=["created_at"], name="delivery_by_age"),
        ]
