"""The classes that answers and labels name, as the job calls them now. Classes can be renamed and merged
(services/jobs/classes.py), and answers keep the names of their time."""

from collections.abc import Mapping
from typing import Any

from labeling import task_types
from labeling.models import WorkQueue

OF_ONE_ANSWER = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
"""What reading an answer raises that is not what it should be."""


def locked(queue_id: int) -> tuple[list[str], dict[str, str]]:
    """The classes of a queue and the names they had, which stay so until the transaction ends.

    Whoever stores a label takes the names from here, in the transaction that stores it and before locking objects.
    """
    queue = WorkQueue.objects.select_for_update(no_key=True).only("labels", "earlier_labels").get(pk=queue_id)
    return queue.labels, queue.earlier_labels


def content_now(content: Mapping[str, Any], *, queue: WorkQueue, size: tuple[int, int]) -> Mapping[str, Any]:
    """A stored answer as pages show it, in the crowd element's form: with today's names, where it can be read."""
    if not queue.earlier_labels:
        return content
    kind = task_types.get(queue.task_type)
    try:
        answer = kind.read_stored(content, labels=queue.labels, earlier=queue.earlier_labels, size=size)
        return kind.write_answer(answer, size=size)
    except OF_ONE_ANSWER:
        return content
