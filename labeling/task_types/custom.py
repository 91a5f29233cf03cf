"""Custom: people fill in a form that the requester designed as a worker template. An answer is any JSON object.

The label holds all answers side by side, in the form in which Ground Truth hands them to a function that consolidates,
and beside them what their fields come to, each merged by its kind (consolidation/fields).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from labeling.consolidation.answers import ObjectAnswers, WorkerAnswer
from labeling.consolidation.fields import consolidator as forms
from labeling.consolidation.fields.leaves import (
    APART,
    CHOICE,
    FLAG,
    LABELS,
    NUMBER,
    RANKING,
    TEXT,
    Leaf,
    leaves,
    name_of,
    plain,
)
from labeling.consolidation.fields.merging import likeness
from labeling.consolidation.fields.models import FormWorkers
from labeling.consolidation.stopping import Decision, Stopping
from labeling.consolidation.workers.skills import SkillRow
from labeling.consolidation.workers.votes import ACCURACY
from labeling.formats import augmented_reading, form_answers, form_labels, form_reading
from labeling.formats.label_context import LabelContext
from labeling.task_types.base import (
    PRICES,
    AnswersToImage,
    Consensus,
    Element,
    ImportedLabel,
    Size,
    TaskType,
    Words,
    count,
)
from labeling.task_types.told import Column, Finding, Said, SkillFigures, Story, Told, answered, together, told

_SHOWN = 300
"""Characters of an answer that a story quotes."""

STRENGTH = 4.0
"""Choices with ACCURACY that are added to a worker's own."""

HOW = {
    CHOICE: "{value}, chosen by vote.",
    FLAG: "{value}, chosen by vote.",
    LABELS: "{value}, each label by vote.",
    NUMBER: "{value}, the robust mean of the numbers given.",
    RANKING: "{value}, the merged order.",
    TEXT: "{value}, the text that is most like the others.",
}
"""How a field of each kind is merged."""


@dataclass(frozen=True)
class Given:
    """What one worker gave; `worker` is "" before the answer became part of a label. `content` is a JSON object."""

    content: Mapping[str, Any]
    worker: str = ""


@dataclass(frozen=True)
class Form:
    """One answer, or a label with the answers of all workers, in the order of the workers' names.

    `merged` is what the fields of a label come to, as an answer would say it, and `confidences` are those of its fields
    by name; None in an answer, and in labels that were stored before forms were merged.
    """

    given: tuple[Given, ...]
    merged: Mapping[str, Any] | None = None
    confidences: Mapping[str, float] = field(default_factory=dict)


