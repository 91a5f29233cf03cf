"""Workers' answers: crowd-element JSON <-> Box, Polygon, Keypoint, Span, Vote, strictly checked.

A submitted answer is untrusted input: every error is an AnswerError that names the field. Coordinates are displayed
pixels. It must not know tasks, workers' accounts or storage. Masks are in `mask_answers`.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from labeling.formats import label_attributes
from labeling.formats.shapes import Box, ImageSize, Keypoint, Polygon, Span, Vote

__all__ = ["Box", "ImageSize", "Keypoint", "Polygon", "Span", "Vote"]  # the nouns of this file

OVERHANG = 1.0  # pixels a shape may reach past the image before it is an error; up to that it is clipped
SMALLEST = 1e-6  # pixels a side of a box must have, far below what anybody can draw; areas must not become 0
MAX_SHAPES = 1000
MAX_VERTICES = 5000
MAX_TEXT = 20_000


class AnswerError(ValueError):
    """What is wrong with an answer, and where: `field` is a path such as 'boundingBox.boundingBoxes[3].width'."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


# --- boxes ---------------------------------------------------------------------------------------------------------


def parse_bounding_box_answer(
    content: Mapping[str, Any],
    *,
    labels: Collection[str],
    image_size: ImageSize | tuple[int, ...],
    element_name: str = "boundingBox",
    max_boxes: int = MAX_SHAPES,
) -> list[Box]:
    """The boxes of a `<crowd-bounding-box>` answer, in the order drawn; an empty list means nothing to label.

    A box reaching at most OVERHANG pixels out of the image is clipped to it; further out, a size that is not
    positive, an unknown label, a number that is not finite, or an image size other than `image_size` is an
    AnswerError.
    """
    element = _element(content, element_name)
    size = ImageSize(*image_size)
    _check_image_size(element, element_name, size)
    items, path = _items(element, "boundingBoxes", element_name, max_boxes)
    return [_box(item, f"{path}[{place}]", labels, size) for place, item in enumerate(items)]


def _box(item: Any, where: str, labels: Collection[str], size: ImageSize) -> Box:
    item = _object(item, where)
    label = _label(item, where, labels)
    left, top = (_number(item, name, where) for name in ("left", "top"))
    width, height = (_positive(item, name, where) for name in ("width", "height"))
    left, width = _clip_extent(left, width, size.width, where, "left", "width")
    top, height = _clip_extent(top, height, size.height, where, "top", "height")
    return Box(label, left, top, width, height, attributes=_attributes(item, where))


def _clip_extent(
    start: float, extent: float, limit: int, where: str, start_name: str, extent_name: str
) -> tuple[float, float]:
    end = start + extent
    if start < -OVERHANG or start >= limit:
        raise AnswerError(f"{where}.{start_name}", f"is {start:g}, outside the image (0 to {limit})")
    if end > limit + OVERHANG or end <= 0:
        problem = f"is {extent:g}: the box ends at {end:g}, outside the image (0 to {limit})"
        raise AnswerError(f"{where}.{extent_name}", problem)
    if start < 0 or end > limit:
        start, extent = max(start, 0), min(end, limit) - max(start, 0)
    if extent < SMALLEST:
        raise AnswerError(f"{where}.{extent_name}", f"is {extent:g} inside the image, must be at least {SMALLEST:g}")
    return start, extent


def bounding_box_content(
    boxes: Sequence[Box], *, image_size: ImageSize | tuple[int, ...], element_name: str = "boundingBox"
) -> dict[str, Any]:
    """The answer a worker's page would send for these boxes."""
    return {
        element_name: {
            "boundingBoxes": [
                {"height": b.height, "label": b.label, "left": b.left, "top": b.top, "width": b.width}
                | label_attributes.written(b.attributes)
                for b in boxes
            ],
            "inputImageProperties": _image_properties(image_size),
        }
    }


# --- outlines and points -------------------------------------------------------------------------------------------

_OUTLINES = {"polygons": (3, True), "polylines": (2, False), "lines": (2, False)}


def parse_polygon_answer(
    content: Mapping[str, Any],
    *,
    labels: Collection[str],
    image_size: ImageSize | tuple[int, ...],
    element_name: str = "annotatedResult",
    member: str = "polygons",
    max_shapes: int = MAX_SHAPES,
) -> list[Polygon]:
    """Outlines of `<crowd-polygon>`, `<crowd-polyline>` or `<crowd-line>`: `member` polygons, polylines or lines."""
    at_least, closed = _OUTLINES[member]
    element = _element(content, element_name)
    size = ImageSize(*image_size)
    _check_image_size(element, element_name, size)
    items, path = _items(element, member, element_name, max_shapes)
    outlines = []
    for place, item in enumerate(items):
        where = f"{path}[{place}]"
        label = _label(_object(item, where), where, labels)
        vertices = item.get("vertices")
        if not isinstance(vertices, list) or not at_least <= len(vertices) <= MAX_VERTICES:
            raise AnswerError(f"{where}.vertices", f"must be a list of {at_least} to {MAX_VERTICES} points")
        if member == "lines" and len(vertices) != 2:
            raise AnswerError(f"{where}.vertices", f"must hold 2 points, found {len(vertices)}")
        points = tuple(_point(v, f"{where}.vertices[{n}]", size) for n, v in enumerate(vertices))
        outlines.append(Polygon(label, points, closed, attributes=_attributes(item, where)))
    return outlines


