"""Webhook endpoints of accounts and of people: making and changing them, and the notices that are sent to them.

What they have in common with other endpoints is in message_log.py; sending is in webhook_sending.py.
"""

import secrets
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

import orjson
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from marketplace import queue, sealing
from marketplace.errors import Invalid, LimitExceeded, NotFound
from marketplace.models import Account, NoticeKind, Subject, User, WebhookDelivery, WebhookEndpoint, WebhookStatus
from marketplace.ranges import Range
from marketplace.services import audit
from marketplace.services.message_log import (
    DESCRIPTION_LENGTH,
    URL_LENGTH,
    MessageLog,
    address_refusal,
    make_secret,
)
from marketplace.transitions import WEBHOOK

__all__ = ["DESCRIPTION_LENGTH", "URL_LENGTH"]

KINDS_COUNT = Range(0, len(NoticeKind.values))
"""How many kinds of notices an endpoint may name."""

PER_OWNER = 10
"""Endpoints that an account, or a person, may have."""

DELIVER = "marketplace.background.deliver_webhook"
LOG = MessageLog("webhook", WebhookEndpoint, WebhookDelivery, WEBHOOK, DELIVER)


def create(
    *, url: str, kinds: Sequence[str], description: str = "", by: str, account: Account | None = None, user: User | None
) -> tuple[WebhookEndpoint, str]:
    """An endpoint of an account, or of a person without one, and its secret, which is shown only now.

    `kinds` are the notices it wants, none for all. Raises Invalid naming the field, LimitExceeded above PER_OWNER.
    """
    _check(url, kinds, description)
    secret = make_secret()
    with transaction.atomic():
        # Requests of one owner wait for each other, so that together they keep the limit.
        if account is not None:
            Account.objects.select_for_update(no_key=True).get(pk=account.pk)
        elif user is not None:
            User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if of(account=account, user=user).count() >= PER_OWNER:
            raise LimitExceeded(f"at most {PER_OWNER} webhooks are kept; delete one first")
        endpoint = WebhookEndpoint.objects.create(
            account=account,
            user=None if account is not None else user,
            url=url,
            kinds=sorted(set(kinds)),
            description=description.strip(),
            secret=sealing.seal(secret),
        )
        audit.record(endpoint, by=by, because=f"made: {_host(url)}", to_status=endpoint.status)
    return endpoint, secret


def change(*, endpoint: WebhookEndpoint, url: str, kinds: Sequence[str], description: str, by: str) -> None:
    """Give an endpoint another address, kinds or description. Raises Invalid as `create` does."""
    _check(url, kinds, description)
    with transaction.atomic():
        endpoint.url, endpoint.kinds, endpoint.description = url, sorted(set(kinds)), description.strip()
        endpoint.save(update_fields=["url", "kinds", "description"])
        audit.record(endpoint, by=by, because=f"changed: {_host(url)}")


def new_secret(*, endpoint: WebhookEndpoint, by: str) -> str:
    """Change the secret and return it; messages are signed with the earlier one too for a day."""
    return LOG.new_secret(endpoint, by=by)


def disable(*, endpoint: WebhookEndpoint, by: str, because: str = "") -> bool:
    """Send nothing to the endpoint any more; messages that wait are given up. Safe to repeat; returns if it moved."""
    return LOG.disable(endpoint, by=by, because=because)


def enable(*, endpoint: WebhookEndpoint, by: str) -> None:
    """Send to the endpoint again, from now on. Safe to repeat."""
    LOG.enable(endpoint, by=by)


def delete(*, endpoint: WebhookEndpoint, by: str) -> None:
    """Delete an endpoint with its delivery log."""
    with transaction.atomic():
        audit.record(endpoint, by=by, because=f"deleted: {_host(endpoint.url)}")
        endpoint.delete()


def post(
    *,
    endpoints: Iterable[WebhookEndpoint],
    kind: NoticeKind,
    text: str,
    account: Account | None,
    subject: Subject | None,
    test: bool = False,
) -> None:
    """Queue a message to each of these endpoints, in the caller's transaction."""
    now = timezone.now()
    data = {
        "text": text,
        "account": account.number if account is not None else None,
        "subject": {"type": subject.type, "id": subject.id} if subject is not None else None,
    } | ({"test": True} if test else {})
    body = orjson.dumps({"type": str(kind), "timestamp": now.isoformat(), "data": data}).decode()
    rows = [
        WebhookDelivery(endpoint=endpoint, message_id=f"msg_{secrets.token_hex(14)}", kind=kind, body=body, next_at=now)
        for endpoint in endpoints
    ]
    for row in WebhookDelivery.objects.bulk_create(rows):
        queue.enqueue(DELIVER, row.pk)


def send_test(*, endpoint: WebhookEndpoint) -> None:
    """Queue a message that says of itself that it is a test. Raises WrongState for a disabled endpoint."""
    LOG.must_be_active(endpoint)
    post(
        endpoints=[endpoint],
        kind=NoticeKind(endpoint.kinds[0]) if endpoint.kinds else NoticeKind.JOB_DONE,
        text="This is a test.",
        account=endpoint.account,
        subject=None,
        test=True,
    )


def redeliver(*, delivery: WebhookDelivery) -> None:
    """Send a message once more, under the same id, with the whole row of retries. Safe to repeat.

    Raises WrongState for a disabled endpoint.
    """
    LOG.redeliver(delivery)


# --- what is read ---------------------------------------------------------------------------------------------------


def of(*, account: Account | None = None, user: User | None = None) -> QuerySet[WebhookEndpoint]:
    """The endpoints of an account, or of a person, oldest first."""
    rows = WebhookEndpoint.objects.select_related("account", "user").order_by("pk")
    return rows.filter(account=account) if account is not None else rows.filter(user=user, account=None)


def one_of(*, webhook_id: int, account: Account | None = None, user: User | None = None) -> WebhookEndpoint:
    """An endpoint of the account or person. Raises NotFound."""
    found = of(account=account, user=user).filter(pk=webhook_id).first()
    if found is None:
        raise NotFound(f"there is no webhook {webhook_id}")
    return found


def active(*, kind: NoticeKind, account: Account | None = None, users: Iterable[User] = ()) -> list[WebhookEndpoint]:
    """The active endpoints of an account, or of these people, that want this kind of notice."""
    rows = WebhookEndpoint.objects.filter(status=WebhookStatus.ACTIVE)
    if account is not None:
        rows = rows.filter(account=account)
    else:
        rows = rows.filter(user__in=[user.pk for user in users], user__is_active=True)
    return [row for row in rows.order_by("pk") if row.wants(kind)]


def deliveries(endpoint: WebhookEndpoint) -> QuerySet[WebhookDelivery]:
    """The delivery log of an endpoint, newest first."""
    return LOG.log(endpoint)


def delivery(endpoint: WebhookEndpoint, delivery_id: int) -> WebhookDelivery:
    """A message to the endpoint. Raises NotFound."""
    return LOG.message(endpoint, delivery_id)


def _check(url: str, kinds: Sequence[str], description: str) -> None:
    if reason := address_refusal(url):
        raise Invalid(reason, field="url")
    if len(description.strip()) not in DESCRIPTION_LENGTH:
        raise Invalid(f"a description has {DESCRIPTION_LENGTH} characters", field="description")
    if unknown := sorted(set(kinds) - set(NoticeKind.values)):
        raise Invalid(
            f"{unknown[0]!r} is no kind of notice; one of {', '.join(NoticeKind.values)} expected", field="kinds"
        )


def _host(url: str) -> str:
    # Not the whole address: its path or query may hold a secret of the receiver.
    return urlsplit(url).netloc
