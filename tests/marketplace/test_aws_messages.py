"""Events to SNS, SQS and EventBridge of a real server (moto in a process of its own)."""

import json
import uuid
from typing import Any

import pytest

from marketplace import aws_messages, background
from marketplace.errors import Forbidden, Invalid
from marketplace.models import Account, EventDelivery, EventDestination
from marketplace.services import event_destinations, events
from tests.aws_server import KEY_ID, NUMBER, REGION, SECRET, AwsServer
from tests.builders import an_account
from tests.marketplace.test_events import TYPE, a_thing, followed, move

__all__ = ["followed"]

pytestmark = pytest.mark.django_db
KEYS = {"credentials": "keys", "access_key_id": KEY_ID, "secret_access_key": SECRET}


@pytest.fixture(autouse=True)
def allowed(settings, aws: AwsServer) -> None:
    """The operator allows the server."""
    settings.EVENTS_ENDPOINT_URLS, settings.FETCH_ALLOWED_HOSTS = (aws.url,), frozenset({aws.host})


@pytest.fixture
def account() -> Account:
    return an_account(funds="0")


def a_name(end: str = "") -> str:
    return f"bees-{uuid.uuid4().hex[:8]}{end}"


def a_destination(account: Account, aws: AwsServer, kind: str, target: str, **values: Any) -> EventDestination:
    return event_destinations.create(
        account=account, kind=kind, target=target, endpoint_url=aws.url, by="user:1", **(KEYS | values)
    )[0]


def sent(account: Account) -> tuple[dict[str, Any], EventDelivery]:
    """An event as it is to arrive, and what became of the message."""
    delivery = move(a_thing(account), "Inactive")
    assert delivery is not None
    background.deliver_event(delivery.pk)
    delivery.refresh_from_db()
    (event,) = events.of(account)[:1]
    return event_destinations.as_sent(event), delivery


def test_a_queue_gets_the_event_as_the_target_of_a_rule_does(account: Account, aws: AwsServer) -> None:
    queue = aws.queue(a_name())
    a_destination(account, aws, "sqs", queue)
    event, delivery = sent(account)
    (message,) = aws.received(queue)
    assert json.loads(message["Body"]) == event and event["source"] == "aws.sagemaker"
    assert list(json.loads(message["Body"])) == [
        "version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail",
    ]  # fmt: skip
    assert delivery.outcome == "Delivered" and delivery.response == f"MessageId {message['MessageId']}"


def test_fifo_queues_know_a_repeat_by_the_id_and_keep_the_order_of_a_subject(account: Account, aws: AwsServer) -> None:
    queue = aws.queue(a_name(".fifo"))
    a_destination(account, aws, "sqs", queue)
    event, delivery = sent(account)
    event_destinations.LOG.redeliver(delivery)
    background.deliver_event(delivery.pk)
    (message,) = aws.received(queue)
    assert message["Attributes"]["MessageGroupId"] == delivery.subject == f"test-thing/{delivery.subject_id}"
    assert message["Attributes"]["MessageDeduplicationId"] == event["id"]
    delivery.refresh_from_db()
    assert (delivery.outcome, delivery.attempts) == ("Delivered", 2)


@pytest.mark.parametrize("end", ["", ".fifo"])
def test_a_topic_gets_the_same_with_a_subject(account: Account, aws: AwsServer, end: str) -> None:
    queue = aws.queue(a_name(end))
    a_destination(account, aws, "sns", aws.topic(a_name(end), queue))
    event, delivery = sent(account)
    assert delivery.outcome == "Delivered", delivery.response
    (message,) = aws.received(queue)
    envelope = json.loads(message["Body"])
    assert json.loads(envelope["Message"]) == event
    assert envelope["Subject"].startswith(f"{TYPE}: ") and len(envelope["Subject"]) <= 100


def test_an_event_bus_gets_the_detail_of_aws_under_a_source_of_its_own(account: Account, aws: AwsServer) -> None:
    queue = aws.queue(a_name())
    pattern = {"source": ["waggle.sagemaker"], "detail-type": [TYPE], "detail": {"ThingStatus": ["Inactive"]}}
    a_destination(account, aws, "eventbridge", aws.bus(a_name(), queue, pattern))
    event, delivery = sent(account)
    assert delivery.outcome == "Delivered", delivery.response
    (message,) = aws.received(queue)
    body = json.loads(message["Body"])
    assert body["source"] == "waggle.sagemaker" and body["detail-type"] == TYPE
    assert body["resources"] == [*event["resources"], f"urn:uuid:{event['id']}"]
    assert body["detail"] == event["detail"]


def test_a_role_is_assumed_with_the_number_of_the_account_as_external_id(
    account: Account, aws: AwsServer, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.EVENTS_ACCESS_KEY_ID, settings.EVENTS_SECRET_ACCESS_KEY = KEY_ID, SECRET
    queue = aws.queue(a_name())
    role = f"arn:aws:iam::{NUMBER}:role/bees"
    destination = a_destination(
        account, aws, "sqs", queue, credentials="role", role_arn=role, access_key_id="", secret_access_key=""
    )
    assert event_destinations.credentials(destination) == aws_messages.Role(role, account.number)
    _, delivery = sent(account)
    assert delivery.outcome == "Delivered", delivery.response
    assert len(aws.received(queue)) == 1
    (kept,) = [one for one in aws_messages._of_roles if one[2].external_id == account.number]
    assert aws_messages._of_roles[kept][1].token


def test_what_is_not_there_is_said_and_tried_again(account: Account, aws: AwsServer) -> None:
    a_destination(account, aws, "sqs", f"arn:aws:sqs:{REGION}:{NUMBER}:{a_name()}")
    _, delivery = sent(account)
    assert delivery.outcome == "Waiting" and delivery.response_status == 400
    assert "NonExistentQueue" in delivery.response or "QueueDoesNotExist" in delivery.response


def test_addresses_that_the_operator_does_not_allow_are_not_asked(
    account: Account, aws: AwsServer, settings: Any
) -> None:
    queue = aws.queue(a_name())
    a_destination(account, aws, "sqs", queue)
    settings.FETCH_ALLOWED_HOSTS = frozenset()
    _, delivery = sent(account)
    assert delivery.outcome == "Waiting" and "not a public address" in delivery.response
    settings.EVENTS_ENDPOINT_URLS = ()
    EventDestination.objects.update(failing_since=None)
    _, delivery = sent(account)
    assert "does not allow" in delivery.response and not aws.received(queue)


def test_the_errors_name_what_is_wrong(aws: AwsServer, settings: Any) -> None:
    with pytest.raises(Invalid, match="an ARN such as arn:aws:sns"):
        aws_messages.parts("sns", "arn:aws:sqs:us-east-1:123456789012:bees")
    settings.FETCH_ALLOWED_HOSTS = frozenset()
    target = aws_messages.Target(
        "sqs", f"arn:aws:sqs:{REGION}:{NUMBER}:bees", aws_messages.Keys(KEY_ID, SECRET), aws.url
    )
    with pytest.raises(Forbidden):
        aws_messages.send(target, event={"id": "1"}, group="a/1")
