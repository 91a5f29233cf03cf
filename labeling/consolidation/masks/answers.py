"""What both consolidators of masks have in common: which answers count, what is known of them, and when to ask more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from labeling.consolidation.answers import (
    ObjectAnswers,
    WorkerAnswer,
    latest_answers,
    require_distinct,
    require_rereadable,
)
from labeling.consolidation.stopping import Decision, Stopping, decide
from labeling.consolidation.workers.masks import MaskWorkers, Painted
from labeling.formats.shapes import Segmentation

ROUNDS = 3
"""Rounds of fitting at most: weights change a label at few pixels only."""

Answer = WorkerAnswer[Segmentation]


@dataclass(frozen=True, slots=True)
class ConsolidatedMask:
    """`mask` is None when no worker gave an answer that can be read; `confidence` is None where nothing can be said."""

    mask: Segmentation | None
    confidence: float | None
    explanation: dict[str, Any]
    algorithm: str


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
    compared: Callable[[Segmentation, Segmentation], Mapping[str, Painted]],
) -> MaskWorkers:
    """What answers say about their workers, against the golds or else the masks that they give, in rounds.

    An image with one answer and no gold says nothing. `compared` says what an answer has of the truth, by class.
    """
    require_rereadable(objects)
    models = MaskWorkers()
    for _ in range(ROUNDS):
        learned = MaskWorkers()
        for one in objects:
            kept, _ignored = counted(one.answers, labels)
            truth = one.gold
            if truth is None and len(kept) > 1:
                truth = consolidate(kept, labels=labels, workers=models).mask
            if truth is not None:
                for answer in kept:
                    learned.add(answer.worker, compared(answer.value, truth))
        settled = learned.to_json() == models.to_json()
        models = learned
        if settled:
            break
    return MaskWorkers.from_json(models.to_json())


def ask(
    answers: Sequence[Answer],
    *,
    labels: Sequence[str],
    rule: Stopping,
    workers: MaskWorkers | None,
    consolidate: Consolidate,
) -> Decision:
    """Whether one more answer is worth having. The loss is the share of what was painted on which people disagree, all
    of it where only one has answered; one more answer is expected to settle an equal part of it with the others."""
    kept, _ignored = counted(answers, labels)
    found = consolidate(kept, labels=labels, workers=workers)
    loss = 1.0 - (found.confidence or 0.0)
    return decide(rule, answers=len(kept), loss=loss, gain=loss / (len(kept) + 1))
