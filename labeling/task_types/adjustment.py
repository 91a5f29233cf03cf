"""Adjustment: people begin with an earlier label and change what is wrong with it.

The earlier label stays as it is; the new one says whether anything was changed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from labeling.consolidation.answers import latest_answers
from labeling.consolidation.workers.models import WorkerModels
from labeling.formats import geometry, label_attributes
from labeling.formats.answers import MAX_SHAPES, AnswerError
from labeling.formats.label_attributes import Values
from labeling.formats.shapes import Box, ImageSize
from labeling.task_types.base import AnswersToImage, Consensus, ImportedLabel, Mark, Shown, Size, Story
from labeling.task_types.bounding_box import BoundingBox

MODIFIED = "initialValueModified"
"""The element's word for whether its worker changed anything."""

SMALLEST = 3
"""Pixels of a side below which the element makes a box larger, so that it can be taken hold of."""

SAME = 0.5
"""The IoU from which two boxes of a class are about the same object."""


class AdjustedBoxes(list[Box]):
    """Boxes, and whether their worker, or one of a label's workers, changed any of the earlier ones."""

    def __init__(self, boxes: Iterable[Box] = (), *, modified: bool = True) -> None:
        super().__init__(boxes)
        self.modified = modified


class AdjustmentBoundingBox(BoundingBox):
    """Ground Truth's adjustment of boxes. A stored label is {"boxes": [...], "adjusted": whether anything changed}.

    Boxes are merged as those that are drawn from nothing; one that nobody changed is exactly the earlier one.
    """

    name = "AdjustmentBoundingBox"
    title = "Adjust bounding boxes"
    audited = BoundingBox()
    learner = ""
    words = replace(
        BoundingBox.words,
        labels_help="Every class of the earlier labels, and new ones below them: one a line. Their order is the class "
        "index.",
    )

    def read_answer(self, content: Mapping[str, Any], *, labels: Sequence[str], size: Size) -> AdjustedBoxes:
        """The boxes, and what the element says of changes; an answer that does not say was made anew."""
        boxes = super().read_answer(content, labels=labels, size=size)
        modified = content[self.element.name].get(MODIFIED, True)
        if not isinstance(modified, bool):
            raise AnswerError(f"{self.element.name}.{MODIFIED}", "must be true or false")
        return AdjustedBoxes(boxes, modified=modified)

    def write_answer(self, answer: list[Box], *, size: Size) -> dict[str, Any]:
        """The boxes in the order given, and whether they were changed."""
        content = super().write_answer(answer, size=size)
        content[self.element.name][MODIFIED] = modified(answer)
        return content

    def value(self, answer: Sequence[Any]) -> dict[str, Any]:
        """The boxes, and whether anything was changed."""
        return {**super().value(answer), "adjusted": modified(answer)}

    def read_value(self, value: Mapping[str, Any]) -> AdjustedBoxes:
        """The boxes with their confidences, and whether anything was changed."""
        return AdjustedBoxes(super().read_value(value), modified=bool(value.get("adjusted", True)))

    def certain(self, answer: list[Box]) -> AdjustedBoxes:
        """Each box is certain."""
        return AdjustedBoxes(super().certain(answer), modified=modified(answer))

    def with_attributes(self, answer: list[Box], values: Sequence[Values]) -> AdjustedBoxes:
        """Whether anything was changed is told by `compared`."""
        return AdjustedBoxes(super().with_attributes(answer, values), modified=modified(answer))

    def renamed(self, answer: list[Box], names: Mapping[str, str]) -> AdjustedBoxes:
        """Another name for a class is no change of a box."""
        return AdjustedBoxes(super().renamed(list(answer), names), modified=modified(answer))

    def marks(self, answer: list[Box]) -> tuple[Mark, ...]:
        """The boxes, where any was changed: whoever changed nothing has drawn nothing."""
        return super().marks(answer) if modified(answer) else ()

    def summary(self, value: Mapping[str, Any]) -> str:
        """How many boxes there are, and whether they are the earlier ones."""
        return f"{super().summary(value)}, {'adjusted' if value.get('adjusted', True) else 'as they were'}"

    def manifest_label(
        self,
        answer: list[Box],
        *,
        labels: Sequence[str],
        image_size: ImageSize,
        human_annotated: bool,
        job_name: str,
        created: datetime | None,
        model_name: str | None,
    ) -> tuple[Any, dict[str, Any]]:
        """As of boxes, with `adjustment-status`."""
        value, metadata = super().manifest_label(
            answer,
            labels=labels,
            image_size=image_size,
            human_annotated=human_annotated,
            job_name=job_name,
            created=created,
            model_name=model_name,
        )
        return value, {**metadata, "adjustment-status": "adjusted" if modified(answer) else "unadjusted"}

    def read_manifest(self, attributes: Mapping[str, Any], attr: str) -> ImportedLabel[list[Box]]:
        """Boxes, whether or not they come from an adjustment."""
        found = super().read_manifest(attributes, attr)
        metadata = attributes.get(f"{attr}-metadata")
        status = metadata.get("adjustment-status") if isinstance(metadata, Mapping) else None
        return replace(found, answer=AdjustedBoxes(found.answer, modified=status != "unadjusted"))

    def unauditable(self, earlier: list[Box], *, labels: Sequence[str]) -> str:
        """As in Ground Truth the job must have every class of the earlier label."""
        if missing := sorted(self.classes(earlier) - set(labels)):
            return f"it has a class that the job does not have: {', '.join(missing)}"
        if len(earlier) > MAX_SHAPES:
            return f"it has {len(earlier):,} boxes, at most {MAX_SHAPES:,} can be adjusted"
        return ""

    def shown(self, earlier: list[Box], *, size: Size) -> Shown:
        """The boxes as the element shows them, so that an answer without changes holds them exactly so."""
        return Shown(initial_value=self.initial_value(self.value([_as_shown(box, size) for box in earlier])))

    def compared(self, answer: list[Box], earlier: list[Box], *, size: Size) -> AdjustedBoxes:
        """Changed where it does not hold exactly the boxes that were shown."""
        shown = [_as_shown(box, size) for box in earlier]
        return AdjustedBoxes(answer, modified=sorted(map(_sides, answer)) != sorted(map(_sides, shown)))

    def story(self, value: Mapping[str, Any], explanation: Mapping[str, Any]) -> Story:
        """As of boxes, and whether anybody changed anything."""
        told = super().story(value, explanation)
        changed = "Somebody" if value.get("adjusted", True) else "Nobody"
        return replace(told, lead=f"{told.lead} {changed} changed the earlier label.")

    def simulated(
        self, said: list[Box], *, initial_value: Any, truth: list[Box], labels: Sequence[str], size: Size
    ) -> AdjustedBoxes:
        """Boxes that are right stay, others are removed, and what is missing is drawn."""
        content = {self.element.name: {"boundingBoxes": initial_value or []}}
        begun = list(self.read_answer(content, labels=labels, size=size))
        stay = [box for box in begun if _found_in(box, truth)]
        drawn = [box for box in said if not _found_in(box, stay)]
        return AdjustedBoxes([*stay, *drawn], modified=bool(drawn) or len(stay) < len(begun))

    def consolidate_many(
        self, objects: Sequence[AnswersToImage[list[Box]]], *, labels: Sequence[str], workers: WorkerModels
    ) -> list[Consensus]:
        """As of boxes; what all workers left as it was takes the place of what was merged from it."""
        found = super().consolidate_many(objects, labels=labels, workers=workers)
        return [_adjusted(one, given) for one, given in zip(found, objects, strict=True)]