def parse_keypoint_answer(
    content: Mapping[str, Any],
    *,
    labels: Collection[str],
    image_size: ImageSize | tuple[int, ...],
    element_name: str = "annotatedResult",
    max_shapes: int = MAX_SHAPES,
) -> list[Keypoint]:
    """The points of a `<crowd-keypoint>` answer."""
    element = _element(content, element_name)
    size = ImageSize(*image_size)
    _check_image_size(element, element_name, size)
    items, path = _items(element, "keypoints", element_name, max_shapes)
    points = []
    for place, item in enumerate(items):
        where = f"{path}[{place}]"
        label = _label(_object(item, where), where, labels)
        points.append(Keypoint(label, *_point(item, where, size), attributes=_attributes(item, where)))
    return points


def _point(item: Any, where: str, size: ImageSize) -> tuple[float, float]:
    item = _object(item, where)
    return _coordinate(item, "x", where, size.width), _coordinate(item, "y", where, size.height)


def _coordinate(item: Mapping[str, Any], name: str, where: str, limit: int) -> float:
    value = _number(item, name, where)
    if not -OVERHANG <= value <= limit + OVERHANG:
        raise AnswerError(f"{where}.{name}", f"is {value:g}, outside the image (0 to {limit})")
    return min(max(value, 0), limit)


def polygon_content(
    outlines: Sequence[Polygon],
    *,
    image_size: ImageSize | tuple[int, ...],
    element_name: str = "annotatedResult",
    member: str = "polygons",
) -> dict[str, Any]:
    """The answer a worker's page would send for these outlines."""
    shapes = [
        {"label": o.label, "vertices": [{"x": x, "y": y} for x, y in o.vertices]}
        | label_attributes.written(o.attributes)
        for o in outlines
    ]
    return {element_name: {"inputImageProperties": _image_properties(image_size), member: shapes}}


def keypoint_content(
    points: Sequence[Keypoint],
    *,
    image_size: ImageSize | tuple[int, ...],
    element_name: str = "annotatedResult",
) -> dict[str, Any]:
    """The answer a worker's page would send for these points."""
    shapes = [{"label": p.label, "x": p.x, "y": p.y} | label_attributes.written(p.attributes) for p in points]
    return {element_name: {"inputImageProperties": _image_properties(image_size), "keypoints": shapes}}


# --- text spans ----------------------------------------------------------------------------------------------------


def parse_entity_answer(
    content: Mapping[str, Any],
    *,
    labels: Collection[str],
    text_length: int,
    element_name: str = "crowd-entity-annotation",
    max_spans: int = MAX_SHAPES,
) -> list[Span]:
    """The spans of a `<crowd-entity-annotation>` answer; `text_length` and offsets count code points."""
    element = _element(content, element_name)
    items, path = _items(element, "entities", element_name, max_spans)
    spans = []
    for place, item in enumerate(items):
        where = f"{path}[{place}]"
        label = _label(_object(item, where), where, labels)
        start, end = (_whole(item, name, where) for name in ("startOffset", "endOffset"))
        if not 0 <= start < text_length:
            raise AnswerError(f"{where}.startOffset", f"is {start}, outside the text (0 to {text_length})")
        if not start < end <= text_length:
            raise AnswerError(f"{where}.endOffset", f"is {end}, must be above {start} and at most {text_length}")
        spans.append(Span(label, start, end))
    return spans


def entity_content(spans: Sequence[Span], *, element_name: str = "crowd-entity-annotation") -> dict[str, Any]:
    """The answer a worker's page would send for these spans."""
    entities = [{"endOffset": s.end, "label": s.label, "startOffset": s.start} for s in spans]
    return {element_name: {"entities": entities}}


# --- classes -------------------------------------------------------------------------------------------------------


def parse_class_answer(
    content: Mapping[str, Any], *, labels: Collection[str], element_name: str = "crowd-image-classifier"
) -> Vote:
    """The choice of a `<crowd-image-classifier>` or `<crowd-classifier>` answer, with the comment if there is one."""
    element = _element(content, element_name)
    return Vote((_label(element, element_name, labels),), comment=_comment(element, element_name))


