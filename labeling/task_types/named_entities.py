"""Named entity recognition: people mark stretches of a text and give each a class. An answer is a tuple of Spans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from labeling.consolidation.answers import ObjectAnswers
from labeling.consolidation.scoring import span_f1
from labeling.consolidation.spans import consolidator as spans
from labeling.consolidation.spans.answers import ConsolidatedSpans
from labeling.consolidation.stopping import Decision, Stopping
from labeling.consolidation.workers.skills import SkillRow
from labeling.consolidation.workers.spans import SpanWorkers
from labeling.formats import answers, augmented, augmented_reading
from labeling.formats.interchange import kinds
from labeling.formats.label_context import LabelContext
from labeling.formats.shapes import Part, Span
from labeling.formats.texts import MAX_CHARACTERS
from labeling.simulation.spans import SpanSimulation
from labeling.task_types.base import (
    PRICES,
    TEXT,
    AnswersToImage,
    Consensus,
    Element,
    ImportedLabel,
    Size,
    TaskType,
    Words,
    count,
)
from labeling.task_types.told import Column, Finding, Said, SkillFigures, Story, Told, answered, kept_of, together, told

Spans = tuple[Span, ...]


class NamedEntityRecognition(TaskType[Spans, SpanWorkers]):
    """Ground Truth's named entity recognition. A stored label is {"entities": [{"label", "startOffset", "endOffset",
    "confidence"}]}; offsets count Unicode code points, the end is exclusive."""

    name = "NamedEntityRecognition"
    title = "Named entities in a text"
    element = Element("crowd-entity-annotation", "crowd-entity-annotation", "labels")
    words = Words(
        decide="Correct the marked entities and press Submit. They become the label and count as gold: they also teach "
        "how good each worker is.",
        decided="What they marked is the label.",
        saved="Your entities for object {index} are the label now.",
        not_received="The entities did not arrive. Mark them again and save.",
        left_out="an entity",
        labels_help="The kinds of entities, one a line. Their order is the class index.",
        skills="Recall: the share of the entities that this worker marks. Exact: how often a boundary is at the very "
        "character. False positives: how many marks a text are about no entity.",
    )
    prices = PRICES
    fewest_labels = 1
    medium = TEXT
    manifest_type = augmented.TYPE_SPANS
    exports = ("conll", "jsonl", "huggingface")
    imports = ("conll", "jsonl", "labelstudio", "manifest")
    part = kinds.SPANS
    algorithm = spans.ALGORITHM
    skill_columns = (
        Column("recall", "Recall", "percent"),
        Column("exact", "Exact", "percent"),
        Column("false_positives", "False positives", "fixed"),
    )
    simulation = SpanSimulation()

    def read_answer(self, content: Mapping[str, Any], *, labels: Sequence[str], size: Size) -> Spans:
        """See answers.parse_entity_answer; the width of a text is its length."""
        found = answers.parse_entity_answer(content, labels=labels, text_length=size[0], element_name=self.element.name)
        return tuple(found)

    def write_answer(self, answer: Spans, *, size: Size) -> dict[str, Any]:
        """The entities in the order given."""
        return answers.entity_content(answer, element_name=self.element.name)

    def value(self, answer: Sequence[Span]) -> dict[str, Any]:
        """The entities with their confidences."""
        return {
            "entities": [
                {"label": s.label, "startOffset": s.start, "endOffset": s.end, "confidence": s.confidence}
                for s in answer
            ]
        }

    def read_value(self, value: Mapping[str, Any]) -> Spans:
        """The same."""
        return tuple(
            Span(one["label"], one["startOffset"], one["endOffset"], one.get("confidence")) for one in value["entities"]
        )

    def certain(self, answer: Spans) -> Spans:
        """Each entity is certain."""
        return tuple(replace(span, confidence=1.0) for span in answer)

    def classes(self, answer: Spans) -> frozenset[str]:
        """None for a text without entities."""
        return frozenset(span.label for span in answer)

    def parts(self, answer: Spans) -> Spans:
        """The entities."""
        return answer

    def of_parts(self, parts: Sequence[Part], *, size: Size, confidence: float | None = None) -> tuple[Spans, str]:
        """The entities."""
        return tuple(part for part in parts if isinstance(part, Span)), ""

    def agreement(self, one: Spans, other: Spans) -> float:
        """F1 of the entities with the same offsets and class."""
        return span_f1(one, other)

    def score_against_truth(self, answer: Spans, truth: Spans) -> float:
        """F1: an entity is right with the very offsets and the class."""
        return span_f1(answer, truth)

    def scores_by_class(self, answer: Spans, truth: Spans) -> dict[str, float]:
        """The same for the entities of each class that is there."""
        return {label: span_f1(_of(answer, label), _of(truth, label)) for label in sorted(self.classes(truth))}

    def agreement_by_class(self, one: Spans, label: Spans) -> dict[str, float]:
        """`agreement` about the entities of each class that the label has."""
        return {name: span_f1(_of(one, name), _of(label, name)) for name in self.classes(label)}

    def summary(self, value: Mapping[str, Any]) -> str:
        """How many entities there are."""
        return count(len(value["entities"]), "entity", "entities")

    def manifest_label(self, answer: Spans, about: LabelContext) -> tuple[Any, dict[str, Any]]:
        """See augmented.span_label. Raises ValueError for an offset that no text has."""
        _check(answer)
        return augmented.span_label(
            answer,
            about,
        )

    def read_manifest(self, attributes: Mapping[str, Any], attr: str) -> ImportedLabel[Spans]:
        """See augmented_reading.read_spans. Raises ValueError for an offset that no text has."""
        found = augmented_reading.read_spans(attributes, attr)
        _check(found.spans)
        return ImportedLabel(found.spans, None, found.origin)

    def consolidate_many(
        self, objects: Sequence[AnswersToImage[Spans]], *, labels: Sequence[str], workers: SpanWorkers
    ) -> list[Consensus]:
        """The confidence of a label is the mean over its entities, None when it has none."""
        return [_consensus(spans.consolidate(one.answers, labels=labels, workers=workers)) for one in objects]

    def decide_many(
        self, objects: Sequence[AnswersToImage[Spans]], *, labels: Sequence[str], rule: Stopping, workers: SpanWorkers
    ) -> list[Decision]:
        """The expected loss counts wrong and missing entities."""
        return [spans.should_ask_more(one.answers, labels=labels, rule=rule, workers=workers) for one in objects]

    def fit_workers(self, objects: Sequence[AnswersToImage[Spans]], *, labels: Sequence[str]) -> SpanWorkers:
        """Rates, exactness and confusions of each worker."""
        given = [ObjectAnswers(one.answers, gold=one.gold, key=one.key) for one in objects]
        return spans.fit_workers(given, labels=labels)

    def load_workers(self, stored: Mapping[str, Any] | None) -> SpanWorkers:
        """See SpanWorkers.from_json."""
        return SpanWorkers() if stored is None else SpanWorkers.from_json(stored)

    def skills(self, models: SpanWorkers, workers: Sequence[str], *, labels: Sequence[str]) -> list[SkillFigures]:
        """`recall` is the chance of marking an entity that is there, `exact` that a boundary is at the very character,
        `false_positives` how many marks a text are about no entity; all over all classes."""
        if not workers:
            return []
        recall = models.marking.rates(workers).recall.tolist()
        rows = []
        for worker, share in zip(workers, recall, strict=True):
            known = models.marking.skills.get(worker)
            false = None if known is None or known.images < 1 else max(known.false_positives, 0.0) / known.images
            figures = {
                "recall": round(share, 4),
                "exact": round(models.exactness(worker), 4),
                "false_positives": None if false is None else round(float(false), 4),
            }
            rows.append(SkillFigures(worker, "", figures))
        return rows

    def skill_rows(self, models: SpanWorkers, *, labels: Sequence[str]) -> list[SkillRow]:
        """See consolidator.skill_rows."""
        return spans.skill_rows(models, labels)

    def layer(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """Marks in the text."""
        return {"spans": [_mark(span) for span in self.read_value(value)]}

    def answer_layer(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """The entities of the answer, whatever its element is called."""
        for element in content.values():
            if isinstance(element, dict) and isinstance(element.get("entities"), list):
                return {
                    "spans": [
                        {"start": one["startOffset"], "end": one["endOffset"], "label": one["label"]}
                        for one in element["entities"]
                    ]
                }
        return {"spans": []}

    def initial_value(self, value: Mapping[str, Any] | None) -> Any:
        """The entities as the element takes them."""
        found = self.read_value(value) if value else ()
        return [{"label": span.label, "startOffset": span.start, "endOffset": span.end} for span in found]

    def story(self, value: Mapping[str, Any], explanation: Mapping[str, Any]) -> Story:
        """What became of each stretch that a worker marked."""
        findings = tuple(_finding(cluster) for cluster in explanation.get("clusters", []))
        kept = sum(found.kept for found in findings)
        people, dropped = len(explanation.get("workers", [])), len(findings) - kept
        return Story(together(answered(people), kept_of(count(kept, "entity", "entities"), dropped)), findings)


def _check(found: Spans) -> None:
    for place, span in enumerate(found):
        if not 0 <= span.start < span.end <= MAX_CHARACTERS:
            wanted = f"0 <= start < end <= {MAX_CHARACTERS:,} expected"
            raise ValueError(f"entity {place}: {wanted}, found {span.start} to {span.end}")


def _of(found: Spans, label: str) -> list[Span]:
    return [span for span in found if span.label == label]


def _mark(span: Span) -> dict[str, Any]:
    sure = {} if span.confidence is None else {"confidence": span.confidence}
    return {"start": span.start, "end": span.end, "label": span.label, **sure}


def _consensus(found: ConsolidatedSpans) -> Consensus:
    explanation = dict(found.explanation)
    if not explanation["workers"]:
        return Consensus(None, None, explanation)
    entities = [
        {"label": s.label, "startOffset": s.start, "endOffset": s.end, "confidence": s.confidence, "cluster": s.cluster}
        for s in found.spans
    ]
    sure = [span.confidence for span in found.spans]
    return Consensus({"entities": entities}, round(sum(sure) / len(sure), 4) if sure else None, explanation)


def _reasons(cluster: Mapping[str, Any]) -> list[Told]:
    drew = len({member["worker"] for member in cluster["members"]})
    said = [told("Marked by {drew} of {of}.", drew=drew, of=drew + len(cluster["not_marked_by"]))]
    if cluster["label"] is None:
        said.append(told("No label of this job."))
    elif not cluster["kept"]:
        said.append(told("It is there with a chance of {chance:.2f}.", chance=cluster["exists"]))
    return said


def _finding(cluster: Mapping[str, Any]) -> Finding:
    start, end = cluster["span"]
    return Finding(
        label=told("{label} ({start}–{end})", label=cluster["label"] or told("no label"), start=start, end=end),
        kept=cluster["kept"],
        confidence=cluster["confidence"],
        said=together(*_reasons(cluster)),
        columns=("From", "To"),
        members=(
            *(
                Said(m["worker"], m["label"], m["outvoted"], (str(m["span"][0]), str(m["span"][1])))
                for m in cluster["members"]
            ),
            *(Said(worker, note=told("did not mark it")) for worker in cluster["not_marked_by"]),
        ),
    )
