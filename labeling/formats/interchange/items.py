"""What all interchange formats share: images with boxes, and items that could not be read.

Also their conversion from and to manifest lines. It must not know any one format, storage or jobs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from labeling.formats import augmented
from labeling.formats.augmented_reading import label_state, read_boxes
from labeling.formats.manifest import BadLine, Line
from labeling.formats.shapes import Box, ImageSize

OVERHANG = 1.0  # Pixels that a box may reach out of its image: other tools round outwards.


@dataclass(frozen=True, slots=True)
class LabeledImage:
    """One image with its boxes. `source` is the URI when exporting, the file name in the set when importing."""

    source: str
    image_size: ImageSize
    boxes: tuple[Box, ...] = ()


@dataclass(frozen=True, slots=True)
class BadItem:
    """One thing that cannot be used: `where` names the file, member or annotation."""

    where: str
    reason: str

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"


Item = LabeledImage | BadItem


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
        yield LabeledImage(line.source_ref, label.image_size, label.boxes)


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
            yield augmented.box_line(
                orjson.dumps({"source-ref": uri}),
                attr,
                item.boxes,
                image_size=item.image_size,
                labels=labels,
                human_annotated=human_annotated,
                job_name=job_name,
                created=stamp,
            )
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


def fitted(box: Box, size: ImageSize) -> Box:
    """The box inside its image; raises ValueError when it has no area or reaches out by more than OVERHANG pixels."""
    if not (box.width > 0 and box.height > 0):
        raise ValueError(f"the box has no area ({box.width:g} x {box.height:g})")
    x1, y1, x2, y2 = box.corners
    outside = max(-x1, -y1, x2 - size.width, y2 - size.height)
    if outside <= 0:
        return box
    # a box moved inside must keep some area, whatever the rounding was
    left, top, right, bottom = max(x1, 0), max(y1, 0), min(x2, size.width), min(y2, size.height)
    if outside > OVERHANG or right <= left or bottom <= top:
        raise ValueError(
            f"the box ({x1:g}, {y1:g}) to ({x2:g}, {y2:g}) lies outside the image ({size.width} x {size.height})"
        )
    return Box.from_corners(box.label, left, top, right, bottom, box.confidence)
