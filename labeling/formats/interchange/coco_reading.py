"""COCO JSON, in: boxes, outlines, masks or key points of its annotations, whichever is asked for.

As lenient as the tools that write it. It must not know how a file name becomes an object: the caller says so.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO, TypeGuard

import numpy as np
import orjson

from labeling.formats import masks, rasters
from labeling.formats.augmented_reading import BLANKS
from labeling.formats.interchange import kinds
from labeling.formats.interchange.items import (
    REPAIRED,
    BadItem,
    FindSize,
    FoundImage,
    FoundPart,
    Item,
    around,
    settled,
)
from labeling.formats.shapes import Box, ImageSize, Keypoint, Part, Polygon, Segment

MAX_BYTES = 2_000_000_000
_SURROGATE = re.compile("[\ud800-\udfff]")


class CocoFile:
    """A COCO document that was read: `labels` in category order, `items()` image by image, bad ones with reasons.

    As lenient as the tools: ids may be numbers or their text, sizes may be 640.0 or, with `find_size`, be missing, a
    polygon or a mask stands for its box. Regions of crowds (iscrowd 1) are reported and left out, because they are
    many objects; only masks of classes have them as well. `name` stands before the places in the document when several
    documents are read, `wanted` is one of `kinds`.
    """

    def __init__(
        self,
        document: Mapping[str, Any],
        *,
        find_size: FindSize | None = None,
        name: str = "",
        wanted: str = kinds.BOXES,
    ) -> None:
        self._document = document
        self._wanted = wanted
        self._find_size = find_size
        self._name = f"{name} " if name else ""
        self._problems: list[BadItem] = []
        self._names = self._categories()
        self._points = self._names_of_points() if wanted == kinds.POINTS else {}
        listed = [*self._names.values()] if wanted != kinds.POINTS else [p for ps in self._points.values() for p in ps]
        self.labels: tuple[str, ...] = tuple(dict.fromkeys(listed))

    @property
    def images_total(self) -> int:
        """How many images the file lists."""
        return len(self._records("images"))

    def items(self) -> Iterator[Item]:
        """Every image in the order of the file with its boxes; then what could not be used."""
        problems: list[BadItem] = []
        for found in self.found():
            if isinstance(found, BadItem):
                problems.append(found)
                continue
            size = found.size
            if size is None and self._find_size is not None:
                size = self._find_size(found.names[0])
            if size is None:
                problems.append(BadItem(found.where, found.size_problem))
                continue
            image, said = settled(found, source=found.names[0], size=size)
            problems += said
            yield image
        yield from problems

    def found(self) -> Iterator[FoundImage | BadItem]:
        """Every image as the file has it; then what belongs to no image."""
        problems = list(self._problems)
        by_image: dict[Any, list[tuple[int, Mapping[str, Any]]]] = {}
        for place, record in enumerate(self._records("annotations")):
            image_id = _id(record.get("image_id")) if isinstance(record, Mapping) else None
            if image_id is None:
                problems.append(BadItem(f"{self._name}annotations[{place}]", "image_id is missing"))
                continue
            by_image.setdefault(image_id, []).append((place, record))
        seen: set[Any] = set()
        for place, record in enumerate(self._records("images")):
            where = f"{self._name}images[{place}]"
            if reason := _unusable(record, seen):
                problems.append(BadItem(where, reason))
                continue
            identity = _id(record["id"])
            seen.add(identity)
            yield self._image(record, where, by_image.pop(identity, []))
        for identity, left in by_image.items():
            for at, _ in left:
                where = f"{self._name}annotations[{at}]"
                problems.append(BadItem(where, f"there is no usable image with id {identity!r}"))
        yield from problems

    def _records(self, name: str) -> list[Any]:
        found = self._document.get(name, [])
        if not isinstance(found, list):
            raise ValueError(f"{name!r} must be a list")
        return found

    def _categories(self) -> dict[Any, str]:
        names: dict[Any, str] = {}
        for place, record in enumerate(self._records("categories")):
            where = f"{self._name}categories[{place}]"
            category = _id(record.get("id")) if isinstance(record, Mapping) else None
            if category is None:
                self._problems.append(BadItem(where, "id is missing"))
            elif not (name := _text(record.get("name")).strip(BLANKS)):
                self._problems.append(BadItem(where, "name is missing"))
            elif category in names:
                self._problems.append(BadItem(where, f"id {record['id']!r} appears twice"))
            else:
                names[category] = name
        return names

    def _names_of_points(self) -> dict[Any, list[str]]:
        """Of each category the names of its key points; one that several categories have gets theirs before it."""
        named: dict[Any, list[str]] = {}
        for record in self._records("categories"):
            category = _id(record.get("id")) if isinstance(record, Mapping) else None
            found = record.get("keypoints") if category in self._names else None
            if isinstance(found, list) and found:
                named[category] = [_text(name).strip(BLANKS) for name in found]
        often = Counter(name for names in named.values() for name in dict.fromkeys(names))
        return {
            category: [f"{self._names[category]} {name}" if often[name] > 1 else name for name in names]
            for category, names in named.items()
        }

    def used_labels(self) -> tuple[str, ...]:
        """`labels` without categories that are only the parent of others, such as the one Roboflow writes first."""
        if self._wanted == kinds.POINTS:
            return self.labels
        parents, used = set(), set()
        for record in self._records("categories"):
            if isinstance(record, Mapping):
                parents.add(_text(record.get("supercategory")).strip(BLANKS))
        for record in self._records("annotations"):
            if isinstance(record, Mapping):
                used.add(self._names.get(_id(record.get("category_id"))))
        unused = {name for name in self.labels if name in parents and name not in used}
        return tuple(name for name in self.labels if name not in unused) or self.labels

    def _image(
        self, record: Mapping[str, Any], where: str, annotations: list[tuple[int, Mapping[str, Any]]]
    ) -> FoundImage:
        sides = (record.get("width"), record.get("height"))
        size = _size(*sides)
        parts: list[FoundPart] = []
        problems: list[BadItem] = []
        for at, annotation in annotations:
            place = f"{self._name}annotations[{at}] ({record['file_name']})"
            try:
                found = self._parts(annotation, size)
                if len(found) > 1 and self._wanted == kinds.POLYGONS:
                    problems.append(BadItem(place, f"its {len(found)} outlines became as many polygons", REPAIRED))
                crowd = annotation.get("iscrowd") in (1, "1") and self._wanted != kinds.MASKS
                parts += [FoundPart(place, part, crowd) for part in found]
            except (ValueError, OverflowError) as error:
                problems.append(BadItem(place, str(error)))
        return FoundImage(
            where,
            names=(record["file_name"],),
            uri=_text(record.get("coco_url")),
            size=size,
            size_problem=f"width and height must be positive whole numbers, found {sides[0]!r} x {sides[1]!r}",
            parts=tuple(parts),
            problems=tuple(problems),
        )

    def _parts(self, record: Mapping[str, Any], size: ImageSize | None) -> list[Part]:
        """What is wanted of an annotation. Raises ValueError where it does not have that."""
        category = _id(record.get("category_id"))
        if category not in self._names:
            raise ValueError(f"there is no category with id {record.get('category_id')!r}")
        label = self._names[category]
        score = record.get("score")
        confidence = score if _is_number(score) and 0 <= score <= 1 else None
        if self._wanted == kinds.POINTS:
            return list(_points(record, self._points.get(category, []), confidence))
        if self._wanted == kinds.POLYGONS:
            shape = record.get("segmentation")
            if not shape or not isinstance(shape, list):
                raise ValueError("it has a mask, no polygon" if shape else "it has no polygon (segmentation)")
            return [Polygon(label, ring, True, confidence) for ring in _rings(shape)]
        if self._wanted in (kinds.MASKS, kinds.OBJECTS):
            return [Segment(label, _mask(record.get("segmentation"), size), confidence)]
        return [Box(label, *_ltwh(record), confidence)]


def _unusable(record: Any, seen: set[Any]) -> str:
    """Why an image's record cannot be used, "" when it can."""
    identity = _id(record.get("id")) if isinstance(record, Mapping) else None
    if identity is None:
        return "id is missing"
    if not _text(record.get("file_name")):
        return "file_name is missing"
    return f"id {record['id']!r} appears twice" if identity in seen else ""


