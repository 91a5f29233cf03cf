"""COCO detection JSON, out (one pass, constant memory) and in. Boxes are [x, y, width, height] in pixels; an outline is
an annotation with a segmentation.

It must not know how a file name becomes an object: the caller says so.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, TypeGuard

import numpy as np
import orjson

from labeling.formats import geometry, segments
from labeling.formats.augmented_reading import BLANKS
from labeling.formats.interchange.items import (
    BadItem,
    FindSize,
    FoundBox,
    FoundImage,
    Item,
    LabeledImage,
    around,
    class_order,
    class_place,
    settled,
)
from labeling.formats.interchange.member_names import Names
from labeling.formats.masks import decode_rle
from labeling.formats.shapes import Box, ImageSize, Polygon, Segment

MAX_BYTES = 2_000_000_000
_SPOOL = 8_000_000
_CHUNK = 1 << 20
_SURROGATE = re.compile("[\ud800-\udfff]")


def write_coco(
    objects: Iterable[LabeledImage],
    out: BinaryIO,
    *,
    labels: Sequence[str],
    info: Mapping[str, Any] | None = None,
    on_image: Callable[[str, LabeledImage], None] | None = None,
) -> int:
    """Write one JSON document and return the number of images.

    Categories are `labels` in order with ids from 1; every image carries its URI in `coco_url` and a safe, unique
    relative `file_name`; a box or an outline with a confidence carries it as `score`. Annotations wait in a temporary
    file while the images are written, so memory does not grow. `on_image` is called with the `file_name` of each image,
    in order.
    Raises ValueError for a class that is not in `labels`.
    """
    order = class_order(labels)
    categories = [{"id": place + 1, "name": label, "supercategory": ""} for label, place in order.items()]
    out.write(b'{"info":' + orjson.dumps(dict(info or {})) + b',"licenses":[],"categories":')
    out.write(orjson.dumps(categories) + b',\n"images":[')
    images = annotations = 0
    names = Names()
    with SpooledTemporaryFile(max_size=_SPOOL) as spool:
        for image in objects:
            name = names.take(image.file_name)
            if on_image is not None:
                on_image(name, image)
            out.write((b",\n" if images else b"\n") + _image_record(image, name, images + 1))
            images += 1
            shapes: list[Box | Polygon | Segment] = [*image.boxes, *image.outlines, *image.masks]
            for shape in shapes:
                record = _annotation_record(shape, annotations + 1, images, order, image.source, image.image_size)
                spool.write((b",\n" if annotations else b"\n") + record)
                annotations += 1
        out.write(b'],\n"annotations":[')
        spool.seek(0)
        while chunk := spool.read(_CHUNK):
            out.write(chunk)
    out.write(b"]}\n")
    return images


def _image_record(image: LabeledImage, name: str, number: int) -> bytes:
    return orjson.dumps(
        {
            "id": number,
            "file_name": name,
            "width": image.image_size.width,
            "height": image.image_size.height,
            "coco_url": image.source,
        }
    )


def _annotation_record(
    shape: Box | Polygon | Segment, number: int, image: int, order: dict[str, int], source: str, size: ImageSize
) -> bytes:
    segmentation: Any
    bbox: list[float]
    if isinstance(shape, Segment):
        bbox, area = list(segments.box(shape, size.height)), float(segments.area(shape))
        segmentation = {"size": [size.height, size.width], "counts": shape.counts}
    elif isinstance(shape, Polygon):
        left, top, right, bottom = geometry.bounds(shape.vertices)
        bbox, area = [left, top, right - left, bottom - top], geometry.polygon_area(shape.vertices)
        segmentation = [[number for vertex in shape.vertices for number in vertex]]
    else:
        bbox, area = [shape.left, shape.top, shape.width, shape.height], shape.width * shape.height
        segmentation = []
    record: dict[str, Any] = {
        "id": number,
        "image_id": image,
        "category_id": class_place(order, shape.label, source) + 1,
        "bbox": bbox,
        "area": area,
        "iscrowd": 0,
        "segmentation": segmentation,
    }
    if shape.confidence is not None:
        record["score"] = shape.confidence
    return orjson.dumps(record)


# --- in ------------------------------------------------------------------------------------------------------------


class CocoFile:
    """A COCO document that was read: `labels` in category order, `items()` image by image, bad ones with reasons.

    As lenient as the tools: ids may be numbers or their text, sizes may be 640.0 or, with `find_size`, be missing, a
    polygon or a mask stands for its box. Regions of crowds (iscrowd 1) are reported and left out, because they are
    many objects. `name` stands before the places in the document when several documents are read.
    """

    def __init__(self, document: Mapping[str, Any], *, find_size: FindSize | None = None, name: str = "") -> None:
        self._document = document
        self._find_size = find_size
        self._name = f"{name} " if name else ""
        self._problems: list[BadItem] = []
        self._names = self._categories()
        self.labels: tuple[str, ...] = tuple(dict.fromkeys(self._names.values()))

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

    def used_labels(self) -> tuple[str, ...]:
        """`labels` without categories that are only the parent of others, such as the one Roboflow writes first."""
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
        boxes: list[FoundBox] = []
        problems: list[BadItem] = []
        for at, annotation in annotations:
            place = f"{self._name}annotations[{at}] ({record['file_name']})"
            try:
                boxes.append(self._box(annotation, place))
            except ValueError as error:
                problems.append(BadItem(place, str(error)))
        return FoundImage(
            where,
            names=(record["file_name"],),
            uri=_text(record.get("coco_url")),
            size=_size(*sides),
            size_problem=f"width and height must be positive whole numbers, found {sides[0]!r} x {sides[1]!r}",
            boxes=tuple(boxes),
            problems=tuple(problems),
        )

    def _box(self, record: Mapping[str, Any], where: str) -> FoundBox:
        left, top, width, height = _ltwh(record)
        category = _id(record.get("category_id"))
        if category not in self._names:
            raise ValueError(f"there is no category with id {record.get('category_id')!r}")
        score = record.get("score")
        confidence = score if _is_number(score) and 0 <= score <= 1 else None
        box = Box(self._names[category], left, top, width, height, confidence)
        return FoundBox(where, box, crowd=record.get("iscrowd") in (1, "1"))


def _unusable(record: Any, seen: set[Any]) -> str:
    """Why an image's record cannot be used, "" when it can."""
    identity = _id(record.get("id")) if isinstance(record, Mapping) else None
    if identity is None:
        return "id is missing"
    if not _text(record.get("file_name")):
        return "file_name is missing"
    return f"id {record['id']!r} appears twice" if identity in seen else ""


def read_coco(
    source: bytes | BinaryIO, *, max_bytes: int = MAX_BYTES, find_size: FindSize | None = None, name: str = ""
) -> CocoFile:
    """Read a COCO detection document (it is one JSON value, so all of it is in memory); raises ValueError.

    `find_size` tells the size of an image whose record has none; `name` is put before the places in messages.
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
    return CocoFile(document, find_size=find_size, name=name)


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
    rings = shape if isinstance(shape[0], list) else [shape]
    if not all(isinstance(ring, list) and all(_is_number(value) for value in ring) for ring in rings):
        raise ValueError("bbox is missing and segmentation has a value that is no finite number")
    corners = [around(ring) for ring in rings]
    left, top = min(c[0] for c in corners), min(c[1] for c in corners)
    return left, top, max(c[2] for c in corners) - left, max(c[3] for c in corners) - top


def _around_mask(rle: Mapping[str, Any]) -> tuple[float, float, float, float]:
    """The box around a mask in run lengths."""
    try:
        mask = decode_rle(rle)
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise ValueError(f"bbox is missing and the run lengths of segmentation cannot be read: {error}") from None
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        raise ValueError("bbox is missing and segmentation covers no pixel")
    left, top = int(columns[0]), int(rows[0])
    return left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
