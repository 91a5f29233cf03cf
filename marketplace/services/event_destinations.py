"""Destinations of events: making and changing them, and the queue of what is sent to them.

What they have in common with other endpoints is in message_log.py; sending is in event_sending.py.
"""

import re
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import orjson
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from marketplace import aws_messages, event_kinds, queue, sealing
from marketplace.errors import Invalid, LimitExceeded, NotFound, WrongState
from marketplace.models import (
    Account,
    CredentialsKind,
    DestinationKind,
    EndpointStatus,
    Event,
    EventDelivery,
    EventDestination,
    Subject,
)
from marketplace.ranges import Range
from marketplace.services import audit
from marketplace.services.message_log import DESCRIPTION_LENGTH, URL_LENGTH, MessageLog, address_refusal, make_secret
from marketplace.transitions import EVENT_DESTINATION

__all__ = ["DESCRIPTION_LENGTH", "URL_LENGTH"]

TARGET_LENGTH = Range(1, 2048)
"""Characters of an ARN, or of an address."""

SOURCE_LENGTH = Range(1, 256)
NAMES_COUNT = Range(0, 50)
"""How many detail-types, or statuses, a destination may name."""

NAME_LENGTH = Range(1, 100)
"""Characters of a detail-type, or of a status."""

KEY_LENGTH = Range(16, 128)
"""Characters of the id of an AWS access key."""

SECRET_LENGTH = Range(1, 256)
"""Characters of its secret."""

PER_ACCOUNT = 20
AWS_SOURCE = "aws.sagemaker"
"""The source of Amazon's own events; EventBridge takes it from nobody else."""

OWN_SOURCE = "waggle.sagemaker"
TEST_TYPE = "Waggle Test Event"
TEST_SUBJECT = "event-destination"
"""The type of the subject of a test."""

SERVICES = {DestinationKind.SNS: "sns", DestinationKind.SQS: "sqs", DestinationKind.EVENTBRIDGE: "events"}
"""The AWS service that takes the events, by the kind of destination."""

DELIVER = "marketplace.background.deliver_event"
LOG = MessageLog("event destination", EventDestination, EventDelivery, EVENT_DESTINATION, DELIVER)
_SOURCE = re.compile(r"[/.\-_A-Za-z0-9]+")
_KEY_ID = re.compile(r"\w+")


def create(
    *, account: Account, kind: str, target: str, by: str, secret_access_key: str = "", **values: Any
) -> tuple[EventDestination, str]:
    """A destination of an account and, for a webhook, the secret of its signatures, which is shown only now.

    `values` are further fields of EventDestination; without a `source`, OWN_SOURCE for an event bus and AWS_SOURCE for
    others. Raises Invalid naming every field that is wrong, LimitExceeded above PER_ACCOUNT.
    """
    secret = make_secret() if kind == DestinationKind.WEBHOOK else ""
    made = EventDestination(account=account, kind=kind, target=target, secret=sealing.seal(secret) if secret else "")
    _fill(made, {"secret_access_key": secret_access_key, **values})
    with transaction.atomic():
        # Requests of one account wait for each other, so that together they keep the limit.
        Account.objects.select_for_update(no_key=True).get(pk=account.pk)
        if of(account).count() >= PER_ACCOUNT:
            raise LimitExceeded(f"at most {PER_ACCOUNT} event destinations are kept; delete one first")
        made.save()
        audit.record(made, by=by, because=f"made: {_named(made)}", to_status=made.status)
    return made, secret


def change(*, destination: EventDestination, target: str, by: str, secret_access_key: str = "", **values: Any) -> None:
    """Give a destination another target, filter or credentials; `values` as for `create`, which says what is raised.

    Without a secret access key the one that is kept stays, if the id of the key does.
    """
    if not secret_access_key and values.get("access_key_id") == destination.access_key_id:
        secret_access_key = sealing.unseal(destination.secret_access_key) if destination.secret_access_key else ""
    destination.target = target
    try:
        _fill(destination, {"secret_access_key": secret_access_key, **values})
    except Invalid:
        destination.refresh_from_db()
        raise
    with transaction.atomic():
        destination.save(update_fields=["target", *_FIELDS])
        audit.record(destination, by=by, because=f"changed: {_named(destination)}")


