"""Simulated people: random passwords in a file of their owner's, marked, and shut afterwards."""

import json
import os

import pytest
from django.contrib.auth.hashers import check_password, make_password

from frontend.demo import people
from marketplace.errors import NameTaken
from marketplace.models import ApiToken, User
from marketplace.services import accounts, simulated, workteams
from tests import builders
from tests.marketplace.old_database import migrate, old_database

BEFORE, AFTER = ("marketplace", "0006_rate_windows"), ("marketplace", "0007_simulated_people")
PUBLIC = "bees-dance-at-noon"


@pytest.mark.django_db
def test_the_demos_passwords_are_random_and_only_their_owner_can_read_them(tmp_path):
    path = tmp_path / "demo" / "passwords.json"
    mask = os.umask(0)
    try:
        crew = people.gather(worker_count=2, passwords=path)
    finally:
        os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert json.loads(path.read_text()) == crew.logins
    assert list(crew.logins) == [f"{name}@{people.DOMAIN}" for name in ("requester", "operator", "worker-1")]
    assert len(set(crew.logins.values())) == 3 and min(map(len, crew.logins.values())) >= 20
    for user in User.objects.all():
        known = crew.logins.get(user.email)
        assert user.is_simulated
        assert user.has_usable_password() == (known is not None)
        assert known is None or user.check_password(known)


@pytest.mark.django_db
def test_a_second_run_keeps_the_passwords_that_work_and_replaces_those_that_do_not(tmp_path):
    path = tmp_path / "passwords.json"
    first = people.gather(worker_count=1, passwords=path)
    people.dismiss(first.workers)
    path.chmod(0o644)
    again = people.gather(worker_count=1, passwords=path)
    worker = f"worker-1@{people.DOMAIN}"
    assert {name: again.logins[name] == first.logins[name] for name in first.logins} == {
        name: name != worker for name in first.logins
    }
    assert User.objects.get(email=worker).check_password(again.logins[worker])
    assert path.stat().st_mode & 0o777 == 0o600
    path.unlink()
    assert not set(people.gather(worker_count=1, passwords=path).logins.values()) & set(again.logins.values())


@pytest.mark.django_db
def test_nobody_can_act_as_a_simulated_person_who_was_shut():
    account = builders.an_account()
    person = simulated.person(email="Sim@demo.example", display_name="Sim")
    password = simulated.new_password(person)
    team = builders.a_team(account=account, workers=[builders.a_worker(user=person)])
    workteams.join_public_pool(person.worker)
    _, secret = accounts.create_token(user=person, account=None, name="crowd")
    assert accounts.authenticate_token(secret) is not None
    for _ in range(2):
        simulated.shut(users=[person], by="system")
        person.refresh_from_db()
        assert not person.is_active and not person.check_password(password)
        assert accounts.authenticate_token(secret) is None
        assert not person.worker.memberships.exists() and not person.worker.group_memberships.exists()
    assert not team.memberships.exists()
    assert simulated.person(email="sim@demo.example", display_name="Sim") == person
    person.refresh_from_db()
    assert person.is_active and not person.has_usable_password()


@pytest.mark.django_db
def test_real_people_are_neither_used_nor_shut():
    real = builders.a_user()
    _, secret = accounts.create_token(user=real, account=None, name="mine")
    with pytest.raises(NameTaken):
        simulated.person(email=real.email, display_name="Sim")
    simulated.shut(users=[real], by="system")
    real.refresh_from_db()
    assert real.is_active and real.check_password(builders.PASSWORD) and not real.is_simulated
    assert accounts.authenticate_token(secret) is not None
    assert not ApiToken.objects.exclude(revoked_at=None).exists()


@pytest.mark.slow
def test_an_upgrade_takes_the_public_password_from_simulated_people_only(django_db_blocker):
    with django_db_blocker.unblock(), old_database(BEFORE) as connection:
        with connection.cursor() as cursor:
            for email, password in (("worker-1@demo.example", PUBLIC), ("eva@example.org", "own-words-4-eva")):
                cursor.execute(
                    """INSERT INTO marketplace_user (password, is_superuser, username, first_name, last_name, email,
                        display_name, is_staff, is_active, date_joined, is_operator)
                       VALUES (%s, false, %s, '', '', %s, '', false, true, now(), false)""",
                    [make_password(password), email, email],
                )
        migrate(connection, AFTER)
        with connection.cursor() as cursor:
            cursor.execute("SELECT email, password, is_simulated FROM marketplace_user")
            found = {email: (password, marked) for email, password, marked in cursor.fetchall()}
    password, marked = found["worker-1@demo.example"]
    assert marked and not check_password(PUBLIC, password)
    password, marked = found["eva@example.org"]
    assert not marked and check_password("own-words-4-eva", password)
