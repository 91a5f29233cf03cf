"""Masks as palette PNGs in a zip, out and in: a pixel's value is its class, or its object, 0 the background.

`classes.csv` says which value is which class; `masks.jsonl` says of every image which file is its mask and what each
value in it is. Archives of other tools have one of the usual lists of classes instead. It must not know jobs or
storage.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from posixpath import splitext
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO

import numpy as np
import orjson
from numpy.typing import NDArray

from labeling.formats import mask_labels, masks, segments
from labeling.formats.augmented_reading import BLANKS
from labeling.formats.interchange import kinds
from labeling.formats.interchange.archives import MAX_INDEX, ArchiveReader, ArchiveWriter
from labeling.formats.interchange.items import REPAIRED, BadItem, FoundImage, FoundPart, LabeledImage
from labeling.formats.interchange.member_names import Names
from labeling.formats.shapes import ImageSize, Segment, Segmentation

INDEX, CLASSES = "masks.jsonl", "classes.csv"
LISTS = (CLASSES, "labelmap.txt", "classes.txt")
FOLDERS = ("masks", "segmentationclass")
"""Folders whose PNGs are masks, in any case."""

_IMAGES, _MASKS = "images/", "masks/"
_BACKGROUNDS = ("background", "_background_", "unlabeled", "unlabelled", "void")
_VOID = 255
"""The value of a pixel that nobody has decided, as Pascal VOC has it at the borders of objects."""


def write_masks(
    objects: Iterable[LabeledImage], out: BinaryIO, *, labels: Sequence[str], of_objects: bool = False
) -> int:
    """Write the zip and return the number of images; `of_objects`: every mask is one object and has its own value.

    Raises ValueError for a mask whose class is not in `labels`, or for more masks than a palette has entries.
    """
    names, count = Names(), 0
    with ArchiveWriter(out) as archive, SpooledTemporaryFile(max_size=8_000_000) as index:
        archive.add(CLASSES, _class_list(labels))
        for image in objects:
            stem, file = names.take_pair(image.file_name, label=".png")
            found = Segmentation(image.image_size[:2], image.masks, image.confidence)
            numbers = list(range(1, len(found.segments) + 1))
            if not of_objects:
                numbers = mask_labels.class_numbers(found, labels)
            archive.add(f"{_MASKS}{stem}.png", mask_labels.png(found, numbers), packed=False)
            archive.add_image(f"{_IMAGES}{file}", image)
            index.write(orjson.dumps(_entry(image, f"{_MASKS}{stem}.png", f"{_IMAGES}{file}", numbers, of_objects)))
            index.write(b"\n")
            count += 1
        archive.add_stream(INDEX, index)
    return count


def _class_list(labels: Sequence[str]) -> bytes:
    text = io.StringIO(newline="")
    table = csv.writer(text)
    colors = [masks.BACKGROUND, *masks.distinct_colors(len(labels))]
    table.writerow(["value", "name", "color"])
    for value, (label, color) in enumerate(zip([mask_labels.BACKGROUND, *labels], colors, strict=True)):
        table.writerow([value, label, color])
    return text.getvalue().encode()


def _entry(image: LabeledImage, mask: str, file: str, numbers: Sequence[int], of_objects: bool) -> dict[str, Any]:
    size = image.image_size
    return {
        "mask": mask,
        "file": file,
        "source-ref": image.source,
        "width": size.width,
        "height": size.height,
        "objects": of_objects,
        "confidence": image.confidence,
        "values": {
            str(n): {"class": one.label, "confidence": one.confidence}
            for n, one in zip(numbers, image.masks, strict=True)
        },
    }


# --- in ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Classes:
    """What the values of pixels stand for; `colors` where the masks are told by their colours."""

    names: Mapping[int, str]
    colors: Mapping[int, str]


class MaskArchive:
    """A zip of masks that was opened; `wanted` is MASKS or OBJECTS. Raises ValueError where no list names classes."""

    def __init__(self, archive: ArchiveReader, *, wanted: str) -> None:
        self._archive, self._wanted = archive, wanted
        self.members = mask_members(archive)
        """The masks themselves, which are no pictures to label."""
        self._classes = self._read_classes()
        self.labels = tuple(dict.fromkeys(self._classes.names.values()))
        self.indexed = archive.has(INDEX)
        if not self.indexed and wanted == kinds.OBJECTS:
            raise ValueError(f"has no {INDEX}, which alone says which pixels are one object")

    def found(self) -> Iterator[FoundImage | BadItem]:
        """Every mask as it is, in the order of the archive's list, or of the archive."""
        yield from self._indexed() if self.indexed else self._foreign()

    def _indexed(self) -> Iterator[FoundImage | BadItem]:
        for number, raw in enumerate(self._archive.read(INDEX, MAX_INDEX).splitlines(), start=1):
            where = f"{INDEX} line {number}"
            try:
                entry = orjson.loads(raw)
                member, file = str(entry["mask"]), str(entry["file"])
                uri = str(entry.get("source-ref") or "")
                named = {int(value): one for value, one in entry["values"].items()}
                labels = {value: str(one["class"]).strip(BLANKS) for value, one in named.items()}
                sure = {value: _confidence(one.get("confidence")) for value, one in named.items()}
            except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
                yield BadItem(where, "mask, file or values is missing or of the wrong kind")
                continue
            if self._wanted == kinds.OBJECTS and entry.get("objects") is not True:
                yield BadItem(where, f"{member} has masks of classes, none of single objects")
                continue
            names = (file, file.removeprefix(_IMAGES))
            yield self._image(member, names, (), uri, labels, sure, _confidence(entry.get("confidence")))

    def _foreign(self) -> Iterator[FoundImage | BadItem]:
        for member in self.members:
            yield self._image(member, (), _stems(member), "", dict(self._classes.names), {}, None)

    def _image(
        self,
        member: str,
        names: tuple[str, ...],
        stems: tuple[str, ...],
        uri: str,
        labels: Mapping[int, str],
        sure: Mapping[int, float | None],
        confidence: float | None,
    ) -> FoundImage | BadItem:
        try:
            values, notes = self._values(member, labels)
            found = segments.from_pixels(values, {value: str(value) for value in labels})
            segments.check(found)
        except ValueError as error:
            return BadItem(member, str(error))
        parts = [
            FoundPart(
                f"{member} value {one.label}", Segment(labels[int(one.label)], one.counts, sure.get(int(one.label)))
            )
            for one in found.segments
        ]
        return FoundImage(
            member,
            names,
            stems,
            uri,
            ImageSize(*found.size),
            parts=tuple(parts),
            problems=tuple(BadItem(member, note, REPAIRED) for note in notes),
            confidence=confidence,
        )

    def _values(self, member: str, labels: Mapping[int, str]) -> tuple[NDArray[np.uint8], list[str]]:
        """The values of the pixels, and what had to be changed. Raises ValueError for one that no class has."""
        if not self._archive.has(member):
            raise ValueError("is not in the archive")
        raw = self._archive.read(member, masks.MAX_PNG_BYTES)
        if self._classes.colors and not self.indexed:
            return masks.read_colors(raw, self._classes.colors), []
        values = masks.read_indices(raw, {}).copy()
        unknown = sorted(set(np.flatnonzero(np.bincount(values.ravel(), minlength=256)).tolist()) - set(labels) - {0})
        if unknown == [_VOID]:
            values[values == _VOID] = 0
            return values, [f"pixels of the value {_VOID}, which nobody has decided, are taken for background"]
        if unknown:
            raise ValueError(f"has the pixel value {unknown[0]}, which no class has")
        return values, []

    def _read_classes(self) -> _Classes:
        for name in LISTS:
            for member in self._archive.names(name):
                try:
                    text = self._archive.read(member).decode("utf-8-sig")
                except UnicodeDecodeError:
                    raise ValueError(f"{member} is no UTF-8 text") from None
                return {CLASSES: _of_csv, "labelmap.txt": _of_labelmap}.get(name, _of_lines)(text, member)
        raise ValueError(f"the list of classes is missing: none of {', '.join(LISTS)} is in the zip")


