"""Webhooks, sent to a real server on loopback and verified with the library that receivers use."""

import http.server
import threading
from datetime import timedelta

import orjson
import pytest
from django.utils import timezone
from standardwebhooks import Webhook, WebhookVerificationError

from marketplace import background, sealing
from marketplace.errors import Invalid, LimitExceeded, NotFound, WrongState
from marketplace.models import (
    Account,
    AuditEvent,
    Notice,
    NoticeKind,
    RateWindow,
    Subject,
    WebhookDelivery,
    WebhookEndpoint,
)
from marketplace.services import message_sending, notifications, webhook_sending, webhooks
from tests import builders

pytestmark = pytest.mark.django_db


class Receiver(http.server.BaseHTTPRequestHandler):
    """Keeps what it is sent, and answers with `status`."""

    got: list[tuple[bytes, dict[str, str]]] = []
    status = 200

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).got.append((body, {name.lower(): value for name, value in self.headers.items()}))
        answer = b"busy, come back \x00later"
        self.send_response(type(self).status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        """Tests are quiet."""


@pytest.fixture
def receiver(settings):
    """(the receiver, its address)."""
    Receiver.got, Receiver.status = [], 200
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    settings.FETCH_ALLOWED_HOSTS = frozenset({f"127.0.0.1:{server.server_port}"})
    yield Receiver, f"http://127.0.0.1:{server.server_port}/hook?secret=1"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def account(db) -> Account:
    return builders.an_account(funds="0", name="Apiary")


def an_endpoint(account: Account, url: str, kinds=()) -> tuple[WebhookEndpoint, str]:
    return webhooks.create(account=account, user=None, url=url, kinds=list(kinds), description="ours", by="user:1")


def told(account: Account, kind: NoticeKind = NoticeKind.JOB_DONE) -> WebhookDelivery:
    """A notice to the account, and the message that it made."""
    notifications.tell_account(account=account, kind=kind, text="The job is done.", subject=Subject("labeling-job", 7))
    return WebhookDelivery.objects.order_by("-pk")[0]


def later(delivery: WebhookDelivery) -> None:
    """The pause before the next attempt is over."""
    RateWindow.objects.all().delete()
    WebhookDelivery.objects.filter(pk=delivery.pk).update(next_at=timezone.now())


def test_a_message_is_signed_so_that_the_library_verifies_it(receiver, account):
    server, url = receiver
    _, secret = an_endpoint(account, url)
    delivery = told(account)
    background.deliver_webhook(delivery.pk)
    background.deliver_webhook(delivery.pk)
    ((body, headers),) = server.got
    assert headers["webhook-id"] == delivery.message_id
    verified = Webhook(secret).verify(body, headers)
    assert verified["type"] == "job.done"
    assert verified["data"] == {
        "text": "The job is done.",
        "account": account.number,
        "subject": {"type": "labeling-job", "id": 7},
    }
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body + b" ", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "A" * 32).verify(body, headers)
    delivery.refresh_from_db()
    assert (delivery.outcome, delivery.attempts, delivery.response_status) == ("Delivered", 1, 200)
    assert delivery.response == "busy, come back \ufffdlater"


def test_after_a_new_secret_both_are_valid_for_a_day(receiver, account):
    server, url = receiver
    endpoint, old = an_endpoint(account, url)
    new = webhooks.new_secret(endpoint=endpoint, by="user:1")
    background.deliver_webhook(told(account).pk)
    body, headers = server.got[0]
    assert new != old and Webhook(old).verify(body, headers) and Webhook(new).verify(body, headers)
    WebhookEndpoint.objects.update(earlier_until=timezone.now())
    background.deliver_webhook(told(account).pk)
    body, headers = server.got[1]
    assert Webhook(new).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(old).verify(body, headers)


def test_secrets_are_not_in_the_database(account):
    _, secret = an_endpoint(account, "https://example.org/hook")
    stored = WebhookEndpoint.objects.values_list("secret", flat=True).get()
    assert secret.startswith("whsec_") and secret not in stored and sealing.unseal(stored) == secret