class Custom(TaskType[Form, FormWorkers]):
    """A form by template. A stored label is {"answers": [{"worker", "answer"}], "merged": {...}, "confidences": {...}};
    the last two are missing in labels that were stored before forms were merged."""

    name = "Custom"
    title = "Custom template"
    element = Element("crowd-template", "template", "labels", whole=True)
    words = Words(
        decide="Answers of a form are not decided here: correct them in the output.",
        decided="Their answer is the label.",
        saved="Your answer for object {index} is the label now.",
        not_received="The answer did not arrive. Fill in the form again and save.",
        left_out="an answer",
        labels_help="One a line, for task.input.labels; none where the template needs none.",
        skills="Agrees: the share of the worker's choices, flags, labels and pairs of a ranking that agree with the "
        "merged fields. Numbers and free texts are not counted.",
    )
    prices = PRICES
    fewest_labels = 0
    merges = False
    renamable = False
    by_template = True
    algorithm = forms.ALGORITHM
    skill_columns = (Column("accuracy", "Agrees", "percent"),)

    def read_answer(self, content: Mapping[str, Any], *, labels: Sequence[str], size: Size) -> Form:
        """See form_answers.read_form."""
        return Form((Given(form_answers.read_form(content)),))

    def write_answer(self, answer: Form, *, size: Size) -> dict[str, Any]:
        """The form's own JSON object."""
        return dict(answer.given[0].content)

    def value(self, answer: Form) -> dict[str, Any]:
        """Who gave what, and what it comes to."""
        said: dict[str, Any] = {
            "answers": [{"worker": one.worker, "answer": dict(one.content)} for one in answer.given]
        }
        if answer.merged is not None:
            said |= {"merged": dict(answer.merged), "confidences": dict(answer.confidences)}
        return said

    def read_value(self, value: Mapping[str, Any]) -> Form:
        """Who gave what, and what it comes to."""
        given = tuple(Given(one["answer"], one["worker"]) for one in value["answers"])
        return Form(given, value.get("merged"), value.get("confidences", {}))

    def certain(self, answer: Form) -> Form:
        """A form has no confidences."""
        return answer

    def classes(self, answer: Form) -> frozenset[str]:
        """None that anybody knows of."""
        return frozenset()

    def score_against_truth(self, answer: Form, truth: Form) -> float:
        """1 for the same in every field."""
        return float([dict(one.content) for one in answer.given] == [dict(one.content) for one in truth.given])

    def agreement(self, one: Form, other: Form) -> float:
        """The mean likeness of the fields that both have; 1 for the same in every field, whoever gave it."""
        mine, theirs = leaves(_content(one)), leaves(_content(other))
        both = [path for path in mine if path in theirs and APART not in (mine[path].kind, theirs[path].kind)]
        if not both:
            return float(_content(one) == _content(other))
        return sum(likeness(mine[path], theirs[path]) for path in both) / len(both)

    def agreement_by_class(self, one: Form, label: Form) -> dict[str, float]:
        """Nothing: a form has no classes that anybody knows of."""
        return {}

    def summary(self, value: Mapping[str, Any]) -> str:
        """How many answers there are."""
        return count(len(value["answers"]), "answer", "answers")

    def manifest_label(self, answer: Form, about: LabelContext) -> tuple[Any, dict[str, Any]]:
        """See form_labels.form_label."""
        return form_labels.form_label(
            [(one.worker, one.content) for one in answer.given],
            about,
            merged=answer.merged,
            confidences=answer.confidences,
        )

    def read_manifest(self, attributes: Mapping[str, Any], attr: str) -> ImportedLabel[Form]:
        """See form_reading.read_form; such a label does not say how large the image is.

        A label of any other form, with metadata, is one that a function has made: without answers that could be read.
        """
        value, metadata = attributes.get(attr), attributes.get(f"{attr}-metadata")
        beside = isinstance(value, Mapping) and form_labels.ANSWERS in value
        if value is not None and isinstance(metadata, Mapping) and not beside:
            return ImportedLabel(Form(()), None, augmented_reading.read_origin(metadata))
        found = form_reading.read_form(attributes, attr)
        given = tuple(Given(content, worker) for worker, content in found.given)
        return ImportedLabel(Form(given, found.merged, found.confidences), None, found.origin)

    def consolidate_many(
        self, objects: Sequence[AnswersToImage[Form]], *, labels: Sequence[str], workers: FormWorkers
    ) -> list[Consensus]:
        """All answers, the newest of each worker, and what their fields come to."""
        return [self._consensus(one, labels, workers) for one in objects]

    def _consensus(self, one: AnswersToImage[Form], labels: Sequence[str], workers: FormWorkers) -> Consensus:
        found = forms.consolidate(_contents(one).answers, labels=labels, workers=workers)
        newest = {
            answer.worker: Given(answer.value.given[0].content, answer.worker)
            for answer in sorted(one.answers, key=lambda answer: answer.revision)
        }
        if not newest:
            return Consensus(None, None, found.explanation)
        given = tuple(newest[name] for name in sorted(newest))
        return Consensus(self.value(Form(given, found.content, found.confidences)), found.confidence, found.explanation)

    def decide_many(
        self, objects: Sequence[AnswersToImage[Form]], *, labels: Sequence[str], rule: Stopping, workers: FormWorkers
    ) -> list[Decision]:
        """See forms.should_ask_more."""
        return [
            forms.should_ask_more(_contents(one).answers, labels=labels, rule=rule, workers=workers) for one in objects
        ]

    def fit_workers(self, objects: Sequence[AnswersToImage[Form]], *, labels: Sequence[str]) -> FormWorkers:
        """The kind of each field, and its workers."""
        return forms.fit_workers([_contents(one) for one in objects], labels=labels)

    def load_workers(self, stored: Mapping[str, Any] | None) -> FormWorkers:
        """See FormWorkers.from_json."""
        return FormWorkers.from_json(stored or {})

    def skills(self, models: FormWorkers, workers: Sequence[str], *, labels: Sequence[str]) -> list[SkillFigures]:
        """`accuracy` is the share of the worker's choices that agree, shrunk towards that of a crowd nobody knows."""
        rows = {row.worker: row for row in forms.skill_rows(models, labels)}
        return [
            SkillFigures(name, "", {"accuracy": round((row.found + STRENGTH * ACCURACY) / (row.chances + STRENGTH), 4)})
            for name in workers
            if (row := rows.get(name)) is not None
        ]

    def skill_rows(self, models: FormWorkers, *, labels: Sequence[str]) -> list[SkillRow]:
        """See forms.skill_rows."""
        return forms.skill_rows(models, labels)

    def layer(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """Nothing is drawn on the picture."""
        return {"boxes": []}

    def answer_layer(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """Nothing is drawn on the picture."""
        return {"boxes": []}

    def initial_value(self, value: Mapping[str, Any] | None) -> Any:
        """Forms start as their template says."""
        return None

    def story(self, value: Mapping[str, Any], explanation: Mapping[str, Any]) -> Story:
        """What each field comes to, and every answer as its worker gave it."""
        members = tuple(
            Said(one["worker"], "", False, (json.dumps(one["answer"], ensure_ascii=False)[:_SHOWN],))
            for one in value["answers"]
        )
        merged = {name_of(path): leaf for path, leaf in leaves(value.get("merged") or {}).items()}
        fields = tuple(
            _finding(name, merged.get(name), found) for name, found in sorted(explanation.get("fields", {}).items())
        )
        finding = Finding("answers", True, None, told("All answers stand side by side."), ("Answer",), members)
        return Story(answered(len(members)), (*fields, finding), tuple(explanation.get("ignored", [])))


def _content(form: Form) -> Mapping[str, Any]:
    """What a form says: what a label's fields come to, an answer's own content."""
    return form.merged if form.merged else (form.given[0].content if form.given else {})


def _contents(one: AnswersToImage[Form]) -> ObjectAnswers[Mapping[str, Any]]:
    return ObjectAnswers(tuple(WorkerAnswer(a.worker, a.value.given[0].content, a.revision) for a in one.answers))


def _left_out(found: Mapping[str, Any]) -> Told:
    return told("Left out: {reason}.", reason=found.get("left_out") or told("no value"))


def _finding(name: str, leaf: Leaf | None, found: Mapping[str, Any]) -> Finding:
    if leaf is None:
        return Finding(name, False, None, _left_out(found), (), ())
    said = told(HOW[found["kind"]], value=json.dumps(plain(leaf), ensure_ascii=False)[:_SHOWN])
    if found["kind"] == NUMBER:
        said = together(said, told("Between {low:g} and {high:g} with 95 %.", low=found["low"], high=found["high"]))
    members = tuple(Said(one["worker"], "", one["outvoted"]) for one in found.get("workers", []))
    return Finding(name, True, found.get("confidence"), said, (), members)
