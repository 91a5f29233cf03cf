"""Committed migrations never change: a database that applied one keeps what it was then."""

import hashlib

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from marketplace import schema_record

ADVICE = "run `.venv/bin/python manage.py record_migrations` for a new migration"


def test_no_committed_migration_was_changed_or_removed():
    assert schema_record.edited(schema_record.load().files, schema_record.migration_files()) == []


def test_every_migration_is_recorded():
    found, recorded = schema_record.migration_files(), schema_record.load().files
    assert not found.keys() - recorded.keys(), ADVICE


@pytest.mark.django_db
def test_the_recorded_functions_and_triggers_are_those_that_the_migrations_define():
    functions, triggers = schema_record.defined(connection)
    record = schema_record.load()
    assert (functions, triggers) == (record.functions, record.triggers), ADVICE


def test_the_sql_that_a_migration_loads_is_covered():
    found = schema_record.migration_files()
    assert {"labeling/sql/claim.sql", "labeling/sql/submit.sql", "marketplace/sql/eligibility.sql"} <= found.keys()


@pytest.mark.parametrize("kind", ["changed", "gone"])
def test_a_change_is_named_and_cannot_be_recorded(kind, tmp_path, monkeypatch):
    record = schema_record.load()
    path = next(iter(record.files))
    files = {**record.files}
    name = path if kind == "changed" else "labeling/migrations/0999_gone.py"
    files[name] = hashlib.sha256(b"another text").hexdigest()
    monkeypatch.setattr(schema_record, "PATH", tmp_path / "record.json")
    schema_record.save(record._replace(files=files))
    before = schema_record.PATH.read_bytes()
    assert schema_record.edited(files, schema_record.migration_files()) == [f"{name}: {kind} since it was committed"]
    with pytest.raises(CommandError, match=f"{name}: {kind}"):
        call_command("record_migrations")
    assert schema_record.PATH.read_bytes() == before