def modified(answer: Any) -> bool:
    """Whether anybody changed the earlier label; what comes from elsewhere is a new one."""
    return bool(getattr(answer, "modified", True))


def _adjusted(found: Consensus, given: AnswersToImage[list[Box]]) -> Consensus:
    if found.value is None:
        return found
    answers = [answer.value for answer in latest_answers(given.answers, str)]
    merged = [dict(row) for row in found.value["boxes"]]
    taken: set[int] = set()
    for box in given.earlier or ():
        shown = _as_shown(box, given.size)
        if answers and all(shown in answer for answer in answers):
            _keep(merged, taken, box)
    sure = [row["confidence"] for row in merged]
    value = {"boxes": merged, "adjusted": any(map(modified, answers))}
    return replace(found, value=value, confidence=round(sum(sure) / len(sure), 4) if sure else None)


def _keep(merged: list[dict[str, Any]], taken: set[int], box: Box) -> None:
    """Put the earlier box in the place of the one that was merged from it, or beside the others if none was."""
    sides: dict[str, Any] = {"left": box.left, "top": box.top, "width": box.width, "height": box.height}
    sides |= {"label": box.label, **label_attributes.written(box.attributes)}
    drawn = [Box(row["label"], row["left"], row["top"], row["width"], row["height"]) for row in merged]
    overlaps = geometry.iou_matrix(geometry.corners([box]), geometry.corners(drawn))[0].tolist()
    free = [at for at, one in enumerate(drawn) if one.label == box.label and at not in taken and overlaps[at] >= SAME]
    place = max(free, key=overlaps.__getitem__, default=len(merged))
    if place == len(merged):
        merged.append({**sides, "confidence": 1.0, "cluster": None})
    merged[place].update(sides)
    taken.add(place)


def _sides(box: Box) -> tuple[str, float, float, float, float, str]:
    return (box.label, box.left, box.top, box.width, box.height, repr(box.attributes))


def _found_in(box: Box, others: Sequence[Box]) -> bool:
    """Whether one of the others is the same object: the same class, and an IoU of at least SAME."""
    same = [one for one in others if one.label == box.label]
    return bool((geometry.iou_matrix(geometry.corners([box]), geometry.corners(same)) >= SAME).any())


def _as_shown(box: Box, size: Size) -> Box:
    """The box in whole pixels within the picture and not too small, as <crowd-bounding-box> begins with it."""
    width, height = (
        min(max(math.floor(side + 0.5), min(SMALLEST, most)), most)
        for side, most in zip((box.width, box.height), size, strict=True)
    )
    left = min(max(math.floor(box.left + 0.5), 0), size[0] - width)
    top = min(max(math.floor(box.top + 0.5), 0), size[1] - height)
    return Box(box.label, left, top, width, height, attributes=box.attributes)
