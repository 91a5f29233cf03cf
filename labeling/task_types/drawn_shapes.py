"""What polygons, polylines and key points have in common as task types: people draw shapes on an image, with classes.

An answer is a Drawing. Each type says how its shapes are read, compared and shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Generic

from labeling.consolidation import attributes
from labeling.consolidation.answers import WorkerAnswer
from labeling.consolidation.scoring import f1
from labeling.consolidation.shapes.answers import ConsolidatedShapes, ImageShapes
from labeling.consolidation.shapes.consolidator import ShapeConsolidator
from labeling.consolidation.shapes.fit import matched
from labeling.consolidation.stopping import Decision, Stopping
from labeling.consolidation.workers.models import WorkerModels
from labeling.consolidation.workers.skills import Skill, SkillRow
from labeling.formats import label_attributes, shape_labels
from labeling.formats.answers import MAX_SHAPES
from labeling.formats.label_attributes import Values
from labeling.formats.label_context import LabelContext
from labeling.formats.shapes import Drawing, ImageSize, Keypoint, Part, Polygon, Shape
from labeling.simulation.shapes import right_ones
from labeling.task_types import told_attributes
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
from labeling.task_types.told import Column, Finding, Said, SkillFigures, Story, Told, answered, kept_of, together, told


class DrawnShapes(TaskType[Drawing[Shape], WorkerModels], Generic[Shape]):
    """Shapes on an image. A stored label is the value of the crowd element, each shape with its confidence."""

    member: ClassVar[str]
    """The list in the element's value."""
    one: ClassVar[str]
    many: ClassVar[str]
    """What a shape is called, and several."""
    rules: ClassVar[ShapeConsolidator[Any]]

    prices = PRICES[2:]
    fewest_labels = 1
    skill_columns = (
        Column("recall", "Recall", "percent"),
        Column("false_positives", "False positives", "fixed"),
    )

    # --- labels

    def attributes(self, answer: Drawing[Shape]) -> list[tuple[str, Values]]:
        """Of each shape."""
        return [(shape.label, shape.attributes) for shape in answer.shapes]

    def with_attributes(self, answer: Drawing[Shape], values: Sequence[Values]) -> Drawing[Shape]:
        """See TaskType."""
        shapes = (replace(shape, attributes=given) for shape, given in zip(answer.shapes, values, strict=True))
        return replace(answer, shapes=tuple(shapes))

    def value(self, answer: Drawing[Shape]) -> dict[str, Any]:
        """See shape_labels.plain."""
        return shape_labels.plain(answer, self.member)

    def read_value(self, value: Mapping[str, Any]) -> Drawing[Shape]:
        """The shapes with their confidences."""
        found: Drawing[Shape] = shape_labels.drawing_of(value, self.member)
        return found

    def certain(self, answer: Drawing[Shape]) -> Drawing[Shape]:
        """Each shape is certain."""
        return replace(answer, shapes=tuple(replace(shape, confidence=1.0) for shape in answer.shapes))

    def classes(self, answer: Drawing[Shape]) -> frozenset[str]:
        """None for an image with nothing on it."""
        return frozenset(shape.label for shape in answer.shapes)

    def parts(self, answer: Drawing[Shape]) -> Sequence[Shape]:
        """The shapes."""
        return answer.shapes

    def of_parts(
        self, parts: Sequence[Part], *, size: Size, confidence: float | None = None
    ) -> tuple[Drawing[Shape], str]:
        """The shapes. Raises ValueError for more than a label may have."""
        shapes: Any = tuple(part for part in parts if isinstance(part, Polygon | Keypoint))
        if len(shapes) > MAX_SHAPES:
            raise ValueError(f"has {len(shapes):,} {self.many}, at most {MAX_SHAPES:,} are possible")
        return Drawing(shapes, size), ""

    def summary(self, value: Mapping[str, Any]) -> str:
        """How many shapes there are."""
        return count(len(value[self.member]), self.one, self.many)

    def agreement(self, one: Drawing[Shape], other: Drawing[Shape]) -> float:
        """The mean likeness of the shapes of both, each with its partner of the same label; one without counts 0."""
        given = len(one.shapes) + len(other.shapes)
        if not given:
            return 1.0
        alike = sum(
            value
            for label in sorted(self.classes(one) & self.classes(other))
            for _, _, value in matched(
                _of(one, label).shapes, _of(other, label).shapes, self.rules.likeness, (), one.size
            )
        )
        return 2 * alike / given

    def agreement_by_class(self, one: Drawing[Shape], label: Drawing[Shape]) -> dict[str, float]:
        """`agreement` about the shapes of each class that the label has."""
        return {name: self.agreement(_of(one, name), _of(label, name)) for name in self.classes(label)}

    def score_against_truth(self, answer: Drawing[Shape], truth: Drawing[Shape]) -> float:
        """A shape is right when it is at least half like a true one of its class; pairs are one to one."""
        right = len(right_ones(answer.shapes, truth, self.rules.likeness))
        return f1(right, len(answer.shapes), len(truth.shapes))

    def scores_by_class(self, answer: Drawing[Shape], truth: Drawing[Shape]) -> dict[str, float]:
        """The same for the shapes of each class that is there."""
        return {
            label: self.score_against_truth(_of(answer, label), _of(truth, label))
            for label in sorted(self.classes(truth))
        }

    def marks(self, answer: Drawing[Shape]) -> tuple[Mark, ...]:
        """The bounds of the shapes."""
        found = []
        for shape in answer.shapes:
            points = self.rules.likeness.points(shape)
            (left, top), (width, height) = points.min(axis=0), points.max(axis=0) - points.min(axis=0)
            found.append((shape.label, round(left), round(top), round(width), round(height)))
        return tuple(found)

    # --- manifests

    def manifest_label(self, answer: Drawing[Shape], about: LabelContext) -> tuple[Any, dict[str, Any]]:
        """See shape_labels.shape_label."""
        return shape_labels.shape_label(
            answer,
            self.member,
            about,
        )

    def read_manifest(self, attributes: Mapping[str, Any], attr: str) -> ImportedLabel[Drawing[Shape]]:
        """See shape_labels.read_shapes."""
        found = shape_labels.read_shapes(attributes, attr, self.member)
        return ImportedLabel(found.drawing, ImageSize(*found.drawing.size), found.origin)

    # --- consolidation

    def consolidate_many(
        self, objects: Sequence[AnswersToImage[Drawing[Shape]]], *, labels: Sequence[str], workers: WorkerModels
    ) -> list[Consensus]:
        """The confidence of a label is the mean over its shapes, None when it has none."""
        merge = self.rules.consolidate
        return [
            self._consensus(merge(_answers(one), labels=labels, image_size=one.size, workers=workers), one, workers)
            for one in objects
        ]

    def _consensus(
        self, found: ConsolidatedShapes[Shape], given: AnswersToImage[Drawing[Shape]], workers: WorkerModels
    ) -> Consensus:
        if not found.explanation["workers"]:
            return Consensus(None, None, found.explanation)
        value = self.value(Drawing(found.shapes, given.size))
        for shape, cluster in zip(value[self.member], found.clusters, strict=True):
            shape["cluster"] = cluster
        if given.declared:
            names = [one["worker"] for one in found.explanation["workers"]]
            recall = workers.rates(names, ()).recall.tolist()
            attributes.settle(
                value[self.member],
                found.explanation["clusters"],
                declared=given.declared,
                trust=dict(zip(names, recall, strict=True)),
                nearness="likeness",
            )
        return Consensus(value, found.confidence, found.explanation)

    def decide_many(
        self,
        objects: Sequence[AnswersToImage[Drawing[Shape]]],
        *,
        labels: Sequence[str],
        rule: Stopping,
        workers: WorkerModels,
    ) -> list[Decision]:
        """The expected loss is the mean chance that something somebody drew is judged wrong."""
        return [
            self.rules.should_ask_more(_answers(one), labels=labels, image_size=one.size, rule=rule, workers=workers)
            for one in objects
        ]

    def fit_workers(self, objects: Sequence[AnswersToImage[Drawing[Shape]]], *, labels: Sequence[str]) -> WorkerModels:
        """What each worker found and drew in vain."""
        given = [
            ImageShapes(_answers(one), one.size, None if one.gold is None else one.gold.shapes, one.key)
            for one in objects
        ]
        return self.rules.fit_workers(given, labels=labels)

    def load_workers(self, stored: Mapping[str, Any] | None) -> WorkerModels:
        """See WorkerModels.from_json."""
        return WorkerModels() if stored is None else WorkerModels.from_json(stored)

    def skills(self, models: WorkerModels, workers: Sequence[str], *, labels: Sequence[str]) -> list[SkillFigures]:
        """`recall` is the chance of drawing a thing that is there, over all classes and for each class;
        `false_positives` how many shapes an image are about nothing; `standard_error` is that of the recall."""
        if not workers:
            return []
        rates = models.rates(workers, labels)
        rows = []
        for place, worker in enumerate(workers):
            overall = {
                "recall": round(float(rates.recall[place]), 4),
                "false_positives": _false_positives(models.skills.get(worker)),
                "standard_error": round(models.standard_error(worker), 4),
            }
            rows.append(SkillFigures(worker, "", overall))
            for column, label in enumerate(labels):
                recall = round(float(rates.recall_by_class[place][column]), 4)
                rows.append(SkillFigures(worker, label, {"recall": recall}))
        return rows

    def skill_rows(self, models: WorkerModels, *, labels: Sequence[str]) -> list[SkillRow]:
        """Each worker's counts over all labels and by label."""
        return self.rules.skill_rows(models)

    # --- pages

    def layer(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """The shapes, under the name of their list."""
        return {self.member: value.get(self.member, [])}

    def answer_layer(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """The shapes of the answer, whatever its element is called."""
        for element in content.values():
            if isinstance(element, dict) and isinstance(element.get(self.member), list):
                return {self.member: element[self.member]}
        return {self.member: []}

    def initial_value(self, value: Mapping[str, Any] | None) -> Any:
        """The shapes as the element takes them, in whole pixels as it draws them."""
        return [_in_whole_pixels(shape) for shape in value[self.member]] if value else []

    def story(self, value: Mapping[str, Any], explanation: Mapping[str, Any]) -> Story:
        """What became of each thing that a worker drew."""
        findings = tuple(_finding(cluster) for cluster in explanation.get("clusters", []))
        kept = sum(found.kept for found in findings)
        people, dropped = len(explanation.get("workers", [])), len(findings) - kept
        return Story(together(answered(people), kept_of(count(kept, self.one, self.many), dropped)), findings)


def _of(drawing: Drawing[Shape], label: str) -> Drawing[Shape]:
    return replace(drawing, shapes=tuple(shape for shape in drawing.shapes if shape.label == label))


def _answers(one: AnswersToImage[Drawing[Shape]]) -> tuple[WorkerAnswer[tuple[Shape, ...]], ...]:
    return tuple(WorkerAnswer(answer.worker, answer.value.shapes, answer.revision) for answer in one.answers)


def _false_positives(skill: Skill | None) -> float | None:
    if skill is None or skill.images < 1:
        return None
    return round(max(skill.false_positives, 0.0) / skill.images, 4)


def _in_whole_pixels(shape: Mapping[str, Any]) -> dict[str, Any]:
    said = label_attributes.kept(shape)
    if "vertices" not in shape:
        return {"label": shape["label"], "x": round(shape["x"]), "y": round(shape["y"]), **said}
    vertices = [{"x": round(vertex["x"]), "y": round(vertex["y"])} for vertex in shape["vertices"]]
    return {"label": shape["label"], "vertices": vertices, **said}


def _reasons(cluster: Mapping[str, Any]) -> list[Told]:
    drew = len({member["worker"] for member in cluster["members"]})
    said = [told("Drawn by {drew} of {of}.", drew=drew, of=drew + len(cluster["not_drawn_by"]))]
    if cluster["label"] is None:
        said.append(told("No label of this job."))
    elif not cluster["kept"]:
        _, known, chance = cluster["reason"].rpartition("chance of ")
        doubt = told("It is there with a chance of {chance:.2f}.", chance=float(chance)) if known else None
        said.append(doubt or told("That is fewer than half."))
    return said


def _finding(cluster: Mapping[str, Any]) -> Finding:
    return Finding(
        label=cluster["label"] or told("no label"),
        kept=cluster["kept"],
        confidence=cluster["confidence"],
        said=together(*_reasons(cluster), *told_attributes.sentence(cluster)),
        columns=("Likeness", *told_attributes.column(cluster)),
        members=(
            *(
                Said(
                    m["worker"],
                    m["label"],
                    m["outvoted"],
                    (percent(m["likeness"]), *told_attributes.cell(m, cluster)),
                )
                for m in cluster["members"]
            ),
            *(Said(worker, note=told("did not draw it")) for worker in cluster["not_drawn_by"]),
        ),
    )
