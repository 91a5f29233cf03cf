"""What a task type has to say so that people can check labels that a model proposes, in place of making them.

Pure: knows no job, no model and no money.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class Proposing(ABC, Generic[Answer]):
    """How labels of one type are proposed; the type's element takes them as its initial value."""

    @abstractmethod
    def begun(self, proposed: Answer, *, size: tuple[int, int]) -> Answer:
        """A proposed label just as the element begins with it on an image of this size, so that an answer of somebody
        who changed nothing holds exactly this."""

    @abstractmethod
    def mistakes(self, proposed: Answer, label: Answer) -> tuple[int, int]:
        """How many things a proposed label has missed and how many of its own are false, taking `label` for right."""
