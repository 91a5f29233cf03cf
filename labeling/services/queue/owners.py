"""The interface between a work queue and its owner, which wants the answers.

A kind of owner (a labeling job, later a flow definition or a HIT type) is one class, registered here when its app
starts. The owner provides each task's input when it opens the task; for everything else the queue calls QueueOwner.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from labeling.models import Task, WorkQueue


@dataclass(frozen=True)
class Judgement:
    """An owner's decision about tasks whose seats are all answered or withdrawn.

    `wanting`: primary keys of the tasks that need one more answer (a task that has all the queue allows gets none).
    `results`: whatever the owner needs in `finish`; the queue does not read it.
    """

    wanting: frozenset[int] = frozenset()
    results: Any = field(default=None)


class QueueOwner(Protocol):
    """What a work queue asks of its owner."""

    def judge(self, tasks: Sequence[Task]) -> Judgement:
        """Whether a further answer is wanted for each of these tasks. May be slow; no lock is held."""

    def finish(self, tasks: Sequence[Task], judgement: Judgement) -> None:
        """Store the results of tasks that get no further answer, in the caller's transaction, which has locked them.

        A task with `answers_count` 0 got no answer at all.
        """

    def reconsider(self, tasks: Sequence[Task]) -> frozenset[int]:
        """The keys of those tasks that want another answer for one that was rejected, in the caller's transaction.

        The caller has locked the tasks. What was made of the answers to them is withdrawn until they are over again.
        """

    def advance(self) -> None:
        """Take every step that is possible now. Safe to call at any time, and to be killed anywhere."""


OWNERS: dict[str, Callable[[WorkQueue], QueueOwner]] = {}
"""What gives the owner of a queue, by the kind of owner."""


def register(kind: str, owner: Callable[[WorkQueue], QueueOwner]) -> None:
    """Register a kind of owner. Safe to repeat."""
    OWNERS[kind] = owner


def owner_of(queue: WorkQueue) -> QueueOwner:
    """The owner of a queue. Raises LookupError for a kind that is not registered."""
    if queue.owner_kind not in OWNERS:
        raise LookupError(f"work queue {queue.pk}: there is no owner of the kind {queue.owner_kind!r}")
    return OWNERS[queue.owner_kind](queue)