def parse_classes_answer(
    content: Mapping[str, Any],
    *,
    labels: Collection[str],
    exclusion: str | None = None,
    element_name: str = "crowd-image-classifier-multi-select",
) -> Vote:
    """The choices of a multi-select answer; `exclusion` ('None of the above') stands alone and becomes no label."""
    element = _element(content, element_name)
    limit = len(labels) + (exclusion is not None)
    items, path = _items(element, "labels", element_name, limit)
    chosen: list[str] = []
    for place, item in enumerate(items):
        where = f"{path}[{place}]"
        if isinstance(item, str) and item in chosen:
            raise AnswerError(where, f"{item!r} is chosen twice")
        if isinstance(item, str) and item == exclusion:
            if len(items) > 1:
                raise AnswerError(where, f"{exclusion!r} cannot be combined with other labels")
            break
        chosen.append(_known_label(item, where, labels))
    return Vote(tuple(chosen), comment=_comment(element, element_name))


def class_content(vote: Vote, *, element_name: str = "crowd-image-classifier") -> dict[str, Any]:
    """The answer a worker's page would send for a single choice."""
    return {element_name: {"label": vote.label} | ({"workerComment": vote.comment} if vote.comment else {})}


def classes_content(vote: Vote, *, element_name: str = "crowd-image-classifier-multi-select") -> dict[str, Any]:
    """The answer a worker's page would send for a multi choice."""
    return {element_name: {"labels": list(vote.labels)} | ({"workerComment": vote.comment} if vote.comment else {})}


# --- checks shared by all elements ---------------------------------------------------------------------------------


def _element(content: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(content, Mapping):
        raise AnswerError("answer", f"must be an object, found {_kind(content)}")
    if name not in content:
        raise AnswerError(name, "is missing")
    return _object(content[name], name)


def _object(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise AnswerError(where, f"must be an object, found {_kind(value)}")
    return value


def _items(element: Mapping[str, Any], member: str, where: str, limit: int) -> tuple[list[Any], str]:
    path = f"{where}.{member}"
    if member not in element:
        raise AnswerError(path, "is missing")
    items = element[member]
    if not isinstance(items, list):
        raise AnswerError(path, f"must be a list, found {_kind(items)}")
    if len(items) > limit:
        raise AnswerError(path, f"holds {len(items)} items, at most {limit} are allowed")
    return items, path


def _label(item: Mapping[str, Any], where: str, labels: Collection[str]) -> str:
    if "label" not in item:
        raise AnswerError(f"{where}.label", "is missing")
    return _known_label(item["label"], f"{where}.label", labels)


def _attributes(item: Mapping[str, Any], where: str) -> label_attributes.Values:
    try:
        return label_attributes.read(item)
    except label_attributes.AttributeProblem as error:
        raise AnswerError(f"{where}.{error.path}", error.problem) from None


def _known_label(value: Any, where: str, labels: Collection[str]) -> str:
    if not isinstance(value, str):
        raise AnswerError(where, f"must be a string, found {_kind(value)}")
    if value not in labels:
        raise AnswerError(where, f"{value[:100]!r} is not one of the labels of this task")
    return value


def _number(item: Mapping[str, Any], name: str, where: str) -> float:
    field = f"{where}.{name}"
    if name not in item:
        raise AnswerError(field, "is missing")
    value = item[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise AnswerError(field, f"must be a number, found {_kind(value)}")
    # huge integers overflow when they become floats, so they are refused before any arithmetic
    if (isinstance(value, float) and not math.isfinite(value)) or abs(value) > 1e9:
        raise AnswerError(field, "must be a finite number of pixels")
    return value


def _positive(item: Mapping[str, Any], name: str, where: str) -> float:
    value = _number(item, name, where)
    if value <= 0:
        raise AnswerError(f"{where}.{name}", f"is {value:g}, must be greater than 0")
    return value


def _whole(item: Mapping[str, Any], name: str, where: str) -> int:
    value = _number(item, name, where)
    if value != int(value):
        raise AnswerError(f"{where}.{name}", f"must be a whole number, found {value:g}")
    return int(value)


def _comment(element: Mapping[str, Any], where: str) -> str | None:
    comment = element.get("workerComment")
    if comment is None or comment == "":
        return None
    if not isinstance(comment, str) or len(comment) > MAX_TEXT:
        raise AnswerError(f"{where}.workerComment", f"must be a string of at most {MAX_TEXT} characters")
    if "\x00" in comment or any("\ud800" <= character <= "\udfff" for character in comment):
        raise AnswerError(f"{where}.workerComment", "holds a NUL character or half of a surrogate pair")
    return comment


def _check_image_size(element: Mapping[str, Any], where: str, size: ImageSize) -> None:
    """Boxes drawn on an image of another size (a rotated or scaled copy) would silently be in the wrong place."""
    found = element.get("inputImageProperties")
    if not found:
        return
    path = f"{where}.inputImageProperties"
    properties = _object(found, path)
    for name, expected in (("width", size.width), ("height", size.height)):
        value = _number(properties, name, path)
        if value != expected:
            raise AnswerError(f"{path}.{name}", f"is {value:g}, but the image has {expected}")


def _image_properties(image_size: ImageSize | tuple[int, ...]) -> dict[str, int]:
    size = ImageSize(*image_size)
    return {"height": size.height, "width": size.width}


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number" if isinstance(value, int | float) else type(value).__name__)
