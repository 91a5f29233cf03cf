"""What every consolidator is given: one worker's answer to an object, and all answers to it.

Knows no jobs, files or databases. What an answer holds depends on the task type: a tuple of boxes, a tuple of spans,
one label, a set of labels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Generic, TypeVar

T = TypeVar("T")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class WorkerAnswer(Generic[Value]):
    """One worker's answer. An empty `value` is an answer too: "there is nothing here".

    Where a worker has answered an object more than once, the highest `revision` counts.
    """

    worker: str
    value: Value
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Proposal(Generic[Value]):
    """What a model said of an object, and the workers (by name) whose answers began with it; none of others'.

    Workers who have seen it leave its things exactly as they were shown, or change them. One that `counts` is seen by
    nobody, and is one more answer to the object.
    """

    model: str
    value: Value
    seen_by: frozenset[str] = frozenset()
    counts: bool = False


@dataclass(frozen=True, slots=True)
class ObjectAnswers(Generic[Value]):
    """The answers to one object, as `fit_workers` reads them.

    `gold` is the true value where an expert or an adjudication gave one; None means that it is unknown. `proposals` are
    what models said of it, in the typed values of its task type.
    """

    answers: tuple[WorkerAnswer[Value], ...]
    gold: Value | None = None
    key: str = field(default="", compare=False)
    proposals: tuple[Proposal[Any], ...] = ()


def latest_answers(answers: Iterable[WorkerAnswer[Value]], order: Callable[[Value], Any]) -> list[WorkerAnswer[Value]]:
    """One answer a worker, the highest revision of each, sorted by worker.

    Among equal revisions the one whose `order(value)` is greatest counts: a rule that does not depend on the order in
    which answers are read.
    """
    latest: dict[str, WorkerAnswer[Value]] = {}
    for answer in answers:
        kept = latest.get(answer.worker)
        if kept is None or (answer.revision, order(answer.value)) > (kept.revision, order(kept.value)):
            latest[answer.worker] = answer
    return [latest[worker] for worker in sorted(latest)]


def require_distinct(labels: Iterable[str]) -> None:
    """Raises ValueError when a label is given twice."""
    names = list(labels)
    if len(set(names)) != len(names):
        raise ValueError(f"labels repeat: {names}")


def require_rereadable(objects: Iterable[Any]) -> None:
    """Raises ValueError for an iterator: expectation maximisation reads its objects once a round."""
    if iter(objects) is objects:
        raise ValueError("fit_workers reads its objects several times: give a list or a re-iterable, not an iterator")


def chunks(objects: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of at most `size` objects, read as they are needed."""
    stream = iter(objects)
    while chunk := list(islice(stream, size)):
        yield chunk
