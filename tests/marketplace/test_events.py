"""Events: written with the change, sent to each destination in the order of their subject, and given up in the end."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from standardwebhooks import Webhook

from marketplace import background, states
from marketplace.errors import Invalid, LimitExceeded, NotFound, WrongState
from marketplace.event_kinds import KINDS, EventKind
from marketplace.models import (
    Account,
    AuditEvent,
    Event,
    EventDelivery,
    EventDestination,
    Notice,
    NoticeKind,
    QualificationType,
    RateWindow,
)
from marketplace.services import event_destinations, events
from marketplace.services.event_sending import EVENTS
from tests.builders import an_account
from tests.webhook_receiver import Receiver, receiving

pytestmark = pytest.mark.django_db

TYPE = "SageMaker Test State Change"
MACHINE = states.Machine("thing", {"Active": {"Inactive"}, "Inactive": {"Active", "Gone"}, "Gone": set()})


@pytest.fixture(autouse=True)
def followed():
    """Events of a machine of this test, whose rows are qualification types."""
    kind = EventKind("test-thing", TYPE, lambda row: f"arn:aws:test:::{row.pk}", lambda row, to: {"ThingStatus": to})
    events.follow(MACHINE, kind)
    events.follow(MACHINE, kind)
    yield
    del KINDS["test-thing"]
    MACHINE.followers.clear()


@pytest.fixture
def receiver(settings):
    """A receiver of webhooks that may be reached."""
    with receiving() as made:
        settings.FETCH_ALLOWED_HOSTS = frozenset({made.host})
        yield made


@pytest.fixture
def account() -> Account:
    return an_account(funds="0", name="Apiary")


def a_thing(account: Account) -> QualificationType:
    number = QualificationType.objects.count()
    return QualificationType.objects.create(account=account, name=f"thing {number}", description="A thing.")


def move(thing: QualificationType, to: str) -> EventDelivery | None:
    """A change; returns the newest delivery that it made."""
    with transaction.atomic():
        MACHINE.advance(thing, to, by="test")
    return EventDelivery.objects.order_by("-pk").first()


def a_webhook(account: Account, url: str, **values: Any) -> tuple[EventDestination, str]:
    return event_destinations.create(account=account, kind="webhook", target=url, by="user:1", **values)


def later() -> None:
    """The pauses before next attempts are over."""
    RateWindow.objects.all().delete()
    EventDelivery.objects.exclude(next_at=None).update(next_at=timezone.now())


def test_each_change_is_one_event_and_what_is_undone_is_none(account):
    thing = a_thing(account)
    with transaction.atomic():
        MACHINE.begin(thing)
    move(thing, "Inactive")
    move(thing, "Inactive")
    with transaction.atomic():
        MACHINE.advance(thing, "Gone", by="test")
        transaction.set_rollback(True)
    move(thing, "Gone")
    with pytest.raises(WrongState), transaction.atomic():
        MACHINE.advance(thing, "Active", by="test")
    rows = list(Event.objects.order_by("pk"))
    assert [(row.sequence, row.status, row.final) for row in rows] == [
        (1, "Active", False),
        (2, "Inactive", False),
        (3, "Gone", True),
    ]
    assert {row.account for row in rows} == {account} and rows[1].detail == {"ThingStatus": "Inactive"}
    assert list(events.of(account)) == rows[::-1] and not events.of(an_account(funds="0")).exists()


def test_a_webhook_gets_the_event_as_a_rule_of_eventbridge_would_pass_it_on(account, receiver: Receiver):
    destination, secret = a_webhook(account, receiver.url)
    thing = a_thing(account)
    delivery = move(thing, "Inactive")
    background.deliver_event(delivery.pk)
    background.deliver_event(delivery.pk)
    ((body, headers),) = receiver.got
    event = Event.objects.get()
    assert Webhook(secret).verify(body, headers) == {
        "version": "0",
        "id": str(event.event_id),
        "detail-type": TYPE,
        "source": "aws.sagemaker",
        "account": account.number,
        "time": f"{event.at:%Y-%m-%dT%H:%M:%S}Z",
        "region": "us-east-1",
        "resources": [f"arn:aws:test:::{thing.pk}"],
        "detail": {"ThingStatus": "Inactive"},
    }
    assert headers["webhook-id"] == str(event.event_id) == delivery.message_id
    delivery.refresh_from_db()
    assert (delivery.outcome, delivery.attempts, delivery.response_status) == ("Delivered", 1, 200)


def test_an_event_waits_for_the_earlier_ones_of_its_subject_and_for_no_other(account, receiver: Receiver):
    a_webhook(account, receiver.url)
    one, other = a_thing(account), a_thing(account)
    first, second = move(one, "Inactive"), move(one, "Active")
    of_other = move(other, "Inactive")
    background.deliver_event(second.pk)
    assert not receiver.got, "the first one has not been sent"
    taken = EVENTS.take(first.pk)
    background.deliver_event(second.pk)
    background.deliver_event(of_other.pk)
    assert [body["resources"] for body in receiver.events] == [[f"arn:aws:test:::{other.pk}"]]
    EVENTS._conclude(taken, EVENTS.attempt(taken))
    EVENTS.sweep()
    background.deliver_event(second.pk)
    of_one = [body for body in receiver.events if body["resources"] == [f"arn:aws:test:::{one.pk}"]]
    assert [body["detail"]["ThingStatus"] for body in of_one] == ["Inactive", "Active"]


def test_later_events_go_on_once_an_earlier_one_is_given_up(account, receiver: Receiver):
    a_webhook(account, receiver.url)
    thing = a_thing(account)
    first, second = move(thing, "Inactive"), move(thing, "Active")
    receiver.status = 500
    for _ in range(10):
        background.deliver_event(first.pk)
        background.deliver_event(second.pk)
        later()
    first.refresh_from_db()
    assert first.outcome == "Failed" and {body["id"] for body in receiver.events} == {first.message_id}
    receiver.status = 200
    background.deliver_event(second.pk)
    second.refresh_from_db()
    assert second.outcome == "Delivered"
    assert EventDestination.objects.get().failing_since is None
    event_destinations.LOG.redeliver(first)
    third = move(thing, "Inactive")
    background.deliver_event(third.pk)
    third.refresh_from_db()
    assert third.outcome == "Delivered", "what is sent again by hand keeps nobody waiting"
    background.deliver_event(first.pk)
    assert [body["id"] for body in receiver.events][-3:] == [second.message_id, third.message_id, first.message_id]


def test_the_sweep_queues_what_is_due_and_waits_for_nothing(account, receiver: Receiver, django_assert_num_queries):
    a_webhook(account, receiver.url)
    thing = a_thing(account)
    first, second = move(thing, "Inactive"), move(thing, "Active")
    assert list(EVENTS.sendable(EventDelivery.objects.all())) == [first]
    assert EVENTS.take(first.pk) is not None, "and then the process is killed"
    assert not list(EVENTS.sendable(EventDelivery.objects.filter(next_at__lte=timezone.now())))
    later()
    background.deliver_event(first.pk)
    background.deliver_event(second.pk)
    assert [body["id"] for body in receiver.events] == [first.message_id, second.message_id]


def test_destinations_get_what_they_ask_for(account):
    kept = {
        "https://example.org/all": {},
        "https://example.org/none": {"detail_types": ["SageMaker Endpoint State Change"]},
    }
    kept |= {"https://example.org/gone": {"detail_types": [TYPE], "statuses": ["Gone"]}}
    made = {url: a_webhook(account, url, **values)[0] for url, values in kept.items()}
    disabled, _ = a_webhook(account, "https://example.org/disabled")
    event_destinations.LOG.disable(disabled, by="user:1")
    a_webhook(an_account(funds="0"), "https://example.org/stranger")
    thing = a_thing(account)
    move(thing, "Inactive")
    move(thing, "Gone")
    got = EventDelivery.objects.order_by("pk").values_list("endpoint", "body")
    assert [pk for pk, _ in got] == [
        made["https://example.org/all"].pk,
        made["https://example.org/all"].pk,
        made["https://example.org/gone"].pk,
    ]


def test_a_destination_that_fails_for_days_is_disabled_and_its_admins_are_told(account, receiver: Receiver, settings):
    receiver.status = 500
    destination, _ = a_webhook(account, receiver.url)
    delivery = move(a_thing(account), "Inactive")
    background.deliver_event(delivery.pk)
    ago = timezone.now() - timedelta(days=settings.WEBHOOK_FAILING_DAYS)
    EventDestination.objects.update(failing_since=ago)
    later()
    background.deliver_event(delivery.pk)
    destination.refresh_from_db()
    assert destination.status == "Disabled"
    notice = Notice.objects.get(kind=NoticeKind.WEBHOOK)
    assert notice.user == account.members.get() and "nothing could be delivered for 5 days" in notice.text
    with pytest.raises(WrongState, match="the event destination is disabled"):
        event_destinations.send_test(destination=destination)


def test_a_test_says_so_and_is_no_event(account, receiver: Receiver):
    destination, _ = a_webhook(account, receiver.url)
    event_destinations.send_test(destination=destination)
    background.deliver_event(EventDelivery.objects.get().pk)
    assert receiver.events[0]["detail-type"] == "Waggle Test Event" and not Event.objects.exists()


RIGHT: dict[str, Any] = {
    "kind": "sqs",
    "target": "arn:aws:sqs:us-east-1:123456789012:bees",
    "credentials": "keys",
    "access_key_id": "HONEYHONEYHONEY1",
    "secret_access_key": "secret",
}


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("kind", {"kind": "kinesis"}),
        ("target", {"target": "https://sqs.us-east-1.amazonaws.com/123456789012/bees"}),
        ("target", {"kind": "sns"}),
        ("target", {"kind": "eventbridge", "target": "arn:aws:events:us-east-1:123456789012:rule/bees"}),
        ("target", {"kind": "webhook", "target": "ftp://example.org/"}),
        ("source", {"source": "bees and hives"}),
        (
            "source",
            {
                "kind": "eventbridge",
                "target": "arn:aws:events:us-east-1:123456789012:event-bus/default",
                "source": "aws.sagemaker",
            },
        ),
        ("endpoint_url", {"endpoint_url": "http://169.254.169.254"}),
        ("credentials", {"credentials": "none", "access_key_id": "", "secret_access_key": ""}),
        ("credentials", {"credentials": "installation", "access_key_id": "", "secret_access_key": ""}),
        ("role_arn", {"role_arn": "arn:aws:iam::123456789012:role/bees"}),
        ("role_arn", {"credentials": "role", "access_key_id": "", "secret_access_key": "", "role_arn": "bees"}),
        ("access_key_id", {"access_key_id": "short"}),
        ("secret_access_key", {"secret_access_key": ""}),
        ("detail_types", {"detail_types": ["Another State Change"]}),
        ("statuses", {"statuses": ["Bees"]}),
        ("description", {"description": "x" * 81}),
    ],
)
def test_bad_destinations_are_refused(account, field, values):
    with pytest.raises(Invalid) as refused:
        event_destinations.create(account=account, by="user:1", **(RIGHT | values))
    assert refused.value.field == field and not EventDestination.objects.exists()


def test_secrets_are_sealed_kept_by_a_change_and_lost_with_their_key(account):
    made, _ = event_destinations.create(account=account, by="user:1", **RIGHT)
    kept = EventDestination.objects.get()
    assert "secret" not in kept.secret_access_key and event_destinations.credentials(kept).secret == "secret"
    values = {name: value for name, value in RIGHT.items() if name not in ("kind", "secret_access_key")}
    event_destinations.change(destination=kept, by="user:1", **values, statuses=["Failed"])
    assert event_destinations.credentials(EventDestination.objects.get()).secret == "secret"
    with pytest.raises(Invalid) as refused:
        event_destinations.change(destination=kept, by="user:1", **values | {"access_key_id": "HONEYHONEYHONEY2"})
    assert refused.value.field == "secret_access_key" and kept.access_key_id == RIGHT["access_key_id"]
    event_destinations.delete(destination=made, by="user:1")
    said = list(AuditEvent.objects.filter(object_type="marketplace.EventDestination").values_list("because", flat=True))
    assert said == [f"{what}: {RIGHT['target']}" for what in ("made", "changed", "deleted")]


def test_the_installations_own_credentials_are_for_the_accounts_that_the_operator_names(account, settings):
    values = RIGHT | {"credentials": "installation", "access_key_id": "", "secret_access_key": ""}
    settings.EVENTS_OWN_CREDENTIALS = frozenset({account.number})
    made, _ = event_destinations.create(account=account, by="user:1", **values)
    assert event_destinations.credentials(made).key_id is None
    settings.EVENTS_OWN_CREDENTIALS = frozenset()
    with pytest.raises(Invalid, match="any more"):
        event_destinations.credentials(made)


def test_destinations_are_counted_and_found_by_their_account_only(account):
    for _ in range(event_destinations.PER_ACCOUNT):
        made, _ = a_webhook(account, "https://example.org/hook?token=hidden")
    with pytest.raises(LimitExceeded):
        a_webhook(account, "https://example.org/")
    with pytest.raises(NotFound):
        event_destinations.one_of(an_account(funds="0"), made.pk)
    assert not AuditEvent.objects.filter(because__contains="hidden").exists()


def test_old_events_are_forgotten_but_the_last_of_what_may_still_change(account, settings):
    lives, over = a_thing(account), a_thing(account)
    for to in ("Inactive", "Active"):
        move(lives, to)
    for to in ("Inactive", "Gone"):
        move(over, to)
    Event.objects.update(at=timezone.now() - timedelta(days=settings.EVENTS_KEPT_DAYS + 1))
    background.sweep()
    assert [(row.subject_id, row.sequence) for row in Event.objects.all()] == [(lives.pk, 2)]
    move(lives, "Inactive")
    assert Event.objects.latest("pk").sequence == 3
