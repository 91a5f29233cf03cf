"""What people and machines draw or choose, as plain values: Box, Polygon, Keypoint, Span, Vote, Mask.

Coordinates are displayed pixels (after EXIF orientation), origin top-left. It must not know JSON,
files or who drew a shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np


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


@dataclass(frozen=True, slots=True)
class Keypoint:
    """A named point."""

    label: str
    x: float
    y: float
    confidence: float | None = None


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


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """A class index for each pixel: `indices` is uint8 of shape (height, width), 0 is background.

    `labels` gives the class name of each index used, e.g. {1: "Bird"}.
    """

    indices: np.ndarray
    labels: dict[int, str]
    confidence: float | None = None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mask):
            return NotImplemented
        same_pixels = self.indices.shape == other.indices.shape and bool((self.indices == other.indices).all())
        return same_pixels and self.labels == other.labels and self.confidence == other.confidence
