"""YOLO text files in a zip with a data.yaml (the layout Ultralytics trains from), out and in.

A line is `class cx cy width height`, or for an outline `class x1 y1 x2 y2 …`, relative to the image; fifteen digits
give the pixels back exactly, to far below a pixel. The format has no confidences. It must not know jobs or storage.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from posixpath import splitext
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, ClassVar

import orjson
import yaml

from labeling.formats.augmented_reading import BLANKS
from labeling.formats.images import SIGNATURE_BYTES, format_by_signature
from labeling.formats.interchange import kinds
from labeling.formats.interchange.archives import ArchiveReader, ArchiveWriter
from labeling.formats.interchange.items import (
    BadItem,
    FoundImage,
    FoundPart,
    Item,
    LabeledImage,
    around,
    class_order,
    class_place,
    settled,
)
from labeling.formats.interchange.member_names import Names
from labeling.formats.shapes import Box, ImageSize, Polygon

FindImage = Callable[[str], tuple[str, ImageSize] | None]

_LABELS = "labels/train/"
_IMAGES = "images/train/"
_LISTS = ("train.txt", "val.txt", "valid.txt", "test.txt", "trainval.txt", "obj.names", "readme.txt")
"""Files of a set that list images or say something; they hold no labels."""
_TRAINED = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
_MAX_OBJECTS = 20_000
_MAX_NAMES = 256_000  # bytes; reading YAML is slow work


def write_yolo(
    objects: Iterable[LabeledImage],
    out: BinaryIO,
    *,
    labels: Sequence[str],
) -> int:
    """Write the zip and return the number of images; those that have their content go in themselves.

    Raises ValueError for a class that is not in `labels`.
    """
    order = class_order(labels)
    names = Names()
    count = 0
    with ArchiveWriter(out) as archive, SpooledTemporaryFile(max_size=8_000_000) as listed:
        archive.add("data.yaml", _data_yaml(labels))
        for image in objects:
            stem, file = names.take_pair(image.file_name, ending=_ending(image))
            archive.add(f"{_LABELS}{stem}.txt", _lines(image, order).encode())
            archive.add_image(f"{_IMAGES}{file}", image)
            listed.write(f"./{_IMAGES}{file}\n".encode())
            count += 1
        archive.add_stream("train.txt", listed)
    return count


def _ending(image: LabeledImage) -> str | None:
    """The ending of the image's file by its content, when trainers, which go by endings, would pass over its own."""
    if image.content is None or image.file_name.lower().endswith(_TRAINED):
        return None
    return f".{(format_by_signature(image.content[:SIGNATURE_BYTES]) or 'jpeg').lower()}"


def _data_yaml(labels: Sequence[str]) -> bytes:
    # Without 'path' the folders are looked for beside this file, wherever the training is started.
    # JSON strings are YAML strings too, whatever is in them
    names = b"".join(b"  %d: %s\n" % (place, _quoted(label)) for place, label in enumerate(labels))
    return b"train: images/train\nval: images/train\nnames:\n" + (names or b"  {}\n")


def _quoted(text: str) -> bytes:
    # YAML folds these three line breaks of Unicode even inside quotes, and refuses DEL and C1 controls
    encoded = orjson.dumps(text).decode()
    risky = "\x7f\u0085\u2028\u2029\ufeff\ufffe\uffff"
    return "".join(
        f"\\u{ord(sign):04x}" if sign in risky or 0x80 <= ord(sign) < 0xA0 else sign for sign in encoded
    ).encode()


def _lines(image: LabeledImage, order: dict[str, int]) -> str:
    width, height = image.image_size.width, image.image_size.height
    lines = []
    for box in image.boxes:
        place = class_place(order, box.label, image.source)
        values = (
            (box.left + box.width / 2) / width,
            (box.top + box.height / 2) / height,
            box.width / width,
            box.height / height,
        )
        lines.append(_line(place, values))
    for outline in image.outlines:
        place = class_place(order, outline.label, image.source)
        lines.append(_line(place, [share for x, y in outline.vertices for share in (x / width, y / height)]))
    return "".join(lines)


def _line(place: int, values: Iterable[float]) -> str:
    return f"{place} " + " ".join(f"{value:.15g}" for value in values) + "\n"


# --- in ------------------------------------------------------------------------------------------------------------


