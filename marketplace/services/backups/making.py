"""Making a backup: a dump of the database in one snapshot, then every object of the store, while the system works.

Every object that the dump names is in the backup: it was written before its row was committed, and deletions wait until
the store is copied (stored_deletion.py). What is overwritten, the output of jobs, is made of rows and written again.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from django.conf import settings
from django.db import connection, transaction

from marketplace import locks, sealing
from marketplace.errors import InUse, Invalid
from marketplace.services import stored_deletion
from marketplace.services.backups import objects, postgres
from marketplace.services.backups.layout import DUMP, FORMAT, File, Folder, Manifest

LOCK = "backup"
WORD = "waggle backup"
PATIENCE_SECONDS = 600
"""How long deletions that have begun may take to end."""


class Made(NamedTuple):
    """A backup: its id, its manifest, and what had to be written for its objects."""

    id: str
    manifest: Manifest
    contents_written: int
    bytes_written: int


def make(folder: Folder, *, programs: Path | None = None) -> Made:
    """Back the installation up into a folder. Raises InUse while another backup is made, Invalid when pg_dump fails.

    `programs`: the folder of PostgreSQL's own programs, by default those of the embedded server.
    """
    _must_lie_apart(folder)
    with locks.only_one(LOCK) as mine:
        if not mine:
            raise InUse("another backup of this installation is being made")
        with _no_deletions():
            now = datetime.now(UTC)
            backup = f"{now:%Y%m%dT%H%M%S}.{now.microsecond // 1000:03d}Z"
            given = _dump(folder, backup, programs)
            return _copy(folder, backup, now, given)


class _Dumped(NamedTuple):
    file: File
    postgresql: str
    migrations: dict[str, list[str]]
    entries: int
    postings: int


def _dump(folder: Folder, backup: str, programs: Path | None) -> _Dumped:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT pg_export_snapshot(), current_setting('server_version')")
        snapshot, postgresql = cursor.fetchone()
        cursor.execute("SELECT app, array_agg(name::text ORDER BY id) FROM django_migrations GROUP BY app ORDER BY app")
        migrations = dict(cursor.fetchall())
        cursor.execute("SELECT (SELECT count(*) FROM marketplace_entry), (SELECT count(*) FROM marketplace_posting)")
        entries, postings = cursor.fetchone()
        with postgres.dumping(snapshot, programs=programs) as stream:
            folder.store.write(folder.part(backup, DUMP), cast(BinaryIO, stream), content_type="application/x-pgdump")
            if not stream.ended:
                raise Invalid(f"{folder.part(backup, DUMP)}: the store did not read the dump to its end")
        return _Dumped(stream.file, postgresql, migrations, entries, postings)


def _copy(folder: Folder, backup: str, now: datetime, dumped: _Dumped) -> Made:
    contents = size = 0
    with objects.writing_index() as index, _last_index(folder) as earlier:
        for copied in objects.copy_all(folder, earlier):
            index.add(copied.line)
            contents += copied.written > 0
            size += copied.written
        file = index.publish(folder, backup)
    manifest = Manifest(
        format=FORMAT,
        version=installed_version(),
        made_at=now.isoformat(timespec="seconds"),
        database=dumped.file,
        postgresql=dumped.postgresql,
        migrations=dumped.migrations,
        entries=dumped.entries,
        postings=dumped.postings,
        index=file,
        objects=index.objects,
        objects_bytes=index.bytes,
        sealed=sealing.seal(WORD),
    )
    folder.write_manifest(backup, manifest)
    return Made(backup, manifest, contents, size)


def installed_version() -> str:
    """The version of Waggle that runs."""
    try:
        return version("waggle")
    except PackageNotFoundError:
        # Run from its folder, without having been installed.
        lines = (settings.BASE_DIR / "pyproject.toml").read_text().splitlines()
        return next(line.split('"')[1] for line in lines if line.startswith("version = "))


@contextmanager
def _last_index(folder: Folder) -> Iterator[Iterator[objects.Object]]:
    """The index of the last backup in the folder; empty for the first."""
    found = folder.backups()
    if not found:
        yield iter(())
        return
    with objects.read_index(folder, found[-1], folder.manifest(found[-1])) as lines:
        yield lines


@contextmanager
def _no_deletions() -> Iterator[None]:
    """Wait for deletions that have begun; further ones wait until the block ends."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        with locks.only_one(stored_deletion.LOCK) as mine:
            if mine:
                yield
                return
        if time.monotonic() > deadline:
            raise InUse(f"objects of the store have been deleted for {PATIENCE_SECONDS} s; try again later")
        time.sleep(0.5)


def _must_lie_apart(folder: Folder) -> None:
    store = settings.STORE_URL.rstrip("/") + "/"
    if f"{folder.uri}/".startswith(store) or store.startswith(f"{folder.uri}/"):
        raise Invalid(f"{folder.uri}: neither may lie in the other, backups and store ({settings.STORE_URL})")
