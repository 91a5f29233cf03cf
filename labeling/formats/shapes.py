"""What people and machines draw or choose, as plain values: Box, Polygon, Keypoint, Span, Vote, Tag, Segmentation.

Coordinates are displayed pixels (after EXIF orientation), origin top-left. It must not know JSON,
files or who drew a shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from labeling.formats.label_attributes import Values

LARGEST_SIDE = 1_000_000
"""In pixels: no image is wider or higher, and no coordinate of a label lies farther from the origin."""


class ImageSize(NamedTuple):
    """Displayed width and height in pixels; depth is the number of channels AWS writes beside them."""

    width: int
    height: int
    depth: int = 3


@dataclass(frozen=True, slots=True)
class Box:
    """An axis-aligned rectangle with a class name; width and height are extents, so right = left + width."""

    label: str
    left: float
    top: float
    width: float
    height: float
    confidence: float | None = None
    attributes: Values = ()

    @property
    def corners(self) -> tuple[float, float, float, float]:
        """(x1, y1, x2, y2) in pixels."""
        return (self.left, self.top, self.left + self.width, self.top + self.height)

    @classmethod
    def from_corners(
        cls, label: str, x1: float, y1: float, x2: float, y2: float, confidence: float | None = None
    ) -> Box:
        """The box between two corners, given top-left then bottom-right."""
        return cls(label, x1, y1, x2 - x1, y2 - y1, confidence)


@dataclass(frozen=True, slots=True)
class Polygon:
    """A closed outline (polygon) or an open one (polyline, line: `closed` False) through vertices (x, y)."""

    label: str
    vertices: tuple[tuple[float, float], ...]
    closed: bool = True
    confidence: float | None = None
    attributes: Values = ()


@dataclass(frozen=True, slots=True)
class Keypoint:
    """A named point."""

    label: str
    x: float
    y: float
    confidence: float | None = None
    attributes: Values = ()


Shape = TypeVar("Shape", bound=Polygon | Keypoint)


@dataclass(frozen=True, slots=True)
class Drawing(Generic[Shape]):
    """All outlines, or all points, on one image of `size` (width, height): distances are told against its diagonal."""

    shapes: tuple[Shape, ...]
    size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Span:
    """A named stretch of text; offsets count Unicode code points, the end is exclusive."""

    label: str
    start: int
    end: int
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Vote:
    """The classes chosen for one object: exactly one for single-choice tasks, any number for multi-choice.

    `comment` is what the worker wrote; `comments`, of a label, is what all of its workers wrote.
    """

    labels: tuple[str, ...]
    confidences: tuple[float, ...] | None = None
    comment: str | None = None
    comments: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The only chosen class; raises ValueError when there is not exactly one."""
        if len(self.labels) != 1:
            raise ValueError(f"a single choice was expected, found {len(self.labels)} labels")
        return self.labels[0]


@dataclass(frozen=True, slots=True)
class Segment:
    """The pixels of one class, or of one object: `counts` are COCO's compressed run lengths, column by column."""

    label: str
    counts: str
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Segmentation:
    """Segments of an image of (width, height) pixels, none of which has a pixel twice; none at all: nothing is there.

    `confidence` is about all pixels together, that of a segment about its own.
    """

    size: tuple[int, int]
    segments: tuple[Segment, ...] = ()
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Tag:
    """One class of a whole object, as files of labels name it."""

    label: str
    confidence: float | None = None


Part = Box | Polygon | Keypoint | Segment | Span | Tag
"""One thing that a label says of an object, with its class: what files of labels are made of."""
