"""Learning the workers and the labels together: expectation maximisation over the images of a job.

Each round reads the images in chunks and keeps sums only, so memory does not grow with the number of images. Dawid &
Skene (1979) for who draws what and which class; a Gaussian with shrinkage for edges. On an image with golds the truth
is not inferred but given, and only there can the crowd's `style` be learned.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linear_sum_assignment

from labeling.consolidation.answers import chunks, require_rereadable
from labeling.consolidation.arrays import Bools, Floats, Ints, extents, group_sums, iou, logistic
from labeling.consolidation.boxes.answers import UNKNOWN, AnswerArrays, ImageAnswers, edges_of, flatten
from labeling.consolidation.boxes.confidence import moments, shape_of
from labeling.consolidation.boxes.fusion import BORDER
from labeling.consolidation.boxes.inference import Inference, infer
from labeling.consolidation.existence import chance_all_miss, drawn_by_fewer_than_two, evidence
from labeling.consolidation.workers.models import MOMENTS, Population, WorkerModels
from labeling.consolidation.workers.skills import Skill, sum_by_class
from labeling.formats.shapes import Box

CHUNK = 512
"""Images that are looked at together."""

RESIDUAL_LIMIT = 5.0
"""Residuals of edges count as at most so many sigmas."""

RIGHT_IOU = 0.5
"""A box has found a gold when it overlaps it by this much."""

REAL_IOU = 0.3
"""A candidate is about a gold when it overlaps it by this much."""

STYLE_RIDGE = np.array([4.0, 4.0 * 50**2, 4.0 * 50**2])
"""Prior precision (per unit sigma) of the constant, width and height parts of the style."""

NOISE_STRENGTH = 20.0
"""Edges of the default population that are added when pixel and relative spread are fitted."""

MOST_UNSEEN = 20.0
"""For each candidate at most so many more are taken to exist that nobody drew."""

EVIDENCE_SAMPLE = 500
"""Candidates of each chunk on which DIFFICULTIES are compared."""

DIFFICULTIES = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0)
"""Spreads of object difficulty that are tried; the one under which the answers are most probable is taken."""


@dataclass(slots=True)
class Sums:
    """What a round learns. `real` is the expected number of real ones among `candidates`; `noise_*` are weighted sums
    for squared residual ~ pixel^2 + relative^2 extent^2 per side; `style_*` the normal equations of the style;
    `evidence` is the log-probability of the answers for each of DIFFICULTIES."""

    skills: dict[str, Skill] = field(default_factory=dict)
    images: float = 0.0
    candidates: float = 0.0
    real: float = 0.0
    noise_left: Floats = field(default_factory=lambda: np.zeros((4, 2, 2)))
    noise_right: Floats = field(default_factory=lambda: np.zeros((4, 2)))
    evidence: Floats = field(default_factory=lambda: np.zeros(len(DIFFICULTIES)))
    style_left: Floats = field(default_factory=lambda: np.zeros((4, 3, 3)))
    style_right: Floats = field(default_factory=lambda: np.zeros((4, 3)))
    golds: int = 0
    shapes: dict[str, Floats] = field(default_factory=dict)
    distractor_shape: Floats = field(default_factory=lambda: np.zeros(MOMENTS))
    classes: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Truth:
    """What is known of each candidate: `real` (K,) in 0..1, `ltrb` (K, 4), `label` (K,), and which come from golds
    (`known` (K,)); `found` (K,) is 1 for IoU >= RIGHT_IOU with a gold, whatever its class; `missed` (images, classes +
    1) counts golds that nobody drew, by class, the last those of a class the job does not have."""

    real: Floats
    ltrb: Floats
    label: Ints
    found: Floats
    known: Bools
    missed: Floats


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
    require_rereadable(images)
    models = WorkerModels(start.population, {}, start.calibration) if start else WorkerModels()
    for _ in range(rounds):
        total = expect(images, models, labels)
        if not total.images:
            break
        models = maximise(total, models)
    return models


def expect(
    images: Iterable[ImageAnswers], models: WorkerModels, labels: Sequence[str], *, use_golds: bool = True
) -> Sums:
    """The E step: what `images` say under `models`, with or without their golds."""
    total = Sums()
    for chunk in chunks(images, CHUNK):
        given = flatten(chunk, labels)
        inference = infer(given, models)
        golds = [image.gold if use_golds else None for image in chunk]
        truth = known_truth(given, inference, golds)
        total.images += given.images
        total.candidates += len(truth.real)
        total.real += float(truth.real.sum())
        total.golds += sum(gold is not None for gold in golds)
        _add_draws(total, given, inference, truth, models.population)
        _add_edges(total, given, inference, truth, models.population)
        _add_shapes(total, given, truth)
        if len(given.labels) > 1:
            _add_labels(total, given, inference, truth)
    return total


def counts_of(
    images: Iterable[ImageAnswers], models: WorkerModels, labels: Sequence[str], *, use_golds: bool = True
) -> dict[str, Skill]:
    """What `images` say about their workers under `models`, with or without their golds."""
    return expect(images, models, labels, use_golds=use_golds).skills


def known_truth(given: AnswerArrays, inference: Inference, golds: Sequence[Sequence[Box] | None]) -> Truth:
    """The golds where there are any, else what the answers make probable. Raises ValueError for a gold that has no
    finite, positive area."""
    real = logistic(inference.log_odds)
    ltrb, label = inference.fused.ltrb.copy(), inference.label.copy()
    found, known = np.zeros(len(real)), np.zeros(len(real), bool)
    missed = np.zeros((given.images, len(given.labels) + 1))
    number_of = {name: i for i, name in enumerate(given.labels)}
    ordered = np.argsort(inference.image, kind="stable")
    start = np.searchsorted(inference.image[ordered], np.arange(given.images + 1))
    for image, gold in enumerate(golds):
        if gold is None:
            continue
        mine = ordered[start[image] : start[image + 1]]
        known[mine], real[mine] = True, 0.0
        expert = edges_of(gold)
        overlap = iou(inference.fused.ltrb[mine][:, None], expert[None])
        rows, columns = linear_sum_assignment(-np.where(overlap >= REAL_IOU, overlap, 0.0))
        for one in gold:
            missed[image, number_of.get(one.label, UNKNOWN)] += 1
        for k, j in zip(mine[rows], columns, strict=True):
            reached = float(iou(inference.fused.ltrb[k], expert[j]))
            if reached >= REAL_IOU:
                real[k], ltrb[k], label[k] = 1.0, expert[j], number_of.get(gold[j].label, UNKNOWN)
                found[k] = float(reached >= RIGHT_IOU)
                missed[image, label[k]] -= 1
    return Truth(real, ltrb, label, found, known, missed)


def _add_draws(total: Sums, given: AnswerArrays, inference: Inference, truth: Truth, population: Population) -> None:
    """Who draws real objects and who draws distractors."""
    pairs, groups = inference.pairs, len(truth.real)
    some = pairs.select(pairs.group < EVIDENCE_SAMPLE)
    total.evidence += evidence(some, population, min(groups, EVIDENCE_SAMPLE), DIFFICULTIES)
    # For each candidate there are u / (1 - u) like it that nobody drew, u being the chance of that. They are added to
    # the chances, because rates are of all things, drawn or not (EM for truncated data). Golds list all real ones.
    u_real = chance_all_miss(pairs.recall, population.difficulty, pairs.group, groups)
    u_distractor = chance_all_miss(pairs.false_positive_rate, 0.0, pairs.group, groups)
    more_real, more_distractors = (np.minimum(u / np.maximum(1 - u, 1e-9), MOST_UNSEEN) for u in (u_real, u_distractor))
    more_real = np.where(truth.known, 0.0, more_real)
    p, drew = truth.real[pairs.group], pairs.drew
    columns = [
        p * drew,
        p * (1 + more_real[pairs.group]),
        (1 - p) * drew,
        (1 - p) * (1 + more_distractors[pairs.group]),
    ]
    workers = len(given.workers)
    counts = group_sums(np.stack(columns, axis=1), inference.pair_worker, workers)
    answered = np.bincount(given.answer_worker, minlength=workers)
    missed = np.bincount(given.answer_worker, truth.missed[given.answer_image].sum(axis=1), workers)
    for number, name in enumerate(given.workers):
        found, chances, false_positives, distractors = map(float, counts[number])
        seen = Skill(float(answered[number]), found, chances + float(missed[number]), false_positives, distractors)
        total.skills.setdefault(name, Skill()).add(seen)
    if len(given.labels) > 1:
        _add_draws_by_class(total, given, inference, truth, population)


def _add_draws_by_class(
    total: Sums, given: AnswerArrays, inference: Inference, truth: Truth, population: Population
) -> None:
    """Who draws which class: counted on golds, and on what two or more drew, with as many objects beside as fewer than
    two would draw (truncated data again).

    What one worker drew alone is left out: a rare class with many false positives would seem difficult to find, which
    would make its false positives seem the more real, and so on.
    """
    pairs, groups = inference.pairs, len(truth.real)
    fewer, alone = drawn_by_fewer_than_two(pairs, population.difficulty, groups)
    scale = np.minimum(1.0, MOST_UNSEEN / np.maximum(fewer, 1e-9))
    scale = np.where(truth.known, 0.0, scale)
    agreed = truth.known | (np.bincount(pairs.group, pairs.drew, groups) >= 2)
    mass = (truth.real * agreed)[pairs.group]
    found = mass * (pairs.drew + (alone * scale[pairs.group]))
    chances = mass * (1 + (fewer * scale)[pairs.group])
    workers, kinds = len(given.workers), len(given.labels) + 1
    cell = inference.pair_worker * kinds + truth.label[pairs.group] % kinds
    counts = group_sums(np.stack([found, chances], axis=1), cell, workers * kinds).reshape(workers, kinds, 2)
    missed = np.zeros((workers, kinds))
    np.add.at(missed, given.answer_worker, truth.missed[given.answer_image])
    counts[..., 1] += missed
    for number, name in enumerate(given.workers):
        rows = zip(given.labels, counts[number], strict=False)
        total.skills[name].add(Skill(by_class={label: row for label, row in rows if row[1]}))


def _add_edges(total: Sums, given: AnswerArrays, inference: Inference, truth: Truth, population: Population) -> None:
    """How far workers' edges lie from the truth, in sigmas; and what sigma and style fit these residuals."""
    group, fused = inference.group, inference.fused
    known = truth.known[group]
    members = np.bincount(group, minlength=len(truth.real))[group]
    mass = truth.real[group] * (known | (members > 1))
    extent = extents(truth.ltrb)[group]
    sigma, style = population.edges(extent)
    raw = (given.ltrb - truth.ltrb[group]) / sigma
    without_style = raw - style / sigma
    u = np.clip(without_style, -RESIDUAL_LIMIT, RESIDUAL_LIMIT)
    # The variance of the fused box is part of a member's expected squared residual (exact EM for Gaussians).
    doubt = np.where(known[:, None], 0.0, fused.variance[group] / sigma**2)
    workers = len(given.workers)
    first = group_sums(mass[:, None] * u, given.worker, workers)
    second = group_sums(mass[:, None] * (u**2 + doubt), given.worker, workers)
    weight = np.bincount(given.worker, mass, workers)
    for number, name in enumerate(given.workers):
        total.skills[name].add(Skill(edges=float(weight[number]), edge_sum=first[number], edge_square=second[number]))
    bias = inference.rates.bias[given.worker]
    around = np.clip(u - bias, -RESIDUAL_LIMIT, RESIDUAL_LIMIT)
    noise = mass[:, None] * (around**2 + doubt) / sigma**2
    border = np.concatenate([np.zeros((len(group), 2)), given.size[given.image]], axis=1)
    free = np.abs(truth.ltrb[group] - border) > BORDER
    design = np.stack([np.ones(len(group)), extent[:, 0], extent[:, 1]], axis=1)
    for side in range(4):
        terms = np.stack([np.ones(len(group)), extent[:, side] ** 2], axis=1)
        w = mass * free[:, side] / sigma[:, side] ** 4
        total.noise_left[side] += (terms * w[:, None]).T @ terms
        total.noise_right[side] += terms.T @ (noise[:, side] * free[:, side])
        anchored = mass * known * free[:, side] / sigma[:, side] ** 2
        offset = np.clip(raw[:, side] - bias[:, side], -RESIDUAL_LIMIT, RESIDUAL_LIMIT)
        total.style_left[side] += (design * anchored[:, None]).T @ design
        total.style_right[side] += design.T @ (anchored * offset * sigma[:, side])