def delete(*, destination: EventDestination, by: str) -> None:
    """Delete a destination with its delivery log."""
    with transaction.atomic():
        audit.record(destination, by=by, because=f"deleted: {_named(destination)}")
        destination.delete()


def new_secret(*, destination: EventDestination, by: str) -> str:
    """Change the secret of a webhook's signatures and return it. Raises WrongState for another kind of destination."""
    if destination.kind != DestinationKind.WEBHOOK:
        raise WrongState("only webhooks are signed with a secret", field="kind")
    return LOG.new_secret(destination, by=by)


def post(event: Event) -> None:
    """Queue an event for each destination of its account that wants it, in the caller's transaction."""
    active = EventDestination.objects.filter(account=event.account_id, status=EndpointStatus.ACTIVE).order_by("pk")
    wanting = [one for one in active if one.wants(event.detail_type, event.status)]
    _queue(
        EventDelivery(
            endpoint=one,
            message_id=str(event.event_id),
            kind=event.detail_type,
            subject_type=event.subject_type,
            subject_id=event.subject_id,
            body=orjson.dumps(as_sent(event, source=one.source)).decode(),
        )
        for one in wanting
    )


def post_text(*, destination: EventDestination, kind: str, message_id: str, subject: Subject, text: str) -> None:
    """Queue a text for a topic, in the caller's transaction. `kind`: one of event_kinds.TEXTS.

    A repeat with the same `message_id` does nothing. Texts about one subject are sent one after the other.
    """
    if not EventDelivery.objects.filter(endpoint=destination, message_id=message_id).exists():
        _queue(
            [
                EventDelivery(
                    endpoint=destination,
                    message_id=message_id,
                    kind=kind,
                    subject_type=subject.type,
                    subject_id=subject.id,
                    body=text,
                )
            ]
        )


def as_sent(event: Event, *, source: str = AWS_SOURCE) -> dict[str, Any]:
    """An event as a rule of EventBridge passes it on to its targets."""
    return _event(
        id=str(event.event_id),
        detail_type=event.detail_type,
        source=source,
        account=event.account,
        at=event.at,
        resources=[event.resource],
        detail=event.detail,
    )


def send_test(*, destination: EventDestination) -> None:
    """Queue an event that says of itself that it is a test. Raises WrongState for a disabled destination."""
    LOG.must_be_active(destination)
    body = _event(
        id=str(uuid.uuid4()),
        detail_type=TEST_TYPE,
        source=destination.source,
        account=destination.account,
        at=timezone.now(),
        resources=[],
        detail={"Test": True},
    )
    with transaction.atomic():
        _queue(
            [
                EventDelivery(
                    endpoint=destination,
                    message_id=body["id"],
                    kind=TEST_TYPE,
                    subject_type=TEST_SUBJECT,
                    subject_id=destination.pk,
                    body=orjson.dumps(body).decode(),
                )
            ]
        )


def _event(
    *, id: str, detail_type: str, source: str, account: Account, at: datetime, resources: list[str], detail: Any
) -> dict[str, Any]:
    return {
        "version": "0",
        "id": id,
        "detail-type": detail_type,
        "source": source,
        "account": account.number,
        "time": f"{at:%Y-%m-%dT%H:%M:%S}Z",
        "region": settings.REGION,
        "resources": resources,
        "detail": detail,
    }


def _queue(rows: Any) -> None:
    now = timezone.now()
    made = list(rows)
    for row in made:
        row.next_at = now
    for row in EventDelivery.objects.bulk_create(made):
        queue.enqueue(DELIVER, row.pk)


