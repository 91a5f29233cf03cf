"""Any number of classes: people choose all that fit an object, or say that none does. An answer is a Vote.

As in Ground Truth's output a label holds every class that somebody chose, each with the chance that it is right. Those
more likely right than not are what the label says; the others are there for readers who want another cut-off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from labeling.consolidation.answers import ObjectAnswers, WorkerAnswer
from labeling.consolidation.classes import tags
from labeling.consolidation.scoring import class_f1
from labeling.consolidation.stopping import Decision, Stopping
from labeling.consolidation.workers.skills import SkillRow
from labeling.consolidation.workers.votes import VoteWorkers
from labeling.formats import answers, augmented, augmented_reading
from labeling.formats.answers import AnswerError
from labeling.formats.interchange import kinds
from labeling.formats.label_context import LabelContext
from labeling.formats.shapes import Part, Tag, Vote
from labeling.simulation.tags import TagSimulation
from labeling.task_types.base import (
    TEXT,
    AnswersToImage,
    Consensus,
    ImportedLabel,
    Size,
    Words,
    count,
    percent,
)
from labeling.task_types.choice import Choice
from labeling.task_types.proposed_classes import COUNTED_MODEL
from labeling.task_types.told import Column, Finding, Said, SkillFigures, Story, answered, kept_of, together, told

NONE = "None of the above"
"""What the element offers beside the classes, and sends instead of them: "checked, and none of these"."""

NONE_ATTRIBUTE = {"exclusion-category": f'{{"text": "{NONE}"}}'}
"""The element's attribute that says so."""

CUT_OFF = 0.5
"""A class is part of the label when it is more likely right than this."""

LEAST = 0.0001
"""The smallest confidence that is written: with nothing but zeros a reader takes the confidences to be unknown."""


