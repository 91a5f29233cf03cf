"""Bounding boxes: people draw a rectangle around each object of the job's classes. An answer is a list of boxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from scipy.optimize import linear_sum_assignment

from labeling.consolidation import attributes, likely_errors
from labeling.consolidation.answers import Proposal, WorkerAnswer
from labeling.consolidation.boxes import consolidator as boxes
from labeling.consolidation.boxes.answers import Consolidated, ImageAnswers
from labeling.consolidation.scoring import f1
from labeling.consolidation.stopping import Decision, Stopping
from labeling.consolidation.workers.models import WorkerModels
from labeling.consolidation.workers.skills import Skill, SkillRow
from labeling.formats import answers, augmented, augmented_reading, geometry, label_attributes
from labeling.formats.interchange import kinds
from labeling.formats.label_attributes import Values
from labeling.formats.label_context import LabelContext
from labeling.formats.shapes import Box, Part
from labeling.simulation import checking
from labeling.simulation.boxes import BoxSimulation
from labeling.simulation.matching import labeled, tally
from labeling.task_types import told_attributes
from labeling.task_types.base import (
    PRICES,
    AnswersToImage,
    Consensus,
    Element,
    ImportedLabel,
    Mark,
    Size,
    TaskType,
    Words,
    count,
    percent,
)
from labeling.task_types.proposed_boxes import ProposedBoxes
from labeling.task_types.proposing import Proposing
from labeling.task_types.told import (
    Column,
    Finding,
    Said,
    SkillFigures,
    Story,
    answered,
    kept_of,
    together,
    told,
)

METHODS = {
    "mean": "The box is the mean of the boxes, by weight.",
    "medoid": "The box is the box closest to all others.",
    "single": "The box is the one box there is.",
}
"""How the box of a cluster was made from its members, by the explanation's word for it."""


