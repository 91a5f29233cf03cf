"""Changing a password and setting a forgotten one: on pages and over REST, limited, logged and without telling whose
addresses exist."""

import logging
import re

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django_q.models import OrmQ

from frontend import background, guesses, letters
from marketplace.models import AuditEvent, User
from marketplace.services import accounts, invitations, people
from tests import builders
from tests.frontend.test_permissions import signed_in

pytestmark = pytest.mark.django_db
NEW = "thyme-and-lavender-7"
CHANGE, FORGOTTEN = "/you/password/", "/password/forgotten/"


@pytest.fixture
def mailing(settings):
    """An installation with a mail server."""
    settings.EMAIL_HOST, settings.EMAIL_FROM = "mail.example", "waggle@example.org"
    settings.PUBLIC_URL = "https://waggle.example"


def deliver() -> list:
    """Run the messages of the queue that send letters; returns the letters."""
    for row in OrmQ.objects.order_by("pk"):
        path, arguments = row.task["func"], row.task["args"]
        row.delete()
        if path.startswith("frontend."):
            getattr(background, path.rpartition(".")[2])(*arguments)
    letters, mail.outbox[:] = list(mail.outbox), []
    return letters


def change(client: Client, through: str, old: str, new: str):
    if through == "rest":
        sent = {"old_password": old, "new_password": new}
        return client.put("/api/v1/me/password", sent, content_type="application/json")
    return client.post(CHANGE, {"old_password": old, "new_password1": new, "new_password2": new})


@pytest.mark.parametrize("through", ["page", "rest"])
def test_changing_the_password_keeps_this_session_and_ends_the_others(through, caplog):
    user = builders.a_user()
    here, elsewhere = signed_in(user), signed_in(user)
    with caplog.at_level(logging.INFO):
        assert change(here, through, builders.PASSWORD, NEW).status_code in (204, 302)
    assert here.get("/api/v1/me").status_code == 200 and elsewhere.get("/api/v1/me").status_code == 401
    assert not Client().login(username=user.email, password=builders.PASSWORD)
    assert Client().login(username=user.email, password=NEW)
    assert AuditEvent.objects.get(object_type="marketplace.User").because == "password changed"
    assert f"password changed: user:{user.pk} from 127.0.0.1" in caplog.text and NEW not in caplog.text


def test_errors_stand_beside_their_fields():
    client = signed_in(builders.a_user())
    for given, field in (
        ({"old_password": "wrong", "new_password1": NEW, "new_password2": NEW}, "old_password"),
        ({"old_password": builders.PASSWORD, "new_password1": NEW, "new_password2": "x"}, "new_password2"),
        ({"old_password": builders.PASSWORD, "new_password1": "1", "new_password2": "1"}, "new_password2"),
        ({"old_password": builders.PASSWORD, "new_password1": NEW * 99, "new_password2": NEW * 99}, "new_password1"),
    ):
        refused = client.post(CHANGE, given)
        assert refused.status_code == 422
        assert re.search(rf'class="field invalid".*?id="id_{field}"', refused.content.decode(), re.S)
    refused = change(client, "rest", builders.PASSWORD, "12345")
    assert refused.status_code == 400 and {e["field"] for e in refused.json()["errors"]} == {"new_password"}
    assert len(refused.json()["errors"]) > 1
    assert [e["field"] for e in change(client, "rest", "wrong", NEW).json()["errors"]] == ["old_password"]


@pytest.mark.parametrize("through", ["page", "rest"])
def test_the_old_password_cannot_be_guessed(through, caplog):
    user = builders.a_user()
    client = signed_in(user)
    with caplog.at_level(logging.WARNING):
        for _ in range(guesses.WRONG_FOR_ONE):
            change(client, through, "wrong", NEW)
    assert f"wrong old password: user:{user.pk} from 127.0.0.1" in caplog.text
    refused = change(client, through, builders.PASSWORD, NEW)
    assert refused.status_code == (429 if through == "rest" else 422)
    user.refresh_from_db()
    assert user.check_password(builders.PASSWORD)


def test_right_old_passwords_and_weak_new_ones_do_not_count():
    client = signed_in(builders.a_user())
    for _ in range(guesses.WRONG_FOR_ONE + 2):
        assert change(client, "rest", builders.PASSWORD, "1").status_code == 400
    assert change(client, "rest", builders.PASSWORD, NEW).status_code == 204


