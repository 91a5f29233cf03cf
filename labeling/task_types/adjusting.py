"""What adjusting has in common: people begin with an earlier label of any kind and change what is wrong with it.

The earlier label stays as it is; the new one is a label of the same kind that says whether anything was changed.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from labeling.consolidation.answers import latest_answers
from labeling.formats.answers import AnswerError
from labeling.formats.label_attributes import Values
from labeling.formats.label_context import LabelContext
from labeling.task_types.base import (
    Answer,
    AnswersToImage,
    Consensus,
    Element,
    ImportedLabel,
    Mark,
    Models,
    Shown,
    Size,
    TaskType,
    Words,
)
from labeling.task_types.proposing import Proposing
from labeling.task_types.told import Story, together, told

MODIFIED = "initialValueModified"
"""The element's word for whether its worker changed anything."""

ADJUSTED = "adjusted"
"""The member of a stored label that says whether anybody did."""

STATUS = "adjustment-status"

HELP = "Every class of the earlier labels, and new ones below them: one a line. Their order is the class index."


def modified(answer: Any) -> bool:
    """Whether anybody changed the earlier label; what comes from elsewhere is a new one."""
    return bool(getattr(answer, "modified", True))


def words_of(words: Words, labels_help: str = HELP) -> Words:
    """The words of the type that is adjusted, but for its classes."""
    return replace(words, labels_help=labels_help)


def telling(element: Element) -> Element:
    """The element; its answer says whether anything was changed also where that of Ground Truth's does not."""
    return replace(element, attributes={**element.attributes, "tell-modified": "true"})


