"""RecordIO files of images, as MXNet's im2rec packs them: records, their headers with labels, and the images' bytes.

A record is the magic number, its length with a flag for parts, and data padded to four bytes; the data is a header
(IRHeader: flag, label, id, id2), `flag` numbers of labels, and the image. It must not know storage, jobs or classes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from math import isfinite
from typing import BinaryIO

CONTENT_TYPE = "application/x-recordio"
MAX_RECORD = 100_000_000
"""Bytes of a record: what an image of the largest allowed size and its labels need, twice over."""

_MAGIC = struct.pack("<I", 0xCED7230A)
_HEAD = struct.Struct("<4sI")
_IMAGE_HEAD = struct.Struct("<IfQQ")
_LENGTH_BITS = 29
_WHOLE, _FIRST, _MIDDLE, _LAST = range(4)


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a file: its 1-based number, where it lies in the file (with its frame), and its data."""

    number: int
    offset: int
    length: int
    data: bytes


@dataclass(frozen=True, slots=True)
class PackedImage:
    """An image record: the labels as they are packed, the record's id, and the image file."""

    labels: tuple[float, ...]
    id: int
    image: bytes


@dataclass(frozen=True, slots=True)
class PackedBox:
    """A box in shares of the image's sides."""

    class_id: int
    left: float
    top: float
    right: float
    bottom: float


def read_records(stream: BinaryIO) -> Iterator[Record]:
    """Every record, streamed. Raises ValueError naming the record that is damaged."""
    number, offset = 0, 0
    while first := _read_part(stream, number + 1, at_start=True):
        number += 1
        flag, data, length = first
        if flag not in (_WHOLE, _FIRST):
            raise ValueError(f"record {number}: begins with the middle of a record that was packed in parts")
        parts = [data]
        while flag not in (_WHOLE, _LAST):
            flag, data, more = _read_part(stream, number) or (_WHOLE, b"", 0)
            if flag not in (_MIDDLE, _LAST):
                raise ValueError(f"record {number}: a part of it is missing")
            parts.append(data)
            length += more
            if length > MAX_RECORD:
                raise ValueError(f"record {number}: has more than {MAX_RECORD:,} bytes")
        # A record is packed in parts where its data has the magic number, which is left out.
        yield Record(number, offset, length, _MAGIC.join(parts))
        offset += length


def unpack(data: bytes) -> PackedImage:
    """Labels and image of a record's data. Raises ValueError."""
    if len(data) < _IMAGE_HEAD.size:
        raise ValueError(f"has {len(data)} bytes, too few for the header of an image record")
    flag, label, identity, _ = _IMAGE_HEAD.unpack_from(data)
    at = _IMAGE_HEAD.size
    if not flag:
        return PackedImage((label,), identity, data[at:])
    if len(data) < at + 4 * flag:
        raise ValueError(f"says it has {flag:,} numbers of labels, its data ends before them")
    return PackedImage(struct.unpack_from(f"<{flag}f", data, at), identity, data[at + 4 * flag :])


def picture_of(framed: bytes) -> bytes:
    """The image in the bytes of one whole record, frame and all. Raises ValueError."""
    for record in read_records(BytesIO(framed)):
        return unpack(record.data).image
    raise ValueError("there is no record at its place in the RecordIO file")


def boxes(labels: Sequence[float]) -> list[PackedBox]:
    """The boxes of labels in the layout for detection: A numbers of header (A, B, ...), then B numbers for each box.

    The five first numbers of a box are class, xmin, ymin, xmax, ymax. Raises ValueError naming the number or the box.
    """
    if len(labels) < 2:
        raise ValueError("has one label, a class: boxes are packed as A B [class xmin ymin xmax ymax] ...")
    if not all(isfinite(value) for value in labels):
        raise ValueError("has a label that is no finite number")
    header, width = labels[0], labels[1]
    if header != int(header) or not 2 <= header <= len(labels):
        raise ValueError(f"the length of its label header is {header:g}, expected 2 to {len(labels)}")
    if width != int(width) or width < 5:
        raise ValueError(f"the length of its boxes is {width:g}, expected 5 or more")
    numbers, each = labels[int(header) :], int(width)
    if len(numbers) % each:
        raise ValueError(f"has {len(numbers)} numbers after its label header, no multiple of {each}")
    found = []
    for place in range(0, len(numbers), each):
        kind, *sides = numbers[place : place + 5]
        if kind == -1:
            continue  # im2rec pads labels to one length with boxes of class -1
        if kind != int(kind) or kind < 0:
            raise ValueError(f"box {place // each + 1}: the class is {kind:g}, expected a whole number from 0 on")
        left, top, right, bottom = sides
        if not (left < right and top < bottom):
            raise ValueError(f"box {place // each + 1}: has no area ({left:g}, {top:g} to {right:g}, {bottom:g})")
        found.append(PackedBox(int(kind), left, top, right, bottom))
    return found


def _read_part(stream: BinaryIO, number: int, *, at_start: bool = False) -> tuple[int, bytes, int] | None:
    """(flag, data, bytes read) of one part; None at the end of the file."""
    head = stream.read(_HEAD.size)
    if not head and at_start:
        return None
    if len(head) < _HEAD.size:
        raise ValueError(f"record {number}: the file ends in it")
    magic, word = _HEAD.unpack(head)
    if magic != _MAGIC:
        what = "this is no RecordIO file" if number == 1 else "the file is damaged"
        raise ValueError(f"record {number}: does not begin with the magic number ({what})")
    length = word & ((1 << _LENGTH_BITS) - 1)
    if length > MAX_RECORD:
        raise ValueError(f"record {number}: has more than {MAX_RECORD:,} bytes")
    padded = length + (-length % 4)
    data = stream.read(padded)
    if len(data) < length:
        raise ValueError(f"record {number}: the file ends in it")
    return word >> _LENGTH_BITS, data[:length], _HEAD.size + padded
