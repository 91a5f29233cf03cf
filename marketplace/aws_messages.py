"""Messages to Amazon SNS, SQS and EventBridge, and from SQS: with storage.py the only importer of boto3.

botocore builds, signs and reads; the requests themselves leave by fetch.py like all others, so that a name leads to no
private address unless the operator allows it, and an answer is limited in size and time. It must not know why a message
is sent.
"""

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from django.conf import settings

from marketplace import fetch
from marketplace.errors import Invalid, Unavailable

SECONDS = 10
"""How long a service may take to answer."""

ANSWER_BYTES = 16 * 1024 * 1024
"""The most a service may answer: RECEIVED_AT_ONCE messages of 1 MiB, with what JSON adds."""

RECEIVED_AT_ONCE = 10
"""Messages that SQS gives out at a time, at most."""

ROLE_SECONDS = 900
"""How long the credentials of an assumed role are valid, the least that STS offers."""

ROLE_MARGIN = 120
"""Seconds before their end at which credentials of a role are not used any more."""

SUBJECT_LENGTH = 100
"""Characters of the subject of an SNS message."""

FIFO = ".fifo"
REGION = r"[a-z]{2}(?:-[a-z]+)+-[0-9]"
SERVICES = {
    "sns": re.compile(rf"arn:aws[a-z-]*:sns:({REGION}):([0-9]{{12}}):([A-Za-z0-9_-]{{1,256}}(?:\.fifo)?)"),
    "sqs": re.compile(rf"arn:aws[a-z-]*:sqs:({REGION}):([0-9]{{12}}):([A-Za-z0-9_-]{{1,80}}(?:\.fifo)?)"),
    "events": re.compile(rf"arn:aws[a-z-]*:events:({REGION}):([0-9]{{12}}):event-bus/([./A-Za-z0-9_-]{{1,256}})"),
}
"""What is sent to, by the service of botocore that takes the message: region, account and name of an ARN."""

ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]{1,512}")


class Keys(NamedTuple):
    """AWS credentials; without an id those that boto3 finds by itself."""

    key_id: str | None
    secret: str | None
    token: str | None = None


class Role(NamedTuple):
    """A role that is assumed with the installation's own credentials, and the external id that its owner expects."""

    arn: str
    external_id: str


@dataclass(frozen=True)
class Target:
    """Where messages go. `service`: a key of SERVICES. `endpoint_url`: "" for AWS's own."""

    service: str
    arn: str
    credentials: Keys | Role
    endpoint_url: str = ""

    @property
    def region(self) -> str:
        """The region of the ARN."""
        return parts(self.service, self.arn)[0]


class Answer(NamedTuple):
    """What a service said: an HTTP status, and the id that it gave to the message, or its error."""

    status: int
    text: str


class Received(NamedTuple):
    """A message of an SQS queue; `receipt` is what it is deleted by."""

    body: str
    receipt: str


class Unsent(Unavailable):
    """The request could not be made or was not answered."""


def parts(service: str, arn: str) -> tuple[str, str, str]:
    """Region, account and name of what messages are sent to. Raises Invalid."""
    found = SERVICES[service].fullmatch(arn)
    if found is None:
        examples = {"sns": "a-topic", "sqs": "a-queue", "events": "event-bus/default"}
        expected = f"arn:aws:{service}:us-east-1:123456789012:{examples[service]}"
        raise Invalid(f"{arn[:200]!r} found, an ARN such as {expected} expected", field="target")
    return found[1], found[2], found[3]


def installation_keys() -> Keys:
    """The credentials of this installation."""
    return Keys(settings.EVENTS_ACCESS_KEY_ID, settings.EVENTS_SECRET_ACCESS_KEY)


def send(target: Target, *, event: dict[str, Any], group: str) -> Answer:
    """Send one event (the JSON that a rule of EventBridge passes on) and return what the service answered.

    FIFO queues and topics get `group` as MessageGroupId and the id of the event as MessageDeduplicationId. Raises
    Unsent, and what fetch.fetch raises.
    """
    sender = {"sns": _to_topic, "sqs": _to_queue, "events": _to_bus}[target.service]
    return _asked(target, lambda client: sender(client, target, event, group))


