"""Learning how good workers are at drawing: counts of what they found and of what they drew that is not there.

Where there is a gold, it is the truth; else what most workers said is: a thing that more than half drew is there, one
that fewer than half drew is not, and an even split teaches nothing. Of key points it is
learned too where each worker puts them against the others, or the gold.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from labeling.consolidation.answers import WorkerAnswer, require_distinct, require_rereadable
from labeling.consolidation.arrays import Floats
from labeling.consolidation.shapes.answers import Comparison, ImageShapes, Likeness, Size
from labeling.consolidation.shapes.inference import Candidate, affinity, candidates
from labeling.consolidation.workers.models import Population, WorkerModels
from labeling.consolidation.workers.skills import Skill, sum_by_class
from labeling.formats.shapes import Shape

STRENGTH = 20.0
"""Things at the rates of an unknown crowd that are added to the crowd's own."""


def fit_workers(
    objects: Iterable[ImageShapes[Shape]], *, likeness: Likeness[Shape], labels: Sequence[str]
) -> WorkerModels:
    """The crowd and its workers. Raises ValueError if `objects` is an iterator, as for all consolidators."""
    require_rereadable(objects)
    require_distinct(labels)
    models, images, real, things = WorkerModels(), 0, 0, 0
    for one in objects:
        answers = likeness.latest(one.answers)
        if one.gold is not None:
            counts = _against_gold(models, answers, one.gold, likeness, labels, one.image_size)
        else:
            found = candidates(answers, likeness=likeness, labels=labels, image_size=one.image_size)
            counts = _against_consensus(models, answers, found, likeness, one.image_size)
        images, real, things = images + bool(answers), real + counts[0], things + counts[1]
    models.population = _population(models, images, real, things)
    return models


def matched(
    given: Sequence[Shape], truth: Sequence[Shape], likeness: Likeness[Shape], labels: Sequence[str], size: Size
) -> list[tuple[int, int, float]]:
    """(place in `given`, place in `truth`, likeness) of the pairs that are about the same thing, one to one."""
    if not given or not truth:
        return []
    known = {label: place for place, label in enumerate(labels)}
    compare = Comparison(likeness, size)
    table = np.array([[affinity(one, true, compare, known) for true in truth] for one in given])
    rows, columns = linear_sum_assignment(np.where(table >= likeness.gate, table, 0.0), maximize=True)
    return [(i, j, float(table[i, j])) for i, j in zip(rows.tolist(), columns.tolist(), strict=True) if table[i, j] > 0]


def _against_gold(
    models: WorkerModels,
    answers: Sequence[WorkerAnswer[tuple[Shape, ...]]],
    gold: tuple[Shape, ...],
    likeness: Likeness[Shape],
    labels: Sequence[str],
    size: Size,
) -> tuple[int, int]:
    """Add what each worker found of the gold; (things that are there, things that anybody could have drawn)."""
    wrong = 0
    for answer in answers:
        pairs = [pair for pair in matched(answer.value, gold, likeness, labels, size) if pair[2] >= likeness.gate]
        found = {true for _, true, _ in pairs}
        false = len(answer.value) - len(pairs)
        seen = Skill(images=1.0, found=len(found), chances=len(gold), false_positives=false, distractors=1.0 + false)
        for place, true in enumerate(gold):
            counts = seen.by_class.setdefault(true.label, np.zeros(2))
            counts += (place in found, 1)
        for given, true_place, _ in pairs:
            _add_residual(seen, likeness.residual(answer.value[given], gold[true_place], size))
        for given, true_place, _ in pairs:
            told = (gold[true_place].label, answer.value[given].label)
            seen.confusion[told] = seen.confusion.get(told, 0.0) + 1
        models.update({answer.worker: seen})
        wrong += false
    return len(gold), len(gold) + wrong


def _against_consensus(
    models: WorkerModels,
    answers: Sequence[WorkerAnswer[tuple[Shape, ...]]],
    found: Sequence[Candidate[Shape]],
    likeness: Likeness[Shape],
    size: Size,
) -> tuple[int, int]:
    real = things = 0
    for answer in answers:
        models.update({answer.worker: Skill(images=1.0)})
    for one in found:
        votes = 2 * len(one.members)
        if votes == one.answered or one.label is None or one.answered < 2:
            continue
        there = votes > one.answered
        real, things = real + there, things + 1
        shapes = {member.worker: member.shape for member in one.members}
        drew = {worker: shape.label for worker, shape in shapes.items()}
        for answer in answers:
            mine = answer.worker in drew
            if not there:
                models.update({answer.worker: Skill(false_positives=float(mine), distractors=1.0)})
                continue
            seen = Skill(found=float(mine), chances=1.0, by_class={one.label: np.array([float(mine), 1.0])})
            if mine:
                seen.confusion[(one.label, drew[answer.worker])] = 1.0
                if one.shape is not None and len(one.members) > 2:
                    _add_residual(seen, likeness.residual(shapes[answer.worker], one.shape, size))
            models.update({answer.worker: seen})
    return real, things


def _add_residual(seen: Skill, residual: Floats | None) -> None:
    """Only two of the four places that boxes need are used."""
    if residual is not None:
        four = np.concatenate([residual, np.zeros(2)])
        seen.edges += 1.0
        seen.edge_sum = seen.edge_sum + four
        seen.edge_square = seen.edge_square + four**2


def _population(models: WorkerModels, images: int, real: int, things: int) -> Population:
    skills, prior = models.skills.values(), Population()
    found, chances, false_positives, distractors = (
        sum(getattr(skill, name) for skill in skills) for name in ("found", "chances", "false_positives", "distractors")
    )
    told = sum(sum(skill.confusion.values()) for skill in skills)
    right = sum(n for skill in skills for (true, given), n in skill.confusion.items() if true == given)
    return Population(
        recall=float(np.clip((found + STRENGTH * prior.recall) / (chances + STRENGTH), 0.05, 0.99)),
        false_positive_rate=float(
            np.clip(
                (false_positives + STRENGTH * prior.false_positive_rate) / (distractors + STRENGTH),
                0.005,
                0.6,
            )
        ),
        real=float(np.clip((real + 10 * prior.real) / (things + 10), 0.02, 0.98)),
        objects=(real + 1) / (images + 1) if images else prior.objects,
        accuracy=(right + STRENGTH * prior.accuracy) / (told + STRENGTH),
        by_class=sum_by_class(skills),
    )
