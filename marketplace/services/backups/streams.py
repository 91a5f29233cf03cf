"""Streams that know the SHA-256 of what was read from them."""

import hashlib
import io
from collections.abc import Callable
from typing import BinaryIO, cast

from marketplace.errors import Invalid
from marketplace.services.backups.layout import File


class Digesting(io.RawIOBase):
    """A stream of another one's bytes; `at_end` is called once they are all read, and may refuse them by raising."""

    def __init__(self, source: BinaryIO, at_end: Callable[["Digesting"], None] = lambda _: None):
        self._source, self._at_end = source, at_end
        self._hash = hashlib.sha256()
        self._bytes = 0
        self.ended = False

    @property
    def file(self) -> File:
        """Bytes and digest of what was read so far."""
        return File(self._bytes, self._hash.hexdigest())

    def readable(self) -> bool:
        """It is."""
        return True

    def read(self, size: int | None = -1) -> bytes:
        """At most so many bytes, all for -1; fewer than asked for only at the end, as of buffered files."""
        wanted = -1 if size is None else size
        data = self._source.read(wanted)
        self._hash.update(data)
        self._bytes += len(data)
        # Some who read do not ask again after a short answer.
        if not self.ended and (wanted < 0 or len(data) < wanted):
            self.ended = True
            self._at_end(self)
        return data


def digesting(source: BinaryIO, at_end: Callable[[Digesting], None] = lambda _: None) -> Digesting:
    """The stream with its digest."""
    return Digesting(source, at_end)


def checked(source: BinaryIO, wanted: File, uri: str) -> BinaryIO:
    """The stream, whose end raises Invalid unless it was what is wanted: nothing that reads it whole keeps it then."""

    def compare(stream: Digesting) -> None:
        if stream.file != wanted:
            raise Invalid(
                f"{uri}: is damaged: {stream.file.bytes:,} bytes with SHA-256 {stream.file.sha256[:12]}... found, "
                f"{wanted.bytes:,} with {wanted.sha256[:12]}... expected"
            )

    return cast(BinaryIO, Digesting(source, compare))
