"""What both consolidators of masks have in common: which answers count, what is known of them, and when to ask more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from labeling.consolidation.answers import (
    ObjectAnswers,
    WorkerAnswer,
    latest_answers,
    require_distinct,
    require_rereadable,
)
from labeling.consolidation.masks.parts import Thing, learn
from labeling.consolidation.stopping import Decision, Stopping, decide
from labeling.consolidation.workers.masks import Edge, MaskWorkers, Painted
from labeling.formats.shapes import Segmentation

EDGE_ROUNDS = 2
"""Rounds in which the outlines of workers are compared with labels: where labels lie depends on it a little."""

Answer = WorkerAnswer[Segmentation]


@dataclass(frozen=True, slots=True)
class ConsolidatedMask:
    """`mask` is None when no worker gave an answer that can be read; `confidence` is None where nothing can be said.

    `confidence_low` and `confidence_high` are its interval; `difficulty` is 0 where all agree and 1 where nobody does.
    """

    mask: Segmentation | None
    confidence: float | None
    explanation: dict[str, Any]
    algorithm: str
    confidence_low: float | None = None
    confidence_high: float | None = None
    difficulty: float | None = None


@dataclass(frozen=True, slots=True)
class Method:
    """What one of the consolidators has to say to learning, of the answers to one image, its gold and the labels."""

    things: Callable[[Sequence[Answer], Segmentation | None, Sequence[str]], Iterable[Thing]]
    """The parts that its workers painted."""
    edges: Callable[[Sequence[Answer], Segmentation | None, Sequence[str], MaskWorkers], Iterable[tuple[str, Edge]]]
    """Where the outlines of each worker lie."""
    compared: Callable[[Segmentation, Segmentation], Mapping[str, Painted]]
    """What an answer has of the truth, by class."""


class Consolidate(Protocol):
    """One of the consolidators."""

    def __call__(
        self, answers: Sequence[Answer], *, labels: Sequence[str], workers: MaskWorkers | None = None
    ) -> ConsolidatedMask:
        """The mask of one image from the answers to it."""


def counted(answers: Iterable[Answer], labels: Sequence[str]) -> tuple[list[Answer], list[dict[str, str]]]:
    """The newest answer of each worker, sorted by worker, and those that are left out, with the reason.

    An answer with a class that the job does not have is left out whole: what it would have said with the job's classes
    nobody knows. Raises ValueError for repeated labels and for masks of different sizes.
    """
    require_distinct(labels)
    known = set(labels)
    kept, ignored = [], []
    for answer in latest_answers(answers, _order):
        unknown = sorted({one.label for one in answer.value.segments} - known)
        if unknown:
            ignored.append({"worker": answer.worker, "reason": f"no label of this job: {unknown[0]}"})
        else:
            kept.append(answer)
    if len({answer.value.size for answer in kept}) > 1:
        sizes = sorted({"{} x {}".format(*answer.value.size) for answer in kept})
        raise ValueError(f"the masks of one image have different sizes: {', '.join(sizes)}")
    return kept, ignored


def _order(found: Segmentation) -> Any:
    return [(one.label, one.counts) for one in found.segments]


def fit(
    objects: Iterable[ObjectAnswers[Segmentation]],
    *,
    labels: Sequence[str],
    consolidate: Consolidate,
    method: Method,
) -> MaskWorkers:
    """What answers say about their workers, against the golds or else against each other.

    First the parts of masks that each paints and leaves out, then where outlines lie, then how much of what each
    painted is right. An image with one answer and no gold says nothing.
    """
    require_rereadable(objects)

    def told() -> Iterator[tuple[list[Answer], Segmentation | None]]:
        for one in objects:
            kept, _ignored = counted(one.answers, labels)
            if kept and (one.gold is not None or len(kept) > 1):
                yield kept, one.gold

    models = MaskWorkers()
    learn(models, (thing for kept, gold in told() for thing in method.things(kept, gold, labels)))
    for _ in range(EDGE_ROUNDS):
        found: dict[str, Edge] = {}
        for kept, gold in told():
            for worker, edge in method.edges(kept, gold, labels, models):
                found.setdefault(worker, Edge()).add(edge)
        models.know_edges({worker: edge for worker, edge in sorted(found.items()) if edge.outlines})
    known = MaskWorkers.from_json(models.to_json())
    for kept, gold in told():
        truth = gold if gold is not None else consolidate(kept, labels=labels, workers=known).mask
        if truth is not None:
            for answer in kept:
                models.add(answer.worker, method.compared(answer.value, truth))
    return MaskWorkers.from_json(models.to_json())


def ask(
    answers: Sequence[Answer],
    *,
    labels: Sequence[str],
    rule: Stopping,
    workers: MaskWorkers | None,
    consolidate: Consolidate,
) -> Decision:
    """Whether one more answer is worth having. The loss is 1 less the confidence, all where only one has answered;
    one more answer is expected to settle an equal part of it with the others."""
    kept, _ignored = counted(answers, labels)
    found = consolidate(kept, labels=labels, workers=workers)
    loss = 1.0 - (found.confidence or 0.0)
    return decide(rule, answers=len(kept), loss=loss, gain=loss / (len(kept) + 1))
