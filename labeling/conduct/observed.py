"""What the rules of conduct look at: a worker's newest answers in one queue, and what the others did with the same
tasks.

Pure: plain values, read by labeling/services/conduct/observing.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

Mark = tuple[str, int, int, int, int]
"""A class and, in whole pixels, left, top, width, height."""


@dataclass(frozen=True, slots=True)
class Activity:
    """What the worker's page counted while a task was shown. Programs that use the API send none: that is unknown, not
    suspicious. `untrusted` counts events that a script made, `trusted` those that a person caused; `keys` are presses,
    `moves` movements of the pointer; `focus_seconds` the page was in front, `active_seconds` also used."""

    moves: int
    trusted: int
    untrusted: int
    keys: int
    focus_seconds: float
    active_seconds: float


@dataclass(frozen=True, slots=True)
class SeenAnswer:
    """One answer. `elapsed`: seconds from claim to submit by the server's clock. `marks`: what was drawn, None where
    the task type draws nothing. `others`: what each other worker answered to the same task, as (classes, number of
    marks)."""

    seat: int
    elapsed: float
    classes: frozenset[str]
    marks: tuple[Mark, ...] | None
    size: tuple[int, int]
    activity: Activity | None = None
    others: tuple[tuple[frozenset[str], int], ...] = ()


@dataclass(frozen=True, slots=True)
class Conduct:
    """A worker in a queue: answers, oldest first, of the newest LOOK_BACK seats, and what they are held against.

    `since`: by rule, the newest seat that an earlier finding of that rule was about; it looks at later ones only.
    `crowd_median`: median seconds of the others' answers in the queue, None while they are few. `declined`: how many of
    the newest seats were declined, of `seats`. `accuracy_high` is the upper end of the 90 % interval of the worker's
    accuracy at this task type, resting on `accuracy_pieces` pieces of evidence.
    """

    answers: Sequence[SeenAnswer]
    expected_seconds: float
    labels: Sequence[str]
    crowd_median: float | None = None
    declined: int = 0
    seats: int = 0
    accuracy_high: float = 1.0
    accuracy_pieces: int = 0
    since: dict[str, int] = field(default_factory=dict)


LOOK_BACK = 60
"""Seats of a worker in a queue that are looked at: enough for every rule, and few to read."""

CROWD_AT_LEAST, CROWD_WORKERS = 15, 3
"""The fewest answers of others to the same tasks, and of how many workers, that say which time is usual."""


def usual_seconds(times: Mapping[Any, Sequence[float]]) -> float | None:
    """Median of the medians of each other worker's `times`, so that one quick worker with many answers does not decide
    what is usual; None while there are few."""
    if sum(map(len, times.values())) < CROWD_AT_LEAST or len(times) < CROWD_WORKERS:
        return None
    return median(median(one) for one in times.values())
