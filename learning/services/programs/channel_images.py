"""The images of a program's channel: copied into its folder, or, when they are streamed, only noted where they are.

Programs have no keys of the store. A streamed channel has a file with an address for each image that works without
them for a while, written anew whenever the run is started. Knows neither labels nor formats.
"""

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import orjson

from learning.contract import JobFolder, write_atomically
from marketplace import storage
from marketplace.errors import Forbidden, Invalid, NotFound
from marketplace.services.boundaries import Reader

FILE, PIPE, FAST_FILE = "File", "Pipe", "FastFile"
INPUT_MODES = (FILE, PIPE, FAST_FILE)
"""SageMaker's names; its two ways of streaming are one here."""

ADDRESS_SECONDS = 7 * 24 * 3600
"""The longest that S3 allows for a presigned address."""

_PLACES = "places.jsonl"


class ChannelImages:
    """Takes the images of one channel while its manifest is written; may be used by several threads."""

    def __init__(self, channel: Path, reader: Reader, *, streamed: bool) -> None:
        self.folder = channel / "images"
        self._reader, self.streamed = reader, streamed
        self._noted: BinaryIO | None = None
        self._lock = threading.Lock()

    @contextmanager
    def open(self) -> Iterator["ChannelImages"]:
        """While images are taken; what was noted is there for good when the block ends well."""
        self.folder.mkdir(parents=True, exist_ok=True)
        target = self.folder.parent / _PLACES
        if not self.streamed:
            yield self
            return
        beside = target.with_suffix(".tmp")
        with beside.open("wb") as self._noted:
            yield self
        beside.replace(target)

    def of(self, uri: str, *, copied: bool = False) -> str:
        """The path at which the program finds the object at `uri`; there is no file when it may not be read.

        `copied`: it is there from the start, also where images are streamed. Raises StoreUnavailable.
        """
        local = self.folder / _name(uri)
        try:
            self._reader.check(uri)
            if (here := storage.local_path(uri)) is not None:
                return str(here)
            if self.streamed and not copied:
                self._note({"name": local.name, "uri": uri})
            elif not local.exists():
                download(uri, local)
        except (NotFound, Forbidden, Invalid):
            return str(local.with_name(f"missing-{local.name}"))
        return str(local)

    def check(self, uri: str) -> None:
        """Raises Forbidden or Invalid when the account may not read an object."""
        self._reader.check(uri)

    def may_read(self, uri: str) -> bool:
        """Whether the account may read an object."""
        return not self._reader.refusal(uri)

    def of_record(self, uri: str, *, number: int, offset: int, length: int, image: bytes) -> str:
        """As `of`, for the image of a record in a RecordIO file, which may be read."""
        local = self.folder / _name(f"{uri}#{number}")
        # A file on this machine has no address over HTTP; its records are unpacked in any case.
        if self.streamed and storage.local_path(uri) is None:
            self._note({"name": local.name, "uri": uri, "offset": offset, "length": length, "record": True})
        else:
            self.keep(local, image)
        return str(local)

    def of_member(self, uri: str, *, name: str, image: bytes) -> str:
        """As `of`, for an image that was packed in the archive at `uri`."""
        local = self.folder / _name(f"{uri}#{name}")
        self.keep(local, image)
        return str(local)

    @staticmethod
    def keep(local: Path, image: bytes) -> None:
        """Write an image unless an earlier start has."""
        if not local.exists():
            write_atomically(local, image)

    def _note(self, place: dict[str, object]) -> None:
        assert self._noted is not None  # within open()
        with self._lock:
            self._noted.write(orjson.dumps(place) + b"\n")


def write_addresses(folder: JobFolder, channel: str, reader: Reader) -> None:
    """Write an address for every image of a streamed channel that the account may still read.

    The first line says when they expire. A name that is noted twice has the same place.
    """
    places, target = folder.channel(channel) / _PLACES, folder.addresses(channel)
    beside = target.with_suffix(".tmp")
    links: dict[str, str | None] = {}
    with places.open("rb") as noted, beside.open("wb") as out:
        out.write(orjson.dumps({"expires": time.time() + ADDRESS_SECONDS}) + b"\n")
        for line in noted:
            place = orjson.loads(line)
            uri = place.pop("uri")
            if reader.refusal(uri):
                continue
            # Thousands of records lie in one file.
            if uri not in links:
                links.clear()
                links[uri] = storage.presign_for_programs(uri, ADDRESS_SECONDS)
            out.write(orjson.dumps({**place, "url": links[uri]}) + b"\n")
    beside.replace(target)


def download(uri: str, target: Path) -> None:
    """Copy an object into a file, which appears when it is whole."""
    beside = target.with_name(f".{target.name}.part")
    with storage.open(uri) as stream, beside.open("wb") as out:
        while block := stream.read(1 << 20):
            out.write(block)
    beside.replace(target)


def _name(uri: str) -> str:
    return hashlib.sha256(uri.encode()).hexdigest()[:32] + PurePosixPath(uri.partition("#")[0]).suffix.lower()
