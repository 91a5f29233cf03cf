"""Notices on pages, over REST and in letters: read, marked, chosen, mailed at once, gathered and in a digest."""

from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from frontend import background, notice_links
from labeling import subjects
from marketplace.models import EmailPace, Notice, NoticeKind, RateWindow, Subject, User
from marketplace.services import (
    accounts,
    event_sending,
    funds,
    invoices,
    notifications,
    payouts,
    wallet_refunds,
    webhook_sending,
)
from tests import builders
from tests.frontend.portal import queries_of
from tests.frontend.test_permissions import signed_in

pytestmark = pytest.mark.django_db
JSON = "application/json"


@pytest.fixture
def user() -> User:
    return builders.a_user()


@pytest.fixture
def mailing(settings):
    """An installation with a mail server."""
    settings.EMAIL_HOST, settings.EMAIL_FROM = "mail.example", "waggle@example.org"
    settings.PUBLIC_URL = "https://waggle.example"


def tell(user: User, kind: NoticeKind = NoticeKind.PAYOUT, text: str = "Your payout was paid.", **more) -> Notice:
    notifications.tell(user=user, kind=kind, text=text, **more)
    return Notice.objects.order_by("-pk")[0]


def send_due(user: User) -> list[mail.EmailMessage]:
    """Run the message that sends letters, twice; returns the letters."""
    for _ in range(2):
        background.mail_notices(user.pk)
    letters, mail.outbox[:] = list(mail.outbox), []
    return letters


def an_hour_later() -> None:
    """The pause between two letters is over."""
    RateWindow.objects.all().delete()
    Notice.objects.exclude(mail_at=None).update(mail_at=timezone.now())


class TestPages:
    def test_what_is_new_is_counted_in_the_navigation_until_it_is_read(self, user):
        one, two = tell(user, text="First thing"), tell(user, text="Second <b>thing</b>", link="/you/password/")
        client = signed_in(user)
        page = client.get("/you/notices/").content.decode()
        assert '<span class="visually-hidden">unread: </span>2</span>' in page
        assert "First thing" in page and "Second &lt;b&gt;thing&lt;/b&gt;" in page
        opened = client.post(f"/you/notices/{two.pk}/open/")
        assert opened["Location"] == "/you/password/"
        assert "unread: </span>1</span>" in client.get("/you/").content.decode()
        assert client.post(f"/you/notices/{one.pk}/open/")["Location"] == "/you/notices/"
        tell(user)
        client.post("/you/notices/read/")
        assert "unread: " not in client.get("/you/").content.decode()

    def test_a_notice_of_another_account_opens_a_page_of_that_account(self, user):
        ours, theirs = builders.an_account(owner=user, name="Ours"), builders.an_account(owner=user, name="Theirs")
        client = signed_in(user)
        for account in (theirs, ours):
            notice = tell(user, account=account, subject=Subject(funds.WALLET, account.pk))
            client.post(f"/you/notices/{notice.pk}/open/")
            assert client.get("/overview/").context["shell_account"] == account
        notice = tell(user, account=builders.an_account(), text="Of an account that one works for")
        client.post(f"/you/notices/{notice.pk}/open/")
        assert client.get("/overview/").context["shell_account"] == ours

    def test_the_count_in_the_navigation_is_one_query(self, user):
        tell(user)
        assert sum("marketplace_notice" in sql for sql in queries_of(user, "/you/")) == 1

    def test_choices_are_kept_and_what_is_left_at_the_default_is_not_stored(self, user):
        client = signed_in(user)
        sent = {f"email {kind}": notifications.DEFAULTS[kind].email for kind in NoticeKind}
        sent |= {f"in_app {kind}": "on" for kind in NoticeKind if kind != NoticeKind.BONUS}
        sent["email payout"] = "off"
        assert client.post("/you/notices/settings/", sent).status_code == 302
        wanted = notifications.preferences(user)
        assert wanted[NoticeKind.PAYOUT].email == EmailPace.OFF and not wanted[NoticeKind.BONUS].in_app
        assert user.notice_preferences.count() == 2
        assert client.post("/you/notices/settings/", {**sent, "email payout": "hourly"}).status_code == 422
        assert notifications.preferences(user) == wanted

    def test_every_subject_leads_to_a_page(self, user):
        account = builders.an_account(funds="0")
        for kind in (
            payouts.PAYOUT,
            funds.WALLET,
            webhook_sending.WEBHOOK,
            event_sending.DESTINATION,
            subjects.FLOW_DEFINITION,
            *(subjects.LABELING_JOB, subjects.WORK_QUEUE, subjects.PUBLIC_WORK, subjects.ANSWER_REVIEW),
            subjects.APPEAL,
            *(subjects.PRICE_CHANGE, subjects.CONDUCT_FINDING, subjects.CONDUCT_APPEAL, subjects.CONDUCT_FLAG),
            *(invoices.SUBJECT, wallet_refunds.WALLET_REFUND),
        ):
            notice = tell(user, account=account, subject=Subject(kind, 7))
            assert notice_links.page_of(notice).startswith("/"), kind


