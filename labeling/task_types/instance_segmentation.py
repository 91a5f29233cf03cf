"""Instance segmentation: people paint each object by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any, ClassVar

from labeling.consolidation.masks import instances
from labeling.formats import augmented, augmented_reading, mask_answers, mask_labels, masks, segments
from labeling.formats.interchange import kinds
from labeling.formats.shapes import Segmentation
from labeling.simulation.masks import InstanceSimulation
from labeling.task_types.base import Element, Size, Words, count
from labeling.task_types.segmentation import SegmentationType, story
from labeling.task_types.told import Story, kept_of


class InstanceSegmentation(SegmentationType):
    """A mask for each object. Ground Truth has the element but no such type; its labels are written as those of
    semantic segmentation, with an entry of the colour map for each object."""

    name = "InstanceSegmentation"
    title = "Instance segmentation of an image"
    element = Element("crowd-instance-segmentation", "crowd-instance-segmentation", "labels")
    words = Words(
        decide="Correct the painted objects and press Submit. They become the label and count as gold: they also teach "
        "how good each worker is.",
        decided="What they painted is the label.",
        saved="Your objects for object {index} are the label now.",
        not_received="The masks did not arrive. Paint them again and save.",
        left_out="the masks",
        labels_help="What to paint, one a line. Every object gets a mask of its own. The label attribute's name ends "
        "in -ref.",
        skills="Paints right: F1 of the objects that this worker paints, for each class the share of them that is "
        "painted; one is right with an overlap (IoU) of one half. Recall: the share of the objects that is painted. "
        "Precision: the share of the painted ones that are there.",
    )
    most_labels = 500
    algorithm = instances.ALGORITHM
    consolidator: ClassVar[ModuleType] = instances
    manifest_type = augmented.TYPE_INSTANCES
    part = kinds.OBJECTS
    simulation = InstanceSimulation()

    def read_answer(self, content: Mapping[str, Any], *, labels: Sequence[str], size: Size) -> Segmentation:
        """See mask_answers.parse_instance_answer."""
        return mask_answers.parse_instance_answer(content, labels=labels, size=size, element_name=self.element.name)

    def write_answer(self, answer: Segmentation, *, size: Size) -> dict[str, Any]:
        """A palette PNG in colours that are chosen anew."""
        return mask_answers.instance_content(answer, element_name=self.element.name)

    def numbers(self, answer: Segmentation, labels: Sequence[str]) -> list[int]:
        """1, 2, 3 ... in the order of the label."""
        segments.check(answer)
        if unknown := sorted(self.classes(answer) - set(labels)):
            raise ValueError(f"{unknown[0]!r} is not one of the labels")
        return list(range(1, len(answer.segments) + 1))

    def counted_by_class(self, answer: Segmentation, truth: Segmentation) -> dict[str, tuple[float, float, float]]:
        """Objects."""
        return {label: (one.right, one.drawn, one.chances) for label, one in instances.compared(answer, truth).items()}

    def agreement(self, one: Segmentation, other: Segmentation) -> float:
        """F1, in which an object that both painted counts by its overlap."""
        painted = len(one.segments) + len(other.segments)
        return 2 * sum(iou for _, _, iou in instances.matches(one, other)) / painted if painted else 1.0

    def read_masks(self, label: augmented_reading.MaskLabel, attr: str) -> Segmentation:
        """See mask_labels.read_instances."""
        return mask_labels.read_instances(label, attr)

    def summary(self, value: Mapping[str, Any]) -> str:
        """How many objects of each class."""
        found = Counter(one["label"] for one in value["segments"]).most_common(6)
        return ", ".join(f"{number} {label}" for label, number in found[:5]) + (" …" if len(found) > 5 else "") or (
            "nothing"
        )

    def answer_layer(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """The answer's picture, and which colour in it is which object."""
        for element in content.values():
            if isinstance(element, dict) and isinstance(element.get("instances"), list):
                named = [{"label": one["label"], "color": one["color"]} for one in element["instances"]]
                return {"masks": {"png": element["labeledImage"]["pngImageData"], "segments": named}}
        return {"masks": {"segments": []}}

    def initial_value(self, value: Mapping[str, Any] | None) -> Any:
        """The objects as the element takes them; None where nothing was painted."""
        found = self.read_value(value) if value else None
        if found is None or not found.segments:
            return None
        colors = masks.screen_colors(len(found.segments))
        listed = [{"color": color, "label": one.label} for one, color in zip(found.segments, colors, strict=True)]
        return {"instances": listed, "src": mask_answers.data_url(found, colors)}

    def story(self, value: Mapping[str, Any], explanation: Mapping[str, Any]) -> Story:
        """What became of each object that somebody painted."""
        clusters = explanation.get("clusters", [])
        kept = sum(one["kept"] for one in clusters)
        dropped = len(clusters) - kept
        lead = kept_of(count(kept, "object", "objects"), count(dropped, "object", "objects") if dropped else 0)
        return story(lead, clusters, len(explanation.get("workers", [])), explanation)