def _add_shapes(total: Sums, given: AnswerArrays, truth: Truth) -> None:
    seen = shape_of(truth.ltrb)
    total.distractor_shape = total.distractor_shape + moments(seen, 1 - truth.real)
    for number, name in enumerate(given.labels):
        mine = truth.label == number
        total.shapes[name] = total.shapes.get(name, np.zeros(MOMENTS)) + moments(seen[mine], truth.real[mine])


def _add_labels(total: Sums, given: AnswerArrays, inference: Inference, truth: Truth) -> None:
    """How often each class occurs, and which labels workers give to which class."""
    group = inference.group
    sure = np.where(truth.known, 1.0, inference.label_chance) * truth.real
    use = np.flatnonzero((given.label != UNKNOWN) & (truth.label[group] != UNKNOWN))
    mass_of_label = np.bincount(truth.label + 1, sure, len(given.labels) + 1)[1:]
    for label, mass_of in zip(given.labels, mass_of_label, strict=True):
        total.classes[label] = total.classes.get(label, 0.0) + float(mass_of)
    keys = np.stack([given.worker[use], truth.label[group[use]], given.label[use]], axis=1)
    cells, index = np.unique(keys, axis=0, return_inverse=True)
    mass = np.bincount(index.ravel(), sure[group[use]], len(cells))
    for (worker, true, label), count in zip(cells, mass, strict=True):
        confusion = {(given.labels[true], given.labels[label]): float(count)}
        total.skills[given.workers[worker]].add(Skill(confusion=confusion))