class Adjustment(TaskType[Answer, Models]):
    """Adjustment of labels of the type `audited`, of which a type that adjusts is a subclass as well, after this one.

    An answer, or a label, is one of that type with an attribute `modified`, which takes no part in its equality. A
    stored label has "adjusted": whether anything changed.
    """

    audited: ClassVar[TaskType[Any, Any]]
    learner = ""
    proposing: ClassVar[Proposing[Any] | None] = None

    # --- what a type says of its labels

    @abstractmethod
    def telling(self, label: Answer, changed: bool) -> Answer:
        """The same label, saying whether the earlier one was changed."""

    @abstractmethod
    def as_shown(self, earlier: Answer, size: Size) -> Answer:
        """The label as the element begins with it, so that an answer without changes holds exactly this."""

    @abstractmethod
    def alike(self, answer: Answer, shown: Answer) -> bool:
        """Whether the answer is exactly what was shown, in any order."""

    def unsaid(self, answer: Answer) -> bool:
        """Whether an answer that does not say so has changed anything: it was made anew."""
        return True

    def settled(self, found: Consensus, given: AnswersToImage[Answer], answers: Sequence[Answer]) -> Consensus:
        """The label with what all of these newest answers left alone, where merging does not give that exactly."""
        return found

    # --- answers and labels

    def read_answer(self, content: Mapping[str, Any], *, labels: Sequence[str], size: Size) -> Answer:
        """As of the labels that are adjusted, with what the element says of changes."""
        answer: Answer = self.audited.read_answer(content, labels=labels, size=size)
        changed = content[self.element.name].get(MODIFIED, self.unsaid(answer))
        if not isinstance(changed, bool):
            raise AnswerError(f"{self.element.name}.{MODIFIED}", "must be true or false")
        return self.telling(answer, changed)

    def write_answer(self, answer: Answer, *, size: Size) -> dict[str, Any]:
        """The same, and whether anything was changed."""
        content = self.audited.write_answer(answer, size=size)
        content[self.element.name][MODIFIED] = modified(answer)
        return content

    def value(self, answer: Answer) -> dict[str, Any]:
        """The label, and whether anything was changed."""
        return {**self.audited.value(answer), ADJUSTED: modified(answer)}

    def read_value(self, value: Mapping[str, Any]) -> Answer:
        """The label with its confidences, and whether anything was changed."""
        return self.telling(self.audited.read_value(value), bool(value.get(ADJUSTED, True)))

    def certain(self, answer: Answer) -> Answer:
        """Everything is certain."""
        return self.telling(self.audited.certain(answer), modified(answer))

    def attributes(self, answer: Answer) -> list[tuple[str, Values]]:
        """As of the labels that are adjusted."""
        return list(self.audited.attributes(answer))

    def with_attributes(self, answer: Answer, values: Sequence[Values]) -> Answer:
        """The same; whether anything was changed is told by `compared`."""
        return self.telling(self.audited.with_attributes(answer, values), modified(answer))

    def renamed(self, answer: Answer, names: Mapping[str, str]) -> Answer:
        """Another name for a class is no change."""
        return self.telling(self.audited.renamed(answer, names), modified(answer))

    def marks(self, answer: Answer) -> tuple[Mark, ...]:
        """What was drawn, where anything was changed: whoever changed nothing has drawn nothing."""
        return self.audited.marks(answer) or () if modified(answer) else ()

    def summary(self, value: Mapping[str, Any]) -> str:
        """The label in a few words, and whether it is the earlier one."""
        text = "{summary}, adjusted" if value.get(ADJUSTED, True) else "{summary}, as they were"
        return told(text, summary=self.audited.summary(value))

    # --- manifests

    def manifest_label(self, answer: Answer, about: LabelContext) -> tuple[Any, dict[str, Any]]:
        """As of the labels that are adjusted, with `adjustment-status`."""
        value, metadata = self.audited.manifest_label(answer, about)
        return value, {**metadata, STATUS: "adjusted" if modified(answer) else "unadjusted"}

    def read_manifest(self, attributes: Mapping[str, Any], attr: str) -> ImportedLabel[Answer]:
        """A label, whether or not it comes from an adjustment."""
        found: ImportedLabel[Answer] = self.audited.read_manifest(attributes, attr)
        metadata = attributes.get(f"{attr}-metadata")
        status = metadata.get(STATUS) if isinstance(metadata, Mapping) else None
        return replace(found, answer=self.telling(found.answer, status != "unadjusted"))

    # --- earlier labels

    def unauditable(self, earlier: Answer, *, labels: Sequence[str]) -> str:
        """As in Ground Truth the job must have every class of the earlier label."""
        missing = sorted(self.classes(earlier) - set(labels))
        return f"it has a class that the job does not have: {', '.join(missing)}" if missing else ""

    def shown(self, earlier: Answer, *, size: Size) -> Shown:
        """The label as the element begins with it."""
        return Shown(initial_value=self.initial_value(self.value(self.as_shown(earlier, size))))

    def compared(self, answer: Answer, earlier: Answer, *, size: Size) -> Answer:
        """Changed where it is not exactly what was shown."""
        return self.telling(answer, not self.alike(answer, self.as_shown(earlier, size)))

    # --- consolidation and pages

    def consolidate_many(
        self, objects: Sequence[AnswersToImage[Answer]], *, labels: Sequence[str], workers: Models
    ) -> list[Consensus]:
        """As of the labels that are adjusted; adjusted where at least one worker changed something."""
        found = self.audited.consolidate_many(objects, labels=labels, workers=workers)
        return [self._adjusted(one, given) for one, given in zip(found, objects, strict=True)]

    def _adjusted(self, found: Consensus, given: AnswersToImage[Answer]) -> Consensus:
        if found.value is None:
            return found
        answers = [answer.value for answer in latest_answers(given.answers, str)]
        settled = self.settled(found, given, answers)
        return replace(settled, value={**(settled.value or {}), ADJUSTED: any(map(modified, answers))})

    def story(self, value: Mapping[str, Any], explanation: Mapping[str, Any]) -> Story:
        """As of the labels that are adjusted, and whether anybody changed anything."""
        found = self.audited.story(value, explanation)
        changed = value.get(ADJUSTED, True)
        text = "Somebody changed the earlier label." if changed else "Nobody changed the earlier label."
        return replace(found, lead=together(found.lead, told(text)))
