"""What there is to know of a task type: the interface that each file of this folder fills in for one type.

Pure: a type reads and writes plain values. It knows no job, no database, no page and no other type.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from labeling.consolidation import likely_errors
from labeling.consolidation.answers import Proposal, WorkerAnswer
from labeling.consolidation.stopping import Decision, Stopping
from labeling.consolidation.workers.skills import SkillRow
from labeling.formats import renaming
from labeling.formats.augmented_reading import Origin
from labeling.formats.label_attributes import NONE, Declared, Values
from labeling.formats.label_context import LabelContext
from labeling.formats.shapes import ImageSize, Part
from labeling.simulation.base import Simulation
from labeling.task_types.proposing import Proposing
from labeling.task_types.told import Column, SkillFigures, Story, Told, counted

Mark = tuple[str, int, int, int, int]
"""A class and, in whole pixels, left, top, width, height."""

Size = tuple[int, int]
"""Displayed width and height of an image in pixels; of a text its length in code points, and 1."""

IMAGE, TEXT = "image", "text"
"""What the data objects of a job can be."""

PRICES = tuple(mills * 1_000 for mills in (12, 24, 36, 48, 60, 72, 120, 240, 360, 480, 600, 720, 840, 960, 1080, 1200))
"""Every price of Ground Truth's table for the public pool, in micro-dollars per worker per task, ascending."""


class WorkerModels(Protocol):
    """What consolidation has learned about the workers of a job; each type has its own kind."""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON that `TaskType.load_workers` reads back."""


Answer = TypeVar("Answer")
Models = TypeVar("Models", bound=WorkerModels)


@dataclass(frozen=True)
class Element:
    """The crowd element that shows a task of the type."""

    tag: str
    name: str
    """The key of its value in the answer: {name: {...}}."""
    labels_attribute: str
    """The attribute that takes the job's labels."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """Further attributes and their defaults."""
    whole: bool = False
    """Whether its value is the whole answer, and not a member of it."""
    comment: str = ""
    """What asks its worker for a comment, "" where none is asked for."""


@dataclass(frozen=True)
class Words:
    """What the requester's pages say about labels of the type, in whole sentences."""

    decide: str
    """How to decide an object oneself, and what follows."""
    decided: str
    """What the label is once a member of the account has decided."""
    saved: str
    """After an object was decided; holds {index}."""
    not_received: str
    """When the element's answer did not reach the server."""
    left_out: str
    """One thing of an answer that consolidation ignored: "a box"."""
    labels_help: str
    """What to type into the wizard's field for labels."""
    skills: str
    """What the columns of the workers' skills mean."""


@dataclass(frozen=True)
class AnswersToImage(Generic[Answer]):
    """The newest answers of all workers to one image; `gold` is what the requester decided, where they did.

    `earlier` is the label that the workers were shown, as `TaskType.audited` reads it; None for types that show none.
    """

    answers: tuple[WorkerAnswer[Answer], ...]
    size: Size
    gold: Answer | None = None
    key: str = ""
    earlier: Any = None
    declared: Declared = NONE
    """The attributes that the job's labels have."""
    proposals: tuple[Proposal[Answer], ...] = ()
    """What models said of it, where the type has `proposing`."""


@dataclass(frozen=True)
class Shown:
    """What an element shows of an earlier label: what the answer starts from, and attributes of the element."""

    initial_value: Any = None
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Consensus:
    """The label that follows from the answers: `value` as `Label.value` stores it, None when no answer gives one."""

    value: dict[str, Any] | None
    confidence: float | None
    explanation: dict[str, Any]


@dataclass(frozen=True)
class ImportedLabel(Generic[Answer]):
    """A label that a manifest line brought along, with the size of the image where the label says it."""

    answer: Answer
    image_size: ImageSize | None
    origin: Origin


