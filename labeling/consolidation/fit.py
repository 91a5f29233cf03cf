"""Learning the workers and the labels together: expectation maximisation over the images of a job, golds as anchors.

Streams: each round reads the images in chunks and keeps sums only, so memory does not grow with the number of images.
Dawid & Skene (1979) for who draws what and which class; a Gaussian with shrinkage for edges. On an image with golds
the truth is not inferred but given, and only there can the crowd's `style` be learned.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from labeling.consolidation.boxes_types import Box, ImageAnswers
from labeling.consolidation.clusters import Floats, Ints, iou
from labeling.consolidation.existence import drawn_by_fewer, evidence, unseen_share
from labeling.consolidation.fusion import BORDER, edge_sigma, extents, style_shift, sums
from labeling.consolidation.inference import Inference, infer
from labeling.consolidation.odds import logistic
from labeling.consolidation.shape import MOMENTS, form, moments
from labeling.consolidation.stack import UNKNOWN, Stack, stack_answers
from labeling.consolidation.workers import Population, Skill, WorkerModels, sum_by_class

CHUNK = 512
RESIDUAL_LIMIT = 5.0
RIGHT_IOU = 0.5
REAL_IOU = 0.3
STYLE_RIDGE = np.array([4.0, 4.0 * 50**2, 4.0 * 50**2])
"""Prior precision (per unit sigma) of style's constant, width and height parts."""
NOISE_STRENGTH = 20.0
MOST_UNSEEN = 20.0
EVIDENCE_SAMPLE = 500
"""Candidates of each chunk on which HARDS is judged."""
HARDS = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0)
"""Spreads of difficulty that are tried; the one under which the answers are most probable is taken."""


@dataclass(slots=True)
class Sums:
    """What a round learns. `real` is the posterior mass of real candidates of `candidates`; `noise_*` are weighted
    sums for squared residual ~ pixel^2 + relative^2 extent^2 per side; `style_*` the normal equations of the style."""

    skills: dict[str, Skill] = field(default_factory=dict)
    images: float = 0.0
    candidates: float = 0.0
    real: float = 0.0
    noise_left: Floats = field(default_factory=lambda: np.zeros((4, 2, 2)))
    noise_right: Floats = field(default_factory=lambda: np.zeros((4, 2)))
    evidence: Floats = field(default_factory=lambda: np.zeros(len(HARDS)))
    style_left: Floats = field(default_factory=lambda: np.zeros((4, 3, 3)))
    style_right: Floats = field(default_factory=lambda: np.zeros((4, 3)))
    golds: int = 0
    shapes: dict[str, Floats] = field(default_factory=dict)
    slips: Floats = field(default_factory=lambda: np.zeros(MOMENTS))
    classes: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Truth:
    """What is known of each candidate: `real` (K,) in 0..1, `box` (K, 4), `label` (K,), and which come from golds
    (`known` (K,)); `right` (K,) is 1 for IoU >= 0.5 and the right class; `unseen` (images, classes + 1) golds nobody
    drew, by class, the last those of a class the job does not have."""

    real: Floats
    box: Floats
    label: Ints
    right: Floats
    known: NDArray[np.bool_]
    unseen: Floats


def chunks(images: Iterable[ImageAnswers], size: int = CHUNK) -> Iterator[list[ImageAnswers]]:
    """Lists of at most `size` images."""
    stream = iter(images)
    while chunk := list(islice(stream, size)):
        yield chunk


def expect_and_maximise(
    images: Iterable[ImageAnswers],
    *,
    labels: Sequence[str],
    start: WorkerModels | None = None,
    rounds: int = 6,
) -> WorkerModels:
    """The crowd and its workers, from `images`, any iterable that can be read `rounds` times.

    `start` carries the population and calibration of an earlier fit (its workers' counts are learned anew). Raises
    ValueError if `images` is an iterator, which could be read only once.
    """
    if iter(images) is images:
        raise ValueError("fit_workers reads its images several times: give a list or a re-iterable, not an iterator")
    models = WorkerModels(start.population, {}, start.calibration) if start else WorkerModels()
    for _ in range(rounds):
        total = Sums()
        for chunk in chunks(images):
            stack = stack_answers(chunk, labels)
            inference = infer(stack, models)
            gather(total, stack, inference, models, [one.gold for one in chunk])
        if not total.images:
            break
        models = maximise(total, models)
    return models


