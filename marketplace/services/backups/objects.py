"""The objects of the store in a backup: its index, and copying what no earlier backup of the folder has copied.

An object that is as it was in the last backup, by its size and its version (an ETag, or the time of a file's change),
is not read again; a content that the folder has is not written again.
"""

import gzip
import io
import json
import mimetypes
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import islice
from typing import BinaryIO, NamedTuple, cast

from django.conf import settings

from marketplace import storage
from marketplace.errors import Invalid, NotFound
from marketplace.services import condition
from marketplace.services.backups.layout import INDEX, File, Folder, Manifest, key_of
from marketplace.services.backups.streams import checked, digesting
from marketplace.storage_files import StoredVersion

THREADS = 8
AT_ONCE = 200
IN_MEMORY = 8 * 1024 * 1024
PIECE = 1024 * 1024
PROBES = (condition.PROBE, "doctor")
CONTENT_TYPES = {".manifest": "application/jsonl", ".jsonl": "application/jsonl"}


class Object(NamedTuple):
    """A line of an index: the key in the store, what it was when it was copied, and the digest of its content."""

    key: str
    size: int
    version: str
    sha256: str

    @property
    def content_type(self) -> str:
        """The type of its content, by the ending of its key; "" where that says nothing."""
        ending = self.key[self.key.rfind(".") :] if "." in self.key else ""
        return CONTENT_TYPES.get(ending) or mimetypes.guess_type(self.key)[0] or ""


class Copied(NamedTuple):
    """What became of an object: its line of the index, and the bytes that were written to the folder for it."""

    line: Object
    written: int


def present() -> Iterator[StoredVersion]:
    """Every object of the store as it is now, in the order of keys; one that goes away meanwhile may be left out.

    So are those by which somebody has tried whether the store works.
    """
    probes = tuple(f"{settings.STORE_URL.rstrip('/')}/{name}/" for name in PROBES)
    return (found for found in _present() if not found.uri.startswith(probes))


def _present() -> Iterator[StoredVersion]:
    prefix = settings.STORE_URL.rstrip("/") + "/"
    if prefix.startswith("s3://"):
        after = ""
        while True:
            page = storage.versions(prefix, after=after)
            yield from page.objects
            if not (after := page.after):
                return
    folder = storage.local_path(prefix)
    if folder is None or not folder.is_dir():
        # An installation that has stored nothing yet.
        return
    for found in storage.list(prefix):
        with suppress(NotFound):
            yield storage.version(found.uri)


def copy_all(folder: Folder, earlier: Iterable[Object]) -> Iterator[Copied]:
    """Copy every object of the store to a folder of backups; `earlier` is the index of the last backup of it."""
    paired = _paired(present(), iter(earlier))
    with ThreadPoolExecutor(THREADS, thread_name_prefix="backup") as threads:
        while part := list(islice(paired, AT_ONCE)):
            for copied in threads.map(lambda pair: _copy(folder, *pair), part):
                if copied is not None:
                    yield copied


def _paired(found: Iterator[StoredVersion], earlier: Iterator[Object]) -> Iterator[tuple[StoredVersion, Object | None]]:
    """Each object with what the last backup knew under its key. Both are in the order of keys, and neither is held in
    memory; where the orders differ, because the store is of another kind now, an object is merely read again."""
    line = next(earlier, None)
    for one in found:
        key = key_of(one.uri, settings.STORE_URL)
        while line is not None and line.key < key:
            line = next(earlier, None)
        yield one, line if line is not None and line.key == key else None


def _copy(folder: Folder, found: StoredVersion, earlier: Object | None) -> Copied | None:
    key = key_of(found.uri, settings.STORE_URL)
    if earlier is not None and (earlier.size, earlier.version) == (found.size, found.version):
        return Copied(earlier, 0)
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as spool:
        try:
            with storage.open(found.uri) as source:
                stream = digesting(source)
                while piece := stream.read(PIECE):
                    spool.write(piece)
        except NotFound:
            # No row of the dump names it: deletions of what rows name wait for the end of the backup.
            return None
        content = stream.file
        spool.seek(0)
        written = _keep(folder, content, cast(BinaryIO, spool))
    return Copied(Object(key, content.bytes, found.version, content.sha256), written)


def _keep(folder: Folder, content: File, source: BinaryIO) -> int:
    uri = folder.content(content.sha256)
    with suppress(NotFound):
        if folder.store.size(uri) == content.bytes:
            return 0
    folder.store.write(uri, source, content_type="application/octet-stream")
    return content.bytes


def restore_all(folder: Folder, backup: str, manifest: Manifest) -> int:
    """Write every object of a backup to the store; returns how many. Raises Invalid for one that is damaged."""
    count = 0
    with read_index(folder, backup, manifest) as lines, ThreadPoolExecutor(THREADS) as threads:
        while part := list(islice(lines, AT_ONCE)):
            count += sum(threads.map(lambda line: _restore(folder, line), part))
    return count


def _restore(folder: Folder, line: Object) -> int:
    uri = storage.join(settings.STORE_URL, line.key)
    with content_of(folder, line) as content:
        storage.write(uri, content, content_type=line.content_type)
    return 1


@contextmanager
def content_of(folder: Folder, line: Object) -> Iterator[BinaryIO]:
    """The content of an object as a stream, whose end raises Invalid when it is damaged. So does one that is gone."""
    uri = folder.content(line.sha256)
    try:
        with folder.store.open(uri) as source:
            yield checked(source, File(line.size, line.sha256), f"{uri} ({line.key})")
    except NotFound:
        raise Invalid(f"{uri}: the content of {line.key} is missing in the folder of backups") from None


@contextmanager
def writing_index() -> Iterator["IndexWriter"]:
    """A new index in a temporary file."""
    with tempfile.TemporaryFile() as spool:
        yield IndexWriter(cast(BinaryIO, spool))


class IndexWriter:
    """Takes the lines of an index one by one, and puts it into a backup in the end."""

    def __init__(self, spool: BinaryIO):
        self._spool = spool
        # No time of its own: the same lines are the same bytes.
        self._gzip = gzip.GzipFile(fileobj=spool, mode="wb", mtime=0)
        self.objects = self.bytes = 0

    def add(self, line: Object) -> None:
        """The next line, in the order of keys."""
        self._gzip.write(json.dumps(line._asdict()).encode() + b"\n")
        self.objects += 1
        self.bytes += line.size

    def publish(self, folder: Folder, backup: str) -> File:
        """Write it to the folder."""
        self._gzip.close()
        self._spool.seek(0)
        stream = digesting(self._spool)
        folder.store.write(folder.part(backup, INDEX), cast(BinaryIO, stream), content_type="application/gzip")
        return stream.file


@contextmanager
def read_index(folder: Folder, backup: str, manifest: Manifest) -> Iterator[Iterator[Object]]:
    """The lines of the index of a backup. Raises Invalid, before the first, when it is damaged."""
    uri = folder.part(backup, INDEX)
    with tempfile.TemporaryFile() as spool:
        with folder.store.open(uri) as source:
            stream = checked(source, manifest.index, uri)
            while piece := stream.read(PIECE):
                spool.write(piece)
        spool.seek(0)
        with gzip.open(spool) as lines:
            yield (Object(**json.loads(line)) for line in io.BufferedReader(lines))  # type: ignore[arg-type]
