"""Files that say what is on images one by one: `.lst` lists of MXNet's im2rec, and the JSON files of SageMaker's object
detection, one for each image. It must not know storage, jobs or classes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import orjson

from labeling.formats.interchange.items import BadItem
from labeling.formats.shapes import Box, ImageSize

MAX_LINE = 1_000_000
"""Characters of a line of a list: more than ten thousand boxes."""


@dataclass(frozen=True, slots=True)
class ListedImage:
    """One line of a list: its 1-based number, the image's path relative to the images' folder, and its labels."""

    number: int
    path: str
    labels: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class AnnotatedImage:
    """One JSON file: the image's path, its size, boxes named by their class ids as text, and the names it gives."""

    path: str
    size: ImageSize
    boxes: tuple[Box, ...]
    class_map: dict[int, str]


def read_list(stream: BinaryIO) -> Iterator[ListedImage | BadItem]:
    """The lines `index <tab> label ... <tab> path`, streamed; one that cannot be read has its reason."""
    number = 0
    while raw := stream.readline(MAX_LINE):
        number += 1
        where = f"line {number}"
        if not raw.strip():
            continue
        try:
            *numbers, path = raw.decode().rstrip("\r\n").split("\t")
            index, *labels = [float(value) for value in numbers]
        except ValueError:
            yield BadItem(where, "is not 'index <tab> label ... <tab> path', with numbers before the path")
            continue
        if not labels or not math.isfinite(index) or not path.strip():
            yield BadItem(where, "is not 'index <tab> label ... <tab> path': a part is missing")
            continue
        yield ListedImage(number, path.strip(), tuple(labels))


def read_annotation(content: bytes) -> AnnotatedImage:
    """One JSON file {"file", "image_size", "annotations", "categories"}. Raises ValueError naming what is wrong."""
    try:
        body: Any = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"is not JSON: {error}") from None
    if not isinstance(body, Mapping):
        raise ValueError("an object expected")
    if not isinstance(path := body.get("file"), str) or not path:
        raise ValueError("'file' must be the name of the image")
    sizes = body.get("image_size")
    first = sizes[0] if isinstance(sizes, list) and sizes else None
    if not isinstance(first, Mapping):
        raise ValueError("'image_size' must be a list of one object with width, height and depth")
    size = ImageSize(
        _whole(first, "image_size[0]", "width", least=1),
        _whole(first, "image_size[0]", "height", least=1),
        _whole({"depth": 3, **first}, "image_size[0]", "depth", least=1),
    )
    boxes = tuple(_box(entry, place) for place, entry in enumerate(_entries(body, "annotations")))
    names: dict[int, str] = {}
    for place, entry in enumerate(_entries(body, "categories")):
        name = entry.get("name") if isinstance(entry, Mapping) else None
        if not isinstance(name, str) or not name.strip():
            raise ValueError(f"categories[{place}].name must be a text")
        names[_whole(entry, f"categories[{place}]", "class_id")] = name.strip()
    return AnnotatedImage(path, size, boxes, names)


def _entries(body: Mapping[str, Any], name: str) -> list[Any]:
    found = body.get(name, [])
    if not isinstance(found, list):
        raise ValueError(f"{name!r} must be a list")
    return found


def _box(entry: Any, place: int) -> Box:
    where = f"annotations[{place}]"
    kind = _whole(entry, where, "class_id")
    sides = []
    for name in ("left", "top", "width", "height"):
        value = entry.get(name)
        if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
            raise ValueError(f"{where}.{name} must be a number, found {value!r}")
        sides.append(float(value))
    left, top, width, height = sides
    return Box(str(kind), left, top, width, height)


def _whole(entry: Any, where: str, name: str, least: int = 0) -> int:
    value = entry.get(name) if isinstance(entry, Mapping) else None
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value < 2**31:
        raise ValueError(f"{where}.{name} must be a whole number from {least} on, found {value!r}")
    return value