def maximise(total: Sums, models: WorkerModels) -> WorkerModels:
    """The M step: a new population and its workers from a round's sums."""
    skills = total.skills
    found, chances, false_positives, distractors = (
        sum(getattr(skill, name) for skill in skills.values())
        for name in ("found", "chances", "false_positives", "distractors")
    )
    labelled = sum(n for skill in skills.values() for n in skill.confusion.values())
    agreed = sum(n for skill in skills.values() for (a, b), n in skill.confusion.items() if a == b)
    prior = Population()
    pixel, relative = _spread(total, prior)
    false_positive_rate = (false_positives + 20 * prior.false_positive_rate) / (distractors + 20)
    population = Population(
        recall=float(np.clip((found + 20 * prior.recall) / (chances + 20), 0.05, 0.99)),
        false_positive_rate=float(np.clip(false_positive_rate, 0.005, 0.6)),
        real=float(np.clip((total.real + 10 * prior.real) / (total.candidates + 10), 0.02, 0.98)),
        objects=float((total.real + 1) / (total.images + 1)),
        accuracy=float(np.clip((agreed + 20 * prior.accuracy) / (labelled + 20), 0.3, 0.995)),
        difficulty=DIFFICULTIES[int(total.evidence.argmax())],
        pixel=pixel,
        relative=relative,
        style=_style(total),
        classes=dict(total.classes),
        by_class=sum_by_class(skills.values()),
        shapes=dict(total.shapes),
        distractor_shape=total.distractor_shape,
    )
    return WorkerModels(population, skills, models.calibration)


def _spread(total: Sums, prior: Population) -> tuple[Floats, Floats]:
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
    """How far the crowd's sides lie from the golds', by ridge regression; zero without golds."""
    if not total.golds:
        return np.zeros((4, 3))
    return np.stack(
        [np.linalg.solve(total.style_left[s] + np.diag(STYLE_RIDGE), total.style_right[s]) for s in range(4)]
    )
