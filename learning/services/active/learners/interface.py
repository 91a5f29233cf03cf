"""What a learning loop asks of a family of learners: how labels become evidence, and predictions become labels.

Knows the typed values of labels and predictions; no rows, no rounds and no programs.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

from learning.contract import Prediction
from learning.selection import losses
from learning.selection.error_rates import CheckedCandidates
from learning.selection.quality import Floats, Outcomes
from learning.selection.thresholds import Decision

Truth = TypeVar("Truth")
Outcome = Sequence[Sequence[float]]
"""Of one object: the sums of the quality of each column, and how much each column counts (quality.Outcomes)."""


class Learner(ABC, Generic[Truth]):
    """A family of learners in a loop. `labels` are the job's classes in their order, which gives their places.

    `Truth` is a label of people as selection reads it.
    """

    @abstractmethod
    def truth(self, label: Any, labels: Sequence[str]) -> Truth:
        """The label that people gave an object; `label` as its task type reads it."""

    @abstractmethod
    def choose(
        self,
        predicted: Sequence[Prediction | None],
        truths: Sequence[Truth],
        *,
        labels: Sequence[str],
        target: float,
        confidence: float,
        earlier: Outcomes | None,
        seed: int,
    ) -> Decision:
        """The cut-off that keeps the promise (selection/thresholds.py); None is an object without a prediction."""

    @abstractmethod
    def checked(
        self,
        predicted: Sequence[Prediction | None],
        truths: Sequence[Truth],
        *,
        labels: Sequence[str],
        kind: losses.Kind,
        iou: float,
    ) -> CheckedCandidates:
        """The same objects with the losses of their labels, as selection/error_rates.py needs them."""

    @abstractmethod
    def rule(self, stored: Mapping[str, Any]) -> Any:
        """The rule that a Decision's `certainty.to_dict()` wrote."""

    @abstractmethod
    def sure(self, rule: Any, prediction: Prediction, labels: Sequence[str]) -> float:
        """The expected quality, 0..1, of the label that this prediction gives."""

    @abstractmethod
    def label(self, rule: Any, prediction: Prediction, labels: Sequence[str], sure: float) -> Any:
        """The label, as the task type reads it, None where there can be none; `sure` is its expected quality."""

    def proposed(self, prediction: Prediction, labels: Sequence[str]) -> Any:
        """The label that people are to check, or that counts as one more answer with its scores as they are, where no
        rule was found for one; None where there can be none."""
        return None

    @abstractmethod
    def compared(self, found: Truth, true: Truth, labels: Sequence[str]) -> Outcome:
        """The outcome of the label `found` of an object whose true one is `true`."""

    @abstractmethod
    def loss(self, found: Truth, true: Truth, *, labels: Sequence[str], kind: losses.Kind, iou: float) -> float:
        """How wrong the label `found` is, 0..1, where `true` is the true one.

        Of the kind "image" it is 1 unless the label is right as a whole, of the kind "objects" the share of what it
        says that is wrong (selection/losses.py). Shapes are right that overlap by at least `iou`.
        """

    class_figure: str
    """How the names of the metrics of a model begin that say how well it finds each class, 0..1."""

    @abstractmethod
    def doubts(self, prediction: Prediction, labels: Sequence[str]) -> Floats:
        """(c,) how uncertain the prediction is of each class (selection/next_batch.py)."""

    @abstractmethod
    def expected(self, prediction: Prediction, labels: Sequence[str]) -> Floats:
        """(c,) how much of each class the prediction sees, in the unit of `amounts`, as far as scores can say."""

    @abstractmethod
    def amounts(self, truth: Truth, labels: Sequence[str]) -> Floats:
        """(c,) how many objects of each class the label of people has."""

    def columns(self, labels: Sequence[str]) -> int:
        """How many columns the outcomes of an object have: by default one for each class."""
        return len(labels)

    def explained(self, rule: Any, labels: Sequence[str]) -> dict[str, Any]:
        """What the explanation of a label says of the rule, beside what it says for every family."""
        return {}

    @abstractmethod
    def merged(self, outcome: Outcome, *, gone: int, kept: int) -> Outcome:
        """An object's outcome once the class at `gone` has become the one at `kept`; never better than it was."""

    @abstractmethod
    def placed(self, prediction: Prediction, places: Mapping[int, int | None]) -> Prediction:
        """The prediction with its classes at other places; those without one (None) are left out."""


def without(outcome: Outcome, *, gone: int, kept: int, values: Sequence[float]) -> Outcome:
    """The outcome without the column `gone`, and with `values` in the column `kept` of its rows."""
    made = []
    for sums, value in zip(outcome, values, strict=True):
        joined = list(sums)
        joined[kept] = value
        del joined[gone]
        made.append(joined)
    return made