class YoloArchive:
    """A YOLO zip that was opened: `labels` in class order, `items()` image by image, bad ones with reasons.

    `find_image` tells (source, displayed size) for a label file's path without ending ('train/0001'), None when
    there is no such image; for our own archives it is not needed. `wanted` is BOXES or POLYGONS. Raises ValueError for
    a damaged zip or no names.
    """

    def __init__(
        self, source: BinaryIO | ArchiveReader, *, find_image: FindImage | None = None, wanted: str = kinds.BOXES
    ) -> None:
        self._wanted = wanted
        self._archive = source if isinstance(source, ArchiveReader) else ArchiveReader(source)
        self._find_image = find_image
        # By class number; a blank line of classes.txt names no class and shifts none.
        self._by_number = self._names()
        self.labels = tuple(name for name in self._by_number if name)

    def items(self) -> Iterator[Item]:
        """Every label file in the order of the archive."""
        for found in self.found():
            if isinstance(found, BadItem):
                yield found
                continue
            stem = _stem(found.where)
            entry = (found.uri, found.size) if found.size is not None else None
            if entry is None and self._find_image is not None:
                entry = self._find_image(stem)
            if entry is None or entry[1] is None:
                yield BadItem(found.where, "there is no image for it")
                continue
            image, problems = settled(found, source=entry[0], size=entry[1])
            yield from problems
            yield image

    def found(self) -> Iterator[FoundImage | BadItem]:
        """Every label file as it is, in the order of the archive."""
        known = {_stem(file): entry for file, entry in self._archive.index().items()}
        for member in self._archive.names(".txt"):
            if not self._is_label_file(member):
                continue
            try:
                lines = self._archive.read(member).decode("utf-8-sig").splitlines()
            except UnicodeDecodeError:
                yield BadItem(member, "is not UTF-8 text")
                continue
            except ValueError as error:
                yield BadItem(member, str(error))
                continue
            yield self._image(member, lines, known.get(_stem(member)))

    def _image(self, member: str, lines: list[str], known: tuple[str, ImageSize] | None) -> FoundImage:
        parts: list[FoundPart] = []
        problems: list[BadItem] = []
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            if len(parts) >= _MAX_OBJECTS:
                problems.append(BadItem(member, f"has more than {_MAX_OBJECTS:,} lines; the rest is left out"))
                break
            where = f"{member} line {number}"
            try:
                parts.append(FoundPart(where, self._part(line)))
            except ValueError as error:
                problems.append(BadItem(where, str(error)))
        uri, size = known or ("", None)
        return FoundImage(
            member,
            stems=_stems(member),
            uri=uri,
            size=size,
            parts=tuple(parts),
            problems=tuple(problems),
            relative=True,
        )

    def _part(self, line: str) -> Box | Polygon:
        """The box, or the outline, of a line, in shares of the image's sides."""
        words = line.split()
        # An odd number of seven or more is a class and the points of a polygon, of which the box is around.
        polygon = len(words) >= 7 and len(words) % 2 == 1
        if len(words) not in (5, 6) and not polygon:
            raise ValueError(f"expected 'class cx cy width height', found {len(words)} values")
        try:
            number, *values = (float(word) for word in words)
        except ValueError:
            raise ValueError(f"expected 'class cx cy width height', found {line.strip()[:60]!r}") from None
        if not all(math.isfinite(value) for value in (number, *values)):
            raise ValueError("values must be finite numbers")
        label = self._label(number)
        if self._wanted == kinds.POLYGONS:
            if not polygon:
                raise ValueError("is a box, no outline")
            return Polygon(label, tuple(zip(values[::2], values[1::2], strict=True)))
        if polygon:
            return Box.from_corners(label, *around(values))
        cx, cy, width, height, *rest = values
        confidence = rest[0] if rest and 0 <= rest[0] <= 1 else None
        return Box(label, cx - width / 2, cy - height / 2, width, height, confidence)

    def _label(self, number: float) -> str:
        """The name of a class; numpy writes its number as 1.000000e+00."""
        if not number.is_integer():
            raise ValueError(f"the class must be a whole number, found {number:g}")
        known = 0 <= number < len(self._by_number)
        if not known or not self._by_number[int(number)]:
            raise ValueError(f"class {number:.0f} has no name (there are {len(self.labels)})")
        return self._by_number[int(number)]

    def _is_label_file(self, member: str) -> bool:
        parts = member.split("/")
        name = parts[-1].lower()
        if name == "classes.txt":
            return False  # LabelImg writes it beside the labels.
        if "labels" in parts[:-1]:
            return True
        return name not in _LISTS and not name.startswith("readme.") and "images" not in parts[:-1]

    def _names(self) -> tuple[str, ...]:
        for ending in ("data.yaml", "data.yml", "dataset.yaml"):
            for member in self._archive.names(ending):
                return _yaml_names(self._archive.read(member, _MAX_NAMES), member)
        for ending in ("classes.txt", "obj.names"):
            for member in self._archive.names(ending):
                text = self._archive.read(member).decode("utf-8-sig", "strict")
                return tuple(line.strip(BLANKS) for line in text.rstrip(BLANKS).splitlines())
        for ending in (".yaml", ".yml"):
            # Ultralytics takes a file of any name; two would contradict each other.
            if len(members := self._archive.names(ending)) == 1:
                return _yaml_names(self._archive.read(members[0], _MAX_NAMES), members[0])
        raise ValueError("the class names are missing: neither data.yaml nor classes.txt is in the zip")


class _TextLoader(yaml.SafeLoader):
    """Reads every value as its text: classes called no, 007, 12:30 or null are no booleans, numbers or nothing."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}


def _yaml_names(raw: bytes, member: str) -> tuple[str, ...]:
    try:
        document: Any = yaml.load(raw, _TextLoader)  # noqa: S506 - it is a SafeLoader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ValueError(f"{member} is not valid YAML ({str(error)[:200]})") from None
    names = document.get("names") if isinstance(document, dict) else None
    if isinstance(names, dict) and set(names) == {str(place) for place in range(len(names))}:
        names = [names[str(place)] for place in range(len(names))]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"{member}: 'names' must list the classes from 0 on")
    return tuple(name.strip(BLANKS) for name in names)


def _stem(path: str) -> str:
    """'labels/train/a/b.txt' and 'images/train/a/b.jpg' -> 'train/a/b'."""
    parts = splitext(path)[0].split("/")
    folders = [place for place, part in enumerate(parts[:-1]) if part in ("labels", "images")]
    return "/".join(parts[folders[0] + 1 :] if folders else parts)


def _stems(member: str) -> tuple[str, ...]:
    """Where the image of a label file may be, without its ending.

    Ultralytics looks in the folder `images` beside `labels`; labelImg and CVAT write the labels beside the images.
    """
    own = splitext(member)[0]
    parts = own.split("/")
    folders = [place for place, part in enumerate(parts[:-1]) if part == "labels"]
    swapped = [*parts[: folders[-1]], "images", *parts[folders[-1] + 1 :]] if folders else parts
    return tuple(dict.fromkeys(("/".join(swapped), own, _stem(member))))
