"""The consolidator of masks of classes: the area of each class is averaged from its outlines (contours.py).

What two classes claim goes to the one that the workers with the greater say painted; a tie is nobody's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from labeling.consolidation.answers import ObjectAnswers, WorkerAnswer
from labeling.consolidation.arrays import Bools, Floats, Ints
from labeling.consolidation.intervals import interval, worth
from labeling.consolidation.masks import contours
from labeling.consolidation.masks.answers import Answer, ConsolidatedMask, Method, ask, counted, fit
from labeling.consolidation.masks.contours import Drawn, Fused
from labeling.consolidation.masks.parts import Thing
from labeling.consolidation.stopping import Decision, Stopping
from labeling.consolidation.workers.masks import Edge, MaskWorkers, Painted, rows_of_masks
from labeling.consolidation.workers.skills import SkillRow
from labeling.formats import segments
from labeling.formats.shapes import Segment, Segmentation

ALGORITHM = "masks/2"
"""The version that labels are stored with. Results that differ need another version."""

TIE = 1e-9


def consolidate(
    answers: Sequence[Answer], *, labels: Sequence[str], workers: MaskWorkers | None = None
) -> ConsolidatedMask:
    """The class of every pixel of one image, and why. Raises ValueError for repeated labels.

    The confidence is the overlap (IoU) with the truth that is to be expected; of an image in which nothing is, the
    share of the votes for that, over all pixels that anybody painted. It is None with a single answer, which nobody can
    agree with.
    """
    kept, ignored = counted(answers, labels)
    names = [answer.worker for answer in kept]
    explanation: dict[str, Any] = {"algorithm": ALGORITHM, "workers": names, "classes": [], "ignored": ignored}
    if not kept:
        return ConsolidatedMask(None, None, explanation, ALGORITHM)
    size = kept[0].value.size
    pixels = size[0] * size[1]
    models = workers or MaskWorkers()
    starts, lengths = segments.spans((answer.value for answer in kept), pixels)
    votes, used = _votes(kept, labels, starts)
    found = [
        contours.fused(Drawn(votes == number, starts, lengths, size), models.traits(names, label))
        for number, label in enumerate(used, start=1)
    ]
    weights = models.traits(names).trust
    starts, votes, label = _merged(starts, votes, weights, [one.ends for one in found], pixels)
    lengths = np.diff(starts, append=pixels)
    agreement = _agreement(votes, weights, label, lengths)
    confidence = (_confidence(found) if label.any() else round(agreement, 4)) if len(kept) > 1 else None
    counts = segments.segment_counts(starts, label, pixels)
    answers_worth = worth(weights)
    masks = []
    for number, (name, one) in enumerate(zip(used, found, strict=True), start=1):
        sure = round(one.overlap, 4) if number in counts and len(kept) > 1 else None
        explanation["classes"].append(_class(name, number, kept, weights, votes, label, lengths, sure, answers_worth))
        if number in counts:
            masks.append(Segment(name, counts[number], sure))
    low, high = (None, None) if confidence is None else interval(confidence, answers_worth)
    difficulty = round(1 - agreement, 4) + 0.0 if len(kept) > 1 else None
    explanation |= {"confidence_low": low, "confidence_high": high, "difficulty": difficulty}
    # As in Ground Truth a label has one confidence; those of its classes are in the explanation.
    mask = Segmentation(size, tuple(replace(one, confidence=confidence) for one in masks), confidence)
    return ConsolidatedMask(mask, confidence, explanation, ALGORITHM, low, high, difficulty)


def _merged(starts: Ints, votes: Ints, weights: Floats, areas: Sequence[Ints], pixels: int) -> tuple[Ints, Ints, Ints]:
    """The spans cut where an area begins or ends, the votes about them, and the class of each: 0 or its place plus one.

    What no class claims is background, unless nobody said so: there, and where several claim, the votes decide.
    """
    cut = segments.distinct(np.concatenate([starts, *areas]))
    cut = cut[cut < pixels]
    votes = votes[:, np.searchsorted(starts, cut, side="right") - 1]
    claims = np.stack([np.zeros(len(cut), bool), *(segments.within(ends, cut) for ends in areas)])
    number = claims.sum(axis=0)
    label = claims.argmax(axis=0)
    open_ = (number > 1) | ((number == 0) & (votes > 0).all(axis=0))
    if open_.any():
        tally = _tally(votes[:, open_], weights, len(areas) + 1)
        claimed = claims[:, open_]
        tally[:, claimed.any(axis=0)] *= claimed[:, claimed.any(axis=0)]
        label[open_] = _winners(tally)
    return cut, votes, label


def _confidence(found: Sequence[Fused]) -> float:
    whole = sum(one.pixels + one.missing for one in found)
    return round(float(sum(one.right for one in found) / whole), 4)


def _agreement(votes: Ints, weights: Floats, label: Ints, lengths: Ints) -> float:
    """The share of the weight that says what the label says, over all pixels that anybody painted; 1 without any."""
    agreed = weights @ (votes == label) / weights.sum()
    painted = lengths * votes.any(axis=0)
    return float((agreed * painted).sum() / painted.sum()) if painted.any() else 1.0


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


def _class(
    name: str,
    number: int,
    kept: Sequence[Answer],
    weights: Floats,
    votes: Ints,
    label: Ints,
    lengths: Ints,
    sure: float | None,
    answers: float,
) -> dict[str, Any]:
    """What became of one class: its pixels, confidence, and each worker's pixels and overlap (IoU) with it."""
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
    low, high = (None, None) if sure is None else interval(sure, answers)
    return {
        "label": name,
        "kept": area > 0,
        "pixels": area,
        "confidence": sure,
        "confidence_low": low,
        "confidence_high": high,
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


def _drawn(
    kept: Sequence[Answer], gold: Segmentation | None, labels: Sequence[str]
) -> Iterator[tuple[str, Drawn, Bools | None]]:
    """By class what the workers painted, and the true spans where they are known."""
    known = [*kept] if gold is None else [*kept, WorkerAnswer("", gold)]
    size = known[0].value.size
    starts, lengths = segments.spans((one.value for one in known), size[0] * size[1])
    votes, used = _votes(known, labels, starts)
    for number, label in enumerate(used, start=1):
        inside = votes == number
        truth = None if gold is None else inside[-1]
        yield label, Drawn(inside[: len(kept)], starts, lengths, size), truth


def things(kept: Sequence[Answer], gold: Segmentation | None, labels: Sequence[str]) -> Iterator[Thing]:
    """See answers.Method."""
    names = [answer.worker for answer in kept]
    for label, drawn, truth in _drawn(kept, gold, labels):
        yield from contours.things(label, names, drawn, truth)


def edges(
    kept: Sequence[Answer], gold: Segmentation | None, labels: Sequence[str], models: MaskWorkers
) -> Iterator[tuple[str, Edge]]:
    """See answers.Method."""
    names = [answer.worker for answer in kept]
    for label, drawn, truth in _drawn(kept, gold, labels):
        ends = None if truth is None else contours.ends_of(truth, drawn.starts, drawn.lengths)
        yield from zip(names, contours.edges(drawn, models.traits(names, label), ends), strict=True)


METHOD = Method(things, edges, compared)


def fit_workers(objects: Iterable[ObjectAnswers[Segmentation]], *, labels: Sequence[str]) -> MaskWorkers:
    """See answers.fit."""
    return fit(objects, labels=labels, consolidate=consolidate, method=METHOD)


def should_ask_more(
    answers: Sequence[Answer], *, labels: Sequence[str], rule: Stopping, workers: MaskWorkers | None = None
) -> Decision:
    """See answers.ask."""
    return ask(answers, labels=labels, rule=rule, workers=workers, consolidate=consolidate)


def skill_rows(models: MaskWorkers, labels: Sequence[str]) -> list[SkillRow]:
    """Each worker's counts over all classes and for each of `labels`, to be added to those of other jobs."""
    return rows_of_masks(models, labels)