def publish(target: Target, *, text: str, message_id: str, group: str) -> Answer:
    """Publish a text to a topic as it stands, and return what SNS answered. Raises as `send`."""
    fifo = {"MessageGroupId": group, "MessageDeduplicationId": message_id} if target.arn.endswith(FIFO) else {}

    def ask(client: Any) -> Answer:
        answer = client.publish(TopicArn=target.arn, Message=text, **fifo)
        return Answer(_status(answer), f"MessageId {answer['MessageId']}")

    return _asked(target, ask)


def subscribe(target: Target, *, address: str) -> Answer:
    """Subscribe an http(s) address to a topic; the text of a good answer is the subscription's ARN. Raises as `send`.

    Amazon gives the ARN before the subscription is confirmed; a repeat gives the same one.
    """

    def ask(client: Any) -> Answer:
        answer = client.subscribe(
            TopicArn=target.arn,
            Protocol=address.partition(":")[0],
            Endpoint=address,
            ReturnSubscriptionArn=True,
        )
        return Answer(_status(answer), str(answer["SubscriptionArn"]))

    return _asked(target, ask)


def unsubscribe(target: Target, *, subscription_arn: str) -> Answer:
    """End a subscription. Raises as `send`."""
    return _asked(target, lambda client: Answer(_status(client.unsubscribe(SubscriptionArn=subscription_arn)), ""))


def _asked(target: Target, ask: Callable[[Any], Answer]) -> Answer:
    try:
        return ask(_client(target, target.service, _keys(target)))
    except ClientError as error:
        return _refusal(error)
    except (BotoCoreError, ResponseParserError) as error:
        raise Unsent(str(error)[:500]) from None


def _to_topic(client: Any, target: Target, event: dict[str, Any], group: str) -> Answer:
    answer = client.publish(
        TopicArn=target.arn, Subject=title(event), Message=json.dumps(event), **_fifo(target, event, group)
    )
    return Answer(_status(answer), f"MessageId {answer['MessageId']}")


def receive(queue: Target) -> list[Received]:
    """The next messages of an SQS queue, at most RECEIVED_AT_ONCE, without waiting for any.

    A message that is not discarded comes again after the queue's visibility timeout. Raises Unsent with what the
    service said, and what fetch.fetch raises.
    """
    with _read_from(queue) as (client, url):
        answer = client.receive_message(QueueUrl=url, MaxNumberOfMessages=RECEIVED_AT_ONCE)
    return [Received(one["Body"], one["ReceiptHandle"]) for one in answer.get("Messages", [])]


def discard(queue: Target, receipt: str) -> None:
    """Delete a message that was received. Raises as `receive` does."""
    with _read_from(queue) as (client, url):
        client.delete_message(QueueUrl=url, ReceiptHandle=receipt)


@contextmanager
def _read_from(queue: Target) -> Iterator[tuple[Any, str]]:
    try:
        client = _client(queue, "sqs", _keys(queue))
        yield client, _queue_url(client, queue)
    except ClientError as error:
        raise Unsent(f"the queue {queue.arn} cannot be read: {_refusal(error).text}") from None
    except BotoCoreError as error:
        raise Unsent(f"the queue {queue.arn} cannot be read: {error}") from None


def _queue_url(client: Any, target: Target) -> str:
    _, account, name = parts("sqs", target.arn)
    return f"{client.meta.endpoint_url.rstrip('/')}/{account}/{name}"


def _to_queue(client: Any, target: Target, event: dict[str, Any], group: str) -> Answer:
    url = _queue_url(client, target)
    answer = client.send_message(QueueUrl=url, MessageBody=json.dumps(event), **_fifo(target, event, group))
    return Answer(_status(answer), f"MessageId {answer['MessageId']}")


