"""What adjusting has in common where a label is a list of things on an image: boxes, outlines, points.

A thing that nobody changed is exactly the earlier one, to the last digit.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Generic, TypeVar

from labeling.consolidation import earlier
from labeling.formats.shapes import Box, Keypoint, Polygon
from labeling.task_types.adjusting import Adjustment
from labeling.task_types.base import Answer, AnswersToImage, Consensus, Models, Size

Thing = TypeVar("Thing", bound=Box | Polygon | Keypoint)


class ThingAdjustment(Adjustment[Answer, Models], Generic[Answer, Models, Thing]):
    """Things are told apart by their class and their place; no other part of one can be changed."""

    rows: ClassVar[str]
    """The member of a stored label that has a row for each thing, in the order of `things`."""
    listed: ClassVar[str]
    """The member of the element's value that lists them."""

    @abstractmethod
    def things(self, label: Answer) -> Sequence[Thing]:
        """The things of a label or of an answer."""

    @abstractmethod
    def made(self, things: Iterable[Thing], size: Size, changed: bool) -> Answer:
        """An answer with these things on an image of this size."""

    @abstractmethod
    def thing_as_shown(self, thing: Thing, size: Size) -> Thing:
        """The thing in whole pixels within the picture, as the element begins with it."""

    @abstractmethod
    def place(self, thing: Thing) -> dict[str, Any]:
        """Its class and place, as a row of a stored label has them."""

    @abstractmethod
    def likeness(self, thing: Thing, others: Sequence[Thing], size: Size) -> list[float]:
        """How alike it is to each of the others: 1 for the same place, 0 for nothing in common or another class."""

    def as_shown(self, earlier: Answer, size: Size) -> Answer:
        """Every thing in whole pixels."""
        return self.made((self.thing_as_shown(one, size) for one in self.things(earlier)), size, True)

    def alike(self, answer: Answer, shown: Answer) -> bool:
        """The same classes at the same places."""
        given, seen = (
            Counter(replace(one, confidence=None) for one in self.things(label)) for label in (answer, shown)
        )
        return given == seen

    def settled(self, found: Consensus, given: AnswersToImage[Answer], answers: Sequence[Answer]) -> Consensus:
        """What all workers left as it was takes the place of what was merged from it."""
        if found.value is None or given.earlier is None:
            return found
        before = self.things(given.earlier)
        shown = [self.thing_as_shown(one, given.size) for one in before]
        kept = earlier.left_alone(shown, [self.things(answer) for answer in answers])
        merged = [replace(one, confidence=None) for one in self.things(self.audited.read_value(found.value))]
        places = earlier.places(
            [shown[number] for number in kept], merged, lambda one, others: self.likeness(one, others, given.size)
        )
        rows = [dict(row) for row in found.value[self.rows]]
        for number, place in zip(kept, places, strict=True):
            if place is None:
                rows.append({**self.place(before[number]), "confidence": 1.0, "cluster": None})
            else:
                rows[place].update(self.place(before[number]))
        value = {**found.value, self.rows: rows}
        if None not in places:
            return replace(found, value=value)
        return replace(found, value=value, confidence=round(sum(row["confidence"] for row in rows) / len(rows), 4))

    def simulated(
        self, said: Answer, *, initial_value: Any, truth: Answer, labels: Sequence[str], size: Size
    ) -> Answer:
        """Things that are right stay, others are removed, and what is missing is drawn."""
        content: Mapping[str, Any] = {self.element.name: {self.listed: initial_value or []}}
        begun = self.things(self.read_answer(content, labels=labels, size=size))
        stay = [one for one in begun if self._among(one, self.things(truth), size)]
        drawn = [one for one in self.things(said) if not self._among(one, stay, size)]
        return self.made([*stay, *drawn], size, bool(drawn) or len(stay) < len(begun))

    def _among(self, thing: Thing, others: Sequence[Thing], size: Size) -> bool:
        """Whether one of the others is about the same."""
        return max(self.likeness(thing, others, size), default=0.0) >= earlier.SAME
