"""What all interchange formats share: images and texts with what is on them, and items that could not be read.

Also the conversion of boxes from and to manifest lines. It must not know any one format, storage or jobs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b

import orjson

from labeling.formats import augmented
from labeling.formats.augmented_reading import label_state, read_boxes
from labeling.formats.interchange.fitting import fitted_part, scaled
from labeling.formats.label_context import LabelContext
from labeling.formats.manifest import BadLine, Line, source_name
from labeling.formats.shapes import Box, ImageSize, Keypoint, Part, Polygon, Segment, Span, Tag

SKIPPED, CLIPPED, REPAIRED, CROWD = "skipped", "clipped", "repaired", "crowd"
"""What can become of something that is not as it should be."""

CROWD_REGION = "is a region of many objects (iscrowd 1), not one object: it is left out"


@dataclass(frozen=True, slots=True)
class LabeledImage:
    """One image with what is on it: boxes, outlines, masks (which have its size), points or its classes.

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
    points: tuple[Keypoint, ...] = ()
    tags: tuple[Tag, ...] = ()
    confidence: float | None = None
    """Of a segmentation as a whole."""

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
    aside: bool = False
    """Whether it is no part of what was asked for, such as a class where boxes are read."""

    @property
    def used(self) -> bool:
        """Whether it became part of the labels."""
        return self.done in (CLIPPED, REPAIRED)

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"


@dataclass(frozen=True, slots=True)
class LabeledText:
    """One text with the spans marked in it, or with its classes.

    `source` is its URI, "" for a text that stands in its manifest line; `name` is as of an image. `index` is the number
    of the object it is of.
    """

    text: str
    spans: tuple[Span, ...] = ()
    tags: tuple[Tag, ...] = ()
    source: str = ""
    name: str = ""
    index: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class FoundPart:
    """One thing that a file has on an image or in a text, not yet compared with it.

    `crowd`: it surrounds many objects, not one.
    """

    where: str
    part: Part
    crowd: bool = False


@dataclass(frozen=True, slots=True)
class FoundImage:
    """An image as a file names it, with all that the file says of it and nothing decided yet.

    `names` are the names by which the image may be found, the most certain first, `stems` the same without file
    endings, `uri` its address where we wrote the file. `size` is what the file says, None with a `size_problem` when
    it says nothing usable. The parts are in pixels, or in shares of the image's sides when `relative`. `problems` are
    parts that could not be read. `labeled` is False where the file says that nobody has looked at the image.
    `text` is the text where the file is about texts and has it; such objects have no size.
    """

    where: str
    names: tuple[str, ...] = ()
    stems: tuple[str, ...] = ()
    uri: str = ""
    size: ImageSize | None = None
    size_problem: str = ""
    parts: tuple[FoundPart, ...] = ()
    problems: tuple[BadItem, ...] = ()
    relative: bool = False
    labeled: bool = True
    text: str | None = None
    confidence: float | None = None
    """Of a segmentation as a whole."""


Item = LabeledImage | BadItem

FindSize = Callable[[str], ImageSize | None]
"""Tells the displayed size of an image by its name in the set, None when there is no such image."""


def text_key(text: str) -> str:
    """By what a text without an address is found again: the same for the same text."""
    return f"text:{blake2b(text.encode('utf-8', 'surrogatepass'), digest_size=16).hexdigest()}"


def found_text(
    where: str,
    text: str,
    parts: Iterable[FoundPart] = (),
    *,
    name: str = "",
    address: str = "",
    problems: Iterable[BadItem] = (),
    labeled: bool = True,
) -> FoundImage:
    """A text as a file has it, found again by its address or else by what it says."""
    names = (name,) if name else ()
    uri = address or text_key(text)
    given, said = tuple(parts), tuple(problems)
    return FoundImage(where, names, uri=uri, text=text, parts=given, problems=said, labeled=labeled)


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


def fitted_parts(found: FoundImage, size: ImageSize) -> tuple[list[Part], list[Part], list[BadItem]]:
    """(parts, regions of crowds, what was cut or cannot be used) of an image with these displayed pixels."""
    parts: list[Part] = []
    crowds: list[Part] = []
    problems = list(found.problems)
    for one in found.parts:
        try:
            part, repair = fitted_part(scaled(one.part, size) if found.relative else one.part, size)
        except ValueError as error:
            problems.append(BadItem(one.where, str(error)))
            continue
        if one.crowd:
            crowds.append(part)
            problems.append(BadItem(one.where, CROWD_REGION, CROWD))
            continue
        parts.append(part)
        if repair:
            problems.append(BadItem(one.where, repair, CLIPPED))
    return parts, crowds, problems


def settled(found: FoundImage, *, source: str, size: ImageSize) -> tuple[LabeledImage, list[BadItem]]:
    """The image with the parts that are usable in it, and what is to be said of the others."""
    parts, _, problems = fitted_parts(found, size)
    return labeled_image(source, size, parts), problems


def labeled_image(
    source: str, size: ImageSize, parts: Iterable[Part], *, name: str = "", confidence: float | None = None
) -> LabeledImage:
    """The image with these parts, each among those of its kind."""
    given = tuple(parts)
    return LabeledImage(
        source,
        size,
        boxes=tuple(part for part in given if isinstance(part, Box)),
        name=name,
        outlines=tuple(part for part in given if isinstance(part, Polygon)),
        masks=tuple(part for part in given if isinstance(part, Segment)),
        points=tuple(part for part in given if isinstance(part, Keypoint)),
        tags=tuple(part for part in given if isinstance(part, Tag)),
        confidence=confidence,
    )


def around(points: Sequence[float]) -> tuple[float, float, float, float]:
    """(left, top, right, bottom) of a polygon x1, y1, x2, y2, ... Raises ValueError for fewer than three points."""
    if len(points) < 6 or len(points) % 2:
        raise ValueError(f"a polygon has at least three points, found {len(points)} numbers")
    xs, ys = points[::2], points[1::2]
    return min(xs), min(ys), max(xs), max(ys)
