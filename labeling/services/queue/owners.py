"""The owner of a work queue: who asked for the answers. What the queue has to know of it is on this page.

A kind of owner (a labeling job, later a flow definition or a HIT type) is one class that is registered here when its
room is ready. The owner hands over each task's input as it opens the task; the queue asks the rest.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from labeling.models import Task, WorkQueue


@dataclass(frozen=True)
class Judgement:
    """What an owner thinks of tasks whose seats are all answered or withdrawn.

    `wanting`: primary keys of the tasks that need one more answer (a task that has all the queue allows gets none).
    `results`: whatever the owner wants to be given back when the others are finished.
    """

    wanting: frozenset[int] = frozenset()
    results: Any = field(default=None)


class QueueOwner(Protocol):
    """What a work queue asks of its owner."""

    def judge(self, tasks: Sequence[Task]) -> Judgement:
        """Whether a further answer is wanted for each of these tasks. May be slow; no lock is held."""

    def finish(self, tasks: Sequence[Task], judgement: Judgement) -> None:
        """These tasks get no further answer: keep what came of them, in the caller's transaction, which holds them.

        A task with `answers_count` 0 was answered by nobody.
        """

    def advance(self) -> None:
        """Do everything that can be done now. Safe to call at any time, and to be killed anywhere."""


OWNERS: dict[str, Callable[[WorkQueue], QueueOwner]] = {}


def register(kind: str, owner: Callable[[WorkQueue], QueueOwner]) -> None:
    """Make a kind of owner known; `owner` makes the owner of a queue. Safe to repeat."""
    OWNERS[kind] = owner


def owner_of(queue: WorkQueue) -> QueueOwner:
    """The owner of a queue. Raises LookupError for a kind that nobody registered."""
    if queue.owner_kind not in OWNERS:
        raise LookupError(f"work queue {queue.pk}: there is no owner of the kind {queue.owner_kind!r}")
    return OWNERS[queue.owner_kind](queue)