def test_a_secret_of_another_key_is_a_failed_attempt_with_a_reason(receiver, account, settings):
    an_endpoint(account, receiver[1])
    settings.SECRET_KEY = "another-key-of-more-than-thirty-two-characters"
    delivery = told(account)
    background.deliver_webhook(delivery.pk)
    delivery.refresh_from_db()
    assert delivery.outcome == "Waiting" and "another WAGGLE_SECRET_KEY" in delivery.response and not receiver[0].got


def test_a_failed_message_is_tried_again_with_growing_pauses_and_then_given_up(receiver, account):
    server, url = receiver
    server.status = 503
    endpoint, _ = an_endpoint(account, url)
    delivery = told(account)
    pauses = []
    for _ in range(len(message_sending.PAUSES)):
        background.deliver_webhook(delivery.pk)
        delivery.refresh_from_db()
        assert delivery.outcome == "Waiting" and delivery.response_status == 503
        pauses.append(round((delivery.next_at - delivery.attempted_at).total_seconds()))
        later(delivery)
    assert pauses[:3] == [5, 300, 1800] and pauses == sorted(pauses)
    background.deliver_webhook(delivery.pk)
    delivery.refresh_from_db()
    assert (delivery.outcome, delivery.attempts) == ("Failed", 10)
    assert {headers["webhook-id"] for _, headers in server.got} == {delivery.message_id}
    endpoint.refresh_from_db()
    assert endpoint.failing_since is not None
    server.status = 204
    webhooks.redeliver(delivery=webhooks.delivery(endpoint, delivery.pk))
    background.deliver_webhook(delivery.pk)
    delivery.refresh_from_db()
    endpoint.refresh_from_db()
    assert (delivery.outcome, delivery.attempts) == ("Delivered", 11) and endpoint.failing_since is None


def test_an_attempt_that_left_no_trace_is_made_again(receiver, account):
    """As after a process that was killed between taking the message and writing what came of it."""
    an_endpoint(account, receiver[1])
    delivery = told(account)
    assert webhook_sending.WEBHOOKS.take(delivery.pk) is not None
    background.deliver_webhook(delivery.pk)
    assert not receiver[0].got, "another process has it"
    later(delivery)
    webhook_sending.WEBHOOKS.sweep()
    background.deliver_webhook(delivery.pk)
    delivery.refresh_from_db()
    assert delivery.outcome == "Delivered" and len(receiver[0].got) == 1


def test_an_endpoint_that_fails_for_days_is_disabled_and_its_admins_are_told(receiver, account, settings):
    server, url = receiver
    server.status = 500
    endpoint, _ = an_endpoint(account, url)
    first, second = told(account), told(account)
    background.deliver_webhook(first.pk)
    ago = timezone.now() - timedelta(days=settings.WEBHOOK_FAILING_DAYS)
    WebhookEndpoint.objects.update(failing_since=ago)
    later(first)
    background.deliver_webhook(first.pk)
    endpoint.refresh_from_db()
    assert endpoint.status == "Disabled"
    notice = Notice.objects.get(kind=NoticeKind.WEBHOOK)
    assert notice.user == account.members.get() and "nothing could be delivered for 5 days" in notice.text
    second.refresh_from_db()
    assert second.outcome == "Failed"
    before = WebhookDelivery.objects.count()
    notifications.tell_account(account=account, kind=NoticeKind.JOB_DONE, text="Nobody listens.")
    assert WebhookDelivery.objects.count() == before
    with pytest.raises(WrongState, match="disabled"):
        webhooks.redeliver(delivery=webhooks.delivery(endpoint, second.pk))
    webhooks.enable(endpoint=endpoint, by="user:1")
    endpoint.refresh_from_db()
    assert endpoint.status == "Active" and endpoint.failing_since is None