class BoundingBox(TaskType[list[Box], WorkerModels]):
    """Ground Truth's bounding box type. A stored label is {"boxes": [...]} in displayed pixels."""

    name = "BoundingBox"
    title = "Bounding boxes"
    element = Element("crowd-bounding-box", "boundingBox", "labels")
    words = Words(
        decide="Correct the boxes and press Submit. Your boxes become the label and count as gold: "
        "they also teach how good each worker is.",
        decided="Their boxes are the label.",
        saved="Your boxes for object {index} are the label now.",
        not_received="The boxes did not arrive. Draw them again and save.",
        left_out="a box",
        labels_help="One a line. Their order is the class index.",
        skills="Recall: the share of real objects this worker draws, and the class whose recall is much lower than "
        "that. False positives: how many boxes per image are about no object. Scatter: how far the edges lie from the "
        "crowd's, 1 is usual.",
    )
    prices = PRICES[2:]
    fewest_labels = 1
    manifest_type = augmented.TYPE_BOXES
    exports = ("coco", "voc", "yolo", "huggingface")
    imports = ("coco", "voc", "yolo", "labelstudio", "cvat", "manifest")
    part = kinds.BOXES
    attributed = "boundingBoxes"
    learner = "detector"
    proposing: ClassVar[Proposing[Any] | None] = ProposedBoxes()
    algorithm = boxes.ALGORITHM
    skill_columns = (
        Column("recall", "Recall", "percent"),
        Column("false_positives", "False positives", "fixed"),
        Column("spread", "Scatter", "fixed"),
    )
    simulation = BoxSimulation()

    def likely_errors(self, confidence: float | None, explanation: Mapping[str, Any]) -> dict[str, float]:
        """By the kinds of errors where people's boxes were merged; of others, by their confidence."""
        if "clusters" in explanation:
            return likely_errors.of_boxes(explanation)
        return likely_errors.of_confidence(confidence)

    def read_answer(self, content: Mapping[str, Any], *, labels: Sequence[str], size: Size) -> list[Box]:
        """See answers.parse_bounding_box_answer."""
        return answers.parse_bounding_box_answer(
            content, labels=labels, image_size=size, element_name=self.element.name
        )

    def write_answer(self, answer: list[Box], *, size: Size) -> dict[str, Any]:
        """The boxes in the order given."""
        return answers.bounding_box_content(answer, image_size=size, element_name=self.element.name)

    def attributes(self, answer: list[Box]) -> list[tuple[str, Values]]:
        """Of each box."""
        return [(box.label, box.attributes) for box in answer]

    def with_attributes(self, answer: list[Box], values: Sequence[Values]) -> list[Box]:
        """See TaskType."""
        return [replace(box, attributes=given) for box, given in zip(answer, values, strict=True)]

    def value(self, answer: list[Box]) -> dict[str, Any]:
        """The boxes with their confidences."""
        return {"boxes": [_row(box) for box in answer]}

    def read_value(self, value: Mapping[str, Any]) -> list[Box]:
        """The boxes with their confidences."""
        return [
            Box(
                b["label"],
                b["left"],
                b["top"],
                b["width"],
                b["height"],
                b.get("confidence"),
                label_attributes.read(b),
            )
            for b in value["boxes"]
        ]

    def certain(self, answer: list[Box]) -> list[Box]:
        """Each box is certain."""
        return [replace(box, confidence=1.0) for box in answer]

    def classes(self, answer: list[Box]) -> frozenset[str]:
        """None for a picture with nothing on it."""
        return frozenset(box.label for box in answer)

    def agreement(self, one: list[Box], other: list[Box]) -> float:
        """The mean IoU of the boxes of both, each with its partner of the same label; a box without one counts 0."""
        if not one and not other:
            return 1.0
        same = np.array([[a.label == b.label for b in other] for a in one], dtype=bool).reshape(len(one), len(other))
        alike = np.where(same, geometry.iou_matrix(geometry.corners(one), geometry.corners(other)), 0.0)
        rows, columns = linear_sum_assignment(alike, maximize=True)
        return float(2 * alike[rows, columns].sum() / (len(one) + len(other)))

    def score_against_truth(self, answer: list[Box], truth: list[Box]) -> float:
        """A box is right with an IoU of at least 0.5 with a true box of its class; pairs are one to one."""
        right, given, true, _ = tally([labeled(answer)], [labeled(truth)])[0].tolist()
        return f1(right, given, true)

    def scores_by_class(self, answer: list[Box], truth: list[Box]) -> dict[str, float]:
        """The same for the boxes of each class that is there."""
        return {
            label: self.score_against_truth(
                [box for box in answer if box.label == label], [box for box in truth if box.label == label]
            )
            for label in sorted(self.classes(truth))
        }

    def agreement_by_class(self, one: list[Box], label: list[Box]) -> dict[str, float]:
        """`agreement` about the boxes of each class that the label has."""
        return {
            name: self.agreement([box for box in one if box.label == name], [box for box in label if box.label == name])
            for name in self.classes(label)
        }

    def marks(self, answer: list[Box]) -> tuple[Mark, ...]:
        """The boxes."""
        return tuple(
            (box.label, round(box.left), round(box.top), round(box.width), round(box.height)) for box in answer
        )

    def parts(self, answer: list[Box]) -> list[Box]:
        """The boxes."""
        return answer

    def of_parts(self, parts: Sequence[Part], *, size: Size, confidence: float | None = None) -> tuple[list[Box], str]:
        """The boxes."""
        return [part for part in parts if isinstance(part, Box)], ""

    def summary(self, value: Mapping[str, Any]) -> str:
        """How many boxes there are."""
        return count(len(value["boxes"]), "box", "boxes")

    def manifest_label(self, answer: list[Box], about: LabelContext) -> tuple[Any, dict[str, Any]]:
        """See augmented.box_label."""
        return augmented.box_label(
            answer,
            about,
        )

    def read_manifest(self, attributes: Mapping[str, Any], attr: str) -> ImportedLabel[list[Box]]:
        """See augmented_reading.read_boxes."""
        found = augmented_reading.read_boxes(attributes, attr)
        return ImportedLabel(list(found.boxes), found.image_size, found.origin)

    def consolidate_many(
        self, objects: Sequence[AnswersToImage[list[Box]]], *, labels: Sequence[str], workers: WorkerModels
    ) -> list[Consensus]:
        """The confidence of a label is the mean over its boxes, None when it has none."""
        found = boxes.consolidate_many(map(_image, objects), labels=labels, workers=workers)
        return [_consensus(one, image, undeclared=self.adjusts) for one, image in zip(found, objects, strict=True)]

    def decide_many(
        self,
        objects: Sequence[AnswersToImage[list[Box]]],
        *,
        labels: Sequence[str],
        rule: Stopping,
        workers: WorkerModels,
    ) -> list[Decision]:
        """The expected loss counts wrong and missing boxes."""
        return boxes.decide_many([_image(one) for one in objects], labels=labels, rule=rule, workers=workers)

    def fit_workers(self, objects: Sequence[AnswersToImage[list[Box]]], *, labels: Sequence[str]) -> WorkerModels:
        """Rates, bias, scatter and confusions of each worker, and the calibration."""
        return boxes.fit_workers([_image(one) for one in objects], labels=labels)

    def load_workers(self, stored: Mapping[str, Any] | None) -> WorkerModels:
        """See WorkerModels.from_json."""
        return WorkerModels() if stored is None else WorkerModels.from_json(stored)

    def skills(self, models: WorkerModels, workers: Sequence[str], *, labels: Sequence[str]) -> list[SkillFigures]:
        """`recall` is the chance of drawing an object that is there, over all classes and for each class;
        `false_positives` how many boxes an image are about no object; `spread` the scatter of the edges against the
        crowd's (1)."""
        if not workers:
            return []
        rates = models.rates(workers, labels)
        by_class = rates.recall_by_class
        rows = []
        for place, worker in enumerate(workers):
            overall = {
                "recall": round(float(rates.recall[place]), 4),
                "false_positives": _false_positives(models.skills.get(worker)),
                "spread": round(float(rates.spread[place].mean()), 4),
            }
            rows.append(SkillFigures(worker, "", overall))
            for column, label in enumerate(labels):
                rows.append(SkillFigures(worker, label, {"recall": round(float(by_class[place][column]), 4)}))
        return rows

    def skill_rows(self, models: WorkerModels, *, labels: Sequence[str]) -> list[SkillRow]:
        """See consolidator.skill_rows."""
        return boxes.skill_rows(models, labels)

    def layer(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """Rectangles."""
        return {"boxes": value.get("boxes", [])}

    def answer_layer(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """The boxes of the answer, whatever its element is called."""
        for element in content.values():
            if isinstance(element, dict) and "boundingBoxes" in element:
                return {"boxes": list(element["boundingBoxes"])}
        return {"boxes": []}

    def initial_value(self, value: Mapping[str, Any] | None) -> Any:
        """The boxes in whole pixels."""
        sides = ("left", "top", "width", "height")
        found = value["boxes"] if value else []
        return [
            {"label": box["label"], **{side: round(box[side]) for side in sides}, **label_attributes.kept(box)}
            for box in found
        ]

    def simulated(
        self, said: list[Box], *, initial_value: Any, truth: list[Box], labels: Sequence[str], size: Size
    ) -> list[Box]:
        """Of a person who checks boxes: see simulation.checking."""
        content: Mapping[str, Any] = {self.element.name: {"boundingBoxes": initial_value or []}}
        begun = self.read_answer(content, labels=labels, size=size)
        return checking.checked(begun, said, truth) if begun else said

    def story(self, value: Mapping[str, Any], explanation: Mapping[str, Any]) -> Story:
        """What became of each object that a worker drew."""
        findings = tuple(_finding(cluster) for cluster in explanation.get("clusters", []))
        kept = sum(found.kept for found in findings)
        people, dropped = len(explanation.get("workers", [])), len(findings) - kept
        lead = together(
            answered(people),
            *([told("They began with a model's boxes.")] if "proposed_by" in explanation else []),
            kept_of(count(kept, "box", "boxes"), count(dropped, "box", "boxes") if dropped else 0),
        )
        return Story(lead, findings, tuple(explanation.get("ignored", [])))


def _row(box: Any) -> dict[str, Any]:
    return {
        "left": box.left,
        "top": box.top,
        "width": box.width,
        "height": box.height,
        "label": box.label,
        "confidence": box.confidence,
        **label_attributes.written(box.attributes),
    }


def _image(one: AnswersToImage[list[Box]]) -> ImageAnswers:
    return ImageAnswers(
        tuple(WorkerAnswer(a.worker, tuple(a.value), a.revision) for a in one.answers),
        one.size,
        gold=None if one.gold is None else tuple(one.gold),
        key=one.key,
        proposals=tuple(Proposal(given.model, tuple(given.value), given.seen_by) for given in one.proposals),
    )


def _consensus(found: Consolidated, given: AnswersToImage[list[Box]], *, undeclared: bool) -> Consensus:
    value = {"boxes": [{**_row(box), "cluster": box.cluster} for box in found.boxes]}
    attributes.settle(
        value["boxes"],
        found.explanation["clusters"],
        declared=given.declared,
        trust={
            one["worker"]: one["recall"]
            for one in (*found.explanation["workers"], *found.explanation.get("proposed_by", []))
        },
        nearness="iou",
        undeclared=undeclared,
    )
    sure = [box.confidence for box in found.boxes]
    return Consensus(value, round(sum(sure) / len(sure), 4) if sure else None, dict(found.explanation))


def _false_positives(skill: Skill | None) -> float | None:
    """Boxes an image that are about no object, each counted by its chance of being a false positive."""
    if skill is None or skill.images < 1:
        return None
    return round(max(skill.false_positives, 0.0) / skill.images, 4)


def _finding(cluster: Mapping[str, Any]) -> Finding:
    members, missed = cluster.get("members", []), cluster.get("not_drawn_by", [])
    drew = len({member["worker"] for member in members})
    left, proposed = cluster.get("left_as_proposed_by", []), any(member.get("proposed") for member in members)
    drew += len(left) - proposed
    text = "Proposed, and kept by {drew} of {of}." if proposed else "Drawn by {drew} of {of}."
    if cluster["kept"]:
        why = told(METHODS.get(cluster.get("method", ""), "The box is made from theirs."))
    elif cluster.get("label") is None:
        why = told("Dropped: nobody gave it a label of this job.")
    elif cluster["exists"] >= 0.5:
        doubt = "Dropped: only {chance:.0%} likely to be right, for people disagree on what it is."
        why = told(doubt, chance=cluster["confidence"])
    else:
        why = told("Dropped: only {chance:.0%} likely to be right.", chance=cluster["confidence"])
    said = together(told(text, drew=drew, of=drew + len(missed)), why, *told_attributes.sentence(cluster))
    return Finding(
        label=cluster.get("label") or told("no label"),
        kept=cluster["kept"],
        confidence=cluster.get("confidence"),
        said=said,
        columns=("Overlap", "Weight", *told_attributes.column(cluster)),
        members=(
            *(
                Said(
                    m["worker"],
                    m["label"] or told("no label"),
                    m["outvoted"],
                    (told("{iou:.2f}", iou=m["iou"]), percent(m["weight"]), *told_attributes.cell(m, cluster)),
                )
                for m in members
            ),
            *(Said(worker, note=told("left it as it was proposed")) for worker in left),
            *(Said(worker, note=told("deleted it" if proposed else "did not draw it")) for worker in missed),
        ),
    )
