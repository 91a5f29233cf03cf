"""A flow definition as the owner of its work queue: a task is over with its answers, and its loop with the task.

Its services are imported when they are needed: every process imports this file as it starts.
"""

from collections.abc import Sequence

from labeling.models import Task, WorkQueue
from labeling.services.queue import owners
from labeling.services.queue.owners import Judgement

KIND = "flow-definition"

LIVE = ("InProgress", "Stopping")


class FlowOwner:
    """See owners.QueueOwner."""

    def __init__(self, queue: WorkQueue):
        self._queue = queue

    def judge(self, tasks: Sequence[Task]) -> Judgement:
        """A loop has the answers that its flow definition asks for, never more."""
        return Judgement()

    def finish(self, tasks: Sequence[Task], judgement: Judgement) -> None:
        """Nothing is made of answers: they are the output as they are, which `advance` writes."""

    def reconsider(self, tasks: Sequence[Task]) -> frozenset[int]:
        """Answers to human loops are not reviewed, so none is rejected."""
        return frozenset()

    def advance(self) -> None:
        """Write the output of the loops whose answers are in, and end those that nobody took in time."""
        from labeling.services.review import advancing

        advancing.advance_or_give_up(self._queue.pk)


def register() -> None:
    """Make flow definitions known as owners of queues."""
    owners.register(KIND, FlowOwner)
