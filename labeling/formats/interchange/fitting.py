"""Lays one part of a label onto its image: from shares of its sides to pixels, inside its borders, turned as EXIF says.

It must not know files, jobs or storage.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from labeling.formats import geometry, masks, segments
from labeling.formats.shapes import Box, ImageSize, Keypoint, Part, Polygon, Segment, Span

OVERHANG = 1.0  # Pixels that a part may reach out of its image: other tools round outwards.


def scaled(part: Part, size: ImageSize) -> Part:
    """A part in shares of the image's sides, in pixels; what has no coordinates stays as it is."""
    if isinstance(part, Box):
        sides = (part.left * size.width, part.top * size.height, part.width * size.width, part.height * size.height)
        return Box(part.label, *sides, part.confidence)
    if isinstance(part, Polygon):
        return replace(part, vertices=tuple((x * size.width, y * size.height) for x, y in part.vertices))
    if isinstance(part, Keypoint):
        return replace(part, x=part.x * size.width, y=part.y * size.height)
    return part


def fitted_part(part: Part, size: ImageSize) -> tuple[Part, str]:
    """The part inside its image, and what was cut off when it reached out by more than OVERHANG pixels, else "".

    `size` of a text is its length, and 1. Raises ValueError when nothing of it is there.
    """
    if isinstance(part, Box):
        return fitted(part, size)
    if isinstance(part, Polygon):
        return fitted_outline(part, size)
    if isinstance(part, Keypoint):
        return _fitted_point(part, size)
    if isinstance(part, Segment):
        ends = segments.ends_of(part.counts)
        if (int(ends[-1]) if len(ends) else 0) != size.width * size.height:
            raise ValueError(f"the mask does not have the size of the image ({size.width} x {size.height})")
        if not segments.area(part):
            raise ValueError("the mask covers no pixel")
    if isinstance(part, Span) and not 0 <= part.start < part.end <= size.width:
        raise ValueError(f"the span {part.start} to {part.end} does not lie in the text, of {size.width} characters")
    return part, ""


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
    """The outline, or line, with its vertices moved into its image, and what was moved when one lay out by more than
    OVERHANG pixels, else "". Raises ValueError when it has no area, or no length, there."""
    x1, y1, x2, y2 = geometry.bounds(outline.vertices)
    outside = max(-x1, -y1, x2 - size.width, y2 - size.height)
    inside = tuple((min(max(x, 0), size.width), min(max(y, 0), size.height)) for x, y in outline.vertices)
    what, has = ("outline", "area") if outline.closed else ("line", "length")
    if (geometry.polygon_area(inside) <= 0) if outline.closed else len(set(inside)) < 2:
        raise ValueError(f"the {what} has no {has} in the image ({size.width} x {size.height})")
    said = f"the {what} reaches out of the image ({size.width} x {size.height}): it was clipped"
    return replace(outline, vertices=inside), said if outside > OVERHANG else ""


def _fitted_point(point: Keypoint, size: ImageSize) -> tuple[Keypoint, str]:
    """A point a little outside is moved to the border; one that lies farther out is nowhere on the image."""
    x, y = min(max(point.x, 0), size.width), min(max(point.y, 0), size.height)
    if max(abs(x - point.x), abs(y - point.y)) > OVERHANG:
        raise ValueError(f"the point ({point.x:g}, {point.y:g}) lies outside the image ({size.width} x {size.height})")
    return replace(point, x=x, y=y), ""


def turned(part: Part, orientation: int, size: ImageSize) -> Part:
    """A part in stored pixels, as it lies in the image that is shown, of this size (EXIF orientations 5 to 8)."""
    if isinstance(part, Box):
        x1, y1, x2, y2 = part.corners
        (ax, ay), (bx, by) = (_turned(x, y, orientation, size) for x, y in ((x1, y1), (x2, y2)))
        return Box.from_corners(part.label, min(ax, bx), min(ay, by), max(ax, bx), max(ay, by), part.confidence)
    if isinstance(part, Polygon):
        return replace(part, vertices=tuple(_turned(x, y, orientation, size) for x, y in part.vertices))
    if isinstance(part, Keypoint):
        x, y = _turned(part.x, part.y, orientation, size)
        return replace(part, x=x, y=y)
    if isinstance(part, Segment):
        # The stored image is as wide as the shown one is high.
        stored = masks.decode_rle({"size": [size.width, size.height], "counts": part.counts})
        shown = {
            5: lambda: stored.T,
            6: lambda: np.rot90(stored, -1),
            7: lambda: np.rot90(stored, 2).T,
            8: lambda: np.rot90(stored, 1),
        }[orientation]()
        return replace(part, counts=masks.encode_rle(shown)["counts"])
    return part


def _turned(x: float, y: float, orientation: int, size: ImageSize) -> tuple[float, float]:
    # The stored image is as wide as the shown one is high.
    return {
        5: (y, x),
        6: (size.width - y, x),
        7: (size.width - y, size.height - x),
        8: (y, size.height - x),
    }[orientation]
