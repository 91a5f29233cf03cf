"""Classes that a model names: a class is chosen as fast as it is checked, so the model counts as one more worker."""

from __future__ import annotations

from labeling.consolidation.classes.tags import CUT_OFF
from labeling.formats.shapes import Vote
from labeling.task_types.proposing import Proposing

COUNTED_MODEL = "A model counted as one more, which they did not see."
"""What the story of a label says where a model had a part in it."""


class CountedClasses(Proposing[Vote]):
    """The classes of a label as they are proposed: one, however sure it is, or several of which those count that are
    more likely right than not."""

    counted = True

    def __init__(self, *, several: bool) -> None:
        self.several = several

    def begun(self, proposed: Vote, *, size: tuple[int, int]) -> Vote:
        """The same: nobody begins with it."""
        return Vote(proposed.labels, proposed.confidences)

    def mistakes(self, proposed: Vote, label: Vote) -> tuple[int, int]:
        """How many classes of the label are not proposed, and how many are that it does not have."""
        found, true = self._said(proposed), self._said(label)
        return len(true - found), len(found - true)

    def _said(self, vote: Vote) -> set[str]:
        if not self.several or vote.confidences is None:
            return set(vote.labels)
        return {label for label, sure in zip(vote.labels, vote.confidences, strict=True) if sure > CUT_OFF}
