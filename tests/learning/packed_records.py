"""Writes RecordIO files as MXNet's recordio.py and im2rec do, for tests of our reader."""

import struct
from collections.abc import Sequence

MAGIC = struct.pack("<I", 0xCED7230A)


def packed(labels: Sequence[float], image: bytes, identity: int = 0) -> bytes:
    """An image record's data: as `mx.recordio.pack` does, one number goes into the header, several follow it."""
    if len(labels) == 1:
        return struct.pack("<IfQQ", 0, labels[0], identity, 0) + image
    return struct.pack("<IfQQ", len(labels), 0.0, identity, 0) + struct.pack(f"<{len(labels)}f", *labels) + image


def boxes(*each: Sequence[float], extra: Sequence[float] = (), width: int = 5) -> list[float]:
    """Labels for detection: the length of the header, the length of a box, the rest of the header, the boxes."""
    return [2.0 + len(extra), float(width), *extra, *(value for box in each for value in box)]


def record(data: bytes) -> bytes:
    """The data framed as dmlc-core's RecordIOWriter does: in parts where it has the magic number at a word's place."""
    cuts = [at for at in range(0, len(data) - 3, 4) if data[at : at + 4] == MAGIC]
    if not cuts:
        return _part(0, data)
    ends = [*cuts, len(data)]
    starts = [0, *(at + 4 for at in cuts)]
    flags = [1, *[2] * (len(cuts) - 1), 3]
    return b"".join(_part(flag, data[a:b]) for flag, a, b in zip(flags, starts, ends, strict=True))


def _part(flag: int, data: bytes) -> bytes:
    return MAGIC + struct.pack("<I", flag << 29 | len(data)) + data + b"\0" * (-len(data) % 4)
