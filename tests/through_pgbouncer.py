"""A plugin of pytest (`-p tests.through_pgbouncer`): what tests do with their database goes through a PgBouncer.

The database itself is made and dropped past it, because nobody may be connected to a database that is copied.
"""

import os
from collections.abc import Iterator

import pytest
from django.db import connection

from tests import pgbouncer

SERVER_CONNECTIONS = 12
"""Fewer than the clients that the tests' threads are, but each that holds a lock of locks.only_one needs two."""

LEAST = 500
"""Transactions that a run passes on at least: fewer mean that the tests went past it."""


@pytest.fixture(scope="session", autouse=True)
def _through_pgbouncer(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> Iterator[None]:
    given = dict(connection.settings_dict)
    with pgbouncer.running(given, connections=SERVER_CONNECTIONS) as running:
        earlier = os.environ["WAGGLE_DATABASE_URL"]
        connection.close()
        connection.settings_dict |= {
            "HOST": "127.0.0.1",
            "PORT": str(running.port),
            "PASSWORD": running.password,
            "DISABLE_SERVER_SIDE_CURSORS": True,
            "OPTIONS": {"prepare_threshold": None},
        }
        os.environ |= {"WAGGLE_DATABASE_URL": running.url(given["NAME"]), "WAGGLE_PGBOUNCER": "yes"}
        try:
            yield
            assert running.transactions() >= LEAST
        finally:
            del os.environ["WAGGLE_PGBOUNCER"]
            os.environ["WAGGLE_DATABASE_URL"] = earlier
            connection.close()
            connection.settings_dict |= given
