"""Sending notices to webhooks; how messages are sent at all is in message_sending.py. Run by the message queue."""

from marketplace.models import NoticeKind, Role, Subject, WebhookDelivery, WebhookEndpoint
from marketplace.services import notifications, webhooks
from marketplace.services.message_sending import Outcome, Sending, post

WEBHOOK = "webhook"
"""The type of endpoints in notices. Stored, so never changed."""


class _Webhooks(Sending[WebhookEndpoint, WebhookDelivery]):
    def attempt(self, message: WebhookDelivery) -> Outcome:
        endpoint = message.endpoint
        at = message.attempted_at or message.created_at
        return post(endpoint=endpoint, url=endpoint.url, message_id=message.message_id, body=message.body, at=at)

    def tell_owners(self, endpoint: WebhookEndpoint, because: str) -> None:
        text = f"The webhook {endpoint.url} is disabled: {because}."
        subject = Subject(WEBHOOK, endpoint.pk)
        if endpoint.account is not None:
            notifications.tell_account(
                account=endpoint.account, kind=NoticeKind.WEBHOOK, text=text, subject=subject, at_least=Role.ADMIN
            )
        elif endpoint.user is not None:
            notifications.tell(user=endpoint.user, kind=NoticeKind.WEBHOOK, text=text, subject=subject)


WEBHOOKS = _Webhooks(webhooks.LOG)
"""How notices are sent to webhooks."""