class TaskType(ABC, Generic[Answer, Models]):
    """A task type. `Answer` is what one answer, or one label, says in typed values; `Models` what is known of workers.

    Methods that take `labels` get the job's classes in their order, which gives the class index.
    """

    name: ClassVar[str]
    """AWS's name: the last segment of its built-in functions."""
    title: ClassVar[str]
    element: ClassVar[Element]
    words: ClassVar[Words]
    prices: ClassVar[tuple[int, ...]]
    """What the public pool may be paid for a task, in micro-dollars, ascending."""
    fewest_labels: ClassVar[int]
    most_labels: ClassVar[int] = 500
    reserved_labels: ClassVar[frozenset[str]] = frozenset()
    """Names that no label may have, because an answer says something else with them."""
    medium: ClassVar[str] = IMAGE
    """IMAGE or TEXT: the data objects that its jobs take."""
    label_is_file: ClassVar[bool] = False
    """Whether the manifest holds the URI of a file as label; its attribute's name then ends in -ref."""
    manifest_type: ClassVar[str] = ""
    """The `type` of its labels in Ground Truth's manifests, where no other base type has it."""
    exports: ClassVar[tuple[str, ...]] = ()
    """Formats that labels can be exported to, beside the manifest and the workers' answers."""
    imports: ClassVar[tuple[str, ...]] = ()
    """Formats of files that labels are read from; none where files cannot bring labels of the type."""
    part: ClassVar[str] = ""
    """What such files hold of a label, one of interchange.kinds."""
    several: ClassVar[bool] = False
    """Whether an object may have several classes."""
    learner: ClassVar[str] = ""
    """The family of learners that can learn the type (see learning/families.py), "" when there is none."""
    fit_sample: ClassVar[int] = 2000
    """About how many objects `fit_workers` is given at most."""
    merges: ClassVar[bool] = True
    """Whether the answers to an object become one; else its label holds all of them, and nobody else decides it."""
    renamable: ClassVar[bool] = True
    """Whether the classes of its jobs can get other names: not where nobody can say where an answer names them."""
    attributed: ClassVar[str] = ""
    """The list in the element's value whose shapes can have attributes, "" for types whose labels cannot."""
    by_template: ClassVar[bool] = False
    """Whether a job of the type needs a worker template of its requester's."""
    audited: ClassVar[TaskType[Any, Any] | None] = None
    """The type of the earlier labels that people verify or adjust; None for types in which they see none."""
    proposing: ClassVar[Proposing[Any] | None] = None
    """How a model's labels help people, who check them or do not see them; None where they cannot."""
    usual_labels: ClassVar[tuple[str, ...]] = ()
    """Labels that a job of the type mostly has, for types that have such."""
    algorithm: ClassVar[str]
    """Version of the consolidation, stored with each label."""
    skill_columns: ClassVar[tuple[Column, ...]]
    """The figures of `skills`; by the first one a worker's weakest class is found."""
    simulation: ClassVar[Simulation[Any, Any, Any] | None] = None
    """How jobs of the type are simulated before they are launched; None where nobody can say."""

    # --- answers

    @abstractmethod
    def read_answer(self, content: Mapping[str, Any], *, labels: Sequence[str], size: Size) -> Answer:
        """The typed values of a crowd answer. Raises AnswerError naming the field that is wrong."""

    @abstractmethod
    def write_answer(self, answer: Answer, *, size: Size) -> dict[str, Any]:
        """The crowd answer that says this; `read_answer` reads it back equal."""

    def read_stored(
        self, content: Mapping[str, Any], *, labels: Sequence[str], earlier: Mapping[str, str], size: Size
    ) -> Answer:
        """`read_answer` of an answer that was stored: it may name classes by names they had `earlier` (old -> now)."""
        if not earlier:
            return self.read_answer(content, labels=labels, size=size)
        return self.renamed(self.read_answer(content, labels=[*labels, *earlier], size=size), earlier)

    def renamed(self, answer: Answer, names: Mapping[str, str]) -> Answer:
        """The same answer, or label, with the classes in `names` (old -> new) under their new names.

        Raises TypeError where an answer is no shape, or several: such a type renames by itself, or is not `renamable`.
        """
        return renaming.renamed(answer, names)

    def attributes(self, answer: Answer) -> Sequence[tuple[str, Values]]:
        """Label and attributes of each shape of an answer or a label; only types with `attributed` are asked."""
        return ()

    def with_attributes(self, answer: Answer, values: Sequence[Values]) -> Answer:
        """The same shapes with these attributes, one each."""
        return answer

    # --- labels

    @abstractmethod
    def value(self, answer: Answer) -> dict[str, Any]:
        """`Label.value` of this label."""

    @abstractmethod
    def read_value(self, value: Mapping[str, Any]) -> Answer:
        """The typed values of a stored label."""

    @abstractmethod
    def certain(self, answer: Answer) -> Answer:
        """The same with every confidence 1: what the requester decided."""

    @abstractmethod
    def classes(self, answer: Answer) -> frozenset[str]:
        """The classes it names."""

    @abstractmethod
    def summary(self, value: Mapping[str, Any]) -> str:
        """A stored label in a few words, for lists."""

    def agreement(self, one: Answer, other: Answer) -> float:
        """How alike two answers or labels are: 1 for the same, 0 for nothing in common. Confidences do not matter."""
        return float(self.value(self.certain(one)) == self.value(self.certain(other)))

    @abstractmethod
    def score_against_truth(self, answer: Answer, truth: Answer) -> float:
        """How right an answer is when the truth is known: F1, 1 for all of it and nothing else, 0 for none of it.

        Golds and qualification tests use it; confidences do not matter.
        """

    def scores_by_class(self, answer: Answer, truth: Answer) -> dict[str, float]:
        """`score_against_truth` for each true class by itself, 0 to 1; by default whether the answer names it."""
        named = self.classes(answer)
        return {label: float(label in named) for label in sorted(self.classes(truth))}

    def agreement_by_class(self, one: Answer, label: Answer) -> dict[str, float]:
        """`agreement` of an answer with a label, for each class of the label."""
        return dict.fromkeys(self.classes(label), self.agreement(one, label))

    def marks(self, answer: Answer) -> tuple[Mark, ...] | None:
        """What was drawn, class and whole pixels, in any order; None where nothing is ever drawn."""
        return None

    def parts(self, answer: Answer) -> Sequence[Part]:
        """What the formats in `exports` hold of a label; nothing for a type without any."""
        return ()

    def of_parts(self, parts: Sequence[Part], *, size: Size, confidence: float | None = None) -> tuple[Answer, str]:
        """The label that has these parts, and what had to be changed for it, else "".

        `confidence` is about a segmentation as a whole. Raises ValueError for parts of which there is no label.
        """
        raise ValueError(f"labels of {self.name} are not read from files")

    # --- manifests

    @abstractmethod
    def manifest_label(self, answer: Answer, about: LabelContext) -> tuple[Any, dict[str, Any]]:
        """Value and metadata in the output manifest, to AWS's letter."""

    def unwritable(self, answer: Answer, *, labels: Sequence[str]) -> str:
        """Why this label cannot be stored and written into a manifest, "" when it can.

        Whoever stores a label asks first: a label with a number that is not finite or out of range, or with a class
        that the job does not have, would stop every later output of the job.
        """
        try:
            self.manifest_label(answer, LabelContext(labels=labels, job_name=""))
            json.dumps(self.value(answer), allow_nan=False)
        except (ValueError, TypeError, ArithmeticError) as error:
            return str(error) or type(error).__name__
        return ""

    def label_file(self, answer: Answer, *, labels: Sequence[str]) -> bytes:
        """The file of a label, where `label_is_file`. There `manifest_label` gives "" as value, which whoever writes
        the line replaces by the file's address, and `read_manifest` expects the file, as bytes, in place of it."""
        raise NotImplementedError(f"labels of {self.name} are no files")

    def misfit(self, answer: Answer, size: Size) -> str:
        """Why this label cannot be one of an object of this size, "" when it can."""
        return ""

    @abstractmethod
    def read_manifest(self, attributes: Mapping[str, Any], attr: str) -> ImportedLabel[Answer]:
        """The label a manifest line has under `attr` (chaining). Raises ValueError naming the member that is wrong."""

    # --- earlier labels; only types with `audited` are asked

    @property
    def adjusts(self) -> bool:
        """Whether its labels are earlier ones that people have changed, and name the same classes."""
        return self.audited is not None and isinstance(self, type(self.audited))

    def unauditable(self, earlier: Any, *, labels: Sequence[str]) -> str:
        """Why people cannot be asked about this earlier label, "" when they can."""
        return ""

    def shown(self, earlier: Any, *, size: Size) -> Shown:
        """How the element shows this earlier label."""
        return Shown()

    def compared(self, answer: Answer, earlier: Any, *, size: Size) -> Answer:
        """The same answer, saying itself whether it differs from what was shown of the earlier label."""
        return answer

    def simulated(
        self, said: Answer, *, initial_value: Any, truth: Answer, labels: Sequence[str], size: Size
    ) -> Answer:
        """What a simulated worker answers who begins with `initial_value`, and would say `said` from nothing."""
        return said

    # --- consolidation

    @abstractmethod
    def consolidate_many(
        self, objects: Sequence[AnswersToImage[Answer]], *, labels: Sequence[str], workers: Models
    ) -> list[Consensus]:
        """The label of each object; the order of the answers to an object changes nothing."""

    @abstractmethod
    def decide_many(
        self, objects: Sequence[AnswersToImage[Answer]], *, labels: Sequence[str], rule: Stopping, workers: Models
    ) -> list[Decision]:
        """Whether each object should get one more answer."""

    @abstractmethod
    def fit_workers(self, objects: Sequence[AnswersToImage[Answer]], *, labels: Sequence[str]) -> Models:
        """Learn about the workers from their answers and the golds."""

    @abstractmethod
    def load_workers(self, stored: Mapping[str, Any] | None) -> Models:
        """The models that `to_json` wrote, also by earlier versions; models of unknown workers for None."""

    @abstractmethod
    def skills(self, models: Models, workers: Sequence[str], *, labels: Sequence[str]) -> list[SkillFigures]:
        """How good each worker is, over all classes and for each class where the models tell them apart."""

    def warning(self, models: Models) -> str:
        """A plain sentence for the requester where answers alone cannot say how sure labels are; else empty."""
        return ""

    @abstractmethod
    def skill_rows(self, models: Models, *, labels: Sequence[str]) -> list[SkillRow]:
        """What a job adds to what is known of its workers, as counts that can be summed over jobs."""

    def likely_errors(self, confidence: float | None, explanation: Mapping[str, Any]) -> dict[str, float]:
        """How likely a label is wrong by its answers alone: {kind of labeling.consolidation.likely_errors: chance}."""
        return likely_errors.of_confidence(confidence)

    # --- pages

    @abstractmethod
    def layer(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """A stored label as a layer of the gallery's pictures."""

    @abstractmethod
    def answer_layer(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """A crowd answer, as it was stored, as a layer of the gallery's pictures."""

    @abstractmethod
    def initial_value(self, value: Mapping[str, Any] | None) -> Any:
        """What the element starts with when a requester corrects this label: JSON for its initial-value attribute."""

    @abstractmethod
    def story(self, value: Mapping[str, Any], explanation: Mapping[str, Any]) -> Story:
        """How people's answers became this label."""


def count(number: int, one: str, many: str) -> Told:
    """ "1 box", "2 boxes"."""
    return counted(number, f"{{number}} {one}", f"{{number}} {many}")


def percent(share: float) -> str:
    """A share between 0 and 1 as tables show it: "93 %"."""
    return f"{100 * share:.0f} %"