def read_coco(
    source: bytes | BinaryIO,
    *,
    max_bytes: int = MAX_BYTES,
    find_size: FindSize | None = None,
    name: str = "",
    wanted: str = kinds.BOXES,
) -> CocoFile:
    """Read a COCO detection document (it is one JSON value, so all of it is in memory); raises ValueError.

    `find_size` tells the size of an image whose record has none; `name` is put before the places in messages, and
    `wanted` says what is read of the annotations.
    """
    raw = source if isinstance(source, bytes) else source.read(max_bytes + 1)
    if len(raw) > max_bytes:
        raise ValueError(
            f"the COCO file has more than {max_bytes:,} bytes: leave out the polygons (segmentation), "
            "or split it by images"
        )
    try:
        document = orjson.loads(raw.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        document = _with_nan(raw, error)
    if not isinstance(document, dict) or not isinstance(document.get("images"), list):
        raise ValueError("this is not a COCO file: the list 'images' is missing")
    return CocoFile(document, find_size=find_size, name=name, wanted=wanted)


def _with_nan(raw: bytes, error: orjson.JSONDecodeError) -> Any:
    """The document of a tool that writes NaN or Infinity, which JSON does not have; they spoil one annotation only."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        raise ValueError(f"the COCO file is not valid JSON (line {error.lineno}, column {error.colno})") from None


def _id(value: Any) -> int | str | None:
    """An id in one form: 1, 1.0 and "1" are the same. None for what is no id."""
    if isinstance(value, str):
        return int(value) if value.isdecimal() and str(int(value[:20])) == value else value or None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: Any) -> str:
    """The value if it is a text that can be written again, else ""."""
    return value if isinstance(value, str) and _SURROGATE.search(value) is None else ""


def _size(width: Any, height: Any) -> ImageSize | None:
    sides = [int(side) for side in (width, height) if _is_number(side) and side >= 1 and side == int(side)]
    return ImageSize(*sides) if len(sides) == 2 else None


def _ltwh(record: Mapping[str, Any]) -> tuple[float, float, float, float]:
    """The box of an annotation, else the one around its mask or its polygons (a list of lists, or one flat list)."""
    bbox = record.get("bbox")
    if isinstance(bbox, list) and len(bbox) == 4 and all(_is_number(value) for value in bbox):
        left, top, width, height = bbox
        return left, top, width, height
    shape = record.get("segmentation")
    if isinstance(shape, Mapping) and not bbox:
        return _around_mask(shape)
    if bbox or not isinstance(shape, list) or not shape:
        raise ValueError("bbox must be four finite numbers")
    try:
        rings = _rings(shape)
    except ValueError as error:
        raise ValueError(f"bbox is missing and {error}") from None
    corners = [around([value for vertex in ring for value in vertex]) for ring in rings]
    left, top = min(c[0] for c in corners), min(c[1] for c in corners)
    return left, top, max(c[2] for c in corners) - left, max(c[3] for c in corners) - top


def _rings(shape: Sequence[Any]) -> list[tuple[tuple[float, float], ...]]:
    """The outlines of a segmentation: a list of lists, or one flat list. Raises ValueError."""
    rings = shape if isinstance(shape[0], list) else [shape]
    if not all(isinstance(ring, list) and all(_is_number(value) for value in ring) for ring in rings):
        raise ValueError("segmentation has a value that is no finite number")
    for ring in rings:
        around(ring)
    return [tuple(zip(ring[::2], ring[1::2], strict=True)) for ring in rings]


def _mask(shape: Any, size: ImageSize | None) -> str:
    """The run lengths of a segmentation, which may be outlines. Raises ValueError."""
    if not shape:
        raise ValueError("it has no mask and no polygon (segmentation)")
    if isinstance(shape, list):
        if size is None:
            raise ValueError("an outline becomes a mask only where the file says how large the image is")
        return rasters.mask_of(_rings(shape), (size.width, size.height))
    try:
        height, width = (int(side) for side in shape["size"])
        counts = shape["counts"]
        runs = masks.unpack(counts) if isinstance(counts, str) else [int(run) for run in counts]
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise ValueError(f"the run lengths of segmentation cannot be read: {error}") from None
    if size is not None and (width, height) != size[:2]:
        raise ValueError(f"its mask has {width} x {height} pixels, the image {size.width} x {size.height}")
    if any(run < 0 for run in runs) or sum(runs) != width * height or width * height > masks.MAX_PIXELS:
        raise ValueError(f"its run lengths cover {sum(runs)} pixels, expected {height} x {width}")
    return masks.pack(runs)


def _points(record: Mapping[str, Any], names: Sequence[str], confidence: float | None) -> Iterator[Keypoint]:
    """The labeled points (visible or not) of an annotation. Raises ValueError."""
    found, scores = record.get("keypoints"), record.get("keypoint_scores")
    if not found or not isinstance(found, list):
        raise ValueError("it has no keypoints")
    if not names or len(found) != 3 * len(names) or not all(_is_number(value) for value in found):
        raise ValueError(f"keypoints must be three finite numbers for each of the category's {len(names)} points")
    sure = scores if isinstance(scores, list) and len(scores) == len(names) else [None] * len(names)
    for name, x, y, seen, score in zip(names, found[::3], found[1::3], found[2::3], sure, strict=True):
        if seen:
            known = score if _is_number(score) and 0 <= score <= 1 else confidence
            yield Keypoint(name, x, y, known)


def _around_mask(rle: Mapping[str, Any]) -> tuple[float, float, float, float]:
    """The box around a mask in run lengths."""
    try:
        mask = masks.decode_rle(rle)
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise ValueError(f"bbox is missing and the run lengths of segmentation cannot be read: {error}") from None
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        raise ValueError("bbox is missing and segmentation covers no pixel")
    left, top = int(columns[0]), int(rows[0])
    return left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
