"""Sending webhook messages: signatures, attempts, and what follows when nobody answers. Run by the message queue.

An attempt is a short transaction that takes the message, a request without any lock, and a short transaction that
writes what came of it. A process that dies in between leaves a message that is due again after LEASE.
"""

import logging
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from standardwebhooks import Webhook

from marketplace import fetch, queue, sealing
from marketplace.errors import DomainError
from marketplace.models import NoticeKind, Role, Subject, WebhookDelivery, WebhookEndpoint, WebhookStatus
from marketplace.services import notifications, rates, webhooks

log = logging.getLogger(__name__)

SECONDS = 10
"""How long a receiver may take to answer."""

FAILING_PAUSE = 300
"""Seconds between attempts to an endpoint that fails, whatever number of messages waits for it: each holds a process of
the queue until the receiver answers."""

LEASE = timedelta(minutes=5)
"""After this a message whose attempt left no trace is due again."""

PAUSES = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
"""Between the attempts, as Standard Webhooks recommends; then the message is given up."""

ANSWER_BYTES = 256 * 1024
"""The most that is read of an answer."""

EXCERPT = 500
"""Characters of an answer that the delivery log keeps."""

GONE = 410
"""The status by which a receiver says that it wants no further message."""

SWEPT_AT_ONCE = 500
WEBHOOK = "webhook"
"""The type of endpoints in notices. Stored, so never changed."""


class Outcome(NamedTuple):
    """What came of an attempt: the status of the answer, None for none, and its beginning or the reason."""

    status: int | None
    text: str

    @property
    def delivered(self) -> bool:
        """Whether the receiver has taken the message."""
        return self.status is not None and 200 <= self.status < 300


def deliver(delivery_id: int) -> None:
    """Attempt to send a message that is due; does nothing for another. Safe to run twice."""
    taken = _take(delivery_id)
    if taken is not None:
        _conclude(taken, _attempt(taken))


def sweep() -> None:
    """Queue the messages that are due, because their pause is over or their attempt was lost. Run every minute."""
    due = WebhookDelivery.objects.filter(next_at__lte=timezone.now()).order_by("next_at")
    for delivery_id in due.values_list("pk", flat=True)[:SWEPT_AT_ONCE]:
        queue.enqueue(webhooks.DELIVER, delivery_id)


def headers(*, endpoint: WebhookEndpoint, message_id: str, body: str, now: datetime) -> dict[str, str]:
    """The headers of a message: its id, the time, a signature for each secret that is valid. Raises WrongState."""
    valid = [endpoint.secret]
    if endpoint.earlier_secret and endpoint.earlier_until is not None and endpoint.earlier_until > now:
        valid.append(endpoint.earlier_secret)
    signatures = [Webhook(sealing.unseal(secret)).sign(message_id, now, body) for secret in valid]
    return {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def _take(delivery_id: int) -> WebhookDelivery | None:
    """The message, taken for one attempt; None when it is not due or another process has it."""
    now = timezone.now()
    with transaction.atomic():
        rows = WebhookDelivery.objects.select_for_update(no_key=True, of=("self",), skip_locked=True)
        row = rows.filter(pk=delivery_id, next_at__lte=now).select_related("endpoint__account").first()
        if row is None:
            return None
        if row.endpoint.status != WebhookStatus.ACTIVE:
            row.next_at = None
            row.save(update_fields=["next_at"])
            return None
        left = _must_wait(row)
        if left > 0:
            row.next_at = now + timedelta(seconds=left)
            row.save(update_fields=["next_at"])
            return None
        row.next_at, row.attempted_at = now + LEASE, now
        row.attempts, row.tries = row.attempts + 1, row.tries + 1
        row.save(update_fields=["next_at", "attempted_at", "attempts", "tries"])
    return row


def _must_wait(row: WebhookDelivery) -> float:
    """Seconds for which nothing is sent to an endpoint that fails; what somebody sends again by hand need not wait."""
    if row.endpoint.failing_since is None or (row.attempts > 0 and row.tries == 0):
        return 0
    granted, left = rates.take(f"failing webhook {row.endpoint_id}", most=1, seconds=FAILING_PAUSE)
    return 0 if granted else max(left, 1)


def _attempt(row: WebhookDelivery) -> Outcome:
    try:
        answer = fetch.fetch(
            row.endpoint.url,
            method="POST",
            body=row.body.encode(),
            headers=headers(
                endpoint=row.endpoint, message_id=row.message_id, body=row.body, now=row.attempted_at or timezone.now()
            ),
            max_bytes=ANSWER_BYTES,
            seconds=SECONDS,
        )
    except DomainError as error:
        return Outcome(None, error.message)
    return Outcome(answer.status, answer.body[: 4 * EXCERPT].decode(errors="replace").replace("\0", "\ufffd"))


def _conclude(row: WebhookDelivery, outcome: Outcome) -> None:
    now = timezone.now()
    with transaction.atomic():
        endpoint = WebhookEndpoint.objects.select_for_update(no_key=True).filter(pk=row.endpoint_id).first()
        if endpoint is None:
            return
        if outcome.delivered:
            next_at = None
        else:
            next_at = now + PAUSES[row.tries - 1] if row.tries <= len(PAUSES) else None
        # Only if nobody has taken it meanwhile, as after an attempt that outlived its lease.
        WebhookDelivery.objects.filter(pk=row.pk, attempts=row.attempts).update(
            delivered_at=now if outcome.delivered else None,
            next_at=next_at if endpoint.status == WebhookStatus.ACTIVE else None,
            response_status=outcome.status,
            response=outcome.text[:EXCERPT],
        )
        if outcome.delivered:
            WebhookEndpoint.objects.filter(pk=endpoint.pk).exclude(failing_since=None).update(failing_since=None)
            return
        log.info("webhook %d: attempt %d of %s failed: %s", endpoint.pk, row.attempts, row.message_id, outcome.text)
        if endpoint.failing_since is None:
            WebhookEndpoint.objects.filter(pk=endpoint.pk).update(failing_since=row.attempted_at)
            endpoint.failing_since = row.attempted_at
        _give_up_on(endpoint, outcome, now)


def _give_up_on(endpoint: WebhookEndpoint, outcome: Outcome, now: datetime) -> None:
    """Disable an endpoint that has failed for days, or says that it is gone, and tell those to whom it belongs."""
    days = settings.WEBHOOK_FAILING_DAYS
    since = endpoint.failing_since
    if outcome.status == GONE:
        reason = "it answered that it is gone"
    elif since is not None and since <= now - timedelta(days=days):
        reason = f"nothing could be delivered for {days} days"
    else:
        return
    if not webhooks.disable(endpoint=endpoint, by="system", because=reason):
        return
    text = f"The webhook {endpoint.url} is disabled: {reason}."
    subject = Subject(WEBHOOK, endpoint.pk)
    if endpoint.account is not None:
        notifications.tell_account(
            account=endpoint.account, kind=NoticeKind.WEBHOOK, text=text, subject=subject, at_least=Role.ADMIN
        )
    elif endpoint.user is not None:
        notifications.tell(user=endpoint.user, kind=NoticeKind.WEBHOOK, text=text, subject=subject)