class MultipleChoice(Choice):
    """Ground Truth's multi-label classification. A stored label is {"choices": [{"label", "confidence"}]}."""

    words = Words(
        decide="Choose every class that fits, or none of them, and press Submit. Your choices become the label and "
        "count as gold: they also teach how good each worker is.",
        decided="Their choices are the label.",
        saved="Your choices for object {index} are the label now.",
        not_received="The choices did not arrive. Choose again and save.",
        left_out="a choice",
        labels_help="Two or more, one a line. Their order is the class index; workers can also say that none fits.",
        skills="Finds: the share of the classes of an object that this worker chooses. Wrong: how often a class is "
        "chosen that the object does not have.",
    )
    reserved_labels = frozenset({NONE})
    algorithm = tags.ALGORITHM
    skill_columns = (Column("recall", "Finds", "percent"), Column("wrong", "Wrong", "percent"))
    exports: ClassVar[tuple[str, ...]] = ("csv", "huggingface")
    imports: ClassVar[tuple[str, ...]] = ("csv", "labelstudio", "cvat", "manifest")
    part = kinds.CLASSES
    several = True
    simulation = TagSimulation()

    def read_answer(self, content: Mapping[str, Any], *, labels: Sequence[str], size: Size) -> Vote:
        """See answers.parse_classes_answer; that none fits has to be said."""
        vote = answers.parse_classes_answer(content, labels=labels, exclusion=NONE, element_name=self.element.name)
        if not content[self.element.name]["labels"]:
            raise AnswerError(f"{self.element.name}.labels", f"is empty: choose a label, or {NONE!r}")
        return vote

    def write_answer(self, answer: Vote, *, size: Size) -> dict[str, Any]:
        """The choices, or that there are none, and the worker's comment where there is one."""
        chosen = answer.labels or (NONE,)
        return answers.classes_content(Vote(chosen, comment=answer.comment), element_name=self.element.name)

    def value(self, answer: Vote) -> dict[str, Any]:
        """A worker's comment is no part of the label."""
        sure = answer.confidences or (None,) * len(answer.labels)
        return {
            "choices": [{"label": label, "confidence": one} for label, one in zip(answer.labels, sure, strict=True)]
        }

    def read_value(self, value: Mapping[str, Any]) -> Vote:
        """The choices with their confidences, which all have or none."""
        chosen = value["choices"]
        sure = tuple(one["confidence"] for one in chosen if one.get("confidence") is not None)
        return Vote(tuple(one["label"] for one in chosen), sure if len(sure) == len(chosen) else None)

    def certain(self, answer: Vote) -> Vote:
        """The classes that the label says, each certain."""
        kept = _kept(answer)
        return Vote(kept, (1.0,) * len(kept), answer.comment)

    def classes(self, answer: Vote) -> frozenset[str]:
        """Those more likely right than not; none where nothing fits."""
        return frozenset(_kept(answer))

    def parts(self, answer: Vote) -> Sequence[Tag]:
        """The classes that the label says, in its order."""
        kept = set(_kept(answer))
        sure = answer.confidences or (None,) * len(answer.labels)
        return [Tag(label, one) for label, one in zip(answer.labels, sure, strict=True) if label in kept]

    def of_parts(self, parts: Sequence[Part], *, size: Size, confidence: float | None = None) -> tuple[Vote, str]:
        """The classes; none where nothing fits."""
        given = {part.label: part.confidence for part in parts}
        sure = [1.0 if one is None else max(one, LEAST) for one in given.values()]
        unlikely = [label for label, one in zip(given, sure, strict=True) if one <= CUT_OFF]
        said = (
            f"{', '.join(unlikely)[:200]}: at most {CUT_OFF} sure, so that the label does not say it"
            if unlikely
            else ""
        )
        return Vote(tuple(given), tuple(sure)), said

    def agreement(self, one: Vote, other: Vote) -> float:
        """F1 of the two sets of classes."""
        return class_f1(self.classes(one), self.classes(other))

    def score_against_truth(self, answer: Vote, truth: Vote) -> float:
        """F1 of the classes; 1 for saying rightly that none fits."""
        return class_f1(self.classes(answer), self.classes(truth))

    def agreement_by_class(self, one: Vote, label: Vote) -> dict[str, float]:
        """Whether the answer has each class of the label."""
        return {name: float(name in self.classes(one)) for name in self.classes(label)}

    def summary(self, value: Mapping[str, Any]) -> str:
        """The choices."""
        return ", ".join(_kept(self.read_value(value))) or NONE

    def manifest_label(self, answer: Vote, about: LabelContext) -> tuple[Any, dict[str, Any]]:
        """See augmented.multi_class_label."""
        return augmented.multi_class_label(
            answer,
            about,
            text=self.medium == TEXT,
        )

    def read_manifest(self, attributes: Mapping[str, Any], attr: str) -> ImportedLabel[Vote]:
        """See augmented_reading.read_classes. Confidences that are all 0, as Ground Truth writes them for one worker,
        are unknown ones."""
        found = augmented_reading.read_classes(attributes, attr)
        sure = found.vote.confidences
        known = sure if sure and all(0 <= one <= 1 for one in sure) and any(sure) else None
        return ImportedLabel(Vote(found.vote.labels, known, found.vote.comment), None, found.origin)

    def consolidate_many(
        self, objects: Sequence[AnswersToImage[Vote]], *, labels: Sequence[str], workers: VoteWorkers
    ) -> list[Consensus]:
        """Every class that somebody chose, each with its chance; the confidence is that of the whole label."""
        return [
            _consensus(tags.consolidate(one.answers, labels=labels, workers=workers, proposed=one.proposals))
            for one in map(_tags, objects)
        ]

    def decide_many(
        self, objects: Sequence[AnswersToImage[Vote]], *, labels: Sequence[str], rule: Stopping, workers: VoteWorkers
    ) -> list[Decision]:
        """The expected loss is that of the least certain class."""
        return [
            tags.should_ask_more(one.answers, labels=labels, rule=rule, workers=workers, proposed=one.proposals)
            for one in map(_tags, objects)
        ]

    def fit_workers(self, objects: Sequence[AnswersToImage[Vote]], *, labels: Sequence[str]) -> VoteWorkers:
        """How often each worker says yes to a class that is there, and to one that is not."""
        return tags.fit_workers([_tags(one) for one in objects], labels=labels)

    def skills(self, models: VoteWorkers, workers: Sequence[str], *, labels: Sequence[str]) -> list[SkillFigures]:
        """`recall` is the chance of choosing a class that is there, `standard_error` its standard error, `wrong` the
        chance of choosing one that is not; all over all classes, which the models do not tell apart."""
        rows = []
        for worker in workers:
            found, wrong = models.likelihood(worker, tags.YES, tags.QUESTION)
            error = models.chance_error(worker, tags.YES, found)
            figures = {"recall": round(found, 4), "standard_error": round(error, 4), "wrong": round(wrong, 4)}
            rows.append(SkillFigures(worker, "", dict(figures)))
        return rows

    def warning(self, models: VoteWorkers) -> str:
        """Where people share their mistakes."""
        return models.model.warning if models.model else ""

    def skill_rows(self, models: VoteWorkers, *, labels: Sequence[str]) -> list[SkillRow]:
        """See tags.skill_rows."""
        return tags.skill_rows(models, labels)

    def layer(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """The choices, and their confidences where there are any."""
        label = self.read_value(value)
        sure = label.confidences or (None,) * len(label.labels)
        return {
            "choices": [
                {"label": name} | ({} if one is None else {"confidence": one})
                for name, one in zip(label.labels, sure, strict=True)
                if one is None or one > CUT_OFF
            ]
        }

    def answer_layer(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """The choices of the answer, whatever its element is called."""
        for element in content.values():
            if isinstance(element, dict) and isinstance(element.get("labels"), list):
                return {"choices": [{"label": one} for one in element["labels"] if one != NONE]}
        return {}

    def initial_value(self, value: Mapping[str, Any] | None) -> Any:
        """The label's classes as the element's value."""
        return None if value is None else {"labels": list(_kept(self.read_value(value)) or (NONE,))}

    def story(self, value: Mapping[str, Any], explanation: Mapping[str, Any]) -> Story:
        """Who chose each class and who did not, the classes in the job's order."""
        given, chances = explanation.get("answers", []), explanation.get("chances", {})
        kept, models = set(explanation.get("labels", [])), explanation.get("proposed_by", [])
        chosen = _chosen(given, chances)
        findings = [_finding(label, label in kept, given, chances, models) for label in chosen]
        if nobody := [one for one in given if not one["labels"]]:
            findings.append(_none(nobody, given, not kept))
        lead = together(answered(len(given)), kept_of(count(len(kept), "class", "classes"), len(chosen) - len(kept)))
        if models:
            lead = together(lead, told(COUNTED_MODEL))
        return Story(lead, tuple(findings), tuple(explanation.get("ignored", [])))


def _chosen(given: Sequence[Mapping[str, Any]], chances: Mapping[str, float]) -> list[str]:
    """The classes that somebody chose."""
    return [label for label in chances if any(label in one["labels"] for one in given)]


def _kept(vote: Vote) -> tuple[str, ...]:
    sure = vote.confidences or (1.0,) * len(vote.labels)
    return tuple(label for label, one in zip(vote.labels, sure, strict=True) if one > CUT_OFF)


def _tags(one: AnswersToImage[Vote]) -> ObjectAnswers[frozenset[str]]:
    return ObjectAnswers(
        tuple(WorkerAnswer(a.worker, frozenset(_kept(a.value)), a.revision) for a in one.answers),
        gold=None if one.gold is None else frozenset(_kept(one.gold)),
        proposals=one.proposals,
    )


def _consensus(found: tags.ConsolidatedTags) -> Consensus:
    given = found.explanation["answers"]
    if not given:
        return Consensus(None, None, found.explanation)
    chances = found.explanation["chances"]
    chosen = _chosen(given, chances)
    choices = [{"label": label, "confidence": max(chances[label], LEAST)} for label in chosen]
    return Consensus({"choices": choices}, found.confidence, found.explanation)


def _finding(
    label: str,
    kept: bool,
    given: Sequence[Mapping[str, Any]],
    chances: Mapping[str, float],
    models: Sequence[Mapping[str, Any]],
) -> Finding:
    chose = [one for one in given if label in one["labels"]]
    said = told("Chosen by {chose} of {of}.", chose=len(chose), of=len(given))
    doubt = told("Only {chance:.0%} likely to be right.", chance=chances[label])
    return Finding(
        label=label,
        kept=kept,
        confidence=chances[label],
        said=said if kept else together(said, doubt),
        columns=("Weight",),
        members=(
            *(Said(one["worker"], label, not kept, (percent(one["weight"]),)) for one in chose),
            *(
                Said(one["worker"], label, not kept, (percent(one["weights"][label]),))
                for one in models
                if label in one["labels"]
            ),
            *(
                Said(one["worker"], note=told("did not choose it"))
                for one in [*given, *models]
                if label not in one["labels"]
            ),
        ),
    )


def _none(nobody: Sequence[Mapping[str, Any]], given: Sequence[Mapping[str, Any]], kept: bool) -> Finding:
    return Finding(
        label=NONE,
        kept=kept,
        confidence=None,
        said=told("Said by {said} of {of}.", said=len(nobody), of=len(given)),
        columns=("Weight",),
        members=tuple(Said(one["worker"], NONE, not kept, (percent(one["weight"]),)) for one in nobody),
    )
