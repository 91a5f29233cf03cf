"""Adjustment of polygons, polylines and key points. Ground Truth has no such jobs for images."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Generic

from labeling.consolidation.shapes.answers import Likeness
from labeling.consolidation.workers.models import WorkerModels
from labeling.formats import shape_labels
from labeling.formats import shapes as formats
from labeling.formats.shapes import Drawing, Shape
from labeling.task_types.adjusting import telling, words_of
from labeling.task_types.adjusting_things import ThingAdjustment
from labeling.task_types.base import Size
from labeling.task_types.keypoints import Keypoint
from labeling.task_types.outlines import Polygon, Polyline


@dataclass(frozen=True, slots=True, eq=False)
class AdjustedDrawing(Drawing[Shape]):
    """Shapes, and whether their worker, or one of a label's workers, changed them; equal to equal shapes."""

    modified: bool = True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Drawing) and (self.shapes, self.size) == (other.shapes, other.size)

    def __hash__(self) -> int:
        return hash((self.shapes, self.size))


class _ShapeAdjustment(ThingAdjustment[Drawing[Shape], WorkerModels, Shape], Generic[Shape]):
    """A stored label is that of the shapes, with "adjusted": whether anything changed."""

    of: ClassVar[Likeness[Any]]
    """How alike two of the shapes are."""

    def telling(self, label: Drawing[Shape], changed: bool) -> AdjustedDrawing[Shape]:
        """The same shapes."""
        return AdjustedDrawing(label.shapes, label.size, modified=changed)

    def things(self, label: Drawing[Shape]) -> Sequence[Shape]:
        """The shapes."""
        return label.shapes

    def made(self, things: Iterable[Shape], size: Size, changed: bool) -> AdjustedDrawing[Shape]:
        """One drawing."""
        return AdjustedDrawing(tuple(things), size, modified=changed)

    def place(self, thing: Shape) -> dict[str, Any]:
        """See shape_labels.place."""
        return shape_labels.place(thing)

    def likeness(self, thing: Shape, others: Sequence[Shape], size: Size) -> list[float]:
        """As consolidation compares them."""
        return [self.of.between(thing, one, size) if one.label == thing.label else 0.0 for one in others]


class _OutlineAdjustment(_ShapeAdjustment[formats.Polygon]):
    def thing_as_shown(self, thing: formats.Polygon, size: Size) -> formats.Polygon:
        """Vertices lie between pixels: from 0 to the width, and to the height."""
        vertices = tuple((_whole(x, size[0]), _whole(y, size[1])) for x, y in thing.vertices)
        return replace(thing, vertices=vertices, confidence=None)


class AdjustmentPolygon(_OutlineAdjustment, Polygon):
    """Polygons are merged as those that are drawn from nothing; so are the others."""

    name = "AdjustmentPolygon"
    title = "Adjust polygons"
    audited = Polygon()
    element = telling(Polygon.element)
    words = words_of(Polygon.words)
    rows = listed = Polygon.member
    of = Polygon.rules.likeness


class AdjustmentPolyline(_OutlineAdjustment, Polyline):
    """<crowd-polyline> says itself whether anything was changed."""

    name = "AdjustmentPolyline"
    title = "Adjust polylines"
    audited = Polyline()
    words = words_of(Polyline.words)
    rows = listed = Polyline.member
    of = Polyline.rules.likeness


class AdjustmentKeypoint(_ShapeAdjustment[formats.Keypoint], Keypoint):
    """Each point by its name."""

    name = "AdjustmentKeypoint"
    title = "Adjust key points"
    audited = Keypoint()
    element = telling(Keypoint.element)
    words = words_of(Keypoint.words)
    rows = listed = Keypoint.member
    of = Keypoint.rules.likeness

    def thing_as_shown(self, thing: formats.Keypoint, size: Size) -> formats.Keypoint:
        """A point names a pixel: from 0 to one less than the width, and than the height."""
        return replace(thing, x=_whole(thing.x, size[0] - 1), y=_whole(thing.y, size[1] - 1), confidence=None)


def _whole(value: float, most: int) -> int:
    """The nearest whole pixel, halves up as JavaScript rounds, within 0 to `most`."""
    return min(max(math.floor(value + 0.5), 0), most)
