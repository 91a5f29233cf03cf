"""COCO JSON, out, in one pass and constant memory. Boxes are [x, y, width, height] in pixels; an outline or a mask is
an annotation with a segmentation, and the points of an image are the key points of one object or of several.

It must not know how a file name becomes an object: the caller says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO

import orjson

from labeling.formats import geometry, segments
from labeling.formats.interchange.items import LabeledImage, class_order, class_place
from labeling.formats.interchange.member_names import Names
from labeling.formats.shapes import Box, ImageSize, Keypoint, Polygon, Segment

POSE = "object"
"""The category that has the points of a job, which says only how each point is called."""

_SPOOL = 8_000_000
_CHUNK = 1 << 20


def write_coco(
    objects: Iterable[LabeledImage],
    out: BinaryIO,
    *,
    labels: Sequence[str],
    info: Mapping[str, Any] | None = None,
    on_image: Callable[[str, LabeledImage], None] | None = None,
    points: bool = False,
) -> int:
    """Write one JSON document and return the number of images.

    Categories are `labels` in order with ids from 1; every image carries its URI in `coco_url` and a safe, unique
    relative `file_name`; a box or an outline with a confidence carries it as `score`. Annotations wait in a temporary
    file while the images are written, so memory does not grow. `on_image` is called with the `file_name` of each image,
    in order. With `points` there is one category, whose key points are `labels`.
    Raises ValueError for a class that is not in `labels`.
    """
    order = class_order(labels)
    categories: list[dict[str, Any]]
    if points:
        categories = [{"id": 1, "name": POSE, "supercategory": "", "keypoints": list(labels), "skeleton": []}]
    else:
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
            for record in _records(image, order):
                line = orjson.dumps({"id": annotations + 1, "image_id": images, **record})
                spool.write((b",\n" if annotations else b"\n") + line)
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


def _records(image: LabeledImage, order: dict[str, int]) -> Iterator[dict[str, Any]]:
    """The annotations of an image, without their ids."""
    shapes: list[Box | Polygon | Segment] = [*image.boxes, *image.outlines, *image.masks]
    for shape in shapes:
        place = class_place(order, shape.label, image.source)
        yield _scored({"category_id": place + 1, **_geometry(shape, image.image_size), "iscrowd": 0}, shape.confidence)
    for pose in _poses(image.points):
        yield _pose(pose, order, image.source)


def _geometry(shape: Box | Polygon | Segment, size: ImageSize) -> dict[str, Any]:
    if isinstance(shape, Segment):
        outline = {"size": [size.height, size.width], "counts": shape.counts}
        bbox = list(segments.box(shape, size.height))
        return {"bbox": bbox, "area": float(segments.area(shape)), "segmentation": outline}
    if isinstance(shape, Polygon):
        left, top, right, bottom = geometry.bounds(shape.vertices)
        return {
            "bbox": [left, top, right - left, bottom - top],
            "area": geometry.polygon_area(shape.vertices),
            "segmentation": [[number for vertex in shape.vertices for number in vertex]],
        }
    sides = [shape.left, shape.top, shape.width, shape.height]
    return {"bbox": sides, "area": shape.width * shape.height, "segmentation": []}


def _scored(record: dict[str, Any], confidence: float | None) -> dict[str, Any]:
    return record if confidence is None else {**record, "score": confidence}


def _poses(points: Sequence[Keypoint]) -> list[list[Keypoint]]:
    """Points in groups that have each name once: nobody has said which of several belong to one body."""
    poses: list[list[Keypoint]] = []
    seen: dict[str, int] = {}
    for point in points:
        place = seen.get(point.label, 0)
        seen[point.label] = place + 1
        if place == len(poses):
            poses.append([])
        poses[place].append(point)
    return poses


def _pose(points: Sequence[Keypoint], order: dict[str, int], source: str) -> dict[str, Any]:
    flat: list[float] = [0] * (3 * len(order))
    scores: list[float | None] = [None] * len(order)
    for point in points:
        place = class_place(order, point.label, source)
        flat[3 * place : 3 * place + 3] = [point.x, point.y, 2]
        scores[place] = point.confidence
    xs, ys = [point.x for point in points], [point.y for point in points]
    width, height = max(xs) - min(xs), max(ys) - min(ys)
    record = {
        "category_id": 1,
        "bbox": [min(xs), min(ys), width, height],
        "area": width * height,
        "segmentation": [],
        "iscrowd": 0,
        "keypoints": flat,
        "num_keypoints": len(points),
    }
    return record if all(score is None for score in scores) else {**record, "keypoint_scores": scores}
