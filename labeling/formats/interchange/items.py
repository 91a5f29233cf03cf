"""What all interchange formats share: images with boxes, and items that could not be read.

Also their conversion from and to manifest lines. It must not know any one format, storage or jobs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import orjson

from labeling.formats import augmented, geometry
from labeling.formats.augmented_reading import label_state, read_boxes
from labeling.formats.label_context import LabelContext
from labeling.formats.manifest import BadLine, Line, source_name
from labeling.formats.shapes import Box, ImageSize, Polygon, Segment

OVERHANG = 1.0  # Pixels that a box may reach out of its image: other tools round outwards.

SKIPPED, CLIPPED, REPAIRED, CROWD = "skipped", "clipped", "repaired", "crowd"
"""What can become of something that is not as it should be."""

CROWD_REGION = "is a region of many objects (iscrowd 1), not one object: it is left out"


@dataclass(frozen=True, slots=True)
class LabeledImage:
    """One image with its boxes, outlines or masks, which have its size.

    `source` is the URI when exporting, the file name in the set on importing.

    `name` is the name that the image had before it was stored under a key of ours, "" when its address has its name.
    `content` is the file's bytes when the image itself is to go into the export.
    """

    source: str
    image_size: ImageSize
    boxes: tuple[Box, ...] = ()
    name: str = ""
    content: bytes | None = field(default=None, compare=False, repr=False)
    outlines: tuple[Polygon, ...] = ()
    masks: tuple[Segment, ...] = ()

    @property
    def file_name(self) -> str:
        """What names of files in an export are made of."""
        return self.name or self.source


@dataclass(frozen=True, slots=True)
class BadItem:
    """One thing that is not as it should be: `where` names the file, member or annotation.

    `done` says what became of it: SKIPPED, or used after it was CLIPPED or REPAIRED, or a CROWD that is kept apart;
    `reason` says what was found and what was done.
    """

    where: str
    reason: str
    done: str = SKIPPED

    @property
    def used(self) -> bool:
        """Whether it became part of the labels."""
        return self.done in (CLIPPED, REPAIRED)

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"


@dataclass(frozen=True, slots=True)
class FoundBox:
    """A box as a file has it, not yet compared with its image; `crowd`: it surrounds many objects, not one."""

    where: str
    box: Box
    crowd: bool = False


@dataclass(frozen=True, slots=True)
class FoundImage:
    """An image as a file names it, with all that the file says of it and nothing decided yet.

    `names` are the names by which the image may be found, the most certain first, `stems` the same without file
    endings, `uri` its address where we wrote the file. `size` is what the file says, None with a `size_problem` when
    it says nothing usable. The boxes are in pixels, or in shares of the image's sides when `relative`. `problems` are
    parts that could not be read. `labeled` is False where the file says that nobody has looked at the image.
    """

    where: str
    names: tuple[str, ...] = ()
    stems: tuple[str, ...] = ()
    uri: str = ""
    size: ImageSize | None = None
    size_problem: str = ""
    boxes: tuple[FoundBox, ...] = ()
    problems: tuple[BadItem, ...] = ()
    relative: bool = False
    labeled: bool = True


Item = LabeledImage | BadItem

FindSize = Callable[[str], ImageSize | None]
"""Tells the displayed size of an image by its name in the set, None when there is no such image."""


def from_manifest(lines: Iterable[Line | BadLine], attr: str) -> Iterator[Item]:
    """The labeled images of a manifest, streamed. Lines without a label or with a failure are left out."""
    for line in lines:
        if isinstance(line, BadLine):
            yield BadItem(f"line {line.number}", line.reason)
            continue
        if label_state(line.attributes, attr) != "labeled":
            continue
        try:
            label = read_boxes(line.attributes, attr)
        except ValueError as error:
            yield BadItem(f"line {line.number}", str(error))
            continue
        if line.source_ref is None or label.image_size is None:
            missing = "'source-ref'" if line.source_ref is None else f"{attr!r} has no image_size"
            yield BadItem(f"line {line.number}", f"{missing} is missing" if line.source_ref is None else missing)
            continue
        yield LabeledImage(line.source_ref, label.image_size, label.boxes, source_name(line.attributes))


def to_manifest(
    items: Iterable[Item],
    attr: str,
    *,
    labels: Sequence[str],
    job_name: str,
    resolve: Callable[[str], str | None],
    human_annotated: bool = True,
    created: datetime | str | None = None,
) -> Iterator[bytes | BadItem]:
    """Augmented-manifest lines (without line ends) of imported images; bad items pass.

    `resolve` turns the name in the set into the URI of the image, None when there is no such image.
    """
    stamp = augmented.creation_date(created)
    for item in items:
        if isinstance(item, BadItem):
            yield item
            continue
        uri = resolve(item.source)
        if uri is None:
            yield BadItem(item.source, "there is no such image")
            continue
        try:
            about = LabelContext(
                labels=labels,
                image_size=ImageSize(*item.image_size),
                human_annotated=human_annotated,
                job_name=job_name,
                created=stamp,
            )
            yield augmented.box_line(orjson.dumps({"source-ref": uri}), attr, item.boxes, about)
        except ValueError as error:
            yield BadItem(item.source, str(error))


def class_order(labels: Sequence[str]) -> dict[str, int]:
    """Class name -> index; raises ValueError when a name appears twice."""
    order = {label: place for place, label in enumerate(labels)}
    if len(order) != len(labels):
        raise ValueError("labels must be unique")
    return order


def class_place(order: dict[str, int], label: str, source: str) -> int:
    """The index of a box's class; raises ValueError naming the image and the class."""
    if label not in order:
        raise ValueError(f"{source}: {label!r} is not one of the labels")
    return order[label]


