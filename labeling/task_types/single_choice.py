"""One class of several: people choose the one that an object belongs to. An answer is a Vote.

Knows no kind of object: a type derived from it says whether pictures or texts are classified.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from labeling.consolidation.answers import ObjectAnswers, WorkerAnswer
from labeling.consolidation.classes import votes
from labeling.consolidation.scoring import class_f1
from labeling.consolidation.stopping import Decision, Stopping
from labeling.consolidation.workers.skills import SkillRow
from labeling.consolidation.workers.votes import VoteWorkers
from labeling.formats import answers, augmented, augmented_reading
from labeling.formats.interchange import kinds
from labeling.formats.label_context import LabelContext
from labeling.formats.shapes import Part, Tag, Vote
from labeling.simulation.votes import VoteSimulation
from labeling.task_types.base import (
    TEXT,
    AnswersToImage,
    Consensus,
    ImportedLabel,
    Size,
    Words,
    percent,
)
from labeling.task_types.choice import Choice
from labeling.task_types.proposed_classes import COUNTED_MODEL
from labeling.task_types.told import Column, Finding, Said, SkillFigures, Story, Told, answered, together, told

STRENGTH = 4.0
"""How many objects of a class weigh as much as the worker's accuracy over all classes."""


class SingleChoice(Choice):
    """Ground Truth's single-label classification. A stored label is {"choice": class, "confidence": chance}."""

    words = Words(
        decide="Choose the class and press Submit. Your choice becomes the label and counts as gold: "
        "it also teaches how good each worker is.",
        decided="Their choice is the label.",
        saved="Your choice for object {index} is the label now.",
        not_received="The choice did not arrive. Choose again and save.",
        left_out="a choice",
        labels_help="One a line, at least two. Their order is the class index.",
        skills="Chooses right: the share of this worker's choices that agree with the labels, and the class missed "
        "much more often than that.",
    )
    algorithm = votes.ALGORITHM
    skill_columns = (Column("accuracy", "Chooses right", "percent"),)
    exports: ClassVar[tuple[str, ...]] = ("csv", "huggingface")
    imports: ClassVar[tuple[str, ...]] = ("csv", "labelstudio", "cvat", "manifest")
    part = kinds.CLASSES
    simulation = VoteSimulation()

    def read_answer(self, content: Mapping[str, Any], *, labels: Sequence[str], size: Size) -> Vote:
        """See answers.parse_class_answer."""
        return answers.parse_class_answer(content, labels=labels, element_name=self.element.name)

    def write_answer(self, answer: Vote, *, size: Size) -> dict[str, Any]:
        """The choice, and the worker's comment where there is one."""
        return answers.class_content(answer, element_name=self.element.name)

    def value(self, answer: Vote) -> dict[str, Any]:
        """A worker's comment is no part of the label."""
        return {"choice": answer.label, "confidence": answer.confidences[0] if answer.confidences else None}

    def read_value(self, value: Mapping[str, Any]) -> Vote:
        """The choice with its confidence."""
        sure = value.get("confidence")
        return Vote((value["choice"],), None if sure is None else (sure,))

    def certain(self, answer: Vote) -> Vote:
        """The choice is certain."""
        return replace(answer, confidences=(1.0,))

    def classes(self, answer: Vote) -> frozenset[str]:
        """The one choice."""
        return frozenset(answer.labels)

    def score_against_truth(self, answer: Vote, truth: Vote) -> float:
        """1 for the true class."""
        return class_f1(answer.labels, truth.labels)

    def parts(self, answer: Vote) -> Sequence[Tag]:
        """The choice."""
        return [Tag(answer.label, answer.confidences[0] if answer.confidences else None)]

    def of_parts(self, parts: Sequence[Part], *, size: Size, confidence: float | None = None) -> tuple[Vote, str]:
        """The one class. Raises ValueError for none, and for several."""
        given = dict.fromkeys(part.label for part in parts)
        if len(given) != 1:
            raise ValueError(
                f"has {len(given)} classes ({', '.join(list(given)[:3])}), expected one" if given else "has no class"
            )
        sure = [part.confidence for part in parts if part.confidence is not None]
        return Vote(tuple(given), (max(sure),) if sure else None), ""

    def summary(self, value: Mapping[str, Any]) -> str:
        """The choice."""
        return str(value["choice"])

    def manifest_label(self, answer: Vote, about: LabelContext) -> tuple[Any, dict[str, Any]]:
        """See augmented.class_label."""
        return augmented.class_label(
            answer,
            about,
            text=self.medium == TEXT,
        )

    def read_manifest(self, attributes: Mapping[str, Any], attr: str) -> ImportedLabel[Vote]:
        """See augmented_reading.read_class; such a label does not say how large the image is."""
        found = augmented_reading.read_class(attributes, attr)
        return ImportedLabel(found.vote, None, found.origin)

    def consolidate_many(
        self, objects: Sequence[AnswersToImage[Vote]], *, labels: Sequence[str], workers: VoteWorkers
    ) -> list[Consensus]:
        """The most probable class, with its chance as confidence."""
        found = (
            votes.consolidate(one.answers, labels=labels, workers=workers, proposed=one.proposals)
            for one in map(_votes, objects)
        )
        return [_consensus(one) for one in found]

    def decide_many(
        self, objects: Sequence[AnswersToImage[Vote]], *, labels: Sequence[str], rule: Stopping, workers: VoteWorkers
    ) -> list[Decision]:
        """The expected loss is the chance that the present label is wrong."""
        return [
            votes.should_ask_more(one.answers, labels=labels, rule=rule, workers=workers, proposed=one.proposals)
            for one in map(_votes, objects)
        ]

    def fit_workers(self, objects: Sequence[AnswersToImage[Vote]], *, labels: Sequence[str]) -> VoteWorkers:
        """The confusions of each worker and of the crowd."""
        return votes.fit_workers([_votes(one) for one in objects], labels=labels)

    def skills(self, models: VoteWorkers, workers: Sequence[str], *, labels: Sequence[str]) -> list[SkillFigures]:
        """`accuracy` is the chance of choosing the right class, over all classes and for objects of each class; the
        latter is shrunk towards the former, so that a few objects of a class say little. `standard_error` is its
        standard error."""
        overall = {worker: models.accuracy(worker) for worker in workers}
        rows = [_skill(worker, "", right, models.standard_error(worker)) for worker, right in overall.items()]
        for row in votes.skill_rows(models, labels):
            if row.label and row.worker in overall:
                right = (row.found + STRENGTH * overall[row.worker]) / (row.chances + STRENGTH)
                rows.append(_skill(row.worker, row.label, right, models.chance_error(row.worker, row.label, right)))
        return rows

    def warning(self, models: VoteWorkers) -> str:
        """Where people share their mistakes."""
        return models.model.warning if models.model else ""

    def skill_rows(self, models: VoteWorkers, *, labels: Sequence[str]) -> list[SkillRow]:
        """See votes.skill_rows."""
        return votes.skill_rows(models, labels)

    def layer(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """The choice, and its confidence where there is one."""
        sure = value.get("confidence")
        return {"choice": value["choice"], **({} if sure is None else {"confidence": sure})}

    def answer_layer(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """The choice of the answer, whatever its element is called."""
        for element in content.values():
            if isinstance(element, dict) and isinstance(element.get("label"), str):
                return {"choice": element["label"]}
        return {}

    def initial_value(self, value: Mapping[str, Any] | None) -> Any:
        """The label's class as the element's value."""
        return {"label": value["choice"]} if value else None

    def story(self, value: Mapping[str, Any], explanation: Mapping[str, Any]) -> Story:
        """Who chose which class, the most probable one first."""
        given, chances = explanation.get("votes", []), explanation.get("chances", {})
        said = [*given, *explanation.get("proposed_by", [])]
        chosen = sorted({vote["label"] for vote in said}, key=lambda label: (-chances.get(label, 0.0), label))
        best = explanation.get("label")
        agreed = sum(vote["label"] == best for vote in given)
        lead = together(answered(len(given)), told("{agreed} of them chose {label}.", agreed=agreed, label=best))
        if "proposed_by" in explanation:
            lead = together(lead, told(COUNTED_MODEL))
        if "confidence_low" in explanation:
            text = (
                "The chance that it is right lies between {low} and {high}; of ordinary workers {difficulty} would get "
                "it wrong."
            )
            low, high = percent(explanation["confidence_low"]), percent(explanation["confidence_high"])
            lead = together(lead, told(text, low=low, high=high, difficulty=percent(explanation["difficulty"])))
        findings = tuple(
            Finding(
                label=label,
                kept=label == best,
                confidence=chances.get(label),
                said=_said(label, best, given, chances),
                columns=("Weight",),
                members=tuple(
                    Said(vote["worker"], label, vote["outvoted"], (percent(vote["weight"]),))
                    for vote in said
                    if vote["label"] == label
                ),
            )
            for label in chosen
        )
        return Story(lead, findings, tuple(explanation.get("ignored", [])))


def _skill(worker: str, label: str, right: float, error: float) -> SkillFigures:
    return SkillFigures(worker, label, {"accuracy": round(right, 4), "standard_error": round(error, 4)})


def _votes(one: AnswersToImage[Vote]) -> ObjectAnswers[str]:
    return ObjectAnswers(
        tuple(WorkerAnswer(a.worker, a.value.label, a.revision) for a in one.answers),
        gold=None if one.gold is None else one.gold.label,
        proposals=one.proposals,
    )


def _consensus(found: votes.ConsolidatedLabel) -> Consensus:
    if found.label is None:
        return Consensus(None, None, found.explanation)
    return Consensus({"choice": found.label, "confidence": found.confidence}, found.confidence, found.explanation)


def _said(label: str, best: str | None, given: Sequence[Mapping[str, Any]], chances: Mapping[str, float]) -> Told:
    chose = sum(vote["label"] == label for vote in given)
    said = told("Chosen by {chose} of {of}.", chose=chose, of=len(given))
    if label == best:
        return said
    return together(said, told("Only {chance:.0%} likely to be right.", chance=chances.get(label, 0.0)))
