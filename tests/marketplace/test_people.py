"""Letting people in and shutting them out: users, passwords, suspensions; each is recorded."""

import pytest
from django.test import Client

from marketplace.errors import Invalid, NameTaken, WrongState
from marketplace.models import Account, User, WorkerStatus
from marketplace.services import accounts, passwords, people, simulated
from tests import builders

pytestmark = pytest.mark.django_db
NEW = "thyme-and-lavender-7"


def recorded(user: User) -> list[str]:
    return [event.because for event in people.history(user)]


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def is_signed_in(client: Client) -> bool:
    return client.get("/api/v1/me").status_code == 200


def test_a_user_is_made_without_a_password_and_sets_it_by_a_link():
    user = people.create(email="Ada@example.org", display_name="Ada", account="Hives", by="user:1")
    assert (user.email, user.has_usable_password()) == ("ada@example.org", False)
    assert accounts.role_of(account=Account.objects.get(name="Hives"), user=user) == "Owner"
    uid, token = passwords.make_link(user=user, by="user:1")
    assert passwords.reset(uid=uid, token=token, new=NEW) == user
    user.refresh_from_db()
    assert user.check_password(NEW)
    assert recorded(user) == ["password set by a link", "password link made", "made"]


def test_nothing_is_made_when_a_part_is_refused():
    builders.a_user(email="ada@example.org")
    users = User.objects.count()
    with pytest.raises(NameTaken):
        people.create(email="ada@example.org", display_name="", by="user:1")
    with pytest.raises(Invalid) as refused:
        people.create(email="bob@example.org", display_name="", account="x" * 81, by="user:1")
    assert refused.value.field == "name"
    with pytest.raises(Invalid):
        people.create(email="bob@example.org", display_name="x" * 81, by="user:1")
    with pytest.raises(Invalid):
        people.create(email="no address", display_name="", by="user:1")
    assert User.objects.count() == users and not Account.objects.exists()


def test_a_link_works_once_and_only_for_its_user():
    user, other = builders.a_user(), builders.a_user()
    uid, token = passwords.link_parts(user)
    for wrong in ((passwords.link_parts(other)[0], token), (uid, "x"), ("", ""), ("\0", "²"), ("9" * 99, token)):
        with pytest.raises(Invalid, match="does not work"):
            passwords.reset(uid=wrong[0], token=wrong[1], new=NEW)
    with pytest.raises(Invalid, match="too short"):
        passwords.reset(uid=uid, token=token, new="short")
    passwords.reset(uid=uid, token=token, new=NEW)
    with pytest.raises(Invalid, match="does not work"):
        passwords.reset(uid=uid, token=token, new="another-" + NEW)
    user.refresh_from_db()
    assert user.check_password(NEW)


def test_a_link_ends_with_its_time(settings):
    user = builders.a_user()
    uid, token = passwords.link_parts(user)
    settings.PASSWORD_RESET_TIMEOUT = -1
    assert passwords.user_of_link(uid, token) is None


def test_changing_the_password_needs_the_old_one_and_ends_the_sessions():
    user = builders.a_user()
    client = signed_in(user)
    for old, new, field in (("wrong", NEW, "old_password"), (builders.PASSWORD, "1234567890", "new_password")):
        with pytest.raises(Invalid) as refused:
            passwords.change(user=user, old=old, new=new)
        assert refused.value.errors[0][0] == field
    assert is_signed_in(client)
    passwords.change(user=user, old=builders.PASSWORD, new=NEW)
    assert not is_signed_in(client) and recorded(user) == ["password changed"]


def test_a_deactivated_user_is_out_at_once_and_comes_back_without_old_sessions_and_tokens():
    user, account = builders.a_requester(funds="0")
    client = signed_in(user)
    _, secret = accounts.create_token(user=user, account=account, name="t")
    assert is_signed_in(client) and accounts.authenticate_token(secret)
    for _ in range(2):
        people.deactivate(user=user, reason="left the company", by="user:1")
    uid, token = passwords.link_parts(user)
    assert not is_signed_in(client) and accounts.authenticate_token(secret) is None
    assert not Client().login(username=user.email, password=builders.PASSWORD)
    assert passwords.user_of_link(uid, token) is None and not passwords.may_reset(user)
    with pytest.raises(Invalid):
        passwords.make_link(user=user, by="user:1")
    for _ in range(2):
        people.reactivate(user=user, by="user:1")
    assert not is_signed_in(client) and accounts.authenticate_token(secret) is None
    back = Client()
    assert back.login(username=user.email, password=builders.PASSWORD) and is_signed_in(back)
    assert recorded(user) == ["reactivated", "deactivated: left the company"]


@pytest.mark.parametrize("reason", ["", "  ", "x" * 201])
def test_nobody_is_shut_out_without_a_reason(reason):
    worker = builders.a_worker()
    for act in (
        lambda: people.deactivate(user=worker.user, reason=reason, by="user:1"),
        lambda: people.suspend(worker=worker, reason=reason, by="user:1"),
    ):
        with pytest.raises(Invalid) as refused:
            act()
        assert refused.value.field == "reason"
    worker.refresh_from_db()
    assert worker.user.is_active and worker.status == WorkerStatus.ACTIVE


def test_the_last_operator_stays():
    first, second = builders.an_operator(), builders.an_operator()
    people.deactivate(user=second, reason="left", by="user:1")
    with pytest.raises(WrongState):
        people.deactivate(user=first, reason="left", by="user:1")
    first.refresh_from_db()
    assert first.is_active


def test_a_suspension_is_recorded_with_its_reason_and_lifted_again():
    worker = builders.a_worker()
    for _ in range(2):
        people.suspend(worker=worker, reason="answers at random", by="user:1")
    assert worker.status == WorkerStatus.SUSPENDED
    for _ in range(2):
        people.lift_suspension(worker=worker, by="user:2")
    assert worker.status == WorkerStatus.ACTIVE
    found = [(event.to_status, event.because, event.by) for event in people.history(worker.user)]
    assert found == [("Active", "", "user:2"), ("Suspended", "answers at random", "user:1")]


def test_simulated_people_are_not_let_in_by_hand():
    person = simulated.person(email="w@demo.example", display_name="W")
    with pytest.raises(WrongState):
        people.reactivate(user=person, by="user:1")
    with pytest.raises(Invalid):
        passwords.make_link(user=person, by="user:1")


def test_sessions_from_before_an_upgrade_go_on():
    """Whoever was never signed out has Django's own session hash."""
    user = builders.a_user()
    before = super(User, user).get_session_auth_hash()
    assert user.get_session_auth_hash() == before
    user.sign_outs = 1
    assert user.get_session_auth_hash() != before
