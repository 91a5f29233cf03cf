"""Signing in: passwords cannot be tried without end."""

import pytest
from django.test import Client

from frontend import session
from marketplace.services import accounts

pytestmark = pytest.mark.django_db
RIGHT = "bees-dance-at-noon"


@pytest.fixture(autouse=True)
def forgotten():
    session.wrong_passwords.clear()
    yield
    session.wrong_passwords.clear()


def sign_in(email: str, password: str, address: str = "10.0.0.1"):
    return Client(REMOTE_ADDR=address).post("/sign-in/", {"username": email, "password": password})


def test_after_ten_wrong_passwords_the_right_one_waits_too():
    accounts.create_user(email="ada@example.org", password=RIGHT)
    accounts.create_user(email="bob@example.org", password=RIGHT)
    for _ in range(session.WRONG_FOR_ONE):
        assert b"correct" in sign_in("ada@example.org", "wrong").content
    refused = sign_in("ADA@example.org", RIGHT)
    assert refused.status_code == 200 and b"Too many wrong passwords. Try again in 15 minutes." in refused.content
    # Neither other people at the same address nor the owner elsewhere are shut out.
    assert sign_in("bob@example.org", RIGHT).status_code == 302
    assert sign_in("ada@example.org", RIGHT, address="10.0.0.2").status_code == 302


def test_an_address_cannot_try_one_password_on_everybody():
    accounts.create_user(email="ada@example.org", password=RIGHT)
    for number in range(session.WRONG_FOR_ALL):
        sign_in(f"nobody-{number}@example.org", RIGHT)
    assert b"Too many wrong passwords" in sign_in("ada@example.org", RIGHT).content


def test_right_passwords_count_for_nothing():
    accounts.create_user(email="ada@example.org", password=RIGHT)
    for _ in range(session.WRONG_FOR_ONE + 2):
        assert sign_in("ada@example.org", RIGHT).status_code == 302
