"""Unpacks uploaded archives into the store. Nothing in an archive is trusted: names, sizes, ratios, links.

Members are stored under keys of our own, made of their place in the archive, so that no name can lead anywhere or
collide; the name as given is kept beside. Sizes are counted while unpacking; what is rejected has its reason.
"""

import stat
import time
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

from labeling.formats import file_kinds
from labeling.formats.interchange import archives
from labeling.services.intake import media, source_names
from labeling.services.intake.rejected_lines import RejectedLines
from labeling.services.intake.source_names import SourceFile
from labeling.task_types.base import IMAGE
from marketplace import storage
from marketplace.errors import DomainError, Invalid

MAX_MEMBERS = 1_000_000

MAX_RATIO = 200
"""How many times its size an archive may unpack to; pictures are compressed already, so a real one hardly grows."""

FREE_BYTES = 100 * 1024 * 1024
"""What every archive may unpack to, whatever its size."""

SLICE_SECONDS = 600
"""Time for one call, well below the time limit of a message; the next call skips what is stored already."""

METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA}
METHOD_NAMES = {9: "Deflate64, as Windows does above 2 GB", 93: "Zstandard", 95: "XZ", 98: "PPMd", 99: "AES encryption"}
"""Names of methods that cannot be unpacked, by the numbers of the zip specification (APPNOTE 4.4.5)."""

DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)


def names(archive: BinaryIO) -> list[str]:
    """The names of the members; none for a file that is no zip archive, which `extract` says."""
    try:
        with zipfile.ZipFile(archive) as unpacker:
            return [member_name(member) for member in unpacker.infolist()[:MAX_MEMBERS]]
    except DAMAGE:
        return []


def extract(
    archive: BinaryIO, *, into: str, rejected: RejectedLines, progress: Any, medium: str = IMAGE
) -> Iterator[SourceFile | None]:
    """Store every image, or text, of the archive under `into` and yield it; a None at the end: call again for the rest.

    Raises Invalid for a file that is not a zip archive or that unpacks to more than is allowed.
    """
    size = archive.seek(0, 2)
    try:
        unpacker = zipfile.ZipFile(archive)
    except DAMAGE as error:
        raise Invalid(_no_zip(archive, error)) from None
    with unpacker:
        members = unpacker.infolist()
        if len(members) > MAX_MEMBERS:
            raise Invalid(f"the archive has {len(members):,} members, at most {MAX_MEMBERS:,} are allowed")
        progress.start("find", total=len(members))
        deadline = time.monotonic() + SLICE_SECONDS
        budget = max(FREE_BYTES, size * MAX_RATIO)
        for number, member in enumerate(members, start=1):
            progress.report(number)
            name = member_name(member)
            if name.endswith("/") or source_names.hidden(name):
                continue
            # The key is the same in every call, so that the next call finds what this one has stored.
            uri = storage.join(into, f"{number:07d}{source_names.ending(name)}")
            reason = _rejection_reason(member, media.most_bytes(medium))
            stored = not reason and _stored(uri, member.file_size)
            if not reason and not stored:
                reason = _other(unpacker, member, name, medium)
            if reason:
                rejected.add(number, reason, name)
                continue
            if not stored:
                if time.monotonic() > deadline:
                    yield None
                    return
                data = _unpack(unpacker, member, number, rejected, medium)
                if data is None:
                    continue
                budget -= len(data)
                storage.write(uri, data, content_type="application/octet-stream")
            else:
                budget -= member.file_size
            if budget < 0:
                raise Invalid(f"the archive unpacks to more than {MAX_RATIO} times its size: rejected as a zip bomb")
            yield SourceFile(uri, name)


def _no_zip(archive: BinaryIO, error: Exception) -> str:
    """Why a file is no zip archive, and what to do about it."""
    archive.seek(0)
    start = archive.read(file_kinds.START_BYTES)
    if file_kinds.archive_kind(start) == "zip":
        return f"the zip archive is damaged or was cut off ({error}): upload it again, or pack it again"
    what = file_kinds.described(start)
    named = f"it is {what}" if what else str(error)
    return f"the file is not a zip archive ({named}): pack the files into a zip archive"


def member_name(member: zipfile.ZipInfo) -> str:
    """A member's name as its author saw it, in a form that can be stored."""
    return source_names.storable(archives.member_name(member))


def _rejection_reason(member: zipfile.ZipInfo, most_bytes: int) -> str:
    """Why a member is rejected, judged by the archive's metadata; "" when it is accepted."""
    if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG):
        return "is a link or a special file"
    if member.flag_bits & 0x1:
        return "is encrypted: pack the archive again without a password"
    if member.compress_type not in METHODS:
        method = METHOD_NAMES.get(member.compress_type, f"method {member.compress_type}")
        return f"is packed with {method}, which cannot be unpacked: pack the archive again with the method Deflate"
    if member.file_size > most_bytes:
        return f"has {member.file_size:,} bytes, at most {most_bytes:,} are allowed"
    return "is empty" if member.file_size == 0 else ""


def _other(unpacker: zipfile.ZipFile, member: zipfile.ZipInfo, name: str, medium: str) -> str:
    """Why a member is none of the medium; its first bytes are unpacked only if its name has no usual ending."""
    if media.believed(name, medium):
        return ""
    try:
        with unpacker.open(member) as stream:
            return media.refusal(name, stream.read(file_kinds.START_BYTES), medium)
    except DAMAGE as error:
        return f"cannot be unpacked ({error})"


def _unpack(
    unpacker: zipfile.ZipFile, member: zipfile.ZipInfo, number: int, rejected: RejectedLines, medium: str
) -> bytes | None:
    most_bytes = media.most_bytes(medium)
    try:
        with unpacker.open(member) as stream:
            data = stream.read(most_bytes + 1)
    except DAMAGE as error:
        rejected.add(number, f"cannot be unpacked ({error})", member_name(member))
        return None
    reason = f"has more than {most_bytes:,} bytes" if len(data) > most_bytes else media.damage(data, medium)
    if reason:
        rejected.add(number, reason, member_name(member))
        return None
    return data


def _stored(uri: str, size: int) -> bool:
    try:
        return storage.size(uri) == size
    except storage.StoreUnavailable:
        raise
    except DomainError:
        return False