def gather(
    total: Sums,
    stack: Stack,
    inference: Inference,
    models: WorkerModels,
    golds: Sequence[Sequence[Box] | None],
) -> None:
    """Add one chunk to a round's sums."""
    truth = known_truth(stack, inference, golds)
    total.images += stack.images
    total.candidates += len(truth.real)
    total.real += float(truth.real.sum())
    total.golds += sum(gold is not None for gold in golds)
    _gather_draws(total, stack, inference, truth, models.population)
    _gather_edges(total, stack, inference, truth, models)
    _gather_shapes(total, stack, truth)
    if len(stack.labels) > 1:
        _gather_labels(total, stack, inference, truth)


def known_truth(stack: Stack, inference: Inference, golds: Sequence[Sequence[Box] | None]) -> Truth:
    """The golds where there are any, else what the answers make probable."""
    real = logistic(inference.log_odds)
    box, label = inference.fused.ltrb.copy(), inference.label.copy()
    right, known = np.zeros(len(real)), np.zeros(len(real), bool)
    unseen = np.zeros((stack.images, len(stack.labels) + 1))
    number = {name: i for i, name in enumerate(stack.labels)}
    ordered = np.argsort(inference.image, kind="stable")
    start = np.searchsorted(inference.image[ordered], np.arange(stack.images + 1))
    for image, gold in enumerate(golds):
        if gold is None:
            continue
        mine = ordered[start[image] : start[image + 1]]
        known[mine], real[mine] = True, 0.0
        expert = np.array([(g.left, g.top, g.left + g.width, g.top + g.height) for g in gold]).reshape(-1, 4)
        overlap = iou(inference.fused.ltrb[mine][:, None], expert[None])
        rows, columns = linear_sum_assignment(-np.where(overlap >= REAL_IOU, overlap, 0.0))
        for one in gold:
            unseen[image, number.get(one.label, UNKNOWN)] += 1
        for k, j in zip(mine[rows], columns, strict=True):
            reached = float(iou(inference.fused.ltrb[k], expert[j]))
            if reached >= REAL_IOU:
                real[k], box[k], label[k] = 1.0, expert[j], number.get(gold[j].label, UNKNOWN)
                right[k] = float(reached >= RIGHT_IOU and inference.label[k] == label[k])
                unseen[image, label[k]] -= 1
    return Truth(real, box, label, right, known, unseen)


def _gather_draws(total: Sums, stack: Stack, inference: Inference, truth: Truth, population: Population) -> None:
    pairs, groups = inference.pairs, len(truth.real)
    some = pairs.select(pairs.group < EVIDENCE_SAMPLE)
    total.evidence += evidence(some, population, min(groups, EVIDENCE_SAMPLE), HARDS)
    # A candidate exists because somebody drew it. For each there are u / (1 - u) of its kind nobody drew, u being the
    # chance of that: the rates are of all, not of those seen (EM for truncated data). Golds list the real ones.
    lost = unseen_share(pairs.hit, population.hard, pairs.group, groups)
    stray = unseen_share(pairs.false, 0.0, pairs.group, groups)
    more, stray = (np.minimum(u / np.maximum(1 - u, 1e-9), MOST_UNSEEN) for u in (lost, stray))
    more = np.where(truth.known, 0.0, more)
    p, drew = truth.real[pairs.group], pairs.drew
    columns = [p * drew, p * (1 + more[pairs.group]), (1 - p) * drew, (1 - p) * (1 + stray[pairs.group])]
    workers = len(stack.workers)
    counts = sums(np.stack(columns, axis=1), inference.pair_worker, workers)
    answered = np.bincount(stack.answer_worker, minlength=workers)
    unseen = np.bincount(stack.answer_worker, truth.unseen[stack.answer_image].sum(axis=1), workers)
    for number, name in enumerate(stack.workers):
        hits, chances, falses, false_chances = map(float, counts[number])
        seen = Skill(float(answered[number]), hits, chances + float(unseen[number]), falses, false_chances)
        total.skills.setdefault(name, Skill()).add(seen)
    if len(stack.labels) > 1:
        _gather_class_draws(total, stack, inference, truth, population)


