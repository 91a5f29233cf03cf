"""bootstrap, doctor and database, run as an operator runs them; and the names of things on the wire."""

import os
import subprocess
import sys
import time
from io import StringIO

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection
from django_q.models import Schedule

from marketplace import arns
from marketplace.management.commands import doctor
from marketplace.models import User, Workteam
from tests import builders


@pytest.mark.django_db
def test_bootstrap_makes_what_is_needed_and_repeats(settings):
    settings.OPERATOR_EMAIL = "Op@example.org"
    settings.OPERATOR_PASSWORD = builders.PASSWORD
    for _ in range(2):
        call_command("bootstrap", verbosity=0)
    assert User.objects.get(email="op@example.org").is_operator
    assert Workteam.objects.filter(account=None).count() == 1
    names = list(Schedule.objects.order_by("name").values_list("name", flat=True))
    assert {"labeling.background.sweep", "marketplace.background.sweep"} <= set(names)
    assert len(names) == len(set(names))


def current(cursor) -> str:
    cursor.execute("SHOW fsync")
    return cursor.fetchone()[0]


@pytest.fixture
def durable(db):
    """The tests' database waits for the disk for as long as the test takes."""
    with psycopg.connect(os.environ["WAGGLE_DATABASE_URL"], autocommit=True) as other, connection.cursor() as own:
        for value in ("on", "off"):
            other.execute(f"ALTER SYSTEM SET fsync = {value}")
            other.execute("SELECT pg_reload_conf()")
            while current(own) != value:
                time.sleep(0.05)
            if value == "on":
                yield


@pytest.mark.django_db
class TestDoctor:
    def test_a_sound_installation(self, monkeypatch, durable):
        monkeypatch.setattr(doctor, "LEARNER", {"json": ("pytest", "import json")})
        found = {finding.name: finding for finding in doctor.findings()}
        for name in ("Python", "PostgreSQL", "migrations", "store", "SECRET_KEY", "json", "boto3"):
            assert found[name].works, found[name]
        assert "fsync on" in found["PostgreSQL"].detail

    def test_an_https_portal_without_trusted_proxies_is_noticed(self, settings):
        for url, trusted, known in (("https://a", 0, False), ("https://a", 1, True), ("http://a", 0, True)):
            settings.PUBLIC_URL, settings.TRUSTED_PROXIES = url, trusted
            found = doctor.proxies()
            assert (found.works, found.needed) == (known, False)

    def test_a_mail_server_is_tried_if_there_is_one(self, settings):
        assert (doctor.mail().works, doctor.mail().needed) == (False, False)
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
        found = doctor.mail()
        assert (found.works, found.needed) == (False, True) and "127.0.0.1:9" in found.detail

    def test_a_broken_one_says_what_to_do_and_exits_with_1(self, settings, monkeypatch):
        settings.STORE_URL = "s3://bucket/store"
        settings.S3_ENDPOINT_URL = "http://127.0.0.1:9"
        settings.S3_ACCESS_KEY_ID = settings.S3_SECRET_ACCESS_KEY = "x"
        broken = {"torch": ("pytest", "raise ImportError('its library is missing')")}
        monkeypatch.setattr(doctor, "LEARNER", broken)
        out = StringIO()
        with pytest.raises(SystemExit) as ended:
            call_command("doctor", stdout=out)
        assert ended.value.code == 1
        report = out.getvalue()
        assert "FAIL  store" in report
        assert "look at WAGGLE_STORE_URL" in report
        assert "its library is missing" in report


def test_the_database_command_does_not_stop_a_server_it_did_not_start():
    url = os.environ["WAGGLE_DATABASE_URL"]
    command = [sys.executable, "manage.py", "database"]
    printed = subprocess.run([*command, "url"], capture_output=True, text=True, check=True)
    assert printed.stdout.strip() == url
    stopped = subprocess.run([*command, "stop"], capture_output=True, text=True, check=False)
    assert stopped.returncode == 1
    assert "not ours to start or stop" in stopped.stderr


class TestArns:
    @pytest.mark.parametrize(
        ("kind", "name", "arn"),
        [
            ("labeling-job", "bees", "arn:aws:sagemaker:us-east-1:123456789012:labeling-job/bees"),
            ("workteam", "private-crowd/a", "arn:aws:sagemaker:us-east-1:123456789012:workteam/private-crowd/a"),
            ("role", "r", "arn:aws:iam::123456789012:role/r"),
            ("function", "PRE-BoundingBox", "arn:aws:lambda:us-east-1:123456789012:function:PRE-BoundingBox"),
        ],
    )
    def test_built_and_parsed(self, kind, name, arn):
        assert arns.build(kind, "123456789012", name) == arn
        assert arns.parse(arn)[:3] == (kind, "123456789012", name)

    @pytest.mark.parametrize(
        "arn",
        ["", "x", "arn:aws:s3:::bucket", "arn:aws:iam::123456789012:labeling-job/x", "arn:aws:sagemaker:r:1:model/x"],
    )
    def test_others_are_refused(self, arn):
        with pytest.raises(ValueError, match="ARN|resource type"):
            arns.parse(arn)

    def test_invalid_parts_are_refused(self):
        for parts in (("bee", "123456789012", "x"), ("model", "12", "x"), ("model", "123456789012", "")):
            with pytest.raises(ValueError):
                arns.build(*parts)
