"""Adjustment of masks: people begin with an earlier segmentation and change what is wrong with it.

The earlier label stays as it is; the new one says whether anything was changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from labeling.consolidation.answers import latest_answers
from labeling.consolidation.workers.masks import MaskWorkers
from labeling.formats.answers import AnswerError
from labeling.formats.label_context import LabelContext
from labeling.formats.shapes import Segmentation
from labeling.task_types.adjustment import MODIFIED, modified
from labeling.task_types.base import AnswersToImage, Consensus, ImportedLabel, Mark, Shown, Size
from labeling.task_types.semantic_segmentation import SemanticSegmentation
from labeling.task_types.told import Story


@dataclass(frozen=True, slots=True, eq=False)
class AdjustedMasks(Segmentation):
    """Masks, and whether their worker, or one of a label's workers, changed the earlier ones; equal to equal masks."""

    modified: bool = True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Segmentation) and _plain(self) == _plain(other)

    def __hash__(self) -> int:
        return hash(_plain(self))


def _plain(masks: Segmentation) -> tuple[Any, ...]:
    return tuple(getattr(masks, one.name) for one in fields(Segmentation))


class AdjustmentSemanticSegmentation(SemanticSegmentation):
    """Ground Truth's adjustment of semantic segmentation. A stored label has "adjusted": whether anything changed.

    Masks are merged as those that are painted from nothing, which leaves what nobody changed pixel for pixel.
    """

    name = "AdjustmentSemanticSegmentation"
    title = "Adjust a semantic segmentation"
    audited = SemanticSegmentation()
    words = replace(
        SemanticSegmentation.words,
        labels_help="Every class of the earlier labels, and new ones below them: one a line, at most 255. Their order, "
        "from 1 on, is the value of a pixel in the label's PNG. The label attribute's name ends in -ref.",
    )

    def read_answer(self, content: Mapping[str, Any], *, labels: Sequence[str], size: Size) -> AdjustedMasks:
        """The masks, and what the element says of changes; one that began with nothing has changed what it paints."""
        masks = super().read_answer(content, labels=labels, size=size)
        changed = content[self.element.name].get(MODIFIED, bool(masks.segments))
        if not isinstance(changed, bool):
            raise AnswerError(f"{self.element.name}.{MODIFIED}", "must be true or false")
        return _adjusted(masks, changed)

    def write_answer(self, answer: Segmentation, *, size: Size) -> dict[str, Any]:
        """The picture of the masks, and whether they were changed."""
        content = super().write_answer(answer, size=size)
        content[self.element.name][MODIFIED] = modified(answer)
        return content

    def value(self, answer: Segmentation) -> dict[str, Any]:
        """The masks, and whether anything was changed."""
        return {**super().value(answer), "adjusted": modified(answer)}

    def read_value(self, value: Mapping[str, Any]) -> AdjustedMasks:
        """The masks with their confidences, and whether anything was changed."""
        return _adjusted(super().read_value(value), bool(value.get("adjusted", True)))

    def renamed(self, answer: Segmentation, names: Mapping[str, str]) -> AdjustedMasks:
        """Another name for a class is no change of a mask."""
        return _adjusted(super().renamed(answer, names), modified(answer))

    def marks(self, answer: Segmentation) -> tuple[Mark, ...]:
        """Where any mask was changed: whoever changed nothing has painted nothing."""
        return super().marks(answer) if modified(answer) else ()

    def summary(self, value: Mapping[str, Any]) -> str:
        """Which classes were painted, and whether they are the earlier ones."""
        return f"{super().summary(value)}, {'adjusted' if value.get('adjusted', True) else 'as they were'}"

    def manifest_label(self, answer: Segmentation, about: LabelContext) -> tuple[Any, dict[str, Any]]:
        """As of masks, with `adjustment-status`."""
        value, metadata = super().manifest_label(
            answer,
            about,
        )
        return value, {**metadata, "adjustment-status": "adjusted" if modified(answer) else "unadjusted"}

    def read_manifest(self, attributes: Mapping[str, Any], attr: str) -> ImportedLabel[Segmentation]:
        """Masks, whether or not they come from an adjustment."""
        found = super().read_manifest(attributes, attr)
        metadata = attributes.get(f"{attr}-metadata")
        status = metadata.get("adjustment-status") if isinstance(metadata, Mapping) else None
        return replace(found, answer=_adjusted(found.answer, status != "unadjusted"))

    def unauditable(self, earlier: Segmentation, *, labels: Sequence[str]) -> str:
        """As in Ground Truth the job must have every class of the earlier label."""
        missing = sorted(self.classes(earlier) - set(labels))
        return f"it has a class that the job does not have: {', '.join(missing)}" if missing else ""

    def shown(self, earlier: Segmentation, *, size: Size) -> Shown:
        """The masks as the element takes them."""
        return Shown(initial_value=self.initial_value(self.value(earlier)))

    def compared(self, answer: Segmentation, earlier: Segmentation, *, size: Size) -> AdjustedMasks:
        """Changed where a class has other pixels."""
        masks = [{one.label: one.counts for one in found.segments} for found in (answer, earlier)]
        return _adjusted(answer, masks[0] != masks[1])

    def story(self, value: Mapping[str, Any], explanation: Mapping[str, Any]) -> Story:
        """As of masks, and whether anybody changed anything."""
        told = super().story(value, explanation)
        changed = "Somebody" if value.get("adjusted", True) else "Nobody"
        return replace(told, lead=f"{told.lead} {changed} changed the earlier label.")

    def consolidate_many(
        self, objects: Sequence[AnswersToImage[Segmentation]], *, labels: Sequence[str], workers: MaskWorkers
    ) -> list[Consensus]:
        """As of masks; adjusted where at least one worker changed something."""
        found = super().consolidate_many(objects, labels=labels, workers=workers)
        made = []
        for one, given in zip(found, objects, strict=True):
            changed = any(modified(answer.value) for answer in latest_answers(given.answers, str))
            made.append(one if one.value is None else replace(one, value={**one.value, "adjusted": changed}))
        return made


def _adjusted(masks: Segmentation, changed: bool) -> AdjustedMasks:
    return AdjustedMasks(masks.size, masks.segments, masks.confidence, modified=changed)
