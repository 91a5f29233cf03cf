"""Signing in: wrong passwords are limited by user and address, whatever the client says of itself, and are logged."""

import logging
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import Client

from frontend import guesses
from marketplace.services import accounts

pytestmark = pytest.mark.django_db
RIGHT = "bees-dance-at-noon"


def sign_in(email: str, password: str, address: str = "10.0.0.1", **headers: str):
    return Client(REMOTE_ADDR=address, headers=headers).post("/sign-in/", {"username": email, "password": password})


def test_after_ten_wrong_passwords_the_right_one_is_refused_for_a_while():
    accounts.create_user(email="ada@example.org", password=RIGHT)
    accounts.create_user(email="bob@example.org", password=RIGHT)
    for _ in range(guesses.WRONG_FOR_ONE):
        assert b"correct" in sign_in("ada@example.org", "wrong").content
    refused = sign_in("ADA@example.org", RIGHT)
    assert refused.status_code == 200 and b"Too many wrong passwords. Try again in 15 minutes." in refused.content
    # Other users at this address can sign in, and so can this user at another address.
    assert sign_in("bob@example.org", RIGHT).status_code == 302
    assert sign_in("ada@example.org", RIGHT, address="10.0.0.2").status_code == 302


def test_an_address_cannot_try_a_password_on_many_users():
    accounts.create_user(email="ada@example.org", password=RIGHT)
    for number in range(guesses.WRONG_FOR_ALL):
        sign_in(f"nobody-{number}@example.org", RIGHT)
    assert b"Too many wrong passwords" in sign_in("ada@example.org", RIGHT).content


def test_right_passwords_do_not_count():
    accounts.create_user(email="ada@example.org", password=RIGHT)
    for _ in range(guesses.WRONG_FOR_ONE + 2):
        assert sign_in("ada@example.org", RIGHT).status_code == 302


def test_a_client_cannot_choose_its_address():
    """Without proxies of one's own, X-Forwarded-For neither frees the guesser nor locks somebody else out."""
    accounts.create_user(email="ada@example.org", password=RIGHT)
    for number in range(guesses.WRONG_FOR_ONE):
        sign_in("ada@example.org", "wrong", **{"X-Forwarded-For": f"192.0.2.{number}"})
    refused = sign_in("ada@example.org", RIGHT, **{"X-Forwarded-For": "192.0.2.99"})
    assert b"Too many wrong passwords" in refused.content
    for victim in ("192.0.2.0", "192.0.2.99"):
        assert sign_in("ada@example.org", RIGHT, address=victim).status_code == 302


def test_behind_a_trusted_proxy_clients_are_told_apart_by_the_address_it_saw(settings):
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"NUM_PROXIES": 1}
    accounts.create_user(email="ada@example.org", password=RIGHT)
    for number in range(guesses.WRONG_FOR_ONE):
        sign_in("ada@example.org", "wrong", **{"X-Forwarded-For": f"198.51.100.{number}, 192.0.2.1"})
    assert b"Too many" in sign_in("ada@example.org", RIGHT, **{"X-Forwarded-For": "198.51.100.9, 192.0.2.1"}).content
    assert sign_in("ada@example.org", RIGHT, **{"X-Forwarded-For": "192.0.2.1, 192.0.2.2"}).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_guesses_at_the_same_time_do_not_all_pass():
    accounts.create_user(email="ada@example.org", password=RIGHT)

    def guess(_: int) -> bool:
        try:
            return b"correct" in sign_in("ada@example.org", "wrong").content
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(guess, range(3 * guesses.WRONG_FOR_ONE))) == guesses.WRONG_FOR_ONE


LOGGERS = {"frontend.session", "frontend.identity.adapters"}


def test_sign_ins_are_logged_with_the_address_and_without_what_was_typed(caplog):
    ada = accounts.create_user(email="ada@example.org", password=RIGHT)
    with caplog.at_level(logging.INFO, logger="frontend"):
        sign_in("ada@example.org", RIGHT)
        sign_in("my-passw0rd\nsigned in: user:1", "hunter2")
        for _ in range(guesses.WRONG_FOR_ONE + 1):
            sign_in("ADA@example.org", "hunter2")
    lines = [(record.levelname, record.getMessage()) for record in caplog.records if record.name in LOGGERS]
    assert lines == [
        ("INFO", f"signed in: user:{ada.pk} from 10.0.0.1"),
        ("WARNING", "sign-in failed, wrong password: an unknown address from 10.0.0.1"),
        *[("WARNING", f"sign-in failed, wrong password: user:{ada.pk} from 10.0.0.1")] * guesses.WRONG_FOR_ONE,
        ("WARNING", f"sign-in refused, too many wrong passwords: user:{ada.pk} from 10.0.0.1"),
    ]
