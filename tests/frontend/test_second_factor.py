"""Second factors: a code after the password, codes that work once, recovery codes, and what the database keeps."""

import re
import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.test import Client
from django.urls import reverse

from frontend import guesses
from marketplace import sealing
from marketplace.models import AuditEvent, User
from tests import builders

pytestmark = pytest.mark.django_db
INDEX, ACTIVATE, CODE = "/you/second-factor/", "/you/second-factor/totp/activate/", "/you/second-factor/authenticate/"


def code_of(secret: str, steps: int = 0) -> str:
    """The code that an authenticator app shows now, or so many half minutes later."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))


def sign_in(user: User, password: str = builders.PASSWORD) -> tuple[Client, str]:
    """A browser after the password, and where it was sent."""
    client = Client()
    answer = client.post("/sign-in/", {"username": user.email, "password": password, "next": "/you/"})
    return client, answer.headers.get("Location", "")


def activate(client: Client) -> str:
    """Set an authenticator app up, with the password asked for again; returns its secret."""
    asked = client.get(ACTIVATE)
    assert asked.status_code == 302 and asked["Location"].startswith("/you/confirm/")
    client.post(asked["Location"], {"password": builders.PASSWORD, "next": ACTIVATE})
    page = client.get(ACTIVATE).content.decode()
    secret = re.search(r'id="authenticator_secret"[^>]*value="([A-Z2-7]{32})"', page)[1]
    assert client.post(ACTIVATE, {"code": code_of(secret, -1)}).status_code == 302
    return secret


@pytest.fixture
def person(db) -> User:
    return builders.a_user(email="ana@example.org")


@pytest.fixture
def secret(person) -> str:
    return activate(sign_in(person)[0])


def signed_in(client: Client) -> bool:
    return client.get("/you/").status_code == 200


def test_without_a_second_factor_the_password_is_enough(person):
    client, sent = sign_in(person)
    assert sent == "/you/" and signed_in(client)


def test_the_password_alone_does_not_sign_in_and_a_code_does(person, secret):
    client, sent = sign_in(person)
    assert sent == CODE and not signed_in(client)
    assert client.get("/api/v1/whoami/").status_code in (401, 403, 404)
    assert client.post(CODE, {"code": "000000"}).status_code == 200
    assert not signed_in(client)
    done = client.post(CODE, {"code": code_of(secret)})
    assert done["Location"] == "/you/" and signed_in(client)


def test_a_code_works_once_even_from_another_browser(person, secret):
    code = code_of(secret)
    first, second = sign_in(person)[0], sign_in(person)[0]
    first.post(CODE, {"code": code})
    second.post(CODE, {"code": code})
    assert signed_in(first) and not signed_in(second)


def test_guessing_codes_is_limited_with_the_passwords(person, secret):
    client = sign_in(person)[0]
    for _ in range(guesses.WRONG_FOR_ONE):
        client.post(CODE, {"code": "000000"})
    said = client.post(CODE, {"code": code_of(secret)}).content.decode()
    assert "Too many wrong passwords" in said and not signed_in(client)


def test_setting_a_factor_up_asks_for_the_password_again_and_limits_wrong_ones(person):
    client = sign_in(person)[0]
    for _ in range(guesses.WRONG_FOR_ONE):
        client.post("/you/confirm/", {"password": "wrong-wrong-1"})
    client.post("/you/confirm/", {"password": builders.PASSWORD})
    assert client.get(ACTIVATE).status_code == 302


def test_recovery_codes_are_shown_once_and_each_signs_in_once(person, secret):
    client = sign_in(person)[0]
    client.post(CODE, {"code": code_of(secret)})
    client.post("/you/confirm/", {"password": builders.PASSWORD})
    client.post("/you/second-factor/recovery-codes/generate/")
    codes = re.findall(r"\b\d{8}\b", client.get("/you/second-factor/recovery-codes/").content.decode())
    assert len(codes) == 10
    assert codes[0] not in client.get("/you/second-factor/recovery-codes/").content.decode()
    for expected in (True, False):
        other = sign_in(person)[0]
        other.post(CODE, {"code": codes[0]})
        assert signed_in(other) is expected


def test_the_database_holds_no_secret_in_the_clear(person, secret):
    stored = Authenticator.objects.get(user=person, type="totp").data["secret"]
    assert secret not in stored and sealing.unseal(stored) == secret


def test_setting_up_and_removing_factors_is_recorded(person, secret):
    client = sign_in(person)[0]
    client.post(CODE, {"code": code_of(secret)})
    client.post("/you/confirm/", {"password": builders.PASSWORD})
    client.post("/you/second-factor/totp/deactivate/")
    rows = AuditEvent.objects.filter(object_type="marketplace.User", object_id=person.pk).order_by("pk")
    assert {row.by for row in rows} == {f"user:{person.pk}"}
    assert [row.because for row in rows] == [
        "second factor added: authenticator app",
        "second factor added: recovery codes",
        "second factor removed: authenticator app",
        "second factor removed: recovery codes",
    ]


def test_an_operator_removes_the_factors_of_somebody_who_lost_them(person, secret):
    operator = Client()
    operator.force_login(builders.an_operator())
    answer = operator.post(reverse("operator:second-factors-off", args=[person.pk]), {"reason": "phone lost"})
    assert answer.status_code == 302
    client, sent = sign_in(person)
    assert sent == "/you/" and signed_in(client)
    said = AuditEvent.objects.filter(object_id=person.pk, because__startswith="second factors removed").get()
    assert said.because == "second factors removed: phone lost" and said.by.startswith("user:")


def test_somebody_suspended_between_password_and_code_stays_out(person, secret):
    client = sign_in(person)[0]
    person.is_active = False
    person.save(update_fields=["is_active"])
    client.post(CODE, {"code": code_of(secret)})
    assert not signed_in(client)
