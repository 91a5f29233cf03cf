"""Custom: people fill in a form that the requester designed as a worker template. An answer is any JSON object.

Nothing is known of what the fields mean, so answers are not merged: the label holds all of them side by side, in the
form in which Ground Truth hands them to a function that consolidates.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labeling.consolidation.stopping import Decision, Stopping
from labeling.consolidation.workers.skills import SkillRow
from labeling.formats import augmented_reading, form_answers, form_labels
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
from labeling.task_types.told import Finding, Said, SkillFigures, Story

_SHOWN = 300
"""Characters of an answer that a story quotes."""


@dataclass(frozen=True)
class Given:
    """What one worker gave; `worker` is "" before the answer became part of a label. `content` is a JSON object."""

    content: Mapping[str, Any]
    worker: str = ""


@dataclass(frozen=True)
class Form:
    """One answer, or a label with the answers of all workers, in the order of the workers' names."""

    given: tuple[Given, ...]


class NothingLearned:
    """What is known of workers whose answers nobody can compare."""

    def to_json(self) -> dict[str, Any]:
        """Nothing."""
        return {}


class Custom(TaskType[Form, NothingLearned]):
    """A form by template. A stored label is {"answers": [{"worker", "answer"}]}."""

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
        skills="Answers of a form are not compared, so nothing is learned about its workers.",
    )
    prices = PRICES
    fewest_labels = 0
    merges = False
    renamable = False
    by_template = True
    algorithm = "side-by-side/1"
    skill_columns = ()

    def read_answer(self, content: Mapping[str, Any], *, labels: Sequence[str], size: Size) -> Form:
        """See form_answers.read_form."""
        return Form((Given(form_answers.read_form(content)),))

    def write_answer(self, answer: Form, *, size: Size) -> dict[str, Any]:
        """The form's own JSON object."""
        return dict(answer.given[0].content)

    def value(self, answer: Form) -> dict[str, Any]:
        """Who gave what."""
        return {"answers": [{"worker": one.worker, "answer": dict(one.content)} for one in answer.given]}

    def read_value(self, value: Mapping[str, Any]) -> Form:
        """Who gave what."""
        return Form(tuple(Given(one["answer"], one["worker"]) for one in value["answers"]))

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
        """1 for the same in every field, whoever gave it."""
        return self.score_against_truth(one, other)

    def agreement_by_class(self, one: Form, label: Form) -> dict[str, float]:
        """Nothing: a label of all answers agrees with none of them more than with another."""
        return {}

    def summary(self, value: Mapping[str, Any]) -> str:
        """How many answers there are."""
        return count(len(value["answers"]), "answer", "answers")

    def manifest_label(self, answer: Form, about: LabelContext) -> tuple[Any, dict[str, Any]]:
        """See form_labels.form_label."""
        return form_labels.form_label(
            [(one.worker, one.content) for one in answer.given],
            about,
        )

    def read_manifest(self, attributes: Mapping[str, Any], attr: str) -> ImportedLabel[Form]:
        """See augmented_reading.read_form; such a label does not say how large the image is.

        A label of any other form, with metadata, is one that a function has made: without answers that could be read.
        """
        value, metadata = attributes.get(attr), attributes.get(f"{attr}-metadata")
        beside = isinstance(value, Mapping) and form_labels.ANSWERS in value
        if value is not None and isinstance(metadata, Mapping) and not beside:
            return ImportedLabel(Form(()), None, augmented_reading.read_origin(metadata))
        found = augmented_reading.read_form(attributes, attr)
        return ImportedLabel(Form(tuple(Given(content, worker) for worker, content in found.given)), None, found.origin)

    def consolidate_many(
        self, objects: Sequence[AnswersToImage[Form]], *, labels: Sequence[str], workers: NothingLearned
    ) -> list[Consensus]:
        """All answers, the newest of each worker."""
        return [self._side_by_side(one) for one in objects]

    def _side_by_side(self, one: AnswersToImage[Form]) -> Consensus:
        newest = {
            answer.worker: Given(answer.value.given[0].content, answer.worker)
            for answer in sorted(one.answers, key=lambda answer: answer.revision)
        }
        explanation = {"algorithm": self.algorithm, "workers": sorted(newest)}
        if not newest:
            return Consensus(None, None, explanation)
        return Consensus(self.value(Form(tuple(newest[name] for name in sorted(newest)))), None, explanation)

    def decide_many(
        self,
        objects: Sequence[AnswersToImage[Form]],
        *,
        labels: Sequence[str],
        rule: Stopping,
        workers: NothingLearned,
    ) -> list[Decision]:
        """Every object gets the most answers, for no answer says that there are enough."""
        return [
            Decision(
                ask=len(one.answers) < rule.max_answers,
                answers=len(one.answers),
                expected_loss=0.0,
                expected_gain=0.0,
                reason="answers of a form are not compared",
            )
            for one in objects
        ]

    def fit_workers(self, objects: Sequence[AnswersToImage[Form]], *, labels: Sequence[str]) -> NothingLearned:
        """Nothing."""
        return NothingLearned()

    def load_workers(self, stored: Mapping[str, Any] | None) -> NothingLearned:
        """Nothing."""
        return NothingLearned()

    def skills(self, models: NothingLearned, workers: Sequence[str], *, labels: Sequence[str]) -> list[SkillFigures]:
        """None."""
        return []

    def skill_rows(self, models: NothingLearned, *, labels: Sequence[str]) -> list[SkillRow]:
        """None."""
        return []

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
        """Every answer, as its worker gave it."""
        members = tuple(
            Said(one["worker"], "", False, (json.dumps(one["answer"], ensure_ascii=False)[:_SHOWN],))
            for one in value["answers"]
        )
        people = count(len(members), "person", "people")
        finding = Finding("answers", True, None, "All answers stand side by side.", ("Answer",), members)
        return Story(f"{people} answered.", (finding,), tuple(explanation.get("ignored", [])))