def test_an_endpoint_that_fails_is_asked_seldom_however_much_waits_for_it(receiver, account):
    """Each attempt holds a process of the queue until the receiver answers."""
    server, url = receiver
    server.status = 500
    endpoint, _ = an_endpoint(account, url)
    many = [told(account) for _ in range(4)]
    for delivery in many:
        background.deliver_webhook(delivery.pk)
    assert len(server.got) == 2, "the first, after which it fails, and one more in five minutes"
    waiting = WebhookDelivery.objects.filter(attempts=0)
    assert waiting.count() == 2 and not waiting.filter(next_at__lte=timezone.now()).exists()
    webhooks.disable(endpoint=endpoint, by="user:1")
    webhooks.enable(endpoint=endpoint, by="user:1")
    WebhookEndpoint.objects.update(failing_since=timezone.now())
    server.status = 200
    webhooks.redeliver(delivery=many[0])
    background.deliver_webhook(many[0].pk)
    assert len(server.got) == 3, "what is sent again by hand does not wait"
    for delivery in waiting:
        webhooks.redeliver(delivery=delivery)
        background.deliver_webhook(delivery.pk)
    assert len(server.got) == 5


def test_a_receiver_that_says_it_is_gone_is_disabled_at_once(receiver, account):
    receiver[0].status = 410
    endpoint, _ = an_endpoint(account, receiver[1])
    background.deliver_webhook(told(account).pk)
    endpoint.refresh_from_db()
    assert endpoint.status == "Disabled"


def test_private_addresses_are_not_reached(receiver, account, settings):
    settings.FETCH_ALLOWED_HOSTS = frozenset()
    an_endpoint(account, receiver[1])
    delivery = told(account)
    background.deliver_webhook(delivery.pk)
    delivery.refresh_from_db()
    assert not receiver[0].got and "not a public address" in delivery.response and delivery.response_status is None


def test_each_endpoint_gets_the_kinds_it_wants_of_its_owner_once(account):
    wanted, _ = an_endpoint(account, "https://example.org/1", kinds=["job.done"])
    an_endpoint(account, "https://example.org/2", kinds=["funds.low"])
    an_endpoint(builders.an_account(funds="0"), "https://example.org/3")
    own, _ = webhooks.create(
        user=account.members.get(), url="https://example.org/4", kinds=[], description="", by="user:1"
    )
    notifications.tell_account(account=account, kind=NoticeKind.JOB_DONE, text="Done.")
    assert sorted(WebhookDelivery.objects.values_list("endpoint", flat=True)) == [wanted.pk, own.pk]


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("url", {"url": "ftp://example.org/"}),
        ("url", {"url": "https://user:word@example.org/"}),
        ("url", {"url": "https://example.org/a b"}),
        ("url", {"url": "https://" + "x" * 500}),
        ("kinds", {"kinds": ["weather"]}),
        ("description", {"description": "x" * 81}),
    ],
)
def test_bad_endpoints_are_refused(account, field, values):
    right = {"url": "https://example.org/", "kinds": [], "description": ""}
    with pytest.raises(Invalid) as refused:
        webhooks.create(account=account, user=None, by="user:1", **(right | values))
    assert refused.value.field == field and not WebhookEndpoint.objects.exists()


def test_endpoints_are_counted_recorded_and_found_by_their_owner_only(account):
    for _ in range(webhooks.PER_OWNER):
        endpoint, _ = an_endpoint(account, "https://example.org/hook?token=hidden")
    with pytest.raises(LimitExceeded):
        an_endpoint(account, "https://example.org/")
    for place in ({"account": builders.an_account(funds="0")}, {"user": account.members.get()}):
        with pytest.raises(NotFound):
            webhooks.one_of(webhook_id=endpoint.pk, **place)
    webhooks.delete(endpoint=endpoint, by="user:1")
    rows = AuditEvent.objects.filter(account=account, object_type="marketplace.WebhookEndpoint").order_by("pk")
    assert rows.last().because == "deleted: example.org" and not any("hidden" in row.because for row in rows)


def test_a_test_message_says_so(receiver, account):
    endpoint, secret = an_endpoint(account, receiver[1])
    webhooks.send_test(endpoint=endpoint)
    background.deliver_webhook(WebhookDelivery.objects.get().pk)
    assert orjson.loads(receiver[0].got[0][0])["data"]["test"] is True
