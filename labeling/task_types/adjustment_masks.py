"""Adjustment of masks, of classes and of objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from labeling.consolidation.workers.masks import MaskWorkers
from labeling.formats.shapes import Segmentation
from labeling.task_types.adjusting import HELP, Adjustment, telling, words_of
from labeling.task_types.base import Size
from labeling.task_types.instance_segmentation import InstanceSegmentation
from labeling.task_types.semantic_segmentation import SemanticSegmentation

RIGHT = 0.9
"""The score from which a simulated worker leaves masks as they are."""


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


class _MaskAdjustment(Adjustment[Segmentation, MaskWorkers]):
    """A stored label has "adjusted": whether anything changed.

    Masks are merged as those that are painted from nothing, which leaves what nobody changed pixel for pixel.
    """

    def telling(self, label: Segmentation, changed: bool) -> AdjustedMasks:
        """The same masks."""
        return AdjustedMasks(label.size, label.segments, label.confidence, modified=changed)

    def unsaid(self, answer: Segmentation) -> bool:
        """An element that began with nothing says nothing; its worker has changed what is painted."""
        return bool(answer.segments)

    def as_shown(self, earlier: Segmentation, size: Size) -> Segmentation:
        """As they are."""
        return earlier

    def alike(self, answer: Segmentation, shown: Segmentation) -> bool:
        """The same pixels of the same classes, or objects."""
        given, seen = (sorted((one.label, one.counts) for one in found.segments) for found in (answer, shown))
        return given == seen

    def simulated(
        self, said: Segmentation, *, initial_value: Any, truth: Segmentation, labels: Sequence[str], size: Size
    ) -> AdjustedMasks:
        """Masks that are nearly right stay as they are; others are painted anew."""
        begun = self._begun(initial_value, labels, size)
        if self.score_against_truth(begun, truth) >= RIGHT:
            return self.telling(begun, False)
        return self.telling(said, not self.alike(said, begun))

    def _begun(self, initial_value: Any, labels: Sequence[str], size: Size) -> Segmentation:
        """The masks of an initial value."""
        if not initial_value:
            return Segmentation(size)
        png = initial_value["src"].partition(",")[2]
        content = {self.element.name: {**initial_value, "labeledImage": {"pngImageData": png}}}
        return self.read_answer(content, labels=labels, size=size)


class AdjustmentSemanticSegmentation(_MaskAdjustment, SemanticSegmentation):
    """Ground Truth's adjustment of semantic segmentation."""

    name = "AdjustmentSemanticSegmentation"
    title = "Adjust a semantic segmentation"
    audited = SemanticSegmentation()
    words = words_of(
        SemanticSegmentation.words,
        "Every class of the earlier labels, and new ones below them: one a line, at most 255. Their order, "
        "from 1 on, is the value of a pixel in the label's PNG. The label attribute's name ends in -ref.",
    )


class AdjustmentInstanceSegmentation(_MaskAdjustment, InstanceSegmentation):
    """Adjustment of the masks of objects, which Ground Truth has no job for."""

    name = "AdjustmentInstanceSegmentation"
    title = "Adjust an instance segmentation"
    audited = InstanceSegmentation()
    element = telling(InstanceSegmentation.element)
    words = words_of(InstanceSegmentation.words, f"{HELP} The label attribute's name ends in -ref.")
