"""The consolidator of masks of classes: every pixel is a vote about which class it has, or none.

Votes count as much as the painting of their workers has been right; among workers nobody knows it is a plain majority.
A tie is nobody's: the pixel is background. Neighbouring pixels are not smoothed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from labeling.consolidation.answers import ObjectAnswers
from labeling.consolidation.arrays import Floats, Ints
from labeling.consolidation.masks.answers import Answer, ConsolidatedMask, ask, counted, fit
from labeling.consolidation.stopping import Decision, Stopping
from labeling.consolidation.workers.masks import MaskWorkers, Painted, rows_of_masks
from labeling.consolidation.workers.skills import SkillRow
from labeling.formats import segments
from labeling.formats.shapes import Segment, Segmentation

ALGORITHM = "masks/1"
"""The version that labels are stored with. Results that differ need another version."""

TIE = 1e-9


def consolidate(
    answers: Sequence[Answer], *, labels: Sequence[str], workers: MaskWorkers | None = None
) -> ConsolidatedMask:
    """The class of every pixel of one image, and why. Raises ValueError for repeated labels.

    The confidence is the share of the votes that the label got, over all pixels that anybody painted: it means
    agreement. It is None where nobody can agree or disagree, with a single answer; 1 where all painted nothing.
    """
    kept, ignored = counted(answers, labels)
    explanation: dict[str, Any] = {
        "algorithm": ALGORITHM,
        "workers": [answer.worker for answer in kept],
        "classes": [],
        "ignored": ignored,
    }
    if not kept:
        return ConsolidatedMask(None, None, explanation, ALGORITHM)
    size = kept[0].value.size
    pixels = size[0] * size[1]
    starts, lengths = segments.spans((answer.value for answer in kept), pixels)
    weights = np.array((workers or MaskWorkers()).weights(answer.worker for answer in kept))
    votes, used = _votes(kept, labels, starts)
    tally = _tally(votes, weights, len(used) + 1)
    label = _winners(tally)
    share = np.take_along_axis(tally, label[None], axis=0)[0] / weights.sum()
    painted = votes.any(axis=0)
    confidence = _mean(share, lengths * painted, 1.0) if len(kept) > 1 else None
    counts = segments.segment_counts(starts, label, pixels)
    found = tuple(Segment(used[number - 1], counts[number], confidence) for number in sorted(counts))
    explanation["classes"] = [
        _class(name, number, kept, weights, votes, label, share, lengths) for number, name in enumerate(used, start=1)
    ]
    return ConsolidatedMask(Segmentation(size, found, confidence), confidence, explanation, ALGORITHM)


def _votes(kept: Sequence[Answer], labels: Sequence[str], starts: Ints) -> tuple[Ints, list[str]]:
    """(w, n): what each worker says about each span, 0 or the place of a class among those used plus one; and these."""
    named = {one.label for answer in kept for one in answer.value.segments}
    used = [label for label in labels if label in named]
    number = {label: place for place, label in enumerate(used, start=1)}
    votes = np.zeros((len(kept), len(starts)), np.int64)
    for row, answer in enumerate(kept):
        table = np.array([0, *(number[one.label] for one in answer.value.segments)], np.int64)
        votes[row] = table[segments.at(answer.value, starts)]
    return votes, used


def _tally(votes: Ints, weights: Floats, classes: int) -> Floats:
    """(classes, n): the weight of the votes for each."""
    tally = np.zeros((classes, votes.shape[1]))
    for row, weight in zip(votes, weights, strict=True):
        tally[row, np.arange(votes.shape[1])] += weight
    return tally


def _winners(tally: Floats) -> Ints:
    """(n,): the one with the most votes; 0 where two have as many."""
    best = tally.argmax(axis=0)
    tied = (tally >= tally.max(axis=0) - TIE).sum(axis=0) > 1
    return np.where(tied, 0, best)


def _mean(share: Floats, weights: Ints, empty: float) -> float:
    total = weights.sum()
    return round(float((share * weights).sum() / total), 4) if total else empty


def _class(
    name: str,
    number: int,
    kept: Sequence[Answer],
    weights: Floats,
    votes: Ints,
    label: Ints,
    share: Floats,
    lengths: Ints,
) -> dict[str, Any]:
    """What became of one class: its pixels, agreement on them, and each worker's pixels and overlap (IoU) with it."""
    ours = label == number
    area = int(lengths[ours].sum())
    members = []
    for answer, weight, row in zip(kept, weights.tolist(), votes, strict=True):
        theirs = row == number
        both, either = (int(lengths[some].sum()) for some in (theirs & ours, theirs | ours))
        if painted := int(lengths[theirs].sum()):
            members.append(
                {
                    "worker": answer.worker,
                    "pixels": painted,
                    "iou": round(both / either, 4),
                    "weight": round(weight / float(weights.sum()), 4),
                    "outvoted": 2 * both < painted,
                }
            )
    painters = {member["worker"] for member in members}
    return {
        "label": name,
        "kept": area > 0,
        "pixels": area,
        "confidence": _mean(share, lengths * ours, 0.0) if area and len(kept) > 1 else None,
        "members": members,
        "not_drawn_by": [answer.worker for answer in kept if answer.worker not in painters],
    }


def compared(answer: Segmentation, truth: Segmentation) -> Mapping[str, Painted]:
    """What an answer has of the truth: by class the share of its pixels that was painted, and that is right."""
    found: dict[str, Painted] = {}
    for label, (both, given, true) in shared(answer, truth).items():
        one = Painted()
        if true:
            one.found, one.chances = both / true, 1.0
        if given:
            one.right, one.drawn = both / given, 1.0
        found[label] = one
    return found


def shared(one: Segmentation, other: Segmentation) -> dict[str, tuple[int, int, int]]:
    """By class: the pixels that have it in both, in `one`, and in `other`. Raises ValueError for different sizes."""
    if one.size != other.size:
        raise ValueError("masks of {} x {} and {} x {} pixels are compared".format(*one.size, *other.size))
    starts, lengths = segments.spans((one, other), one.size[0] * one.size[1])
    first, second = segments.at(one, starts), segments.at(other, starts)
    found = {}
    for label in sorted({segment.label for both in (one, other) for segment in both.segments}):
        mine, theirs = (
            np.isin(values, [place for place, segment in enumerate(of.segments, start=1) if segment.label == label])
            for values, of in ((first, one), (second, other))
        )
        found[label] = tuple(int(lengths[some].sum()) for some in (mine & theirs, mine, theirs))
    return found  # type: ignore[return-value]


def fit_workers(objects: Iterable[ObjectAnswers[Segmentation]], *, labels: Sequence[str]) -> MaskWorkers:
    """See answers.fit."""
    return fit(objects, labels=labels, consolidate=consolidate, compared=compared)


def should_ask_more(
    answers: Sequence[Answer], *, labels: Sequence[str], rule: Stopping, workers: MaskWorkers | None = None
) -> Decision:
    """See answers.ask."""
    return ask(answers, labels=labels, rule=rule, workers=workers, consolidate=consolidate)


def skill_rows(models: MaskWorkers, labels: Sequence[str]) -> list[SkillRow]:
    """Each worker's counts over all classes and for each of `labels`, to be added to those of other jobs."""
    return rows_of_masks(models, labels)
