"""Copies of the test database as its migrations left it, for programs that tests start.

A copy takes a tenth of a second, the migrations ten.
"""

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection
from django.db.backends.base.creation import TEST_DATABASE_PREFIX

_numbers = itertools.count(1)
_kept: list[str] = []


@contextmanager
def kept() -> Iterator[None]:
    """Keep what the test database is now, which nobody has written to, for `copied`."""
    if not connection.settings_dict["NAME"].startswith(TEST_DATABASE_PREFIX):
        # No test of this run is marked django_db, so that there is no test database.
        yield
        return
    name = f"{connection.settings_dict['NAME']}_migrated"
    # A database that somebody is connected to cannot be copied.
    connection.close()
    with _made(name, template=connection.settings_dict["NAME"]):
        _kept.append(name)
        yield
        _kept.remove(name)


@contextmanager
def copied() -> Iterator[str]:
    """The address of a migrated database of one's own. Raises RuntimeError for a test that is not marked django_db."""
    if not _kept:
        raise RuntimeError("there is no test database to copy: mark the test django_db")
    given, name = connection.settings_dict, f"system_{os.getpid()}_{next(_numbers)}"
    with _made(name, template=_kept[-1]):
        yield f"postgresql://{given['USER']}:{given['PASSWORD']}@/{name}?host={given['HOST']}&port={given['PORT']}"


@contextmanager
def _made(name: str, *, template: str) -> Iterator[None]:
    # Past Django, which keeps tests without a database of theirs from connecting to one.
    given = connection.settings_dict
    keys = {"HOST": "host", "PORT": "port", "USER": "user", "PASSWORD": "password"}
    address: dict[str, Any] = {keys[key]: given[key] for key in keys if given[key]}
    with psycopg.connect(**address, dbname="postgres", autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {name}")
        server.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")
