"""What a task type has to say so that a model's labels can help people: they check them in place of making them, or
do not see them and the model counts as one more worker.

Pure: knows no job, no model and no money.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Generic, TypeVar

Answer = TypeVar("Answer")

USUAL_BLIND_SHARE = 0.15
"""The share of the objects with a good proposal that people label without seeing it, where a job does not say."""

USUAL_LEAST_QUALITY = 0.5
"""The expected quality from which on a proposal is good, where a job does not say."""

CHECK_SHARE = 3
"""Where a job does not say what checking is paid, it is this part of the price of labeling."""


class Proposing(ABC, Generic[Answer]):
    """How labels of one type are proposed; the type's element takes them as its initial value where people see them."""

    counted: ClassVar[bool] = False
    """Whether people do not see what is proposed, and consolidation counts it as one more answer: where making a label
    is no more work than checking one, to show it would save nothing and lead people."""

    @abstractmethod
    def begun(self, proposed: Answer, *, size: tuple[int, int]) -> Answer:
        """A proposed label just as the element begins with it on an image of this size, so that an answer of somebody
        who changed nothing holds exactly this."""

    @abstractmethod
    def mistakes(self, proposed: Answer, label: Answer) -> tuple[int, int]:
        """How many things a proposed label has missed and how many of its own are false, taking `label` for right."""
