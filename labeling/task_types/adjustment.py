"""Adjustment of boxes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from labeling.consolidation.workers.models import WorkerModels
from labeling.formats import geometry, label_attributes
from labeling.formats.answers import MAX_SHAPES
from labeling.formats.shapes import Box
from labeling.task_types.adjusting import words_of
from labeling.task_types.adjusting_things import ThingAdjustment
from labeling.task_types.base import Size
from labeling.task_types.bounding_box import BoundingBox
from labeling.task_types.proposed_boxes import in_whole_pixels


class AdjustedBoxes(list[Box]):
    """Boxes, and whether their worker, or one of a label's workers, changed any of the earlier ones."""

    def __init__(self, boxes: Iterable[Box] = (), *, modified: bool = True) -> None:
        super().__init__(boxes)
        self.modified = modified


class AdjustmentBoundingBox(ThingAdjustment[list[Box], WorkerModels, Box], BoundingBox):
    """Ground Truth's adjustment of boxes. A stored label is {"boxes": [...], "adjusted": whether anything changed}.

    Boxes are merged as those that are drawn from nothing.
    """

    name = "AdjustmentBoundingBox"
    title = "Adjust bounding boxes"
    audited = BoundingBox()
    words = words_of(BoundingBox.words)
    rows, listed = "boxes", "boundingBoxes"

    def telling(self, label: list[Box], changed: bool) -> AdjustedBoxes:
        """The same boxes."""
        return AdjustedBoxes(label, modified=changed)

    def things(self, label: list[Box]) -> Sequence[Box]:
        """The boxes."""
        return label

    def made(self, things: Iterable[Box], size: Size, changed: bool) -> AdjustedBoxes:
        """A list of them."""
        return AdjustedBoxes(things, modified=changed)

    def unauditable(self, earlier: list[Box], *, labels: Sequence[str]) -> str:
        """Nor can more boxes be adjusted than an answer may hold."""
        if reason := super().unauditable(earlier, labels=labels):
            return reason
        many = len(earlier) > MAX_SHAPES
        return f"it has {len(earlier):,} boxes, at most {MAX_SHAPES:,} can be adjusted" if many else ""

    def thing_as_shown(self, thing: Box, size: Size) -> Box:
        """As <crowd-bounding-box> begins with it."""
        return in_whole_pixels(thing, size)

    def place(self, thing: Box) -> dict[str, Any]:
        """The four sides, and its attributes."""
        sides = {"left": thing.left, "top": thing.top, "width": thing.width, "height": thing.height}
        return {**sides, "label": thing.label, **label_attributes.written(thing.attributes)}

    def likeness(self, thing: Box, others: Sequence[Box], size: Size) -> list[float]:
        """IoU."""
        overlaps = geometry.iou_matrix(geometry.corners([thing]), geometry.corners(others))[0].tolist()
        return [iou if one.label == thing.label else 0.0 for iou, one in zip(overlaps, others, strict=True)]
