"""Pascal VOC: one XML file an image in a zip, out and in.

Corners are zero-based displayed pixels, as CVAT, LabelImg and Datumaro write them (the original challenge counted
from one); fractions are kept. VOC has no confidences. It must not know jobs or storage.
"""

from __future__ import annotations

import codecs
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from posixpath import splitext
from tempfile import SpooledTemporaryFile
from typing import BinaryIO
from xml.etree import ElementTree

from labeling.formats.augmented_reading import BLANKS
from labeling.formats.interchange.archives import ArchiveReader, ArchiveWriter
from labeling.formats.interchange.items import (
    BadItem,
    FindSize,
    FoundImage,
    FoundPart,
    Item,
    LabeledImage,
    class_order,
    class_place,
    settled,
)
from labeling.formats.interchange.member_names import Names
from labeling.formats.label_categories import UNWRITABLE_CHARACTERS
from labeling.formats.shapes import Box, ImageSize

_ANNOTATIONS = "Annotations/"
_IMAGES = "JPEGImages/"
_SETS = "ImageSets/Main/default.txt"
_MAX_OBJECTS = 20_000
_SPECIAL = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;"}
_ESCAPED = re.compile('[&<>"\r]')
_DECLARED = re.compile(rb"<\?xml[^>]{0,80}encoding=[\"']([A-Za-z0-9._-]{1,20})[\"']")
_XML_DECLARATION = re.compile(r"^<\?xml[^>]*\?>")
_ENCODINGS = re.compile(r"(?i)iso-8859-\d+|windows-125\d|gb(2312|k|18030)|big5|euc-(jp|kr)|shift_jis|koi8-[ru]")
"""Encodings of the tools' own languages; Python knows others, some of which are no encodings of text."""


def write_voc(
    objects: Iterable[LabeledImage],
    out: BinaryIO,
    *,
    labels: Sequence[str],
) -> int:
    """Write the zip and return the number of images; those that have their content go in themselves.

    Raises ValueError for a class that is not in `labels` or holds a character XML cannot carry.
    """
    order = class_order(labels)
    names = Names()
    count = 0
    with ArchiveWriter(out) as archive, SpooledTemporaryFile(max_size=8_000_000) as listed:
        for image in objects:
            stem, file = names.take_pair(image.file_name, label=".xml")
            archive.add(f"{_ANNOTATIONS}{stem}.xml", _document(image, file, order).encode())
            archive.add_image(f"{_IMAGES}{file}", image)
            listed.write(stem.encode() + b"\n")
            count += 1
        archive.add_stream(_SETS, listed)
    return count


def _document(image: LabeledImage, file: str, order: dict[str, int]) -> str:
    size = image.image_size
    parts = [
        "<annotation>",
        f"\t<filename>{_text(file)}</filename>",
        # For people to read; the exact source is in the archive's index.
        "\t<path>" + _text(UNWRITABLE_CHARACTERS.sub("?", image.source)) + "</path>",
        f"\t<size><width>{size.width}</width><height>{size.height}</height><depth>{size.depth}</depth></size>",
        "\t<segmented>0</segmented>",
    ]
    for box in image.boxes:
        class_place(order, box.label, image.source)
        x1, y1, x2, y2 = (_number(value) for value in box.corners)
        parts.append(
            f"\t<object><name>{_text(box.label)}</name><pose>Unspecified</pose><truncated>0</truncated>"
            f"<difficult>0</difficult><bndbox><xmin>{x1}</xmin><ymin>{y1}</ymin><xmax>{x2}</xmax>"
            f"<ymax>{y2}</ymax></bndbox></object>"
        )
    parts.append("</annotation>\n")
    return "\n".join(parts)


def _text(text: str) -> str:
    if found := UNWRITABLE_CHARACTERS.search(text):
        raise ValueError(f"{text[:60]!r} holds the character U+{ord(found[0]):04X}, which XML cannot carry")
    return _ESCAPED.sub(lambda match: _SPECIAL[match[0]], text)


def _number(value: float) -> str:
    number = float(value)
    return str(int(number)) if number.is_integer() else repr(number)


# --- in ------------------------------------------------------------------------------------------------------------


def read_voc(source: BinaryIO, *, find_size: FindSize | None = None) -> Iterator[Item]:
    """Images with boxes of every XML file in a zip, streamed; bad files and boxes become BadItems.

    `source` of an image is its URI when we wrote the archive, else the <filename>. `find_size` tells the size of an
    image whose file has none. Raises ValueError when the zip itself cannot be read.
    """
    for found in find_voc(ArchiveReader(source)):
        if isinstance(found, BadItem):
            yield found
            continue
        name = found.uri or found.names[-1]
        # Tools that read no image write a size of 0 x 0.
        size = found.size or (find_size(name) if find_size is not None else None)
        if size is None:
            yield BadItem(found.where, found.size_problem)
            continue
        image, problems = settled(found, source=name, size=size)
        yield from problems
        yield image