def _to_bus(client: Any, target: Target, event: dict[str, Any], _group: str) -> Answer:
    """EventBridge gives events ids of its own; ours is a second resource, by which receivers can tell a repeat."""
    entry = {
        "Time": event["time"],
        "Source": event["source"],
        "DetailType": event["detail-type"],
        "Detail": json.dumps(event["detail"]),
        "Resources": [*event["resources"], f"urn:uuid:{event['id']}"],
        "EventBusName": target.arn,
    }
    answer = client.put_events(Entries=[entry])
    (one,) = answer["Entries"]
    if "EventId" in one:
        return Answer(_status(answer), f"EventId {one['EventId']}")
    return Answer(400, f"{one.get('ErrorCode', '')}: {one.get('ErrorMessage', '')}")


def title(event: dict[str, Any]) -> str:
    """What an event is about in a line of ASCII, for the subject of a message."""
    name = event["resources"][0].rpartition(":")[2] if event["resources"] else ""
    return f"{event['detail-type']}: {name}".encode("ascii", "replace").decode()[:SUBJECT_LENGTH]


def _fifo(target: Target, event: dict[str, Any], group: str) -> dict[str, str]:
    return {"MessageGroupId": group, "MessageDeduplicationId": event["id"]} if target.arn.endswith(FIFO) else {}


def _status(answer: dict[str, Any]) -> int:
    return int(answer["ResponseMetadata"]["HTTPStatusCode"])


def _refusal(error: ClientError) -> Answer:
    said = error.response["Error"]
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 400)
    return Answer(max(status, 400), f"{said.get('Code', '')}: {said.get('Message', '')}")


def _keys(target: Target) -> Keys:
    if isinstance(target.credentials, Keys):
        return target.credentials
    return _assumed(target, target.credentials)


_of_roles: dict[tuple[int, str, Role], tuple[float, Keys]] = {}
"""The credentials of roles that this process has assumed, until they end."""


def _assumed(target: Target, role: Role) -> Keys:
    """The credentials of a role. Raises ClientError when it may not be assumed."""
    where = (os.getpid(), target.endpoint_url, role)
    until, keys = _of_roles.get(where, (0.0, Keys(None, None)))
    if until <= time.monotonic():
        answer = _client(target, "sts", installation_keys()).assume_role(
            RoleArn=role.arn, RoleSessionName="waggle-events", ExternalId=role.external_id, DurationSeconds=ROLE_SECONDS
        )
        given = answer["Credentials"]
        keys = Keys(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        _of_roles[where] = time.monotonic() + ROLE_SECONDS - ROLE_MARGIN, keys
    return keys


def _client(target: Target, service: str, keys: Keys) -> Any:
    client = _session(os.getpid()).client(
        service,
        region_name=target.region,
        endpoint_url=target.endpoint_url or None,
        aws_access_key_id=keys.key_id,
        aws_secret_access_key=keys.secret,
        aws_session_token=keys.token,
        # Attempts are repeated by whoever sends; each is one request.
        config=Config(retries={"total_max_attempts": 1}, ignore_configured_endpoint_urls=True),
    )
    client.meta.events.register("before-send", _request)
    return client


@lru_cache(maxsize=2)
def _session(_pid: int) -> boto3.session.Session:
    # The queue forks its workers, and a session must not be shared across a fork.
    return boto3.session.Session()


def _request(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
    """Make the request that botocore has signed; what it is given back it takes for the answer."""
    body = request.body.encode() if isinstance(request.body, str) else request.body
    headers = {
        name: value.decode() if isinstance(value, bytes) else str(value) for name, value in request.headers.items()
    }
    answer = fetch.fetch(
        request.url, method=request.method, body=body, headers=headers, max_bytes=ANSWER_BYTES, seconds=SECONDS
    )
    return AWSResponse(request.url, answer.status, answer.headers, _Raw(answer.body))


class _Raw:
    """The body of an answer as botocore reads it."""

    def __init__(self, body: bytes):
        self._body = body

    def stream(self, **_: Any) -> Any:
        """The body at once."""
        yield self._body
