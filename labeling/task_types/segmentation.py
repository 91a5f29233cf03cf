"""What semantic and instance segmentation have in common: people paint masks. An answer is a Segmentation.

A stored label has run lengths, never pixels. In the manifest it is the address of a PNG, which its reader and its
writer fetch and store.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any, ClassVar

from labeling.consolidation.answers import ObjectAnswers
from labeling.consolidation.stopping import Decision, Stopping
from labeling.consolidation.workers.masks import MaskWorkers
from labeling.consolidation.workers.skills import SkillRow
from labeling.formats import augmented, augmented_reading, mask_labels, segments
from labeling.formats.label_context import LabelContext
from labeling.formats.shapes import ImageSize, Part, Segment, Segmentation
from labeling.task_types.base import (
    PRICES,
    AnswersToImage,
    Consensus,
    ImportedLabel,
    Mark,
    Size,
    TaskType,
    count,
    percent,
)
from labeling.task_types.told import Column, Finding, Said, SkillFigures, Story, Told, answered, together, told

MOST_STACKED = 2_000
"""Masks of an image in a file: those of one class become one."""


class SegmentationType(TaskType[Segmentation, MaskWorkers]):
    """Masks. A stored label is {"width", "height", "confidence", "segments": [{"label", "counts", "confidence"}]};
    `counts` are COCO's compressed run lengths, column by column."""

    prices = PRICES
    fewest_labels = 1
    most_labels = segments.MOST_SEGMENTS
    reserved_labels = frozenset({mask_labels.BACKGROUND})
    label_is_file = True
    exports = ("coco", "masks", "huggingface")
    imports = ("coco", "masks", "labelstudio", "cvat", "manifest")
    fit_sample = 200  # a large picture with its answers takes as long as hundreds of choices
    consolidator: ClassVar[ModuleType]
    """The module of labeling/consolidation/masks."""
    skill_columns = (
        Column("quality", "Paints right", "percent"),
        Column("recall", "Recall", "percent"),
        Column("precision", "Precision", "percent"),
    )

    @abstractmethod
    def numbers(self, answer: Segmentation, labels: Sequence[str]) -> list[int]:
        """The pixel value of each segment in the label's file. Raises ValueError where there is none."""

    @abstractmethod
    def counted_by_class(self, answer: Segmentation, truth: Segmentation) -> dict[str, tuple[float, float, float]]:
        """By class: how much is right, painted and true; F1 is twice the first over the sum of the others."""

    # --- labels

    def value(self, answer: Segmentation) -> dict[str, Any]:
        """The run lengths with their confidences."""
        return {
            "width": answer.size[0],
            "height": answer.size[1],
            "confidence": answer.confidence,
            "segments": [
                {"label": one.label, "counts": one.counts, "confidence": one.confidence} for one in answer.segments
            ],
        }

    def read_value(self, value: Mapping[str, Any]) -> Segmentation:
        """The same."""
        found = tuple(Segment(one["label"], one["counts"], one.get("confidence")) for one in value["segments"])
        return Segmentation((value["width"], value["height"]), found, value.get("confidence"))

    def certain(self, answer: Segmentation) -> Segmentation:
        """Every pixel is certain."""
        return replace(answer, segments=tuple(replace(one, confidence=1.0) for one in answer.segments), confidence=1.0)

    def classes(self, answer: Segmentation) -> frozenset[str]:
        """None for an image in which nothing is."""
        return frozenset(one.label for one in answer.segments)

    def agreement(self, one: Segmentation, other: Segmentation) -> float:
        """F1 of what both painted."""
        return self.score_against_truth(one, other)

    def score_against_truth(self, answer: Segmentation, truth: Segmentation) -> float:
        """F1 over all classes together."""
        by_class = self.counted_by_class(answer, truth).values()
        right, given, true = (sum(one[part] for one in by_class) for part in range(3))
        return 2 * right / (given + true) if given + true else 1.0

    def scores_by_class(self, answer: Segmentation, truth: Segmentation) -> dict[str, float]:
        """The same for each class that is there."""
        return {
            label: 2 * right / (given + true)
            for label, (right, given, true) in sorted(self.counted_by_class(answer, truth).items())
            if true
        }

    def agreement_by_class(self, one: Segmentation, label: Segmentation) -> dict[str, float]:
        """The same for each class of the label."""
        return self.scores_by_class(one, label)

    def marks(self, answer: Segmentation) -> tuple[Mark, ...]:
        """The smallest box round each segment."""
        height = answer.size[1]
        return tuple((one.label, *segments.box(one, height)) for one in answer.segments)

    def misfit(self, answer: Segmentation, size: Size) -> str:
        """Masks have the size of their image."""
        if answer.size == tuple(size):
            return ""
        return "the mask has {} x {} pixels, but the image has {} x {}".format(*answer.size, *size)

    def parts(self, answer: Segmentation) -> Sequence[Segment]:
        """The masks."""
        return answer.segments

    def of_parts(
        self, parts: Sequence[Part], *, size: Size, confidence: float | None = None
    ) -> tuple[Segmentation, str]:
        """The masks; of those that share pixels the later one has them, as tools draw them over each other."""
        given = tuple(part for part in parts if isinstance(part, Segment))
        if len(given) > MOST_STACKED:
            raise ValueError(f"has {len(given):,} masks, at most {MOST_STACKED:,} are possible")
        found, shared = segments.stacked(Segmentation(size, given, confidence))
        hidden = len(given) - len(found.segments)
        said = f"{shared:,} pixels lie in several masks: the later one has them" if shared else ""
        return found, f"{said}; {count(hidden, 'mask', 'masks')} lay wholly behind others" if hidden else said

    # --- manifests

    def manifest_label(self, answer: Segmentation, about: LabelContext) -> tuple[Any, dict[str, Any]]:
        """The metadata; the value, the address of the file, is left "". Raises ValueError for a mask without a file."""
        numbers = self.numbers(answer, about.labels)
        return augmented.mask_label(
            "",
            about,
            colors=mask_labels.color_map(answer, numbers),
            confidence=answer.confidence,
            of_each={n: one.confidence for n, one in zip(numbers, answer.segments, strict=True)},
            kind=self.manifest_type,
        )

    def label_file(self, answer: Segmentation, *, labels: Sequence[str]) -> bytes:
        """The palette PNG."""
        return mask_labels.png(answer, self.numbers(answer, labels))

    @abstractmethod
    def read_masks(self, label: augmented_reading.MaskLabel, attr: str) -> Segmentation:
        """What the file of a manifest's label says. Raises ValueError naming what is wrong with it."""

    def read_manifest(self, attributes: Mapping[str, Any], attr: str) -> ImportedLabel[Segmentation]:
        """The label, whose file stands, as bytes, in place of its address."""
        label = augmented_reading.read_masks(attributes, attr)
        found = self.read_masks(label, attr)
        return ImportedLabel(found, ImageSize(*found.size), label.origin)

    # --- consolidation

    def consolidate_many(
        self, objects: Sequence[AnswersToImage[Segmentation]], *, labels: Sequence[str], workers: MaskWorkers
    ) -> list[Consensus]:
        """The confidence means agreement, and is None where a single person answered."""
        made = []
        for one in objects:
            found = self.consolidator.consolidate(one.answers, labels=labels, workers=workers)
            value = None if found.mask is None else self.value(found.mask)
            made.append(Consensus(value, found.confidence, found.explanation))
        return made

    def decide_many(
        self,
        objects: Sequence[AnswersToImage[Segmentation]],
        *,
        labels: Sequence[str],
        rule: Stopping,
        workers: MaskWorkers,
    ) -> list[Decision]:
        """The expected loss is the share of what was painted on which people disagree."""
        ask = self.consolidator.should_ask_more
        return [ask(one.answers, labels=labels, rule=rule, workers=workers) for one in objects]

    def fit_workers(self, objects: Sequence[AnswersToImage[Segmentation]], *, labels: Sequence[str]) -> MaskWorkers:
        """How much of what is there each worker paints, and how much of it is right."""
        given = [ObjectAnswers(one.answers, gold=one.gold, key=one.key) for one in objects]
        found: MaskWorkers = self.consolidator.fit_workers(given, labels=labels)
        return found

    def load_workers(self, stored: Mapping[str, Any] | None) -> MaskWorkers:
        """See MaskWorkers.from_json."""
        return MaskWorkers() if stored is None else MaskWorkers.from_json(stored)

    def skills(self, models: MaskWorkers, workers: Sequence[str], *, labels: Sequence[str]) -> list[SkillFigures]:
        """`quality` is F1, `recall` the share of what is there that the worker paints, `precision` that of what the
        worker paints that is right; `standard_error` is that of `quality`; of each class `quality` is the recall."""
        rows = []
        for worker in workers:
            figures = {
                "quality": round(models.quality(worker), 4),
                "recall": round(models.recall(worker), 4),
                "precision": round(models.precision(worker), 4),
                "standard_error": round(models.standard_error(worker), 4),
            }
            rows.append(SkillFigures(worker, "", dict(figures)))
            rows += [
                SkillFigures(worker, label, {"quality": round(models.recall(worker, label), 4)}) for label in labels
            ]
        return rows

    def skill_rows(self, models: MaskWorkers, *, labels: Sequence[str]) -> list[SkillRow]:
        """See workers.masks.rows_of_masks."""
        rows: list[SkillRow] = self.consolidator.skill_rows(models, labels)
        return rows

    # --- pages

    def layer(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """Masks by their run lengths."""
        return {"masks": {"width": value["width"], "height": value["height"], "segments": list(value["segments"])}}


def story(lead: Told, explained: Sequence[Mapping[str, Any]], of: int, explanation: Mapping[str, Any]) -> Story:
    """How masks came about: `explained` are the classes or the objects, of an image that `of` people answered."""
    findings = tuple(_finding(one, of) for one in explained)
    return Story(together(answered(of), lead), findings, tuple(explanation.get("ignored", [])))


def _finding(one: Mapping[str, Any], of: int) -> Finding:
    members, missed = one["members"], one["not_drawn_by"]
    why = (
        told("{pixels:,} pixels are what most of them painted.", pixels=one["pixels"])
        if one["kept"]
        else told("Dropped: too few agree.")
    )
    said = together(told("Painted by {drew} of {of}.", drew=len(members), of=of), why)
    return Finding(
        label=one["label"],
        kept=one["kept"],
        confidence=one["confidence"],
        said=said,
        columns=("Overlap", "Weight"),
        members=(
            *(
                Said(m["worker"], one["label"], m["outvoted"], (told("{iou:.2f}", iou=m["iou"]), percent(m["weight"])))
                for m in members
            ),
            *(Said(worker, note=told("did not paint it")) for worker in missed),
        ),
    )
