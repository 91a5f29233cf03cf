"""Signing up: links that are verified addresses, what workers say of themselves, and the group of adults."""

from datetime import timedelta

import pytest
from django.utils import timezone

from marketplace.errors import Forbidden, Invalid, NameTaken, NotFound
from marketplace.models import Account, GroupMember, SignUp, User
from marketplace.services import accounts, eligibility, profiles, signups, workteams
from tests import builders

pytestmark = pytest.mark.django_db
WORKER = {"display_name": "New", "password": builders.PASSWORD, "country": "DE", "languages": ["en"], "adult": False}


@pytest.fixture(autouse=True)
def open_to_all(settings):
    settings.SIGN_UP_ENABLED = settings.WORKER_SIGN_UP_ENABLED = True


def a_link(email="new@example.org", purpose="Worker") -> str:
    return signups.new_link(signups.begin(email=email, purpose=purpose))


def admitted(worker, group) -> bool:
    audience = eligibility.audience_for([group])
    account = builders.an_account()
    return eligibility.refusal(worker_id=worker.pk, audience_id=audience.pk, account_id=account.pk) is None


def test_a_worker_joins_the_public_pool_by_a_link_that_works_once():
    secret = a_link("New@Example.org")
    assert secret not in str(SignUp.objects.values_list()) and not User.objects.exists()
    user = signups.finish_worker(secret=secret, **WORKER)
    assert user.email == "new@example.org" and user.check_password(builders.PASSWORD)
    assert admitted(user.worker, eligibility.group_of(workteams.public_pool()))
    profile = profiles.of(user.worker)
    assert (profile.country, profile.languages, profile.adult_since) == ("DE", ["en"], None)
    with pytest.raises(NotFound):
        signups.finish_worker(secret=secret, **WORKER)
    assert User.objects.filter(email=user.email).count() == 1 and not SignUp.objects.exists()


def test_a_requester_gets_an_account_of_their_own():
    user, account = signups.finish_requester(
        secret=a_link(purpose="Requester"), display_name="", password=builders.PASSWORD, account_name="Hives"
    )
    assert accounts.role_of(account=account, user=user) == "Owner" and account.name == "Hives"
    assert not hasattr(user, "worker")


def test_a_link_ends_with_time_with_a_newer_one_and_when_it_is_for_something_else():
    first = a_link()
    second = a_link()
    with pytest.raises(NotFound):
        signups.of_link(first)
    with pytest.raises(NotFound):
        signups.finish_requester(secret=second, display_name="", password=builders.PASSWORD, account_name="x")
    SignUp.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(NotFound):
        signups.finish_worker(secret=second, **WORKER)
    signups.forget_expired()
    assert not SignUp.objects.exists() and not User.objects.exists() and not Account.objects.exists()


@pytest.mark.parametrize("changes", [{"password": "short"}, {"country": "XX"}, {"languages": ["xx"]}])
def test_what_is_refused_leaves_nothing_behind_and_the_link_works_on(changes):
    secret = a_link()
    with pytest.raises(Invalid):
        signups.finish_worker(secret=secret, **(WORKER | changes))
    assert not User.objects.exists()
    assert signups.finish_worker(secret=secret, **WORKER).email == "new@example.org"


def test_an_address_that_got_a_sign_in_meanwhile_is_not_taken_over():
    secret = a_link()
    old = builders.a_user(email="new@example.org")
    with pytest.raises(NameTaken):
        signups.finish_worker(secret=secret, **(WORKER | {"password": "another-password-9"}))
    old.refresh_from_db()
    assert old.check_password(builders.PASSWORD) and not hasattr(old, "worker")


def test_the_operator_switches_sign_ups_off_even_for_links_that_are_out(settings):
    secret = a_link()
    settings.WORKER_SIGN_UP_ENABLED = False
    for act in (lambda: a_link("b@example.org"), lambda: signups.finish_worker(secret=secret, **WORKER)):
        with pytest.raises(Forbidden):
            act()
    assert signups.purposes() == ["Requester"] and not User.objects.exists()


def test_adults_are_those_in_the_pool_who_have_confirmed_it():
    worker = builders.a_worker()
    adults = eligibility.adults()
    said = {"worker": worker, "country": "", "languages": []}
    profiles.put(**said, adult=True)
    assert not admitted(worker, adults)
    workteams.join_public_pool(worker)
    assert admitted(worker, adults)
    profiles.put(**said, adult=False)
    assert not admitted(worker, adults)
    profiles.put(**said, adult=True)
    workteams.remove_worker(team=workteams.public_pool(), worker=worker, by="system")
    assert not admitted(worker, adults) and not GroupMember.objects.filter(worker=worker).exists()
