"""The consolidator of masks of objects: instances that different workers painted are matched by overlap, then merged.

An instance is kept where at least half of the votes painted it, and has the pixels that most of those gave it who
painted it. Votes count as much as the painting of their workers has been right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from labeling.consolidation.answers import ObjectAnswers
from labeling.consolidation.arrays import Floats, Ints
from labeling.consolidation.clustering import link
from labeling.consolidation.masks.answers import Answer, ConsolidatedMask, ask, counted, fit
from labeling.consolidation.stopping import Decision, Stopping
from labeling.consolidation.workers.masks import MaskWorkers, Painted, rows_of_masks
from labeling.consolidation.workers.skills import SkillRow
from labeling.formats import segments
from labeling.formats.shapes import Segment, Segmentation

ALGORITHM = "instances/1"
"""The version that labels are stored with. Results that differ need another version."""

SAME = 0.5
"""IoU from which two instances of a class are one object."""

TIE = 1e-9


@dataclass(frozen=True, slots=True)
class _Painted:
    """All instances of all answers: of each its answer, its place in it and its class; and which of them, plus one,
    each answer has in each span."""

    answer: Ints
    place: Ints
    label: list[str]
    at: Ints
    lengths: Ints

    def inside(self, one: int) -> Any:
        """Which spans an instance has."""
        return self.at[self.answer[one]] == one + 1


def consolidate(
    answers: Sequence[Answer], *, labels: Sequence[str], workers: MaskWorkers | None = None
) -> ConsolidatedMask:
    """The instances of one image, and why. Raises ValueError for repeated labels.

    The confidence of an instance is the mean overlap (IoU) of the answers with it, 0 for one that lacks it: it means
    agreement. With a single answer there is none. That of the whole is the mean over the instances.
    """
    kept, ignored = counted(answers, labels)
    explanation: dict[str, Any] = {
        "algorithm": ALGORITHM,
        "workers": [answer.worker for answer in kept],
        "clusters": [],
        "ignored": ignored,
    }
    if not kept:
        return ConsolidatedMask(None, None, explanation, ALGORITHM)
    size = kept[0].value.size
    pixels = size[0] * size[1]
    starts, lengths = segments.spans((answer.value for answer in kept), pixels)
    painted = _painted([answer.value for answer in kept], starts, lengths)
    weights = np.array((workers or MaskWorkers()).weights(answer.worker for answer in kept))
    groups = _clusters(painted)
    drawn = [float(weights[painted.answer[group]].sum()) for group in groups]
    chosen = [n for n, weight in enumerate(drawn) if 2 * weight >= weights.sum() - TIE]
    merged = _merged(painted, [groups[n] for n in chosen], weights)
    counts = segments.segment_counts(starts, merged, pixels)
    places = {chosen[number - 1]: number for number in counts}
    found, stories = [], []
    for n in sorted(range(len(groups)), key=lambda n: (n not in places, -drawn[n], n)):
        ours = merged == places[n] if n in places else None
        story = _story(painted, groups[n], ours, kept, weights)
        stories.append(story)
        if n in places:
            found.append(Segment(story["label"], counts[places[n]], story["confidence"]))
    explanation["clusters"] = stories
    sure = [one.confidence for one in found if one.confidence is not None]
    confidence = round(sum(sure) / len(sure), 4) if sure else None
    if not found and len(kept) > 1:
        confidence = _agreed_on_nothing(kept, weights)
    return ConsolidatedMask(Segmentation(size, tuple(found), confidence), confidence, explanation, ALGORITHM)


def _agreed_on_nothing(kept: Sequence[Answer], weights: Floats) -> float:
    nothing = np.array([not answer.value.segments for answer in kept])
    return round(float(weights[nothing].sum() / weights.sum()), 4)


def _painted(given: Sequence[Segmentation], starts: Ints, lengths: Ints) -> _Painted:
    answer: list[int] = []
    place: list[int] = []
    label: list[str] = []
    at = np.zeros((len(given), len(starts)), np.int64)
    for row, one in enumerate(given):
        first = len(label)
        found = segments.at(one, starts)
        at[row] = np.where(found, found + first, 0)
        for number, segment in enumerate(one.segments):
            answer.append(row)
            place.append(number)
            label.append(segment.label)
    return _Painted(np.array(answer, np.int64), np.array(place, np.int64), label, at, lengths)


def _overlaps(painted: _Painted) -> tuple[Ints, Ints, Floats]:
    """Pairs of instances of one class in different answers that share pixels, and their IoU."""
    number = len(painted.label)
    areas = np.zeros(number + 1)
    for row in painted.at:
        areas += np.bincount(row, weights=painted.lengths, minlength=number + 1)
    first, second, both = [], [], []
    for row in range(len(painted.at)):
        for other in range(row + 1, len(painted.at)):
            a, b = painted.at[row], painted.at[other]
            touching = (a > 0) & (b > 0)
            pairs, inverse = np.unique(a[touching] * (number + 1) + b[touching], return_inverse=True)
            first.append(pairs // (number + 1) - 1)
            second.append(pairs % (number + 1) - 1)
            both.append(np.bincount(inverse, weights=painted.lengths[touching], minlength=len(pairs)))
    if not first:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    a, b, shared = np.concatenate(first), np.concatenate(second), np.concatenate(both)
    classes = np.unique(np.array(painted.label), return_inverse=True)[1] if number else np.zeros(0, np.int64)
    same = classes[a] == classes[b]
    a, b, shared = a[same], b[same], shared[same]
    return a, b, shared / (areas[a + 1] + areas[b + 1] - shared)


def _clusters(painted: _Painted) -> list[Ints]:
    """The instances that are about one object; no two of one answer."""
    if not painted.label:
        return []
    a, b, iou = _overlaps(painted)
    cluster = link(painted.answer, a, b, iou, SAME)
    return [np.flatnonzero(cluster == number) for number in range(int(cluster.max()) + 1)]


def _merged(painted: _Painted, groups: Sequence[Ints], weights: Floats) -> Ints:
    """(n,): the number of the group that has each span, from 1 on; 0 where none has most of its own votes.

    A span that two groups want goes to the one with more votes for it, and to neither where they have as many.
    """
    best = np.zeros(painted.at.shape[1])
    owner = np.zeros(painted.at.shape[1], np.int64)
    for number, group in enumerate(groups, start=1):
        votes = np.zeros(painted.at.shape[1])
        for one in group:
            votes += weights[painted.answer[one]] * painted.inside(one)
        wanted = 2 * votes > weights[painted.answer[group]].sum() + TIE
        tied = wanted & (np.abs(votes - best) <= TIE) & (best > 0)
        wins = wanted & (votes > best + TIE)
        owner[tied] = 0
        owner[wins] = number
        best[wins] = votes[wins]
    return owner


def _story(painted: _Painted, group: Ints, ours: Any, kept: Sequence[Answer], weights: Floats) -> dict[str, Any]:
    """What became of one object: `ours` are its spans, None when it was dropped."""
    total, members, agreement = float(weights.sum()), [], 0.0
    for one in sorted(group.tolist(), key=lambda one: kept[int(painted.answer[one])].worker):
        theirs, row = painted.inside(one), int(painted.answer[one])
        overlap = 0.0
        if ours is not None:
            overlap = float(painted.lengths[theirs & ours].sum() / painted.lengths[theirs | ours].sum())
        agreement += float(weights[row]) * overlap
        members.append(
            {
                "worker": kept[row].worker,
                "instance": int(painted.place[one]),
                "pixels": int(painted.lengths[theirs].sum()),
                "iou": round(overlap, 4),
                "weight": round(float(weights[row]) / total, 4),
                "outvoted": ours is None,
            }
        )
    painters = {member["worker"] for member in members}
    return {
        "label": painted.label[int(group[0])],
        "kept": ours is not None,
        "pixels": 0 if ours is None else int(painted.lengths[ours].sum()),
        "confidence": None if ours is None or len(kept) < 2 else round(agreement / total, 4),
        "members": members,
        "not_drawn_by": [answer.worker for answer in kept if answer.worker not in painters],
    }


def matches(one: Segmentation, other: Segmentation) -> Iterator[tuple[int, int, float]]:
    """(place in one, place in other, IoU) of the instances that are about one object.

    Raises ValueError for different sizes.
    """
    if one.size != other.size:
        raise ValueError("masks of {} x {} and {} x {} pixels are compared".format(*one.size, *other.size))
    starts, lengths = segments.spans((one, other), one.size[0] * one.size[1])
    painted = _painted((one, other), starts, lengths)
    a, b, iou = _overlaps(painted)
    taken: set[int] = set()
    for pair in np.lexsort((b, a, -iou)).tolist():
        mine, theirs = int(a[pair]), int(b[pair])
        if iou[pair] >= SAME and not {mine, theirs} & taken:
            taken |= {mine, theirs}
            yield int(painted.place[mine]), int(painted.place[theirs]), float(iou[pair])


def compared(answer: Segmentation, truth: Segmentation) -> Mapping[str, Painted]:
    """What an answer has of the truth: by class how many instances are there, painted, and the same."""
    found: dict[str, Painted] = {}
    for segment in truth.segments:
        found.setdefault(segment.label, Painted()).chances += 1
    for segment in answer.segments:
        found.setdefault(segment.label, Painted()).drawn += 1
    for place, _other, _iou in matches(answer, truth):
        one = found[answer.segments[place].label]
        one.found += 1
        one.right += 1
    return found


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