def mask_members(archive: ArchiveReader) -> list[str]:
    """The members of an archive that are masks by their folders."""
    return [name for name in archive.names(".png") if any(part.lower() in FOLDERS for part in name.split("/")[:-1])]


def _of_csv(text: str, member: str) -> _Classes:
    names = {}
    try:
        for row in list(csv.reader(io.StringIO(text, newline="")))[1:]:
            names[int(row[0])] = row[1].strip(BLANKS)
    except (csv.Error, IndexError, ValueError):
        raise ValueError(f"{member} must have a value and a name in each line") from None
    return _checked({value: name for value, name in names.items() if value}, {}, member)


def _of_labelmap(text: str, member: str) -> _Classes:
    """CVAT's list, `name:r,g,b:parts:actions`; masks are told by their colours."""
    names: dict[int, str] = {}
    colors: dict[int, str] = {0: "#000000"}
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        name, _, rest = line.partition(":")
        try:
            red, green, blue = (int(part) for part in rest.partition(":")[0].split(","))
            color = f"#{bytes([red, green, blue]).hex()}"
        except ValueError:
            raise ValueError(f"{member} must have name:red,green,blue in each line, found {line[:60]!r}") from None
        if name.strip().lower() in _BACKGROUNDS:
            colors[0] = color
        else:
            number = len(names) + 1
            names[number], colors[number] = name.strip(BLANKS), color
    return _checked(names, colors, member)


def _of_lines(text: str, member: str) -> _Classes:
    """A class a line; the first one has the value 1, or 0 where it is the background."""
    listed = [line.strip(BLANKS) for line in text.rstrip(BLANKS).splitlines()]
    first = 0 if listed and listed[0].lower() in _BACKGROUNDS else 1
    return _checked({n: name for n, name in enumerate(listed, start=first) if n and name}, {}, member)


def _checked(names: Mapping[int, str], colors: Mapping[int, str], member: str) -> _Classes:
    if not names or not all(0 < value <= _VOID and name for value, name in names.items()):
        raise ValueError(f"{member} must name the classes of the values 1 to {_VOID}")
    return _Classes(names, colors)


def _stems(member: str) -> tuple[str, ...]:
    """Where the image of a mask may be, without its ending: in the folder of images beside that of the masks."""
    parts = splitext(member)[0].split("/")
    at = next(place for place, part in enumerate(parts) if part.lower() in FOLDERS)
    before, after = parts[:at], parts[at + 1 :]
    places = ([*before, "images", *after], [*before, "JPEGImages", *after], [*before, *after], after)
    return tuple(dict.fromkeys("/".join(place) for place in places))


def _confidence(value: Any) -> float | None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if number and 0 <= value <= 1 else None
