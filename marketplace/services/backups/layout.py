"""Where the parts of backups lie in their folder, and what the manifest of one says.

backups/<id>/manifest.json       written last: a backup without one was interrupted and is none
backups/<id>/database.dump       of pg_dump, in its custom format
backups/<id>/objects.jsonl.gz    a line for each object of the store, in the order of keys
objects/<ab>/<sha-256>           the content of objects, each once for all backups of the folder
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from marketplace import storage
from marketplace.errors import Invalid, NotFound

FORMAT = "waggle-backup/1"
MANIFEST = "manifest.json"
DUMP = "database.dump"
INDEX = "objects.jsonl.gz"


@dataclass(frozen=True)
class File:
    """A part of a backup: its bytes and its SHA-256 in hexadecimal digits."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a backup holds. `migrations` are the names of the applied ones by app.

    `sealed` is a word sealed by the key of the installation, by which a restore sees whether it has the same key.
    """

    format: str
    version: str
    made_at: str
    database: File
    postgresql: str
    migrations: dict[str, list[str]]
    entries: int
    postings: int
    index: File
    objects: int
    objects_bytes: int
    sealed: str


class Folder:
    """A folder of backups, at a file:// or s3:// address."""

    def __init__(self, address: str):
        self.uri = address_of(address)
        self.store = storage.outside(self.uri)

    def at(self, *parts: str) -> str:
        """The address of something in the folder."""
        return storage.join(self.uri, *parts)

    def part(self, backup: str, name: str) -> str:
        """The address of a part of a backup."""
        return self.at("backups", backup, name)

    def content(self, sha256: str) -> str:
        """The address of the content of objects with this digest."""
        return self.at("objects", sha256[:2], sha256)

    def backups(self) -> list[str]:
        """The ids of the complete backups, oldest first. Empty where there is no such folder."""
        return sorted(key.split("/")[1] for key in self._keys("backups") if key.endswith(f"/{MANIFEST}"))

    def contents(self) -> Iterator[str]:
        """The digest of every content that the folder has."""
        return (key.rpartition("/")[2] for key in self._keys("objects"))

    def _keys(self, part: str) -> Iterator[str]:
        try:
            for found in self.store.list(self.at(part) + "/"):
                yield key_of(found.uri, self.uri)
        except NotFound:
            return

    def manifest(self, backup: str) -> Manifest:
        """The manifest of a backup. Raises NotFound, Invalid for one of another format or that is damaged."""
        uri = self.part(backup, MANIFEST)
        with self.store.open(uri) as stream:
            content = stream.read()
        try:
            found = json.loads(content)
            kind = found.get("format")
        except (ValueError, AttributeError) as error:
            raise Invalid(f"{uri}: is damaged: {error}") from None
        if kind != FORMAT:
            raise Invalid(f"{uri}: format {kind!r} found, {FORMAT!r} expected: another version of Waggle made it")
        try:
            return _read(found)
        except (KeyError, TypeError, ValueError) as error:
            raise Invalid(f"{uri}: is damaged: {error!r}") from None

    def write_manifest(self, backup: str, manifest: Manifest) -> None:
        """Write the manifest of a backup, all of whose other parts are there."""
        content = json.dumps(asdict(manifest), indent=1, sort_keys=True).encode() + b"\n"
        self.store.write(self.part(backup, MANIFEST), content, content_type="application/json")


def address_of(given: str) -> str:
    """The file:// or s3:// address of a folder without a slash at its end, of an address or of a path."""
    uri = given if given.startswith(("s3://", "file://")) else Path(given).absolute().as_uri()
    return uri.rstrip("/")


def key_of(uri: str, base: str) -> str:
    """The key of an object below a folder, decoded. Raises Invalid for one that is not UTF-8: no store of S3 has it."""
    key = uri.removeprefix(base.rstrip("/") + "/")
    try:
        return unquote(key, errors="strict") if uri.startswith("file://") else key
    except UnicodeDecodeError:
        raise Invalid(f"{uri}: the name is not UTF-8; rename it") from None


def _read(found: dict[str, Any]) -> Manifest:
    files = {name: File(bytes=int(found[name]["bytes"]), sha256=str(found[name]["sha256"]))
             for name in ("database", "index")}  # fmt: skip
    return Manifest(**{field.name: files.get(field.name, found[field.name]) for field in fields(Manifest)})