def _gather_class_draws(total: Sums, stack: Stack, inference: Inference, truth: Truth, population: Population) -> None:
    """Who draws which class: of golds, and of what two or more drew with as many beside as fewer than two would draw
    (truncated again). With what one alone drew, a rare class of many slips would seem hard to find, which would make
    its slips the more real, and so on."""
    pairs, groups = inference.pairs, len(truth.real)
    fewer, alone = drawn_by_fewer(pairs, population.hard, groups)
    scale = np.minimum(1.0, MOST_UNSEEN / np.maximum(fewer, 1e-9))
    scale = np.where(truth.known, 0.0, scale)
    agreed = truth.known | (np.bincount(pairs.group, pairs.drew, groups) >= 2)
    mass = (truth.real * agreed)[pairs.group]
    drawn = mass * (pairs.drew + (alone * scale[pairs.group]))
    chances = mass * (1 + (fewer * scale)[pairs.group])
    workers, kinds = len(stack.workers), len(stack.labels) + 1
    cell = inference.pair_worker * kinds + truth.label[pairs.group] % kinds
    counts = sums(np.stack([drawn, chances], axis=1), cell, workers * kinds).reshape(workers, kinds, 2)
    missed = np.zeros((workers, kinds))
    np.add.at(missed, stack.answer_worker, truth.unseen[stack.answer_image])
    counts[..., 1] += missed
    for number, name in enumerate(stack.workers):
        rows = zip(stack.labels, counts[number], strict=False)
        total.skills[name].add(Skill(by_class={label: row for label, row in rows if row[1]}))


def _gather_edges(total: Sums, stack: Stack, inference: Inference, truth: Truth, models: WorkerModels) -> None:
    group, fused, population = inference.group, inference.fused, models.population
    known = truth.known[group]
    members = np.bincount(group, minlength=len(truth.real))[group]
    mass = truth.real[group] * (known | (members > 1))
    extent = extents(truth.box)[group]
    sigma = edge_sigma(extent, population)
    raw = (stack.ltrb - truth.box[group]) / sigma
    styled = raw - style_shift(extent, population) / sigma
    u = np.clip(styled, -RESIDUAL_LIMIT, RESIDUAL_LIMIT)
    # What the fused box itself is unsure of is part of a member's expected squared residual (exact EM for Gaussians).
    doubt = np.where(known[:, None], 0.0, fused.variance[group] / sigma**2)
    workers = len(stack.workers)
    first = sums(mass[:, None] * u, stack.worker, workers)
    second = sums(mass[:, None] * (u**2 + doubt), stack.worker, workers)
    weight = np.bincount(stack.worker, mass, workers)
    for number, name in enumerate(stack.workers):
        total.skills[name].add(Skill(edges=float(weight[number]), edge_sum=first[number], edge_square=second[number]))
    around = np.clip(u - inference.rates.bias[stack.worker], -RESIDUAL_LIMIT, RESIDUAL_LIMIT)
    noise = mass[:, None] * (around**2 + doubt) / sigma**2
    border = np.concatenate([np.zeros((len(group), 2)), stack.size[stack.image]], axis=1)
    free = np.abs(truth.box[group] - border) > BORDER
    design = np.stack([np.ones(len(group)), extent[:, 0], extent[:, 1]], axis=1)
    for side in range(4):
        terms = np.stack([np.ones(len(group)), extent[:, side] ** 2], axis=1)
        w = mass * free[:, side] / sigma[:, side] ** 4
        total.noise_left[side] += (terms * w[:, None]).T @ terms
        total.noise_right[side] += terms.T @ (noise[:, side] * free[:, side])
        anchored = mass * known * free[:, side] / sigma[:, side] ** 2
        offset = np.clip(raw[:, side] - inference.rates.bias[stack.worker][:, side], -RESIDUAL_LIMIT, RESIDUAL_LIMIT)
        total.style_left[side] += (design * anchored[:, None]).T @ design
        total.style_right[side] += design.T @ (anchored * offset * sigma[:, side])


