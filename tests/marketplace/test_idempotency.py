"""Requests with a key happen once: repeats, two at the same moment, other requests, and what fails."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from marketplace import background
from marketplace.errors import Invalid, KeyReused
from marketplace.models import Account, IdempotentRequest, User, Workteam
from marketplace.services import idempotency
from marketplace.services.idempotency import Answer
from tests import builders


def a_user() -> User:
    return User.objects.create(username="keeper", email="keeper@example.org", password="!")


def once(user: User, act, *, account: Account | None = None, key: str = "k1", fingerprint: str = "f1"):
    return idempotency.once(
        user=user,
        account=account,
        key=key,
        fingerprint=fingerprint,
        act=act,
        answer=lambda made: Answer(201, {"made": made}),
    )


@pytest.mark.django_db
def test_a_repeat_gets_the_first_answer_and_nothing_happens_again():
    user, done = a_user(), []
    assert once(user, lambda: done.append(1) or len(done)) == 1
    assert once(user, lambda: done.append(1) or len(done)) == Answer(201, {"made": 1})
    assert len(done) == 1


@pytest.mark.django_db
def test_without_a_key_it_happens_each_time_and_nothing_is_stored():
    user, done = a_user(), []
    for number in (1, 2):
        assert once(user, lambda: done.append(1) or len(done), key="") == number
    assert not IdempotentRequest.objects.exists()


@pytest.mark.django_db
def test_the_key_of_another_request_is_refused():
    user = a_user()
    once(user, lambda: 1)
    with pytest.raises(KeyReused):
        once(user, lambda: 2, fingerprint="f2")
    other = User.objects.create(username="other", email="other@example.org", password="!")
    assert once(other, lambda: 3, fingerprint="f2") == 3


@pytest.mark.django_db
def test_a_key_belongs_to_the_account_that_the_request_acts_for():
    user = a_user()
    first, second = (Account.objects.create(name=name, number=name * 12) for name in "12")
    answers = {
        account: once(user, lambda account=account: account and account.name, account=account)
        for account in (first, second, None)
    }
    assert answers == {first: "1", second: "2", None: None}
    repeats = {account: once(user, pytest.fail, account=account) for account in answers}
    assert repeats == {account: Answer(201, {"made": made}) for account, made in answers.items()}
    assert IdempotentRequest.objects.count() == 3


@pytest.mark.django_db
def test_the_same_key_over_rest_does_not_show_the_answer_for_another_account():
    user, first = builders.a_requester()
    second = builders.an_account(owner=user)
    client = Client()
    client.force_login(user)

    def make(account: Account):
        more = {"Waggle-Account": account.number, "Idempotency-Key": "k"}
        return client.post("/api/v1/workteams", {"name": "t"}, content_type="application/json", headers=more)

    made, other, again = make(first), make(second), make(first)
    assert (made.status_code, other.status_code, again.status_code) == (201, 201, 201)
    assert made.json() == again.json() != other.json()
    assert again["Idempotency-Replayed"] == "true" and "Idempotency-Replayed" not in other
    assert Workteam.objects.filter(account=first).count() == Workteam.objects.filter(account=second).count() == 1


@pytest.mark.django_db
def test_the_sweep_removes_what_is_older_than_the_declared_time(settings):
    user, done = a_user(), []
    settings.IDEMPOTENCY_HOURS = 3
    for key in ("old", "young"):
        once(user, lambda: done.append(1) or len(done), key=key)
    hours_ago = {"old": 3, "young": 2}
    for key, hours in hours_ago.items():
        at = timezone.now() - timedelta(hours=hours)
        IdempotentRequest.objects.filter(key=key).update(created_at=at)
    background.sweep()
    assert list(IdempotentRequest.objects.values_list("key", flat=True)) == ["young"]
    assert once(user, lambda: 9, key="young") == Answer(201, {"made": 2})
    assert once(user, lambda: 9, key="old") == 9


@pytest.mark.django_db(transaction=True)
def test_what_failed_can_be_tried_again_with_the_same_key():
    user = a_user()

    def fail() -> int:
        User.objects.create(username="half", email="half@example.org", password="!")
        raise Invalid("no")

    with pytest.raises(Invalid):
        once(user, fail)
    assert not User.objects.filter(username="half").exists()
    assert once(user, lambda: 5) == 5


@pytest.mark.django_db(transaction=True)
def test_of_two_at_the_same_moment_one_acts_and_the_other_gets_its_answer():
    user, done, results = a_user(), [], []
    inside, go_on = threading.Event(), threading.Event()

    def act() -> int:
        done.append(1)
        inside.set()
        assert go_on.wait(30)
        return len(done)

    def call() -> None:
        try:
            results.append(once(user, act))
        finally:
            connection.close()

    first, second = threading.Thread(target=call), threading.Thread(target=call)
    first.start()
    assert inside.wait(30)
    second.start()
    go_on.set()
    for thread in (first, second):
        thread.join(30)
    assert len(done) == 1
    assert results == [1, Answer(201, {"made": 1})]


def test_a_key_has_a_longest_length():
    assert idempotency.check_key("k" * 200) == "k" * 200
    with pytest.raises(Invalid, match="201 characters"):
        idempotency.check_key("k" * 201)


def test_the_fingerprint_tells_requests_apart_and_not_the_order_of_their_fields():
    of = idempotency.fingerprint
    assert of(method="POST", path="/a", body={"x": 1, "y": 2}) == of(method="POST", path="/a", body={"y": 2, "x": 1})
    others = [("PUT", "/a", {"x": 1}), ("POST", "/b", {"x": 1}), ("POST", "/a", {"x": 2}), ("POST", "/a", {"x": 1})]
    assert len({of(method=m, path=p, body=b) for m, p, b in others}) == 4
