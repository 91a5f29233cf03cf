"""COCO detection JSON, out (one pass, constant memory) and in. Boxes are [x, y, width, height] in pixels.

It must not know how a file name becomes an object: the caller says so.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, TypeGuard

import orjson

from labeling.formats.interchange.items import BadItem, Item, LabeledImage, class_order, class_place, fitted
from labeling.formats.interchange.member_names import safe_name
from labeling.formats.shapes import Box, ImageSize

MAX_BYTES = 2_000_000_000
_SPOOL = 8_000_000
_CHUNK = 1 << 20


def write_coco(
    objects: Iterable[LabeledImage],
    out: BinaryIO,
    *,
    labels: Sequence[str],
    info: Mapping[str, Any] | None = None,
) -> int:
    """Write one JSON document and return the number of images.

    Categories are `labels` in order with ids from 1; every image carries its URI in `coco_url` and a safe relative
    `file_name`; a box with a confidence carries it as `score`. Annotations wait in a temporary file while the images
    are written, so memory does not grow. Raises ValueError for a class that is not in `labels`.
    """
    order = class_order(labels)
    categories = [{"id": place + 1, "name": label, "supercategory": ""} for label, place in order.items()]
    out.write(b'{"info":' + orjson.dumps(dict(info or {})) + b',"licenses":[],"categories":')
    out.write(orjson.dumps(categories) + b',\n"images":[')
    images = annotations = 0
    with SpooledTemporaryFile(max_size=_SPOOL) as spool:
        for image in objects:
            out.write((b",\n" if images else b"\n") + _image_record(image, images + 1))
            images += 1
            for box in image.boxes:
                record = _annotation_record(box, annotations + 1, images, order, image.source)
                spool.write((b",\n" if annotations else b"\n") + record)
                annotations += 1
        out.write(b'],\n"annotations":[')
        spool.seek(0)
        while chunk := spool.read(_CHUNK):
            out.write(chunk)
    out.write(b"]}\n")
    return images


def _image_record(image: LabeledImage, number: int) -> bytes:
    return orjson.dumps(
        {
            "id": number,
            "file_name": safe_name(image.source),
            "width": image.image_size.width,
            "height": image.image_size.height,
            "coco_url": image.source,
        }
    )


def _annotation_record(box: Box, number: int, image: int, order: dict[str, int], source: str) -> bytes:
    record: dict[str, Any] = {
        "id": number,
        "image_id": image,
        "category_id": class_place(order, box.label, source) + 1,
        "bbox": [box.left, box.top, box.width, box.height],
        "area": box.width * box.height,
        "iscrowd": 0,
        "segmentation": [],
    }
    if box.confidence is not None:
        record["score"] = box.confidence
    return orjson.dumps(record)


# --- in ------------------------------------------------------------------------------------------------------------


class CocoFile:
    """A COCO document that was read: `labels` in category order, `items()` image by image, bad ones with reasons."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._problems: list[BadItem] = []
        self._names = self._categories()
        self.labels: tuple[str, ...] = tuple(dict.fromkeys(self._names.values()))

    def items(self) -> Iterator[Item]:
        """Every image in the order of the file with its boxes; then what could not be used."""
        problems = list(self._problems)
        by_image: dict[Any, list[tuple[int, Mapping[str, Any]]]] = {}
        for place, record in enumerate(self._records("annotations")):
            where = f"annotations[{place}]"
            if not isinstance(record, Mapping) or not _is_id(record.get("image_id")):
                problems.append(BadItem(where, "image_id is missing"))
                continue
            by_image.setdefault(record["image_id"], []).append((place, record))
        seen: set[Any] = set()
        for place, record in enumerate(self._records("images")):
            image = _read_image(record, f"images[{place}]", seen)
            if isinstance(image, BadItem):
                problems.append(image)
                continue
            boxes: list[Box] = []
            for at, annotation in by_image.pop(record["id"], ()):
                try:
                    boxes.append(self._box(annotation, image.image_size))
                except ValueError as error:
                    problems.append(BadItem(f"annotations[{at}] ({image.source})", str(error)))
            yield LabeledImage(image.source, image.image_size, tuple(boxes))
        for identity, left in by_image.items():
            for at, _ in left:
                problems.append(BadItem(f"annotations[{at}]", f"there is no usable image with id {identity!r}"))
        yield from problems

    def _records(self, name: str) -> list[Any]:
        found = self._document.get(name, [])
        if not isinstance(found, list):
            raise ValueError(f"{name!r} must be a list")
        return found

    def _categories(self) -> dict[Any, str]:
        names: dict[Any, str] = {}
        for place, record in enumerate(self._records("categories")):
            where = f"categories[{place}]"
            if not isinstance(record, Mapping) or not _is_id(record.get("id")):
                self._problems.append(BadItem(where, "id is missing"))
            elif not isinstance(record.get("name"), str) or not record["name"]:
                self._problems.append(BadItem(where, "name is missing"))
            elif record["id"] in names:
                self._problems.append(BadItem(where, f"id {record['id']!r} appears twice"))
            else:
                names[record["id"]] = record["name"]
        return names

    def _box(self, record: Mapping[str, Any], size: ImageSize) -> Box:
        bbox = record.get("bbox")
        if not isinstance(bbox, list) or len(bbox) != 4 or not all(_is_number(value) for value in bbox):
            raise ValueError("bbox must be four finite numbers")
        category = record.get("category_id")
        if not _is_id(category) or category not in self._names:
            raise ValueError(f"there is no category with id {category!r}")
        score = record.get("score")
        confidence = score if _is_number(score) and 0 <= score <= 1 else None
        left, top, width, height = bbox
        return fitted(Box(self._names[category], left, top, width, height, confidence), size)


def read_coco(source: bytes | BinaryIO, *, max_bytes: int = MAX_BYTES) -> CocoFile:
    """Read a COCO detection document (it is one JSON value, so all of it is in memory); raises ValueError."""
    raw = source if isinstance(source, bytes) else source.read(max_bytes + 1)
    if len(raw) > max_bytes:
        raise ValueError(f"the COCO file has more than {max_bytes:,} bytes")
    try:
        document = orjson.loads(raw.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        raise ValueError(f"the COCO file is not valid JSON (line {error.lineno}, column {error.colno})") from None
    if not isinstance(document, dict) or not isinstance(document.get("images"), list):
        raise ValueError("this is not a COCO file: the list 'images' is missing")
    return CocoFile(document)


def _read_image(record: Any, where: str, seen: set[Any]) -> LabeledImage | BadItem:
    if not isinstance(record, Mapping) or not _is_id(record.get("id")):
        return BadItem(where, "id is missing")
    if not isinstance(record.get("file_name"), str) or not record["file_name"]:
        return BadItem(where, "file_name is missing")
    if record["id"] in seen:
        return BadItem(where, f"id {record['id']!r} appears twice")
    sides = (record.get("width"), record.get("height"))
    if not all(isinstance(side, int) and not isinstance(side, bool) and side > 0 for side in sides):
        return BadItem(where, f"width and height must be positive whole numbers, found {sides[0]!r} x {sides[1]!r}")
    seen.add(record["id"])
    return LabeledImage(record["file_name"], ImageSize(record["width"], record["height"]))


def _is_id(value: Any) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool)


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
