"""What choosing one class, choosing several and judging an earlier label have in common. An answer is a Vote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labeling.consolidation.workers.votes import VoteWorkers
from labeling.formats.shapes import Vote
from labeling.task_types.base import PRICES, TaskType


class Choice(TaskType[Vote, VoteWorkers]):
    """Classes are chosen; what is known of workers is how they confuse them."""

    prices = PRICES
    fewest_labels = 2

    def load_workers(self, stored: Mapping[str, Any] | None) -> VoteWorkers:
        """See VoteWorkers.from_json."""
        return VoteWorkers() if stored is None else VoteWorkers.from_json(stored)
