"""A database of its own that stands at an earlier migration, for tests of what a later one does with existing rows."""

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor

_numbers = itertools.count(1)


@contextmanager
def old_database(*targets: tuple[str, str]) -> Iterator[BaseDatabaseWrapper]:
    """A connection to a new, empty database migrated to `targets` ((app, migration) pairs); dropped at the end.

    The test's process must be allowed to use databases (pytest-django's `django_db_blocker.unblock()`).
    """
    name = f"waggle_old_{os.getpid()}_{next(_numbers)}"
    default = connections["default"]
    with default._nodb_cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}"')
    connections.databases[name] = {**default.settings_dict, "NAME": name}
    try:
        migrate(connections[name], *targets)
        yield connections[name]
    finally:
        connections[name].close()
        del connections[name]
        del connections.databases[name]
        with default._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{name}"')


def migrate(connection: BaseDatabaseWrapper, *targets: tuple[str, str]) -> None:
    """Migrate the connection's database forward or back to `targets`."""
    MigrationExecutor(connection).migrate(list(targets))
