"""Zip files in and out: streamed writing beyond 4 GB, and reading of untrusted archives within limits.

Every archive we write has an `images.jsonl`, one {"file", "source-ref", "width", "height"} a line, which says what
object each file belongs to. It must not know boxes.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from tempfile import SpooledTemporaryFile
from typing import IO, Any, BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import orjson

from labeling.formats.interchange.items import LabeledImage
from labeling.formats.shapes import ImageSize

INDEX = "images.jsonl"
MAX_MEMBERS = 2_000_000
MAX_MEMBER = 5_000_000
MAX_INDEX = 1_000_000_000
MAX_TOTAL = 20_000_000_000  # Members may overlap, so that many small ones unpack to far more bytes than the file has.
UTF8_NAME = 0x800
"""The flag that says that a member's name is UTF-8; without it Python reads the name as code page 437."""

UNICODE_PATH = 0x7075
"""The extra field with a member's name in UTF-8."""

_DAMAGE = (BadZipFile, OSError, KeyError, EOFError, RuntimeError, NotImplementedError, zlib.error)
_SPOOL = 8_000_000
# a fixed time makes the same labels give the same bytes
_TIME = (2000, 1, 1, 0, 0, 0)


class ArchiveWriter:
    """Writes members one after another into a binary stream that need not be seekable; use as a context manager."""

    def __init__(self, out: BinaryIO) -> None:
        self._zip = ZipFile(out, "w", allowZip64=True)
        self._index: IO[bytes] = SpooledTemporaryFile(max_size=_SPOOL)  # noqa: SIM115 - __exit__ closes it

    def __enter__(self) -> ArchiveWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        try:
            if kind is None:
                self.add_stream(INDEX, self._index)
            self._zip.close()
        finally:
            self._index.close()

    def add(self, name: str, data: bytes, *, packed: bool = True) -> None:
        """One small member; `packed` False for what is compressed already."""
        info = ZipInfo(name, _TIME)
        info.compress_type = ZIP_DEFLATED if packed else ZIP_STORED
        self._zip.writestr(info, data, compresslevel=1 if packed else None)

    def add_stream(self, name: str, source: IO[bytes]) -> None:
        """One member of any size, from its beginning, piece by piece."""
        info = ZipInfo(name, _TIME)
        info.compress_type = ZIP_DEFLATED
        source.seek(0)
        with self._zip.open(info, "w", force_zip64=True) as member:
            while chunk := source.read(1 << 20):
                member.write(chunk)

    def add_image(self, name: str, image: LabeledImage) -> None:
        """Note which object a file name stands for and, when the image has its content, put it in."""
        size = image.image_size
        if size.width and size.height:
            entry = {"file": name, "source-ref": image.source, "width": size.width, "height": size.height}
            self._index.write(orjson.dumps(entry) + b"\n")
        if image.content is not None:
            self.add(name, image.content, packed=False)


class ArchiveReader:
    """Reads small members of a zip; raises ValueError for anything damaged or outsized."""

    def __init__(self, source: BinaryIO) -> None:
        try:
            self._zip = ZipFile(source)
        except (BadZipFile, OSError, ValueError) as error:
            raise ValueError(f"not a readable zip file: {error}") from None
        if len(self._zip.infolist()) > MAX_MEMBERS:
            raise ValueError(f"the zip file has more than {MAX_MEMBERS:,} members")
        self._members = {member_name(info): info for info in self._zip.infolist() if not info.is_dir()}
        self._left = MAX_TOTAL

    def names(self, ending: str) -> list[str]:
        """Names of the members with an ending, those of macOS left out, in the order of the archive."""
        return [
            name
            for name in self._members
            if name.lower().endswith(ending)
            and not name.startswith("__MACOSX/")
            and not name.rpartition("/")[2].startswith("._")
        ]

    def has(self, name: str) -> bool:
        """Whether there is a member of that name."""
        return name in self._members

    def size(self, name: str) -> int:
        """How many bytes the member says it has."""
        return self._members[name].file_size

    def read(self, name: str, limit: int = MAX_MEMBER) -> bytes:
        """A member's bytes; the limit counts the unpacked bytes, whatever the header claims."""
        try:
            with self._zip.open(self._members[name]) as member:
                data = member.read(limit + 1)
        except _DAMAGE as error:
            raise ValueError(f"cannot be read: {error}") from None
        if len(data) > limit:
            raise ValueError(f"has more than {limit:,} bytes")
        self._count(len(data))
        return data

    def start(self, name: str, most: int) -> bytes:
        """The first bytes of a member of any size."""
        try:
            with self._zip.open(self._members[name]) as member:
                data = member.read(most)
        except _DAMAGE as error:
            raise ValueError(f"cannot be read: {error}") from None
        self._count(len(data))
        return data

    def _count(self, number: int) -> None:
        self._left -= number
        if self._left < 0:
            raise ValueError(f"the zip file unpacks to more than {MAX_TOTAL:,} bytes")

    def index(self) -> dict[str, tuple[str, ImageSize]]:
        """{file: (source URI, size)} of `images.jsonl`; empty when we did not write the archive."""
        return dict(self._index_entries()) if self.has(INDEX) else {}

    def _index_entries(self) -> Iterator[tuple[str, tuple[str, ImageSize]]]:
        for number, line in enumerate(self.read(INDEX, MAX_INDEX).splitlines(), start=1):
            try:
                entry = orjson.loads(line)
                file, source = entry["file"], entry["source-ref"]
                width, height = entry["width"], entry["height"]
            except (orjson.JSONDecodeError, KeyError, TypeError):
                raise ValueError(f"{INDEX} line {number}: file, source-ref, width or height is missing") from None
            if not (isinstance(file, str) and isinstance(source, str) and _side(width) and _side(height)):
                raise ValueError(f"{INDEX} line {number}: a value is of the wrong kind")
            yield file, (source, ImageSize(width, height))


def member_name(member: ZipInfo) -> str:
    """A member's name as its author saw it: some tools write UTF-8 without saying so, or backslashes for folders."""
    name = member.orig_filename.partition("\x00")[0]
    if not member.flag_bits & UTF8_NAME and (given := _unicode_path(member)):
        name = given
    elif not member.flag_bits & UTF8_NAME:
        with suppress(UnicodeError):  # Otherwise it is a name in code page 437.
            name = name.encode("cp437").decode("utf-8")
    return name if "/" in name else name.replace("\\", "/")


def _unicode_path(member: ZipInfo) -> str:
    """The name in UTF-8 that some tools write beside the one in the encoding of their system, "" if there is none.

    It is the extra field 0x7075 of the zip specification (APPNOTE 4.6.9): version, checksum of the other name, name.
    """
    extra, at = member.extra, 0
    while at + 4 <= len(extra):
        tag, size = struct.unpack_from("<HH", extra, at)
        body = extra[at + 4 : at + 4 + size]
        if tag == UNICODE_PATH and body[:1] == b"\x01" and len(body) > 5:
            with suppress(UnicodeError):
                if struct.unpack_from("<I", body, 1)[0] == zlib.crc32(member.orig_filename.encode("cp437")):
                    return body[5:].decode()
        at += 4 + size
    return ""


def _side(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
