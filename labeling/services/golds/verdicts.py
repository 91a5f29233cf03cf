"""When a gold is suspected to be wrong, and when it is known among the workers. Pure: knows answers, not rows."""

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from labeling.models import GoldStatus

FEWEST_TO_DOUBT = 5
"""Answers of reliable workers after which a gold may be suspected."""

DOUBTED_BELOW = 0.4
"""A gold is suspected when a smaller share of them passes."""

RELIABLE = 0.5
"""A worker counts there unless they pass a smaller share of the other golds: who answers anything doubts nothing."""

FEWEST_TO_RETIRE = 20
"""Answers after which a gold may be known."""

COMPARED = 10
"""The newest answers, which are compared with as many of the first ones."""

KNOWN_FROM = 0.9
"""A gold is known when at least this share of the newest answers passes ..."""

HURRIED = 0.5
"""... in at most this share of the time that the first ones took, by the medians."""


class Answered(NamedTuple):
    """An answer to a gold: whether it passes, its active seconds, and the share of other golds its worker passes.

    `others` is None for a worker who has answered no other gold.
    """

    passed: bool
    seconds: float
    others: float | None


def verdict(answers: Sequence[Answered]) -> tuple[str, str] | None:
    """What follows from the answers to a gold that is given out, in the order they came; None for nothing."""
    counted = [one for one in answers if one.others is None or one.others >= RELIABLE]
    passed = sum(one.passed for one in counted)
    if len(counted) >= FEWEST_TO_DOUBT and passed < DOUBTED_BELOW * len(counted):
        return GoldStatus.SUSPECT, f"{passed} of {len(counted)} answers of reliable workers agree with it"
    if len(answers) < FEWEST_TO_RETIRE:
        return None
    newest, first = answers[-COMPARED:], answers[:COMPARED]
    before, now = (median(one.seconds for one in some) for some in (first, newest))
    right = sum(one.passed for one in newest)
    if right >= KNOWN_FROM * COMPARED and now <= HURRIED * before:
        return (
            GoldStatus.RETIRED,
            f"{right} of the newest {COMPARED} answers are right, in {now:.0f} seconds instead of {before:.0f}",
        )
    return None
