"""What becomes of things that were there before people answered: what all of them left alone stays exactly as it was.

Knows no kind of things. Workers are shown them in whole pixels, so that merging their answers gives what was shown and
not what was there earlier.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

Thing = TypeVar("Thing")

SAME = 0.5
"""The likeness from which two things of a class are about the same."""


def left_alone(earlier: Sequence[Thing], shown: Sequence[Thing], answers: Sequence[Sequence[Thing]]) -> list[Thing]:
    """Those of the earlier things, each of which was shown as the one at its place in `shown`, that every answer has
    exactly as it was shown. None where nobody answered."""
    return [
        one for one, seen in zip(earlier, shown, strict=True) if answers and all(seen in answer for answer in answers)
    ]


def places(
    kept: Sequence[Thing], merged: Sequence[Thing], alike: Callable[[Thing, Sequence[Thing]], list[float]]
) -> list[int | None]:
    """Of each kept thing the place of the merged one that was made of it, each place once; None where there is none.

    `alike(thing, others)` says how alike the thing is to each of the others, 0 for another class.
    """
    taken: set[int] = set()
    found: list[int | None] = []
    for one in kept:
        likeness = alike(one, merged)
        free = [at for at, value in enumerate(likeness) if at not in taken and value >= SAME]
        place = max(free, key=likeness.__getitem__, default=None)
        taken |= set() if place is None else {place}
        found.append(place)
    return found
