"""The consolidator of masks of objects: instances that different workers painted are matched by overlap, then merged.

An instance is kept where it is more likely there than not, given who painted it and who did not (parts.py). Its outline
is the mean of those who painted it (contours.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from labeling.consolidation.answers import ObjectAnswers
from labeling.consolidation.arrays import Floats, Ints, logistic
from labeling.consolidation.clustering import link
from labeling.consolidation.intervals import interval, worth
from labeling.consolidation.masks import parts
from labeling.consolidation.masks.answers import Answer, ConsolidatedMask, Method, ask, counted, fit
from labeling.consolidation.masks.contours import Drawn, Fused, ends_of, fused
from labeling.consolidation.masks.contours import edges as contour_edges
from labeling.consolidation.masks.parts import Thing
from labeling.consolidation.stopping import Decision, Stopping
from labeling.consolidation.workers.masks import FALSE, REAL, RECALL, Edge, MaskWorkers, Painted, rows_of_masks
from labeling.consolidation.workers.skills import SkillRow
from labeling.formats import segments
from labeling.formats.shapes import Segment, Segmentation

ALGORITHM = "instances/2"
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


@dataclass(frozen=True, slots=True)
class _Found:
    """One object: the numbers of its instances, the chance that it is there, and its area, None where it is dropped."""

    group: Ints
    chance: float
    area: Fused | None


def consolidate(
    answers: Sequence[Answer], *, labels: Sequence[str], workers: MaskWorkers | None = None
) -> ConsolidatedMask:
    """The instances of one image, and why. Raises ValueError for repeated labels.

    The confidence of an instance is the chance that it is there times the overlap (IoU) with the true one that is to be
    expected if it is. With a single answer there is none. That of the whole is the mean over the instances; of an image
    in which nothing is, the share of the workers who painted nothing.
    """
    kept, ignored = counted(answers, labels)
    names = [answer.worker for answer in kept]
    explanation: dict[str, Any] = {"algorithm": ALGORITHM, "workers": names, "clusters": [], "ignored": ignored}
    if not kept:
        return ConsolidatedMask(None, None, explanation, ALGORITHM)
    size = kept[0].value.size
    pixels = size[0] * size[1]
    models = workers or MaskWorkers()
    weights = models.traits(names).trust
    starts, lengths = segments.spans((answer.value for answer in kept), pixels)
    painted = _painted([answer.value for answer in kept], starts, lengths)
    objects = [_object(painted, group, names, models, starts, size) for group in _clusters(painted)]
    chosen = [one for one in objects if one.area is not None]
    starts, merged = _merged(painted, chosen, weights, starts, pixels)
    counts = segments.segment_counts(starts, merged, pixels)
    places = {id(chosen[number - 1]): number for number in counts}
    whole = replace(painted, at=painted.at[:, _spans_of(starts, painted)], lengths=np.diff(starts, append=pixels))
    found, stories = [], []
    drawn = {id(one): float(weights[painted.answer[one.group]].sum()) for one in objects}
    order = {id(one): n for n, one in enumerate(objects)}
    for one in sorted(objects, key=lambda one: (id(one) not in places, -drawn[id(one)], order[id(one)])):
        number = places.get(id(one))
        story = _story(whole, one, None if number is None else merged == number, kept, weights)
        stories.append(story)
        if number is not None:
            found.append(Segment(story["label"], counts[number], story["confidence"]))
    explanation["clusters"] = stories
    sure = [one.confidence for one in found if one.confidence is not None]
    confidence = round(sum(sure) / len(sure), 4) if sure else None
    if not found and len(kept) > 1:
        confidence = _agreed_on_nothing(kept, weights)
    low, high = (None, None) if confidence is None else interval(confidence, worth(weights))
    difficulty = _difficulty(stories, drawn_of_all=sum(drawn.values())) if len(kept) > 1 else None
    explanation |= {"confidence_low": low, "confidence_high": high, "difficulty": difficulty}
    mask = Segmentation(size, tuple(found), confidence)
    return ConsolidatedMask(mask, confidence, explanation, ALGORITHM, low, high, difficulty)


def _object(
    painted: _Painted, group: Ints, names: Sequence[str], models: MaskWorkers, starts: Ints, size: tuple[int, int]
) -> _Found:
    label = painted.label[int(group[0])]
    traits = models.traits(names, label)
    members = np.isin(np.arange(len(names)), painted.answer[group])
    odds = float(parts.log_odds(members[None], traits)[0])
    if odds <= 0 and len(names) > 1:
        return _Found(group, float(logistic(odds)), None)
    theirs = traits.members(painted.answer[group])
    # Of a part of an object nobody's rates are known: those of objects say nothing about it.
    inner = replace(theirs, recall=np.full(len(group), RECALL), false=np.full(len(group), FALSE), real=REAL)
    return _Found(group, float(logistic(odds)), fused(_drawn(painted, group, starts, size), inner))


def _drawn(painted: _Painted, group: Ints, starts: Ints, size: tuple[int, int]) -> Drawn:
    """What the instances of a group have, on the spans between the first and the last that any of them has."""
    inside = np.stack([painted.inside(one) for one in group.tolist()])
    some = np.flatnonzero(inside.any(axis=0))
    window = slice(int(some[0]), int(some[-1]) + 1)
    return Drawn(inside[:, window], starts[window], painted.lengths[window], size)


def _spans_of(starts: Ints, painted: _Painted) -> Ints:
    """For each of these starts the place of the span that it lies in."""
    before = np.cumsum(painted.lengths) - painted.lengths
    return np.searchsorted(before, starts, side="right") - 1


def _difficulty(stories: Sequence[Mapping[str, Any]], drawn_of_all: float) -> float:
    """1 less the mean overlap of what workers painted, or missed, with what was kept; each by its weight."""
    agreed = sum(m["iou"] * m["weight"] for story in stories for m in story["members"])
    return round(1 - agreed / len(stories), 4) + 0.0 if stories and drawn_of_all else 0.0


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


def _merged(
    painted: _Painted, chosen: Sequence[_Found], weights: Floats, starts: Ints, pixels: int
) -> tuple[Ints, Ints]:
    """The spans cut where an area begins or ends, and of each the number of the object that has it, from 1 on.

    A span that two objects want goes to the one whose painters have more votes for it, to neither where as many.
    """
    areas = [one.area.ends for one in chosen if one.area is not None]
    cut = segments.distinct(np.concatenate([starts, *areas]))
    cut = cut[cut < pixels]
    at = _spans_of(cut, painted)
    best = np.zeros(len(cut))
    owner = np.zeros(len(cut), np.int64)
    for number, (one, ends) in enumerate(zip(chosen, areas, strict=True), start=1):
        window = slice(*np.searchsorted(cut, [ends[0], ends[-1]])) if len(ends) else slice(0, 0)
        wanted = segments.within(ends, cut[window])
        votes = np.zeros(len(wanted))
        for instance in one.group.tolist():
            row = painted.answer[instance]
            votes += weights[row] * (painted.at[row][at[window]] == instance + 1)
        # What the mean outline takes in although nobody has it there goes to whoever was first.
        votes = np.maximum(votes, TIE)
        tied = wanted & (np.abs(votes - best[window]) <= TIE) & (best[window] > 0)
        wins = wanted & (votes > best[window] + TIE)
        owner[window] = np.where(wins, number, np.where(tied, 0, owner[window]))
        best[window] = np.where(wins, votes, best[window])
    return cut, owner


def _story(painted: _Painted, found: _Found, ours: Any, kept: Sequence[Answer], weights: Floats) -> dict[str, Any]:
    """What became of one object: `ours` are its spans, None when it was dropped."""
    total, members, group = float(weights.sum()), [], found.group
    sure, low, high = None, None, None
    if ours is not None and found.area is not None and len(kept) > 1:
        sure = round(found.chance * found.area.overlap, 4)
        low, high = interval(sure, worth(weights))
    for one in sorted(group.tolist(), key=lambda one: kept[int(painted.answer[one])].worker):
        theirs, row = painted.inside(one), int(painted.answer[one])
        overlap = 0.0
        if ours is not None:
            overlap = float(painted.lengths[theirs & ours].sum() / painted.lengths[theirs | ours].sum())
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
        "confidence": sure,
        "confidence_low": low,
        "confidence_high": high,
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


def _clustered(
    kept: Sequence[Answer], gold: Segmentation | None
) -> tuple[_Painted, list[tuple[Ints, int | None]], Ints]:
    """The instances of all workers, in groups with the number of the gold among them, and the starts of spans."""
    known = [answer.value for answer in kept] + ([] if gold is None else [gold])
    starts, lengths = segments.spans(known, known[0].size[0] * known[0].size[1])
    painted = _painted(known, starts, lengths)
    groups: list[tuple[Ints, int | None]] = []
    for group in _clusters(painted):
        true = group[painted.answer[group] == len(kept)]
        groups.append((group[painted.answer[group] < len(kept)], int(true[0]) if len(true) else None))
    return painted, groups, starts


def things(kept: Sequence[Answer], gold: Segmentation | None, labels: Sequence[str]) -> Iterator[Thing]:
    """See answers.Method."""
    names = tuple(answer.worker for answer in kept)
    painted, groups, _starts = _clustered(kept, gold)
    for group, true in groups:
        label = painted.label[int(group[0]) if len(group) else int(true or 0)]
        members = np.isin(np.arange(len(names)), painted.answer[group])
        yield Thing(label, names, members, 1.0, None if gold is None else true is not None)


def edges(
    kept: Sequence[Answer], gold: Segmentation | None, labels: Sequence[str], models: MaskWorkers
) -> Iterator[tuple[str, Edge]]:
    """See answers.Method."""
    names = [answer.worker for answer in kept]
    painted, groups, starts = _clustered(kept, gold)
    for group, true in groups:
        if len(group) + (true is not None) < 2 or not len(group):
            continue
        theirs = [names[row] for row in painted.answer[group].tolist()]
        with_truth = group if true is None else np.append(group, true)
        drawn = _drawn(painted, with_truth, starts, kept[0].value.size)
        ends = None if true is None else ends_of(drawn.inside[-1], drawn.starts, drawn.lengths)
        drawn = replace(drawn, inside=drawn.inside[: len(group)])
        yield from zip(theirs, contour_edges(drawn, models.traits(theirs), ends), strict=True)


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
