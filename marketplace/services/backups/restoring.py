"""Restoring a backup into an empty database and an empty store, checking it, and thinning out a folder of backups."""

import tempfile
from pathlib import Path
from typing import BinaryIO, cast

from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from marketplace import sealing
from marketplace.errors import InUse, Invalid, NotFound, WrongState
from marketplace.services.backups import objects, postgres
from marketplace.services.backups.layout import DUMP, Folder, Manifest, key_of
from marketplace.services.backups.making import WORD
from marketplace.services.backups.streams import checked


def chosen(folder: Folder, backup: str) -> str:
    """The id of the wanted backup, "" for the newest. Raises NotFound."""
    found = folder.backups()
    if not found or (backup and backup not in found):
        there = f"there are {', '.join(found)}" if found else "there is none"
        raise NotFound(f"{folder.uri}: has no complete backup {backup}".rstrip() + f"; {there}")
    return backup or found[-1]


def restore(folder: Folder, backup: str, *, programs: Path | None = None, other_key: bool = False) -> Manifest:
    """Restore a backup: first the objects of the store, each checked by its digest, then the database in one step.

    What was interrupted can be repeated. Raises InUse unless database and store are empty (but for objects of this
    backup), Invalid for what is damaged or made by a newer version, WrongState unless the installation has the secret
    key that it was made with; `other_key`: whatever key it has, the sealed secrets are lost.
    """
    manifest = folder.manifest(backup)
    _must_be_known(manifest)
    if not other_key:
        _must_have_its_key(manifest)
    if not postgres.is_empty():
        raise InUse("the database is not empty: a backup is restored into an empty one, on which bootstrap has not run")
    _must_be_empty(folder, backup, manifest)
    uri = folder.part(backup, DUMP)
    with tempfile.TemporaryFile() as dump:
        with folder.store.open(uri) as source:
            stream = checked(source, manifest.database, uri)
            while piece := stream.read(objects.PIECE):
                dump.write(piece)
        dump.seek(0)
        objects.restore_all(folder, backup, manifest)
        postgres.restore(cast(BinaryIO, dump), programs=programs)
    with connection.cursor() as cursor:
        cursor.execute("SELECT (SELECT count(*) FROM marketplace_entry), (SELECT count(*) FROM marketplace_posting)")
        found = cursor.fetchone()
    if found != (manifest.entries, manifest.postings):
        raise Invalid(f"{found[0]:,} entries and {found[1]:,} postings restored, "
                      f"{manifest.entries:,} and {manifest.postings:,} expected")  # fmt: skip
    return manifest


def check(folder: Folder, backup: str) -> Manifest:
    """Read a whole backup and compare every digest. Raises Invalid for the first part that is damaged or missing."""
    manifest = folder.manifest(backup)
    uri = folder.part(backup, DUMP)
    with folder.store.open(uri) as source:
        _read(checked(source, manifest.database, uri))
    with objects.read_index(folder, backup, manifest) as lines:
        for line in lines:
            with objects.content_of(folder, line) as content:
                _read(content)
    return manifest


def thin(folder: Folder, *, keep: int) -> tuple[int, int]:
    """Delete all but the newest `keep` backups, and contents that none of them has; returns how many of each.

    Nothing else may write to the folder meanwhile. Raises Invalid when an index that is kept is damaged.
    """
    found = folder.backups()
    gone, kept = found[:-keep], found[-keep:]
    for backup in gone:
        # The manifest first: without it the rest counts for nothing.
        for name in sorted(_names(folder, backup), key=lambda name: not name.endswith("/manifest.json")):
            folder.store.delete(folder.at(name))
    used: set[bytes] = set()
    for backup in kept:
        with objects.read_index(folder, backup, folder.manifest(backup)) as lines:
            used.update(bytes.fromhex(line.sha256) for line in lines)
    unused = [digest for digest in folder.contents() if bytes.fromhex(digest) not in used]
    for digest in unused:
        folder.store.delete(folder.content(digest))
    return len(gone), len(unused)


def _names(folder: Folder, backup: str) -> list[str]:
    return [key_of(found.uri, folder.uri) for found in folder.store.list(folder.at("backups", backup) + "/")]


def _read(stream: BinaryIO) -> None:
    while stream.read(objects.PIECE):
        pass


def _must_be_known(manifest: Manifest) -> None:
    """Raises Invalid when a newer version of Waggle made it: this one cannot read its tables."""
    known = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
    ours = {"marketplace", "labeling", "learning", "frontend"} & set(settings.INSTALLED_APPS)
    applied = {f"{app}.{name}" for app, names in manifest.migrations.items() for name in names if app in ours}
    if newer := sorted(applied - known):
        raise Invalid(
            f"it was made by Waggle {manifest.version}, which is newer: this one does not know {', '.join(newer[:3])}"
        )


def _must_have_its_key(manifest: Manifest) -> None:
    try:
        if sealing.unseal(manifest.sealed) == WORD:
            return
    except WrongState:
        pass
    raise WrongState(
        "the backup was made with another WAGGLE_SECRET_KEY, without which secrets of webhooks, access keys and "
        "identity providers cannot be read; set that key, or give --other-key and make those secrets anew"
    )


def _must_be_empty(folder: Folder, backup: str, manifest: Manifest) -> None:
    with objects.read_index(folder, backup, manifest) as lines:
        line = next(lines, None)
        for found in objects.present():
            key = key_of(found.uri, settings.STORE_URL)
            while line is not None and line.key < key:
                line = next(lines, None)
            if line is None or line.key != key:
                raise InUse(f"{settings.STORE_URL}: is not empty, it has {key}; restore into an empty store")
