"""How many answers each task gets where their mean is no whole number: with 2.5 half of the tasks get 3, the others 2.

A mean is kept as two whole numbers: the most answers a task gets, and of how many tasks in a hundred it is one fewer.
2.5 is (3, 50). So sums of answers, and of money, are exact. Pure.
"""

from collections.abc import Sequence
from hashlib import blake2b

STEP = 0.05
"""Means are multiples of it: with 2.25 every fourth object gets a third answer."""


def is_step(mean: float) -> bool:
    """Whether a mean is a multiple of STEP, as far as floats can be."""
    return abs(mean / STEP - round(mean / STEP)) < 1e-6


def split(mean: float) -> tuple[int, int]:
    """The most answers of a task, and of how many tasks in a hundred they are one fewer. `mean` is above 0."""
    hundredths = round(mean * 100)
    most = -(-hundredths // 100)
    return most, most * 100 - hundredths


def mean(most: int, fewer_percent: int) -> float:
    """Answers a task on average, what `split` was made of; an int where it is a whole number."""
    return most if not fewer_percent else (most * 100 - fewer_percent) / 100


def total(tasks: int, most: int, fewer_percent: int) -> int:
    """Answers of so many tasks together: their number times the mean, rounded, a half upwards."""
    return tasks * most - (tasks * fewer_percent + 49) // 100


def shared_out(keys: Sequence[str], most: int, fewer_percent: int, *, before: int = 0) -> list[int]:
    """The answers of each of these tasks, in their order, opened after `before` others.

    All tasks so far together get `total` of them. Which tasks get one more follows from a hash of their keys, whatever
    order they are in: the same tasks after as many others get the same.
    """
    if not fewer_percent:
        return [most] * len(keys)
    answers = total(before + len(keys), most, fewer_percent) - total(before, most, fewer_percent)
    by_hash = sorted(range(len(keys)), key=lambda place: (blake2b(keys[place].encode()).digest(), keys[place]))
    more = frozenset(by_hash[: answers - len(keys) * (most - 1)])
    return [most - (place not in more) for place in range(len(keys))]