class TestRest:
    def test_notices_are_listed_filtered_and_marked(self, user):
        first = tell(user)
        tell(
            user,
            kind=NoticeKind.APPEAL,
            text="Denied",
            link=reverse("worker:history"),
            account=builders.an_account(funds="0"),
        )
        client = signed_in(user)
        newest, oldest = client.get("/api/v1/me/notices").json()["results"]
        assert newest["link"] == reverse("worker:history") and newest["account"] and oldest["id"] == first.pk
        assert client.post("/api/v1/me/notices/read", {"ids": [first.pk]}, content_type=JSON).json() == {"read": 1}
        (unread,) = client.get("/api/v1/me/notices?unread=true").json()["results"]
        assert unread["kind"] == "appeal"
        assert client.get("/api/v1/me/notices?kind=payout").json()["results"][0]["read_at"] is not None
        assert client.get("/api/v1/me/notices?unread=perhaps").status_code == 400
        assert client.post("/api/v1/me/notices/read", {}, content_type=JSON).json() == {"read": 1}

    def test_choices(self, user):
        client = signed_in(user)
        said = {"kind": "payout", "in_app": False, "email": "off"}
        rows = client.put("/api/v1/me/notice-preferences", said, content_type=JSON).json()["preferences"]
        assert said in rows and len(rows) == len(NoticeKind)
        assert client.put("/api/v1/me/notice-preferences", {**said, "kind": "x"}, content_type=JSON).status_code == 400

    def test_a_token_of_one_account_reads_nobodys_notices(self, client):
        owner, account = builders.a_requester(funds="0")
        _, secret = accounts.create_token(user=owner, account=account, name="t")
        for path in ("notices", "notice-preferences", "webhooks"):
            answer = client.get(f"/api/v1/me/{path}", headers={"Authorization": f"Bearer {secret}"})
            assert answer.status_code == 403


class TestLetters:
    def test_the_first_is_sent_at_once_and_the_rest_of_the_hour_in_one_letter(self, user, mailing):
        tell(user, link=reverse("worker:earnings"))
        (letter,) = send_due(user)
        assert letter.to == [user.email] and letter.subject == "Payout sent, paid or failed"
        assert f"Your payout was paid.\nhttps://waggle.example{reverse('worker:earnings')}" in letter.body
        assert "https://waggle.example/you/notices/settings/" in letter.body
        for number in range(3):
            tell(user, text=f"Payout {number}.")
        assert send_due(user) == []
        an_hour_later()
        (letter,) = send_due(user)
        assert letter.subject.endswith("and 2 more") and all(f"Payout {number}." in letter.body for number in range(3))
        assert not Notice.objects.exclude(mail_at=None).exists()

    def test_another_kind_does_not_wait(self, user, mailing):
        tell(user)
        tell(user, kind=NoticeKind.APPEAL, text="Denied.")
        (letter,) = send_due(user)
        assert "Denied." in letter.body and "was paid." in letter.body
        tell(user)
        tell(user, kind=NoticeKind.LOW_FUNDS, text="Low.")
        (letter,) = send_due(user)
        assert "Low." in letter.body and "was paid." not in letter.body

    def test_what_is_wanted_daily_waits_for_the_digest(self, user, mailing):
        tell(user, kind=NoticeKind.WORK_AVAILABLE, text="New work.")
        assert send_due(user) == []
        Notice.objects.update(mail_at=timezone.now() - timedelta(seconds=1))
        (letter,) = send_due(user)
        assert "New work." in letter.body

    def test_a_letter_that_cannot_be_sent_is_due_again(self, user, mailing, settings):
        tell(user)
        settings.EMAIL_BACKEND = "tests.frontend.test_notices.NoServer"
        with pytest.raises(ConnectionRefusedError):
            background.mail_notices(user.pk)
        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
        assert send_due(user) == [], "another process may be at it"
        Notice.objects.update(mail_at=timezone.now())
        assert len(send_due(user)) == 1

    def test_somebody_who_may_not_sign_in_any_more_gets_none(self, user, mailing):
        tell(user)
        User.objects.update(is_active=False)
        assert send_due(user) == [] and not Notice.objects.exclude(mail_at=None).exists()


class NoServer:
    """A mail server that cannot be reached."""

    def __init__(self, **options: object):
        """Options are Django's."""

    def send_messages(self, messages: object) -> int:
        """Raises ConnectionRefusedError."""
        raise ConnectionRefusedError
