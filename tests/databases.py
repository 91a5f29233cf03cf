"""Databases of tests: made by the migrations once for all processes of a run, then copied; emptied after a test.

A copy takes a tenth of a second, the migrations ten.
"""

import fcntl
import hashlib
import itertools
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.core.management import call_command
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

_numbers = itertools.count(1)
KEPT = ("django_migrations", "django_content_type", "auth_permission")
"""Tables whose rows are of the migrations and of no test."""
EMPTIED = """
DO $$
DECLARE
    found record;
    filled boolean;
    large text[] := '{}';
BEGIN
    SET LOCAL session_replication_role = replica;
    -- As TRUNCATE does, wait for what somebody is still writing.
    EXECUTE (SELECT 'LOCK TABLE ' || string_agg(oid::regclass::text, ', ' ORDER BY relname)
             FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace);
    FOR found IN
        SELECT oid::regclass::text AS name, pg_relation_size(oid) AS size
        FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace AND relname <> ALL (%s)
    LOOP
        IF found.size > 262144 THEN
            large := large || found.name;
        ELSIF found.size > 0 THEN
            EXECUTE 'SELECT EXISTS (SELECT FROM ' || found.name || ')' INTO filled;
            IF filled THEN
                EXECUTE 'DELETE FROM ' || found.name;
            END IF;
        END IF;
    END LOOP;
    IF cardinality(large) > 0 THEN
        EXECUTE 'TRUNCATE ' || array_to_string(large, ', ') || ' CASCADE';
    END IF;
END $$
"""
"""To truncate each table takes ten times as long as to delete the few rows that a test leaves in a few of them."""


def empty() -> None:
    """Delete the rows of all tables but those KEPT; sequences go on. The user of the database is a superuser."""
    with connection.cursor() as cursor:
        names = ", ".join(f"'{name}'" for name in KEPT)
        cursor.execute(EMPTIED.replace("%s", f"ARRAY[{names}]"))


def may_empty() -> bool:
    """Whether the user of the database may do what `empty` does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        return bool(cursor.fetchone()[0])


def template(label: str, fill: Callable[[str], None]) -> str:
    """The name of a database to copy, which `fill` has made of an empty one: once in a run, for all of its processes.

    `label` says what is in it; `fill` is given its name. Whoever calls must be allowed to use databases
    (pytest-django's `django_db_blocker.unblock()`).
    """
    folder = Path(os.environ["WAGGLE_TEST_VAR"])
    name = f"{_prefix()}{hashlib.sha256(label.encode()).hexdigest()[:16]}"
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = folder / f"{name}.made"
        if not made.exists():
            with _server() as server:
                server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
                server.execute(f"CREATE DATABASE {name}")
            fill(name)
            made.touch()
    return name


def drop_templates() -> None:
    """Drop the databases of this run that `template` has made."""
    with _server() as server:
        found = server.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [_prefix()]).fetchall()
        for (name,) in found:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _prefix() -> str:
    return "template_" + re.sub(r"\W", "_", Path(os.environ["WAGGLE_TEST_VAR"]).name.lower())[-24:] + "_"


def migrated() -> str:
    """The name of a database as the migrations leave it, to which nobody has written."""
    return template("migrated", _migrate)


def _migrate(name: str) -> None:
    with as_default(name):
        call_command("migrate", verbosity=0)


@contextmanager
def as_default(name: str) -> Iterator[None]:
    """Let Django's default connection lead to this database: some migrations of data ask no other. No transaction of it
    may be open."""
    connection.close()
    given, connection.settings_dict["NAME"] = connection.settings_dict["NAME"], name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = given


@contextmanager
def connected(name: str) -> Iterator[BaseDatabaseWrapper]:
    """A connection of Django to this database, under an alias that is its name."""
    connections.databases[name] = {**connections["default"].settings_dict, "NAME": name}
    try:
        yield connections[name]
    finally:
        connections[name].close()
        del connections[name]
        del connections.databases[name]


def address() -> str:
    """The address of the database of this test, for programs that it starts, by whichever way its own leads."""
    parts = urlsplit(os.environ["WAGGLE_DATABASE_URL"])
    return urlunsplit(parts._replace(path="/" + connection.settings_dict["NAME"]))


@contextmanager
def copied() -> Iterator[str]:
    """The address of a migrated database of one's own. The test is marked django_db."""
    given = connection.settings_dict
    with copy_of(migrated()) as name:
        yield f"postgresql://{given['USER']}:{given['PASSWORD']}@/{name}?host={given['HOST']}&port={given['PORT']}"


@contextmanager
def copy_of(template: str) -> Iterator[str]:
    """The name of a copy of this database, which is dropped at the end. Nobody may be connected to the original."""
    name = f"copy_{os.getpid()}_{next(_numbers)}"
    with _server() as server:
        server.execute(f"DROP DATABASE IF EXISTS {name}")
        server.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield name
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def _server() -> Iterator[psycopg.Connection[Any]]:
    # Past Django, which keeps tests without a database of theirs from connecting to one.
    given = connection.settings_dict
    keys = {"HOST": "host", "PORT": "port", "USER": "user", "PASSWORD": "password"}
    address: dict[str, Any] = {keys[key]: given[key] for key in keys if given[key]}
    with psycopg.connect(**address, dbname="postgres", autocommit=True) as server:
        yield server