# --- what is read ---------------------------------------------------------------------------------------------------


def of(account: Account) -> QuerySet[EventDestination]:
    """The destinations of an account, oldest first."""
    return EventDestination.objects.filter(account=account).select_related("account").order_by("pk")


def one_of(account: Account, destination_id: int) -> EventDestination:
    """A destination of the account. Raises NotFound."""
    found = of(account).filter(pk=destination_id).first()
    if found is None:
        raise NotFound(f"there is no event destination {destination_id}")
    return found


def topic_of(account: Account, arn: str) -> EventDestination | None:
    """The account's active destination that is this SNS topic, the oldest of several; None without one."""
    topics = of(account).filter(kind=DestinationKind.SNS, status=EndpointStatus.ACTIVE)
    return topics.filter(target=arn).first()


def address_of(destination: EventDestination, *, target: str = "") -> aws_messages.Target:
    """Where, and with what credentials, a destination of AWS is asked; with `target` another topic in its place.

    Raises Invalid for what the operator does not allow any more.
    """
    if destination.endpoint_url and destination.endpoint_url not in settings.EVENTS_ENDPOINT_URLS:
        raise Invalid(f"the operator does not allow {destination.endpoint_url} any more", field="endpoint_url")
    return aws_messages.Target(
        service=SERVICES[DestinationKind(destination.kind)],
        arn=target or destination.target,
        credentials=credentials(destination),
        endpoint_url=destination.endpoint_url,
    )


# --- what is checked ------------------------------------------------------------------------------------------------

_FIELDS = (
    "description", "endpoint_url", "source", "detail_types", "statuses",
    "credentials", "role_arn", "access_key_id", "secret_access_key",
)  # fmt: skip


def _fill(destination: EventDestination, values: Mapping[str, Any]) -> None:
    """Give the destination these values, the default to those that are not named. Raises Invalid naming all errors."""
    if unknown := sorted(set(values) - set(_FIELDS)):
        raise TypeError(f"{unknown[0]!r} is no field of a destination")
    is_bus = destination.kind == DestinationKind.EVENTBRIDGE
    destination.description = values.get("description", "").strip()
    destination.endpoint_url = values.get("endpoint_url", "").rstrip("/")
    destination.source = values.get("source", "") or (OWN_SOURCE if is_bus else AWS_SOURCE)
    destination.detail_types = sorted(set(values.get("detail_types", ())))
    destination.statuses = sorted(set(values.get("statuses", ())))
    is_webhook = destination.kind == DestinationKind.WEBHOOK
    destination.credentials = values.get("credentials", "") or (CredentialsKind.NONE if is_webhook else "")
    destination.role_arn = values.get("role_arn", "")
    destination.access_key_id = values.get("access_key_id", "")
    given = values.get("secret_access_key", "")
    errors = [*_errors(destination), *_credential_errors(destination, given)]
    if errors:
        field, message = errors[0]
        raise Invalid(message, field=field, errors=errors)
    destination.secret_access_key = sealing.seal(given) if given else ""


def _errors(destination: EventDestination) -> list[tuple[str, str]]:
    errors = []
    if destination.kind not in DestinationKind.values:
        kinds = ", ".join(DestinationKind.values)
        return [("kind", f"{destination.kind!r} found, one of {kinds} expected")]
    if reason := _target_refusal(destination):
        errors.append(("target", reason))
    if len(destination.description) not in DESCRIPTION_LENGTH:
        errors.append(("description", f"a description has {DESCRIPTION_LENGTH} characters"))
    if reason := _source_refusal(destination):
        errors.append(("source", reason))
    for field, known in (("detail_types", event_kinds.detail_types()), ("statuses", event_kinds.statuses())):
        if unknown := sorted(set(getattr(destination, field)) - set(known)):
            errors.append((field, f"{unknown[0][:100]!r} found, some of {', '.join(known)} expected"))
    if destination.endpoint_url and destination.endpoint_url not in settings.EVENTS_ENDPOINT_URLS:
        allowed = ", ".join(settings.EVENTS_ENDPOINT_URLS) or "none"
        errors.append(
            ("endpoint_url", f"the operator allows these addresses besides AWS's own: {allowed} (see the settings)")
        )
    return errors


