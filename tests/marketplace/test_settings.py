"""The settings: values from the environment, errors that name the variable, and the page that lists them."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command

from marketplace import (
    settings_checks,
    settings_cluster,
    settings_events,
    settings_reference,
    settings_retention,
    settings_sight,
)
from marketplace import settings_declared as declared
from marketplace.management.commands import doctor
from marketplace.settings_kinds import Setting, SettingError

ROOT = Path(__file__).resolve().parents[2]


def start(**changes):
    """`manage.py check` in a process of its own with these variables; those that are None are taken away."""
    environment = os.environ | {name: value for name, value in changes.items() if value is not None}
    for name, value in changes.items():
        if value is None:
            environment.pop(name, None)
    command = [sys.executable, "manage.py", "check"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


class TestValues:
    @pytest.mark.parametrize("setting", list(settings_checks.every()), ids=lambda setting: setting.name)
    def test_an_empty_text_is_the_default(self, setting):
        assert setting.read({}) == setting.read({setting.name: " "}) == setting.default

    @pytest.mark.parametrize(
        ("setting", "text", "value"),
        [
            (declared.DEBUG, "On", True),
            (declared.DEVELOPMENT, "0", False),
            (declared.QUEUE_WORKERS, "256", 256),
            (declared.QUEUE_POLL_SECONDS, "0.25", 0.25),
            (declared.PLATFORM_FEE_PERCENT, "12.5", "12.5"),
            (declared.PUBLIC_URL, "https://waggle.example/", "https://waggle.example"),
            (declared.STORE_URL, "s3://bucket/folder", "s3://bucket/folder"),
            (declared.STORE_URL, "file:///srv/store", "file:///srv/store"),
            (declared.LOG_LEVEL, "warning", "WARNING"),
            (declared.S3_ADDRESSING_STYLE, "PATH", "path"),
            (declared.ALLOWED_HOSTS, "a.example, b.example,", ("a.example", "b.example")),
            (declared.S3_INPUT_BUCKETS, "raw, hive=123456789012,", ("raw", "hive=123456789012")),
            (declared.STORE_FILE_ROOTS, f"/a{os.pathsep}/b", (Path("/a"), Path("/b"))),
            (declared.API_RATE_PER_USER, "10/second", "10/second"),
        ],
    )
    def test_a_text_becomes_a_value(self, setting, text, value):
        assert setting.read({setting.name: text}) == value

    @pytest.mark.parametrize(
        ("setting", "text"),
        [
            (declared.DEBUG, "maybe"),
            (declared.QUEUE_WORKERS, "two"),
            (declared.QUEUE_WORKERS, "0"),
            (declared.QUEUE_WORKERS, "257"),
            (declared.QUEUE_WORKERS, "1.5"),
            (declared.QUEUE_POLL_SECONDS, "nan"),
            (declared.PLATFORM_FEE_PERCENT, "101"),
            (declared.PLATFORM_FEE_PERCENT, "a fifth"),
            (declared.PLATFORM_FEE_PERCENT, "nan"),
            (declared.PUBLIC_URL, "waggle.example"),
            (declared.PUBLIC_URL, "ftp://waggle.example"),
            (declared.STORE_URL, "/srv/store"),
            (declared.LOG_LEVEL, "loud"),
            (declared.API_RATE_PER_USER, "many"),
            (declared.S3_INPUT_BUCKETS, "hive=12345"),
            (declared.S3_INPUT_BUCKETS, "hive=123456789012=1"),
            (declared.S3_INPUT_BUCKETS, "raw, =123456789012"),
            (declared.S3_REGION, "us east"),
            (declared.TRUSTED_PROXIES, "-1"),
            (declared.TRUSTED_PROXIES, "10.0.0.1"),
        ],
    )
    def test_a_wrong_one_names_the_variable_the_value_and_what_is_expected(self, setting, text):
        with pytest.raises(SettingError) as refused:
            setting.read({setting.name: text})
        assert str(refused.value) == f"{setting.name}: {text!r} found, {setting.expects} expected"

    def test_a_secret_is_not_shown(self):
        secret = replace(declared.QUEUE_WORKERS, secret=True)
        with pytest.raises(SettingError) as refused:
            secret.read({secret.name: "hunter2"})
        assert "hunter2" not in str(refused.value)

    def test_standard_names_of_other_systems_are_read_when_ours_is_not_set(self):
        standard = {"DATABASE_URL": "postgresql://theirs/x", "AWS_ACCESS_KEY_ID": "theirs", "WEB_CONCURRENCY": "5"}
        assert declared.DATABASE_URL.read(standard) == "postgresql://theirs/x"
        assert declared.S3_ACCESS_KEY_ID.read(standard) == "theirs"
        assert declared.WEB_WORKERS.read(standard) == 5
        assert declared.S3_ACCESS_KEY_ID.read(standard | {"WAGGLE_S3_ACCESS_KEY_ID": "ours"}) == "ours"

    def test_an_error_names_the_standard_variable_when_that_is_the_wrong_one(self):
        with pytest.raises(SettingError, match="^WEB_CONCURRENCY: 'x' found"):
            declared.WEB_WORKERS.read({"WEB_CONCURRENCY": "x"})


class TestTheEnvironmentAsAWhole:
    def test_an_earlier_name_is_refused_and_the_new_one_named(self):
        assert settings_checks.complaints({"PUBLIC_URL": "http://x"}) == [
            "PUBLIC_URL is now called WAGGLE_PUBLIC_URL: set WAGGLE_PUBLIC_URL instead"
        ]

    def test_an_earlier_name_beside_the_new_one_is_somebody_else_s(self):
        assert settings_checks.complaints({"DEBUG": "express:*", "WAGGLE_DEBUG": "no"}) == []

    def test_a_standard_name_does_not_hide_an_earlier_one(self):
        found = settings_checks.complaints({"S3_ACCESS_KEY_ID": "mine", "AWS_ACCESS_KEY_ID": "another"})
        assert [text.split()[0] for text in found] == ["S3_ACCESS_KEY_ID"]

    def test_every_new_name_is_declared(self):
        assert set(settings_checks.EARLIER_NAMES.values()) <= {setting.name for setting in settings_checks.every()}

    def test_a_function_must_be_ended_before_it_is_delivered_again(self):
        (found,) = settings_checks.complaints({"WAGGLE_QUEUE_TIMEOUT_SECONDS": "2100"})
        assert "WAGGLE_QUEUE_RETRY_SECONDS: 2100 found, more than WAGGLE_QUEUE_TIMEOUT_SECONDS (2100)" in found

    def test_unknown_names_are_found_with_the_nearest_known_one(self):
        environment = {
            "WAGGLE_STORE_ULR": "x",
            "WAGGLE_NONSENSE": "x",
            "WAGGLE_VAR": "x",
            "WAGGLE_TEST_VAR": "x",
            "HOME": "x",
        }
        assert settings_checks.unknown(environment) == {"WAGGLE_NONSENSE": "", "WAGGLE_STORE_ULR": "WAGGLE_STORE_URL"}

    def test_names_are_unique_and_begin_alike(self):
        names = [setting.name for setting in settings_checks.every()]
        assert len(names) == len(set(names))
        assert all(name.startswith("WAGGLE_") for name in names)
        parts = (settings_cluster, settings_events, settings_retention, settings_sight)
        named = {name: value for part in (declared, *parts) for name, value in vars(part).items()}
        constants = {id(v) for v in named.values() if isinstance(v, Setting)}
        assert constants == {id(setting) for setting in settings_checks.every()}, "a setting is in no group"


class TestStarting:
    def test_an_earlier_name_stops_the_start(self):
        run = start(STORE_URL="s3://mine", WAGGLE_STORE_URL=None)
        assert run.returncode != 0
        assert "STORE_URL is now called WAGGLE_STORE_URL" in run.stderr

    def test_a_wrong_value_stops_the_start(self):
        run = start(WAGGLE_LEARNER_SLOTS="several")
        assert run.returncode != 0
        assert "WAGGLE_LEARNER_SLOTS: 'several' found, a whole number from 1 to 256 expected" in run.stderr

    def test_the_declarations_load_without_django(self):
        code = "import sys, marketplace.settings_reference as page; page.page(); assert 'django' not in sys.modules"
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.mark.django_db
def test_doctor_reports_unknown_variables(settings, monkeypatch):
    settings.UNKNOWN_VARIABLES = {"WAGGLE_STORE_ULR": "WAGGLE_STORE_URL"}
    monkeypatch.setattr(doctor, "LEARNER", {})
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("doctor", stdout=out)
    assert "unknown: WAGGLE_STORE_ULR (did you mean WAGGLE_STORE_URL?)" in out.getvalue()


def test_settings_of_the_product_are_attributes_without_the_prefix():
    elsewhere = {"VAR": "VAR_DIR", "LEARNING": "LEARNING_INSTALLED", "DATABASE_URL": "SECRET_DATABASE_URL"}
    elsewhere |= {f"QUEUE_{part}": "Q_CLUSTER" for part in ("WORKERS", "POLL_SECONDS", "TIMEOUT_SECONDS")}
    elsewhere |= {"QUEUE_RETRY_SECONDS": "Q_CLUSTER", "API_RATE_PER_USER": "REST_FRAMEWORK", "LOG_LEVEL": "LOGGING"}
    elsewhere |= {"PGBOUNCER": "DATABASES", "DATABASE_CONNECTION_SECONDS": "DATABASES"}
    elsewhere |= {"STRIPE_WEBHOOK_SECRET": "STRIPE_WEBHOOK_SECRETS"}
    for group in list(declared.GROUPS)[:5]:
        for setting in declared.GROUPS[group]:
            name = setting.name.removeprefix("WAGGLE_")
            assert hasattr(django_settings, elsewhere.get(name, name)), name


class TestThePage:
    def test_it_is_up_to_date(self):
        written = (ROOT / "docs" / "settings.md").read_text()
        assert written == settings_reference.page(), "run `make docs`"

    def test_every_variable_of_the_containers_is_on_it(self):
        names = set()
        for name in ("compose.yaml", "Dockerfile", "entrypoint.sh"):
            names |= set(re.findall(r"\bWAGGLE_[A-Z0-9_]+", (ROOT / "docker" / name).read_text()))
        assert names <= {setting.name for setting in settings_checks.every()}