def _gather_shapes(total: Sums, stack: Stack, truth: Truth) -> None:
    seen = form(truth.box)
    total.slips = total.slips + moments(seen, 1 - truth.real)
    for number, name in enumerate(stack.labels):
        mine = truth.label == number
        total.shapes[name] = total.shapes.get(name, np.zeros(MOMENTS)) + moments(seen[mine], truth.real[mine])


def _gather_labels(total: Sums, stack: Stack, inference: Inference, truth: Truth) -> None:
    group = inference.group
    sure = np.where(truth.known, 1.0, inference.label_chance) * truth.real
    use = np.flatnonzero((stack.label != UNKNOWN) & (truth.label[group] != UNKNOWN))
    sure_of = np.bincount(truth.label + 1, sure, len(stack.labels) + 1)[1:]
    for label, mass_of in zip(stack.labels, sure_of, strict=True):
        total.classes[label] = total.classes.get(label, 0.0) + float(mass_of)
    keys = np.stack([stack.worker[use], truth.label[group[use]], stack.label[use]], axis=1)
    cells, index = np.unique(keys, axis=0, return_inverse=True)
    mass = np.bincount(index.ravel(), sure[group[use]], len(cells))
    for (worker, true, said), count in zip(cells, mass, strict=True):
        confusion = {(stack.labels[true], stack.labels[said]): float(count)}
        total.skills[stack.workers[worker]].add(Skill(confusion=confusion))


def maximise(total: Sums, models: WorkerModels) -> WorkerModels:
    """The M step: a new population and its workers from a round's sums."""
    skills = total.skills
    hits, chances, falses, false_chances = (
        sum(getattr(skill, name) for skill in skills.values())
        for name in ("hits", "chances", "falses", "false_chances")
    )
    labelled = sum(n for skill in skills.values() for n in skill.confusion.values())
    agreed = sum(n for skill in skills.values() for (a, b), n in skill.confusion.items() if a == b)
    prior = Population()
    pixel, relative = _noise(total, prior)
    population = Population(
        hit=float(np.clip((hits + 20 * prior.hit) / (chances + 20), 0.05, 0.99)),
        false=float(np.clip((falses + 20 * prior.false) / (false_chances + 20), 0.005, 0.6)),
        real=float(np.clip((total.real + 10 * prior.real) / (total.candidates + 10), 0.02, 0.98)),
        objects=float((total.real + 1) / (total.images + 1)),
        accuracy=float(np.clip((agreed + 20 * prior.accuracy) / (labelled + 20), 0.3, 0.995)),
        hard=HARDS[int(total.evidence.argmax())],
        pixel=pixel,
        relative=relative,
        style=_style(total),
        classes=dict(total.classes),
        by_class=sum_by_class(skills.values()),
        shapes=dict(total.shapes),
        slips=total.slips,
    )
    return WorkerModels(population, skills, models.calibration)


def _noise(total: Sums, prior: Population) -> tuple[Floats, Floats]:
    """pixel and relative spread per side, each at least a little, by least squares with the prior as pseudo-data."""
    pixel, relative = np.empty(4), np.empty(4)
    anchor = np.diag([1.0, 60.0**4]) * NOISE_STRENGTH / 25.0**2
    for side in range(4):
        wanted = np.array([prior.pixel[side] ** 2, prior.relative[side] ** 2])
        left = total.noise_left[side] + anchor
        right = total.noise_right[side] + anchor @ wanted
        both = np.linalg.solve(left, right)
        if both[0] < 0.1:
            both = np.array([0.1, max(right[1] - left[1, 0] * 0.1, 0.0) / left[1, 1]])
        elif both[1] < 1e-4:
            both = np.array([max(right[0] - left[0, 1] * 1e-4, 0.1) / left[0, 0], 1e-4])
        pixel[side], relative[side] = np.sqrt(np.maximum(both, [0.1, 1e-4]))
    return pixel, relative


def _style(total: Sums) -> Floats:
    if not total.golds:
        return np.zeros((4, 3))
    return np.stack(
        [np.linalg.solve(total.style_left[s] + np.diag(STYLE_RIDGE), total.style_right[s]) for s in range(4)]
    )