@pytest.mark.parametrize("through", ["page", "rest"])
def test_a_forgotten_password_is_set_by_mail(mailing, through, caplog):
    user = builders.a_user(email="ada@example.org")
    client, session = Client(HTTP_HOST="localhost"), signed_in(user)
    _, secret = accounts.create_token(user=user, account=None, name="t")
    with caplog.at_level(logging.INFO):
        if through == "page":
            assert client.post(FORGOTTEN, {"email": "ADA@example.org"}).headers["Location"] == f"{FORGOTTEN}sent/"
        else:
            sent = {"email": "ADA@example.org"}
            assert client.post("/api/v1/password-links", sent, content_type="application/json").status_code == 202
    (letter,) = deliver()
    assert letter.to == ["ada@example.org"] and letter.from_email == "waggle@example.org"
    uid, token = re.search(r"https://waggle\.example/password/reset/([^/]+)/([^/]+)/", letter.body).groups()
    if through == "page":
        page = client.get(f"/password/reset/{uid}/{token}/", follow=True)
        here = page.redirect_chain[-1][0]
        assert token not in here and token not in page.content.decode()
        assert client.post(here, {"new_password1": "1", "new_password2": "1"}).status_code == 422
        assert client.post(here, {"new_password1": NEW, "new_password2": NEW}).status_code == 302
    else:
        for password, code in (("1", 400), (NEW, 204), (NEW + "x", 400)):
            sent = {"uid": uid, "token": token, "new_password": password}
            assert client.post("/api/v1/password-resets", sent, content_type="application/json").status_code == code
    assert Client().login(username=user.email, password=NEW)
    assert session.get("/api/v1/me").status_code == 401
    assert b"This link does not work" in Client().get(f"/password/reset/{uid}/{token}/").content
    assert token not in caplog.text and NEW not in caplog.text and "ada@" not in caplog.text.lower()
    assert AuditEvent.objects.filter(object_type="marketplace.User", because="password set by a link").count() == 1


def test_the_answer_is_the_same_whether_an_address_exists(mailing):
    builders.a_user(email="ada@example.org")
    gone = builders.a_user(email="gone@example.org")
    people.deactivate(user=gone, reason="left", by="system")
    pages, answers = set(), set()
    for email in ("ada@example.org", "nobody@example.org", "gone@example.org"):
        page = Client().post(FORGOTTEN, {"email": email}, follow=True)
        shown = re.sub(rb"csrfmiddlewaretoken[^>]+", b"", page.content)
        pages.add((page.status_code, tuple(page.redirect_chain), shown))
        rest = Client().post("/api/v1/password-links", {"email": email}, content_type="application/json")
        answers.add((rest.status_code, rest.content))
    assert len(pages) == len(answers) == 1
    assert {letter.to[0] for letter in deliver()} == {"ada@example.org"}


def test_asking_for_links_is_limited_as_the_sign_in_is_and_by_mailbox(mailing):
    builders.a_user(email="ada@example.org")
    for email in ("ada@example.org", "nobody@example.org"):
        client = Client(REMOTE_ADDR="10.0.0.1")
        for _ in range(guesses.WRONG_FOR_ONE):
            assert client.post(FORGOTTEN, {"email": email}).status_code == 302
        refused = client.post(FORGOTTEN, {"email": email})
        assert refused.status_code == 422 and b"Too many requests. Try again in 15 minutes." in refused.content
        sent = client.post("/api/v1/password-links", {"email": email}, content_type="application/json")
        assert sent.status_code == 429
    # Neither does a mailbox fill up from many addresses.
    for number in range(letters.PER_HOUR):
        Client(REMOTE_ADDR=f"10.0.1.{number}").post(FORGOTTEN, {"email": "ada@example.org"})
    assert len(deliver()) == letters.PER_HOUR


def test_without_a_mail_server_the_page_names_the_operator(db):
    builders.a_user(email="ada@example.org")
    for response in (Client().get(FORGOTTEN), Client().post(FORGOTTEN, {"email": "ada@example.org"})):
        assert response.status_code == 200 and b"sends no e-mail" in response.content
    sent = Client().post("/api/v1/password-links", {"email": "ada@example.org"}, content_type="application/json")
    assert sent.status_code == 409 and not OrmQ.objects.exists()
    assert FORGOTTEN in Client().get("/sign-in/").content.decode()


def test_links_never_follow_the_host_of_a_request(mailing, settings):
    settings.ALLOWED_HOSTS = ["*"]
    builders.a_user(email="ada@example.org")
    Client(HTTP_HOST="evil.example").post(FORGOTTEN, {"email": "ada@example.org"})
    (letter,) = deliver()
    assert "evil" not in letter.body and "https://waggle.example/password/reset/" in letter.body


def test_an_invitation_is_sent_and_not_shown(mailing):
    owner, account = builders.a_requester(funds="0")
    account.name = "Hives\nBcc: all@example.org"
    account.save()
    client = signed_in(owner)
    made = client.post(
        "/api/v1/invitations", {"email": "new@example.org", "role": "Viewer"}, content_type="application/json"
    )
    assert made.status_code == 201 and made.json()["link"] is None
    shown = client.post(
        reverse("requester:settings-invite"), {"email": "other@example.org", "role": "Viewer"}, follow=True
    )
    assert b"on its way to other@example.org" in shown.content and b"/join/" not in shown.content
    first, second = deliver()
    assert (first.to, second.to) == (["new@example.org"], ["other@example.org"]) and "\n" not in first.subject
    secret = re.search(r"https://waggle\.example/join/([^/]+)/", first.body)[1]
    user = invitations.join_by_link(secret=secret, display_name="", password=NEW)
    assert accounts.role_of(account=account, user=user) == "Viewer"


def test_a_letter_that_waits_for_somebody_who_was_shut_out_is_not_sent(mailing):
    user = builders.a_user()
    Client().post(FORGOTTEN, {"email": user.email})
    people.deactivate(user=user, reason="left", by="system")
    assert deliver() == []
    User.objects.all().delete()
    background.mail_password_link(user.pk or 0)
    background.mail_invitation(0)
    assert mail.outbox == []