def _target_refusal(destination: EventDestination) -> str:
    if destination.kind == DestinationKind.WEBHOOK:
        return address_refusal(destination.target)
    try:
        aws_messages.parts(SERVICES[DestinationKind(destination.kind)], destination.target)
    except Invalid as error:
        return error.message
    return ""


def _source_refusal(destination: EventDestination) -> str:
    if len(destination.source) not in SOURCE_LENGTH or _SOURCE.fullmatch(destination.source) is None:
        return f"{SOURCE_LENGTH} letters, digits, dots, slashes, hyphens and underscores expected"
    if destination.kind == DestinationKind.EVENTBRIDGE and destination.source.lower().startswith("aws."):
        return f"EventBridge takes events of aws. from Amazon only; {OWN_SOURCE} expected, or another source"
    return ""


def _credential_errors(destination: EventDestination, secret: str) -> list[tuple[str, str]]:
    kind, is_webhook = destination.credentials, destination.kind == DestinationKind.WEBHOOK
    none = str(CredentialsKind.NONE)
    fitting = [none] if is_webhook else [one for one in CredentialsKind.values if one != none]
    errors = []
    if kind not in fitting:
        errors.append(("credentials", f"{kind!r} found, one of {', '.join(fitting)} expected"))
    if kind == CredentialsKind.INSTALLATION and not may_use_own(destination.account):
        errors.append(("credentials", "the operator does not let this account use the installation's own credentials"))
    if (kind == CredentialsKind.ROLE) != bool(destination.role_arn):
        errors.append(("role_arn", "the ARN of a role goes with the credentials 'role', and only with these"))
    elif destination.role_arn and aws_messages.ROLE_ARN.fullmatch(destination.role_arn) is None:
        errors.append(("role_arn", "arn:aws:iam::123456789012:role/a-name expected"))
    if (kind == CredentialsKind.KEYS) != bool(destination.access_key_id):
        errors.append(("access_key_id", "the id of a key goes with the credentials 'keys', and only with these"))
    elif destination.access_key_id and (
        len(destination.access_key_id) not in KEY_LENGTH or _KEY_ID.fullmatch(destination.access_key_id) is None
    ):
        errors.append(("access_key_id", f"{KEY_LENGTH} letters and digits expected"))
    if (kind == CredentialsKind.KEYS) != bool(secret) or len(secret) > SECRET_LENGTH.longest:
        errors.append(
            ("secret_access_key", f"the secret of a key, {SECRET_LENGTH} characters, goes with the credentials 'keys'")
        )
    return errors


def may_use_own(account: Account) -> bool:
    """Whether the operator lets the account use the AWS credentials of the installation itself."""
    return bool({account.number, "*"} & settings.EVENTS_OWN_CREDENTIALS)


def credentials(destination: EventDestination) -> aws_messages.Keys | aws_messages.Role:
    """With what events to the destination are sent. Raises Invalid when that is not allowed any more, WrongState."""
    if destination.credentials == CredentialsKind.ROLE:
        return aws_messages.Role(destination.role_arn, destination.account.number)
    if destination.credentials == CredentialsKind.KEYS:
        return aws_messages.Keys(destination.access_key_id, sealing.unseal(destination.secret_access_key))
    if not may_use_own(destination.account):
        raise Invalid("the operator does not let this account use the installation's own credentials any more")
    return aws_messages.installation_keys()


def _named(destination: EventDestination) -> str:
    # Not the whole address: its path or query may hold a secret of the receiver.
    is_webhook = destination.kind == DestinationKind.WEBHOOK
    return urlsplit(destination.target).netloc if is_webhook else destination.target
