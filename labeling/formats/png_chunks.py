"""The chunks of a PNG that make the picture, without those that only describe it.

Browsers show a picture whatever its metadata are: of any size, or with a wrong checksum. Pillow refuses both. Knows
nothing of pixels.
"""

from __future__ import annotations

import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"

MAX_PROFILE = 1_000_000
"""Unpacked bytes of a colour profile that is kept, just below Pillow's limit. Without it the colours are as stored."""

_KEPT = frozenset({b"tRNS", b"iCCP", b"eXIf", b"acTL", b"fcTL", b"fdAT"})
_ANCILLARY = 0x20
_COLOUR_TYPE = 25
"""Where the header has the colour type: the signature, length and type of the first chunk, width, height, depth."""
_TRANSPARENCY = {0: (2,), 2: (6,), 3: range(1, 257)}
"""Bytes of transparency by colour type (PNG specification, tRNS); browsers ignore any other."""


def without_metadata(data: bytes) -> bytes:
    """The PNG without ancillary chunks that do not change the picture or are damaged; `data` itself if it has none.

    Kept are transparency, a colour profile of a usual size, EXIF (for the orientation) and the chunks of animations.
    Critical chunks stay as they are: whether they are damaged is for the decoder to say.
    """
    view = memoryview(data)
    parts: list[memoryview] = []
    start, at = 0, len(SIGNATURE)
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(view[at : at + 4], "big")
        if end > len(data):
            break
        if data[at + 4] & _ANCILLARY and not _needed(
            bytes(view[at + 4 : at + 8]), view[at + 4 : end], data[_COLOUR_TYPE]
        ):
            parts.append(view[start:at])
            start = end
        at = end
    return b"".join([*parts, view[start:]]) if start else data


def _needed(kind: bytes, chunk: memoryview, colour_type: int) -> bool:
    """Whether a chunk, given from its type to its checksum, changes the picture and is whole."""
    if kind == b"tRNS" and len(chunk) - 8 not in _TRANSPARENCY.get(colour_type, ()):
        return False
    if kind not in _KEPT or zlib.crc32(chunk[:-4]) != int.from_bytes(chunk[-4:], "big"):
        return False
    return kind != b"iCCP" or _usual_profile(bytes(chunk[4:-4]))


def _usual_profile(body: bytes) -> bool:
    """A name, a zero byte, the method zero, and at most MAX_PROFILE bytes packed by zlib (PNG specification, iCCP)."""
    name, _, packed = body.partition(b"\x00")
    if not name or packed[:1] != b"\x00":
        return False
    unpacker = zlib.decompressobj()
    try:
        unpacker.decompress(packed[1:], MAX_PROFILE)
    except zlib.error:
        return False
    return not unpacker.unconsumed_tail
