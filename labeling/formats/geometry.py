"""Arithmetic on boxes, outlines and masks, vectorised. Boxes are arrays of corners (x1, y1, x2, y2) in pixels.

It must not know labels, answers or files.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw

from labeling.formats.shapes import Box

Floats = NDArray[np.float64]
Mask8 = NDArray[np.uint8]


def corners(boxes: Iterable[Box]) -> Floats:
    """(n, 4) corners of boxes; shape (0, 4) for none."""
    return np.array([box.corners for box in boxes], dtype=np.float64).reshape(-1, 4)


def from_ltwh(boxes: ArrayLike) -> Floats:
    """(left, top, width, height) rows -> corners."""
    found = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    return np.concatenate([found[:, :2], found[:, :2] + found[:, 2:]], axis=1)


def to_ltwh(boxes: ArrayLike) -> Floats:
    """Corners -> (left, top, width, height) rows."""
    found = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    return np.concatenate([found[:, :2], found[:, 2:] - found[:, :2]], axis=1)


def areas(boxes: ArrayLike) -> Floats:
    """(n,) areas in square pixels; a box whose right is left of its left, or bottom above top, has area 0."""
    found = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    sides = np.clip(found[:, 2:] - found[:, :2], 0, None)
    return sides[:, 0] * sides[:, 1]


def intersections(first: ArrayLike, second: ArrayLike) -> Floats:
    """(n, m) areas shared by each pair."""
    a = np.asarray(first, dtype=np.float64).reshape(-1, 4)
    b = np.asarray(second, dtype=np.float64).reshape(-1, 4)
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    sides = np.clip(high - low, 0, None)
    return sides[..., 0] * sides[..., 1]


def iou_matrix(first: ArrayLike, second: ArrayLike) -> Floats:
    """(n, m) intersection over union (Jaccard index), 0 where both areas are 0."""
    shared = intersections(first, second)
    union = areas(first)[:, None] + areas(second)[None, :] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def clip(boxes: ArrayLike, *, width: float, height: float) -> Floats:
    """Corners moved into the image 0..width, 0..height."""
    found = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    return np.clip(found, 0, np.array([width, height, width, height], dtype=np.float64))


def polygon_area(vertices: ArrayLike) -> float:
    """Area by the shoelace formula, in square pixels, clockwise or not."""
    points = np.asarray(vertices, dtype=np.float64).reshape(-1, 2)
    if len(points) < 3:
        return 0.0
    x, y = points[:, 0], points[:, 1]
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)


def bounds(vertices: ArrayLike) -> tuple[float, float, float, float]:
    """Corners of the smallest box round an outline; raises ValueError for no points."""
    points = np.asarray(vertices, dtype=np.float64).reshape(-1, 2)
    if len(points) == 0:
        raise ValueError("an outline needs at least one point")
    (x1, y1), (x2, y2) = points.min(axis=0), points.max(axis=0)
    return float(x1), float(y1), float(x2), float(y2)


def polygon_mask(vertices: Sequence[Sequence[float]], *, width: int, height: int) -> Mask8:
    """(height, width) uint8 mask, 1 inside the outline."""
    canvas = Image.new("L", (width, height), 0)
    ImageDraw.Draw(canvas).polygon([(float(x), float(y)) for x, y in vertices], fill=1, outline=1)
    return np.asarray(canvas, dtype=np.uint8)


def mask_iou(first: ArrayLike, second: ArrayLike) -> float:
    """Intersection over union of two masks of one shape (any value but 0 is inside); 0 when both are empty."""
    a, b = np.asarray(first) != 0, np.asarray(second) != 0
    if a.shape != b.shape:
        raise ValueError(f"masks differ in shape: {a.shape} and {b.shape}")
    union = int(np.count_nonzero(a | b))
    return int(np.count_nonzero(a & b)) / union if union else 0.0
