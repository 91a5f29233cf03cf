"""Semantic segmentation: people paint the pixels of each class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any, ClassVar

from labeling.consolidation.masks import semantic
from labeling.formats import augmented, augmented_reading, mask_answers, mask_labels, masks, segments
from labeling.formats.interchange import kinds
from labeling.formats.shapes import Part, Segmentation
from labeling.simulation.masks import SemanticSimulation
from labeling.task_types.base import Element, Size, Words, count
from labeling.task_types.segmentation import SegmentationType, story
from labeling.task_types.told import Story, kept_of


class SemanticSegmentation(SegmentationType):
    """Ground Truth's semantic segmentation: one mask for each class, in the order of the job's classes."""

    name = "SemanticSegmentation"
    title = "Semantic segmentation of an image"
    element = Element("crowd-semantic-segmentation", "crowd-semantic-segmentation", "labels")
    words = Words(
        decide="Correct the painting and press Submit. It becomes the label and counts as gold: it also teaches how "
        "good each worker is.",
        decided="What they painted is the label.",
        saved="Your masks for object {index} are the label now.",
        not_received="The masks did not arrive. Paint them again and save.",
        left_out="the masks",
        labels_help="What to paint, one a line, at most 255; what is none of them is left unpainted. Their order, from "
        "1 on, is the value of a pixel in the label's PNG. The label attribute's name ends in -ref.",
        skills="Paints right: F1 of the pixels that this worker paints, for each class the share of it that is "
        "painted. Recall: the share of what is there that is painted. Precision: the share of the painting that is "
        "right.",
    )
    algorithm = semantic.ALGORITHM
    consolidator: ClassVar[ModuleType] = semantic
    manifest_type = augmented.TYPE_SEGMENTATION
    part = kinds.MASKS
    learner = "segmenter"
    simulation = SemanticSimulation()

    def read_answer(self, content: Mapping[str, Any], *, labels: Sequence[str], size: Size) -> Segmentation:
        """See mask_answers.parse_semantic_answer."""
        return mask_answers.parse_semantic_answer(content, labels=labels, size=size, element_name=self.element.name)

    def write_answer(self, answer: Segmentation, *, size: Size) -> dict[str, Any]:
        """A palette PNG in colours that are chosen anew."""
        return mask_answers.semantic_content(answer, element_name=self.element.name)

    def renamed(self, answer: Segmentation, names: Mapping[str, str]) -> Segmentation:
        """The masks of classes that are one now are one mask."""
        return segments.joined(super().renamed(answer, names))

    def of_parts(
        self, parts: Sequence[Part], *, size: Size, confidence: float | None = None
    ) -> tuple[Segmentation, str]:
        """One mask for each class, and all as sure as the surest where the file says nothing of the whole."""
        found, said = super().of_parts(parts, size=size)
        sure = [one.confidence for one in found.segments if one.confidence is not None]
        return replace(
            segments.joined(found), confidence=confidence if confidence is not None else max(sure, default=1.0)
        ), said

    def numbers(self, answer: Segmentation, labels: Sequence[str]) -> list[int]:
        """The index of the class plus one."""
        return mask_labels.class_numbers(answer, labels)

    def counted_by_class(self, answer: Segmentation, truth: Segmentation) -> dict[str, tuple[float, float, float]]:
        """Pixels."""
        return dict(semantic.shared(answer, truth))

    def read_masks(self, label: augmented_reading.MaskLabel, attr: str) -> Segmentation:
        """See mask_labels.read_classes."""
        return mask_labels.read_classes(label, attr)

    def summary(self, value: Mapping[str, Any]) -> str:
        """Which classes were painted."""
        found = value["segments"]
        return ", ".join(one["label"] for one in found[:5]) + (" …" if len(found) > 5 else "") if found else "nothing"

    def answer_layer(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """The answer's picture, and which colour in it is which class."""
        for element in content.values():
            if isinstance(element, dict) and isinstance(element.get("labelMappings"), dict):
                named = [{"label": label, "color": one["color"]} for label, one in element["labelMappings"].items()]
                return {"masks": {"png": element["labeledImage"]["pngImageData"], "segments": named}}
        return {"masks": {"segments": []}}

    def initial_value(self, value: Mapping[str, Any] | None) -> Any:
        """The masks as the element takes them; None where nothing was painted.

        Colours go by the order of names, as on pages of labels whose classes are not the job's; an element that knows
        the classes has its own (`keepColors`).
        """
        found = self.read_value(value) if value else None
        if found is None or not found.segments:
            return None
        names = sorted(one.label for one in found.segments)
        by_name = dict(zip(names, masks.screen_colors(len(names)), strict=True))
        mappings = {one.label: {"color": by_name[one.label]} for one in found.segments}
        src = mask_answers.data_url(found, [by_name[one.label] for one in found.segments])
        return {"labelMappings": mappings, "src": src, "keepColors": False}

    def story(self, value: Mapping[str, Any], explanation: Mapping[str, Any]) -> Story:
        """What became of each class that somebody painted."""
        classes = explanation.get("classes", [])
        kept = sum(one["kept"] for one in classes)
        dropped = len(classes) - kept
        lead = kept_of(count(kept, "class", "classes"), count(dropped, "class", "classes") if dropped else 0)
        return story(lead, classes, len(explanation.get("workers", [])), explanation)
