"""Unpacks uploaded archives into the store. Nothing in an archive is trusted: names, sizes, ratios, links.

Sizes are counted while unpacking; names that lead outside the archive or repeat are rejected, each with its reason.
"""

import stat
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from django.conf import settings

from labeling.services.intake.rejected_lines import RejectedLines
from marketplace import storage
from marketplace.errors import DomainError, Invalid

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif"})
MAX_MEMBERS = 1_000_000

MAX_RATIO = 200
"""How many times its size an archive may unpack to; pictures are compressed already, so a real one hardly grows."""

FREE_BYTES = 100 * 1024 * 1024
"""What every archive may unpack to, whatever its size."""

SLICE_SECONDS = 600
"""Time for one call, well below the time limit of a message; the next call skips what is stored already."""

DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)


def extract(archive: BinaryIO, *, into: str, rejected: RejectedLines, progress: Any) -> Iterator[str | None]:
    """Store every picture of the archive under `into` and yield its URI; a None at the end: call again for the rest.

    Raises Invalid for a file that is not a zip archive or that unpacks to more than is allowed.
    """
    size = archive.seek(0, 2)
    try:
        unpacker = zipfile.ZipFile(archive)
    except DAMAGE as error:
        raise Invalid(f"the file is not a zip archive ({error})") from None
    with unpacker:
        members = unpacker.infolist()
        if len(members) > MAX_MEMBERS:
            raise Invalid(f"the archive has {len(members):,} members, at most {MAX_MEMBERS:,} are allowed")
        progress.start("find", total=len(members))
        deadline = time.monotonic() + SLICE_SECONDS
        budget = max(FREE_BYTES, size * MAX_RATIO)
        seen: set[str] = set()
        for number, member in enumerate(members, start=1):
            progress.report(number)
            if member.is_dir() or _left_behind(member.filename):
                continue
            if reason := _rejection_reason(member, seen):
                rejected.add(number, reason, member.filename)
                continue
            seen.add(member.filename.casefold())
            uri = storage.join(into, member.filename)
            if not _stored(uri, member.file_size):
                if time.monotonic() > deadline:
                    yield None
                    return
                data = _unpack(unpacker, member, number, rejected)
                if data is None:
                    continue
                budget -= len(data)
                storage.write(uri, data, content_type="application/octet-stream")
            else:
                budget -= member.file_size
            if budget < 0:
                raise Invalid(f"the archive unpacks to more than {MAX_RATIO} times its size: rejected as a zip bomb")
            yield uri


def _left_behind(name: str) -> bool:
    parts = name.split("/")
    return parts[0] == "__MACOSX" or parts[-1].startswith(".") or parts[-1] in ("Thumbs.db", "desktop.ini")


def _rejection_reason(member: zipfile.ZipInfo, seen: set[str]) -> str:
    """Why a member is rejected, judged by the archive's metadata; "" when it is accepted."""
    name = member.filename
    mode = member.external_attr >> 16
    parts = name.split("/")
    if name.startswith("/") or "\\" in name or ":" in parts[0] or any(part in ("", ".", "..") for part in parts):
        return "the name leads outside the archive"
    if not name.isprintable() or len(name.encode()) > 600 or max(len(part.encode()) for part in parts) > 200:
        return "the name is too long or holds control characters"
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return "is a link or a special file"
    if PurePosixPath(name).suffix.lower() not in SUFFIXES:
        return f"is not an image by its name ({', '.join(sorted(SUFFIXES))})"
    if member.flag_bits & 0x1:
        return "is encrypted"
    if name.casefold() in seen:
        return "the name appears twice in the archive"
    if member.file_size > settings.IMAGE_MAX_BYTES:
        return f"has {member.file_size:,} bytes, at most {settings.IMAGE_MAX_BYTES:,} are allowed"
    return "is empty" if member.file_size == 0 else ""


def _unpack(unpacker: zipfile.ZipFile, member: zipfile.ZipInfo, number: int, rejected: RejectedLines) -> bytes | None:
    try:
        with unpacker.open(member) as stream:
            data = stream.read(settings.IMAGE_MAX_BYTES + 1)
    except DAMAGE as error:
        rejected.add(number, f"cannot be unpacked ({error})", member.filename)
        return None
    if len(data) > settings.IMAGE_MAX_BYTES:
        rejected.add(number, f"has more than {settings.IMAGE_MAX_BYTES:,} bytes", member.filename)
        return None
    return data


def _stored(uri: str, size: int) -> bool:
    try:
        return storage.size(uri) == size
    except storage.StoreUnavailable:
        raise
    except DomainError:
        return False