def find_voc(archive: ArchiveReader) -> Iterator[FoundImage | BadItem]:
    """Every XML file of a zip as it is, in the order of the archive."""
    known = {splitext(file)[0].removeprefix(_IMAGES): entry for file, entry in archive.index().items()}
    for member in archive.names(".xml"):
        try:
            root = _parse(archive.read(member))
        except ValueError as error:
            yield BadItem(member, str(error))
            continue
        yield _image(root, member, known.get(splitext(member)[0].removeprefix(_ANNOTATIONS)))


def _image(root: ElementTree.Element, member: str, known: tuple[str, ImageSize] | None) -> FoundImage:
    parts: list[FoundPart] = []
    problems: list[BadItem] = []
    for place, record in enumerate(root.iterfind("object")):
        where = f"{member} object {place + 1}"
        if place >= _MAX_OBJECTS:
            problems.append(BadItem(member, f"has more than {_MAX_OBJECTS:,} objects; the rest is left out"))
            break
        try:
            parts.append(FoundPart(where, _box(record)))
        except ValueError as error:
            problems.append(BadItem(where, str(error)))
    uri, size, size_problem = "", None, ""
    if known is not None:
        uri, size = known
    else:
        try:
            size = ImageSize(_side(root, "width"), _side(root, "height"))
        except ValueError as error:
            size_problem = str(error)
    stem = splitext(member)[0].rpartition("/")[2]
    name = (root.findtext("filename") or "").strip() or stem
    return FoundImage(
        member,
        names=(*(folder + name for folder in _folders(member)), name),
        stems=tuple(folder + stem for folder in _folders(member)),
        uri=uri,
        size=size,
        size_problem=size_problem,
        parts=tuple(parts),
        problems=tuple(problems),
    )


def _folders(member: str) -> tuple[str, ...]:
    """Where the image of an XML file may be, the likeliest first: by Pascal's layout, else beside the XML file."""
    parts = member.split("/")[:-1]
    if "Annotations" not in parts:
        return ("/".join([*parts, ""]),)
    at = len(parts) - 1 - parts[::-1].index("Annotations")
    before, after = parts[:at], parts[at + 1 :]
    places = ([*before, "JPEGImages", *after], parts, [*before, *after], after)
    return tuple(dict.fromkeys("/".join([*place, ""]) if place else "" for place in places))


def _parse(raw: bytes) -> ElementTree.Element:
    text = _decoded(raw)
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("declares a document type, which annotation files never need")
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - no document type, so no entities to expand
    except ElementTree.ParseError as error:
        raise ValueError(f"is not valid XML ({error})") from None
    if root.tag != "annotation":
        raise ValueError(f"is not a VOC file: the root is <{root.tag}>, expected <annotation>")
    return root


def _decoded(raw: bytes) -> str:
    """The text: UTF-16 by its byte order mark, else UTF-8, else the encoding that the file declares."""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return _XML_DECLARATION.sub("", raw.decode("utf-16"), count=1)
        except UnicodeDecodeError:
            raise ValueError("is not UTF-16 text, as its byte order mark says") from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        declared = _DECLARED.match(raw)
    try:
        if declared is not None and _ENCODINGS.fullmatch(name := declared[1].decode()):
            return raw.decode(name)
    except (UnicodeDecodeError, LookupError):
        raise ValueError(f"is not text in {name}, the encoding it declares") from None
    raise ValueError("is not UTF-8 text")


def _side(root: ElementTree.Element, side: str) -> int:
    value = _value(root.find(f"size/{side}"), f"size/{side}")
    if value != int(value) or value < 1:
        raise ValueError(f"size/{side} must be a positive whole number")
    return int(value)


def _box(record: ElementTree.Element) -> Box:
    label = (record.findtext("name") or "").strip(BLANKS)
    if not label:
        raise ValueError("name is missing")
    x1, y1, x2, y2 = (_value(record.find(f"bndbox/{n}"), f"bndbox/{n}") for n in ("xmin", "ymin", "xmax", "ymax"))
    # Boxes that were drawn from the right or from below have their corners in another order.
    return Box.from_corners(label, min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))


def _value(element: ElementTree.Element | None, name: str) -> float:
    text = "" if element is None else (element.text or "").strip()
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{name} must be a number, found {text[:40]!r}" if text else f"{name} is missing") from None
    if not math.isfinite(value):
        raise ValueError(f"{name} must be a finite number")
    return value
