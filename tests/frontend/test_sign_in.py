"""Signing in: the number of wrong passwords is limited, by user and by address."""

import pytest
from django.test import Client

from frontend import session
from marketplace.services import accounts

pytestmark = pytest.mark.django_db
RIGHT = "bees-dance-at-noon"


@pytest.fixture(autouse=True)
def no_earlier_attempts():
    session.wrong_passwords.clear()
    yield
    session.wrong_passwords.clear()


def sign_in(email: str, password: str, address: str = "10.0.0.1"):
    return Client(REMOTE_ADDR=address).post("/sign-in/", {"username": email, "password": password})


def test_after_ten_wrong_passwords_the_right_one_is_refused_for_a_while():
    accounts.create_user(email="ada@example.org", password=RIGHT)
    accounts.create_user(email="bob@example.org", password=RIGHT)
    for _ in range(session.WRONG_FOR_ONE):
        assert b"correct" in sign_in("ada@example.org", "wrong").content
    refused = sign_in("ADA@example.org", RIGHT)
    assert refused.status_code == 200 and b"Too many wrong passwords. Try again in 15 minutes." in refused.content
    # Other users at this address can sign in, and so can this user at another address.
    assert sign_in("bob@example.org", RIGHT).status_code == 302
    assert sign_in("ada@example.org", RIGHT, address="10.0.0.2").status_code == 302


def test_an_address_cannot_try_a_password_on_many_users():
    accounts.create_user(email="ada@example.org", password=RIGHT)
    for number in range(session.WRONG_FOR_ALL):
        sign_in(f"nobody-{number}@example.org", RIGHT)
    assert b"Too many wrong passwords" in sign_in("ada@example.org", RIGHT).content


def test_right_passwords_do_not_count():
    accounts.create_user(email="ada@example.org", password=RIGHT)
    for _ in range(session.WRONG_FOR_ONE + 2):
        assert sign_in("ada@example.org", RIGHT).status_code == 302