def fitted_boxes(found: FoundImage, size: ImageSize) -> tuple[list[Box], list[Box], list[BadItem]]:
    """(boxes, regions of crowds, what was cut or cannot be used) of an image with these displayed pixels."""
    boxes: list[Box] = []
    crowds: list[Box] = []
    problems = list(found.problems)
    for one in found.boxes:
        try:
            box, repair = fitted(scaled(one.box, size) if found.relative else one.box, size)
        except ValueError as error:
            problems.append(BadItem(one.where, str(error)))
            continue
        if one.crowd:
            crowds.append(box)
            problems.append(BadItem(one.where, CROWD_REGION, CROWD))
            continue
        boxes.append(box)
        if repair:
            problems.append(BadItem(one.where, repair, CLIPPED))
    return boxes, crowds, problems


def settled(found: FoundImage, *, source: str, size: ImageSize) -> tuple[LabeledImage, list[BadItem]]:
    """The image with the boxes that are usable in it, and what is to be said of the others."""
    boxes, _, problems = fitted_boxes(found, size)
    return LabeledImage(source, size, tuple(boxes)), problems


def scaled(box: Box, size: ImageSize) -> Box:
    """A box in shares of the image's sides, in pixels."""
    sides = (box.left * size.width, box.top * size.height, box.width * size.width, box.height * size.height)
    return Box(box.label, *sides, box.confidence)


def fitted(box: Box, size: ImageSize) -> tuple[Box, str]:
    """The box inside its image, and what was cut off when it reached out by more than OVERHANG pixels, else "".

    Raises ValueError when it has no area, or none inside its image.
    """
    if not (box.width > 0 and box.height > 0):
        raise ValueError(f"the box has no area ({box.width:g} x {box.height:g})")
    x1, y1, x2, y2 = box.corners
    outside = max(-x1, -y1, x2 - size.width, y2 - size.height)
    if outside <= 0:
        return box, ""
    left, top, right, bottom = max(x1, 0), max(y1, 0), min(x2, size.width), min(y2, size.height)
    said = f"the box ({x1:g}, {y1:g}) to ({x2:g}, {y2:g}) lies outside the image ({size.width} x {size.height})"
    if right <= left or bottom <= top:
        raise ValueError(said)
    clipped = Box.from_corners(box.label, left, top, right, bottom, box.confidence)
    return clipped, "" if outside <= OVERHANG else f"{said}: it was clipped"


def fitted_outline(outline: Polygon, size: ImageSize) -> tuple[Polygon, str]:
    """The outline with its vertices moved into its image, and what was moved when one lay out by more than OVERHANG
    pixels, else "". Raises ValueError when it has no area there."""
    x1, y1, x2, y2 = geometry.bounds(outline.vertices)
    outside = max(-x1, -y1, x2 - size.width, y2 - size.height)
    inside = tuple((min(max(x, 0), size.width), min(max(y, 0), size.height)) for x, y in outline.vertices)
    if geometry.polygon_area(inside) <= 0:
        raise ValueError(f"the outline has no area in the image ({size.width} x {size.height})")
    said = f"the outline reaches out of the image ({size.width} x {size.height}): it was clipped"
    return replace(outline, vertices=inside), said if outside > OVERHANG else ""


def around(points: Sequence[float]) -> tuple[float, float, float, float]:
    """(left, top, right, bottom) of a polygon x1, y1, x2, y2, ... Raises ValueError for fewer than three points."""
    if len(points) < 6 or len(points) % 2:
        raise ValueError(f"a polygon has at least three points, found {len(points)} numbers")
    xs, ys = points[::2], points[1::2]
    return min(xs), min(ys), max(xs), max(ys)
