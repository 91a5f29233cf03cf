"""CVAT's XML "for images" 1.1, in: boxes, polygons, polylines, points, skeletons, masks and tags of each image.

Coordinates are pixels. The document is read image by image. It must not know jobs or storage.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import numpy as np
from lxml import etree

from labeling.formats import rasters
from labeling.formats.augmented_reading import BLANKS
from labeling.formats.interchange import kinds
from labeling.formats.interchange.items import REPAIRED, BadItem, FoundImage, FoundPart
from labeling.formats.masks import MAX_PIXELS
from labeling.formats.shapes import Box, ImageSize, Keypoint, Part, Polygon, Segment, Tag

ELEMENTS = {
    kinds.BOXES: ("box",),
    kinds.POLYGONS: ("polygon",),
    kinds.LINES: ("polyline",),
    kinds.POINTS: ("points", "skeleton"),
    kinds.MASKS: ("mask", "polygon"),
    kinds.OBJECTS: ("mask", "polygon"),
    kinds.CLASSES: ("tag",),
}
"""The elements of an image that hold what is wanted."""

MOST_SHAPES = 20_000

Element = Any
Read = tuple[list[Part], str]
"""Parts, and what had to be changed of them, else ""."""


class CvatFile:
    """A document that was opened; `wanted` is one of `kinds`. Raises ValueError for what is no such document."""

    def __init__(self, stream: BinaryIO, *, wanted: str, name: str = "") -> None:
        self._stream, self._wanted, self._name = stream, wanted, f"{name} " if name else ""
        labels: dict[str, None] = {}
        for tag, element in self._events(("label", "image", "track")):
            if tag == "track":
                raise ValueError("is CVAT's format for videos: export the task as 'CVAT for images 1.1'")
            if tag == "image":
                break
            if label := (element.findtext("name") or "").strip(BLANKS):
                labels[label] = None
        self.labels = tuple(labels)

    def found(self) -> Iterator[FoundImage | BadItem]:
        """Every image in the order of the document; what follows damage is left out, with a reason."""
        place = 0
        try:
            for _, element in self._events(("image",)):
                yield self._image(element, f"{self._name}image[{place}]")
                place += 1
        except ValueError as error:
            yield BadItem(f"{self._name}image[{place}]", f"{error}: the rest is left out")

    def _events(self, tags: Sequence[str]) -> Iterator[tuple[str, Element]]:
        """The elements with these tags, each once it is whole, and forgotten afterwards."""
        self._stream.seek(0)
        # Entities stay as they are and nothing is loaded; libxml2 itself bounds what attributes can grow to.
        found = etree.iterparse(
            self._stream, events=("end",), tag=tuple(tags), resolve_entities=False, no_network=True, load_dtd=False
        )
        try:
            for _, element in found:
                info = element.getroottree().docinfo
                if info.doctype:
                    raise ValueError("declares a document type, which annotation files never need")
                if element.getroottree().getroot().tag != "annotations":
                    raise ValueError("is no CVAT file: the root is not <annotations>")
                yield str(element.tag), element
                if element.tag == "image":
                    element.clear()
                    while element.getprevious() is not None:
                        del element.getparent()[0]
        except etree.XMLSyntaxError as error:
            raise ValueError(f"is not valid XML ({error})") from None

    def _image(self, element: Element, where: str) -> FoundImage | BadItem:
        name = (element.get("name") or "").strip()
        if not name:
            return BadItem(where, "name is missing")
        where = f"{where} ({name})"
        size = _size(element)
        parts: list[FoundPart] = []
        problems: list[BadItem] = []
        attributes: dict[str, None] = {}
        for place, shape in enumerate(sorted(_shapes(element), key=_height)):
            at = f"{where} {shape.tag}[{place}]"
            if place >= MOST_SHAPES:
                problems.append(BadItem(where, f"has more than {MOST_SHAPES:,} shapes; the rest is left out"))
                break
            if shape.tag not in ELEMENTS[self._wanted]:
                problems.append(BadItem(at, f"is a {shape.tag}, which is not what was asked for", aside=True))
                continue
            attributes |= dict.fromkeys(str(one.get("name")) for one in shape.iter("attribute"))
            try:
                found, said = self._read(shape, size)
            except (ValueError, OverflowError) as error:
                problems.append(BadItem(at, str(error)))
                continue
            parts += [FoundPart(at, part) for part in found]
            if said:
                problems.append(BadItem(at, said, REPAIRED))
        if attributes:
            problems.append(
                BadItem(where, f"the attributes {', '.join(attributes)[:200]} are not taken over", aside=True)
            )
        return FoundImage(
            where,
            (name,),
            size=size,
            size_problem="width and height must be positive whole numbers",
            parts=tuple(parts),
            problems=tuple(problems),
        )

    def _read(self, shape: Element, size: ImageSize | None) -> Read:
        label = (shape.get("label") or "").strip(BLANKS)
        if not label:
            raise ValueError("label is missing")
        if shape.tag == "tag":
            return [Tag(label)], ""
        if shape.tag == "box":
            return _box(shape, label)
        if shape.tag == "skeleton":
            return [point for one in shape.findall("points") for point in _points(one, one.get("label") or "")], ""
        if shape.tag == "points":
            return list(_points(shape, label)), ""
        if shape.tag == "mask":
            return [Segment(label, _mask(shape, size))], ""
        closed = shape.tag == "polygon"
        vertices = _vertices(shape, 3 if closed else 2)
        if self._wanted in (kinds.MASKS, kinds.OBJECTS):
            return [Segment(label, rasters.mask_of([vertices], _known(size)))], ""
        return [Polygon(label, vertices, closed)], ""


def _shapes(element: Element) -> list[Element]:
    return [child for child in element if isinstance(child.tag, str)]


def _height(shape: Element) -> int:
    """What lies on top of others comes last."""
    order = shape.get("z_order") or "0"
    return int(order) if order.lstrip("-").isdecimal() and len(order) < 10 else 0


def _size(element: Element) -> ImageSize | None:
    sides = [element.get(side) or "" for side in ("width", "height")]
    if not all(side.isdecimal() and len(side) < 8 and int(side) for side in sides):
        return None
    return ImageSize(*map(int, sides))


def _known(size: ImageSize | None) -> tuple[int, int]:
    if size is None:
        raise ValueError("becomes a mask only where the file says how large the image is")
    return size.width, size.height


def _number(shape: Element, name: str) -> float:
    try:
        value = float(shape.get(name) or "")
    except ValueError:
        raise ValueError(f"{name} must be a number, found {(shape.get(name) or '')[:40]!r}") from None
    if not math.isfinite(value):
        raise ValueError(f"{name} must be a finite number")
    return value


def _box(shape: Element, label: str) -> Read:
    """A turned box becomes the box around it: it turns clockwise about its middle."""
    x1, y1, x2, y2 = (_number(shape, name) for name in ("xtl", "ytl", "xbr", "ybr"))
    angle = _number(shape, "rotation") if shape.get("rotation") else 0.0
    if angle % 360 == 0:
        return [Box.from_corners(label, x1, y1, x2, y2)], ""
    cos, sin = abs(math.cos(math.radians(angle))), abs(math.sin(math.radians(angle)))
    wide, high = (abs(x2 - x1) * cos + abs(y2 - y1) * sin) / 2, (abs(x2 - x1) * sin + abs(y2 - y1) * cos) / 2
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    box = Box.from_corners(label, x - wide, y - high, x + wide, y + high)
    return [box], f"is turned by {angle:g} degrees: the box around it is used"


def _vertices(shape: Element, fewest: int) -> tuple[tuple[float, float], ...]:
    try:
        pairs = [pair.split(",") for pair in (shape.get("points") or "").split(";") if pair.strip()]
        vertices = tuple((float(x), float(y)) for x, y in pairs)
    except ValueError:
        raise ValueError(f"points must be pairs of numbers, found {(shape.get('points') or '')[:40]!r}") from None
    if not all(math.isfinite(part) for vertex in vertices for part in vertex):
        raise ValueError("points must be finite numbers")
    if len(vertices) < fewest:
        raise ValueError(f"has {len(vertices)} points, at least {fewest} are needed")
    return vertices


def _points(shape: Element, label: str) -> Iterator[Keypoint]:
    label = label.strip(BLANKS)
    if not label:
        raise ValueError("label is missing")
    if shape.get("outside") == "1":  # a point of a skeleton that is not on the image
        return
    for x, y in _vertices(shape, 1):
        yield Keypoint(label, x, y)


def _mask(shape: Element, size: ImageSize | None) -> str:
    left, top, width, height = (int(_number(shape, name)) for name in ("left", "top", "width", "height"))
    if min(width, height) < 1 or width * height > MAX_PIXELS:
        raise ValueError(f"its mask has {width} x {height} pixels, 1 to {MAX_PIXELS:,} are possible")
    try:
        runs = np.asarray([int(run) for run in (shape.get("rle") or "").split(",")], np.int64)
    except (ValueError, OverflowError):
        raise ValueError("rle must be whole numbers") from None
    if (runs < 0).any() or (runs > MAX_PIXELS).any() or int(runs.sum()) != width * height:
        raise ValueError(f"its run lengths do not cover {width} x {height} pixels")
    flat = np.repeat(np.arange(len(runs)) % 2, runs).astype(np.uint8)
    return rasters.mask_at(flat.reshape(height, width), left, top, _known(size))
