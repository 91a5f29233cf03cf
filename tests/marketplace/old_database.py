"""A database of its own that stands at an earlier migration, for tests of what a later one does with existing rows."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor

from tests import databases


@contextmanager
def old_database(*targets: tuple[str, str]) -> Iterator[BaseDatabaseWrapper]:
    """A connection to a new database without rows, migrated to `targets` ((app, migration) pairs); dropped at the end.

    The test's process must be allowed to use databases (pytest-django's `django_db_blocker.unblock()`).
    """

    def fill(name: str) -> None:
        with databases.connected(name) as connection:
            migrate(connection, *targets)

    label = "old " + " ".join(f"{app}.{name}" for app, name in targets)
    with databases.copy_of(databases.template(label, fill)) as name:
        with databases.connected(name) as connection:
            yield connection


def migrate(connection: BaseDatabaseWrapper, *targets: tuple[str, str]) -> None:
    """Migrate the connection's database forward or back to `targets`."""
    MigrationExecutor(connection).migrate(list(targets))
