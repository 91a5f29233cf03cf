"""Polygons, polylines and key points as labels: plain JSON, and label attributes of augmented manifests.

Ground Truth has no built-in job of these for images, so that its labels of them come out of custom templates: the value
is the one of the crowd element, and the metadata are those of a custom job. `objects` are ours: the confidence of each
shape, as labels of boxes have it. It must not know storage or jobs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labeling.formats import augmented, augmented_reading, label_attributes
from labeling.formats.answers import MAX_SHAPES, MAX_VERTICES
from labeling.formats.label_context import LabelContext
from labeling.formats.shapes import Drawing, Keypoint, Polygon

SIZE = "inputImageProperties"
LEAST_VERTICES = {"polygons": 3, "polylines": 2}
"""Of the outlines under each member of the value; `keypoints` is the third member there is."""

Shapes = Drawing[Any]
"""Of polygons, polylines or points, as the member of the value says."""


@dataclass(frozen=True, slots=True)
class ShapeLabel:
    """A label that a manifest line has, and where it came from."""

    drawing: Any
    origin: augmented_reading.Origin


def plain(drawing: Shapes, member: str) -> dict[str, Any]:
    """The crowd element's value, each shape with its confidence."""
    return {
        member: [{**place(shape), "confidence": shape.confidence} for shape in drawing.shapes],
        SIZE: {"height": drawing.size[1], "width": drawing.size[0]},
    }


def drawing_of(value: Mapping[str, Any], member: str) -> Any:
    """The Drawing that `plain` wrote."""
    size = value[SIZE]["width"], value[SIZE]["height"]
    if member not in LEAST_VERTICES:
        points = (
            Keypoint(one["label"], one["x"], one["y"], one["confidence"], label_attributes.read(one))
            for one in value[member]
        )
        return Drawing(tuple(points), size)
    closed = member == "polygons"
    outlines = (
        Polygon(
            one["label"],
            tuple((v["x"], v["y"]) for v in one["vertices"]),
            closed,
            one["confidence"],
            label_attributes.read(one),
        )
        for one in value[member]
    )
    return Drawing(tuple(outlines), size)


def shape_label(drawing: Shapes, member: str, about: LabelContext) -> tuple[dict[str, Any], dict[str, Any]]:
    """(value, metadata). Raises ValueError naming the shape and what is wrong with it."""
    index = augmented.class_index(about.labels)
    size = about.image_size
    written, objects = [], []
    for number, shape in enumerate(drawing.shapes):
        where = f"{member}[{number}]"
        augmented.id_of_class(index, shape.label, where)
        written.append(_checked(place(shape), where))
        objects.append({"confidence": augmented.checked_confidence(shape.confidence, where)})
    metadata = {
        "objects": objects,
        "type": augmented.TYPE_CUSTOM,
        "human-annotated": augmented.yes_no(about),
        "creation-date": augmented.creation_date(about.created),
        "job-name": augmented.job_of(about),
    }
    value = {SIZE: {"height": size.height, "width": size.width}, member: written}
    return value, augmented.with_model(metadata, about)


def read_shapes(attributes: Mapping[str, Any], attr: str, member: str) -> ShapeLabel:
    """The shapes under `attr`. Raises ValueError naming the member that is missing or of the wrong kind."""
    value = augmented_reading.label_value(attributes, attr)
    metadata = augmented_reading.label_metadata(attributes, attr)
    rows = value.get(member) if isinstance(value, Mapping) else None
    if not isinstance(rows, list) or len(rows) > MAX_SHAPES:
        raise ValueError(f"{attr!r} has no list {member!r} of at most {MAX_SHAPES} shapes")
    size = _size(value.get(SIZE), f"{attr}.{SIZE}")
    objects = metadata.get("objects")
    objects = objects if isinstance(objects, list) else []
    shapes = [
        _read(row, f"{attr}.{member}[{place}]", member, _confidence(objects, place, attr))
        for place, row in enumerate(rows)
    ]
    return ShapeLabel(Drawing(tuple(shapes), size), augmented_reading.read_origin(metadata))


def place(shape: Polygon | Keypoint) -> dict[str, Any]:
    """Its class, its points and its attributes, as the element's value has them."""
    said = label_attributes.written(shape.attributes)
    if isinstance(shape, Keypoint):
        return {"label": shape.label, "x": shape.x, "y": shape.y, **said}
    return {"label": shape.label, "vertices": [{"x": x, "y": y} for x, y in shape.vertices], **said}


def _checked(row: dict[str, Any], where: str) -> dict[str, Any]:
    """The row with whole pixels as integers."""
    points = row.get("vertices", [row])
    for point in points:
        point.update(x=augmented.checked_pixels(point["x"], where), y=augmented.checked_pixels(point["y"], where))
    return row


def _size(found: Any, where: str) -> tuple[int, int]:
    if not isinstance(found, Mapping):
        raise ValueError(f"{where} is missing")
    width, height = (augmented_reading.read_whole(found.get(name), f"{where}.{name}") for name in ("width", "height"))
    if not (1 <= width <= augmented_reading.MAX_SIDE and 1 <= height <= augmented_reading.MAX_SIDE):
        raise ValueError(f"{where} is {width} x {height}, 1 to {augmented_reading.MAX_SIDE:,} pixels a side expected")
    return width, height


def _read(row: Any, where: str, member: str, confidence: float | None) -> Polygon | Keypoint:
    if not isinstance(row, Mapping) or not isinstance(row.get("label"), str):
        raise ValueError(f"{where}.label is missing")
    label, said = row["label"].strip(augmented_reading.BLANKS), label_attributes.read(row)
    if member not in LEAST_VERTICES:
        return Keypoint(label, *_point(row, where), confidence, said)
    vertices, least = row.get("vertices"), LEAST_VERTICES[member]
    if not isinstance(vertices, list) or not least <= len(vertices) <= MAX_VERTICES:
        raise ValueError(f"{where}.vertices must be a list of {least} to {MAX_VERTICES:,} points")
    points = tuple(_point(vertex, f"{where}.vertices[{place}]") for place, vertex in enumerate(vertices))
    return Polygon(label, points, member == "polygons", confidence, said)


def _point(row: Any, where: str) -> tuple[float, float]:
    if not isinstance(row, Mapping):
        raise ValueError(f"{where} must be an object")
    return (
        augmented_reading.read_coordinate(row.get("x"), f"{where}.x"),
        augmented_reading.read_coordinate(row.get("y"), f"{where}.y"),
    )


def _confidence(objects: Sequence[Any], place: int, attr: str) -> float | None:
    known = objects[place] if place < len(objects) else None
    found = known.get("confidence") if isinstance(known, Mapping) else None
    return augmented_reading.read_confidence(found, f"{attr}-metadata.objects[{place}].confidence")
