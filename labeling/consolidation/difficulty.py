"""How difficult each object is, and where the instructions are at fault: from how alike answers are, for any task type.

Difficulty is the share of an ordinary worker's answer that differs from the label. A worker who differs everywhere says
little about an object, so answers are taken apart into the worker and the object (a two-way additive model, both
effects shrunk towards 0):

    1 - agreement_ow = mean + worker_w + object_o + noise

Where good workers disagree with each other and poor ones do not, the object is hardly difficult: the instructions do
not say what to do with it, and those who think about it read them in two ways. Potato (Pei et al., EMNLP 2022) looks
for such items among classes; how alike two answers are is known for every task type.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from labeling.consolidation.arrays import Floats, Ints, group_sums

WORKER_STRENGTH = 4.0
"""Answers without an effect that are added to a worker's own."""

OBJECT_STRENGTH = 1.0
"""Answers without an effect that are added to an object's own."""

ROUNDS = 50
"""Rounds of fitting the two effects in turn; they mostly move no more after ten."""

FEWEST_ANSWERS = 3
"""Answers from which the better and the worse half of an object's workers can be compared."""

SKILL_APART = 0.02
"""How far the mean skills of the two halves lie apart at least: else nobody knows who is better."""


@dataclass(frozen=True, slots=True)
class Difficulties:
    """Of each object its `difficulty` in 0..1 and the `standard_error` of it (objects,)."""

    difficulty: Floats
    standard_error: Floats


def difficulties(objects: Ints, workers: Ints, agreement: Floats) -> Difficulties:
    """The difficulty of the objects 0..max, from the `agreement` (N,) in 0..1 of each answer with its object's label.

    `objects` and `workers` (N,) say whose answer to which object it is. An object without answers gets the mean.
    """
    number, people = int(objects.max(initial=-1)) + 1, int(workers.max(initial=-1)) + 1
    if not len(agreement):
        return Difficulties(np.zeros(number), np.zeros(number))
    differs = 1 - np.clip(agreement, 0.0, 1.0)
    mean = float(differs.mean())
    of_object, of_worker = np.zeros(number), np.zeros(people)
    answers, given = np.bincount(objects, minlength=number), np.bincount(workers, minlength=people)
    for _ in range(ROUNDS):
        before = of_object
        left = differs - mean - of_object[objects]
        of_worker = group_sums(left, workers, people) / (given + WORKER_STRENGTH)
        left = differs - mean - of_worker[workers]
        of_object = group_sums(left, objects, number) / (answers + OBJECT_STRENGTH)
        if np.abs(of_object - before).max() < 1e-9:
            break
    noise = float(np.mean((differs - mean - of_object[objects] - of_worker[workers]) ** 2))
    return Difficulties(np.clip(mean + of_object, 0.0, 1.0), np.sqrt(noise / (answers + OBJECT_STRENGTH)))


def guideline_gap(skills: Sequence[float | None], alike: Callable[[int, int], float]) -> float | None:
    """How much less the better half of an object's workers agree with each other than the worse half, -1..1.

    `skills` are those of the workers who answered, None where nothing is known; `alike(i, j)` is how alike the answers
    of the i-th and the j-th are, 0..1. Of three answers both halves have the middle one. None where it cannot be said:
    too few answers, or nobody knows who is better.
    """
    known = [i for i, skill in enumerate(skills) if skill is not None]
    if len(known) < FEWEST_ANSWERS:
        return None
    order = sorted(known, key=lambda i: (-float(skills[i] or 0.0), i))
    half = max(2, len(order) // 2)
    better, worse = order[:half], order[-half:]
    if _mean([float(skills[i] or 0.0) for i in better]) - _mean([float(skills[i] or 0.0) for i in worse]) < SKILL_APART:
        return None
    return _mean_alike(worse, alike) - _mean_alike(better, alike)


def _mean_alike(some: Sequence[int], alike: Callable[[int, int], float]) -> float:
    return _mean([alike(a, b) for place, a in enumerate(some) for b in some[place + 1 :]])


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
