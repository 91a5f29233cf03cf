"""What becomes of things that were there before people answered: what all of them left alone stays exactly as it was.

Knows no kind of things. Workers are shown them in whole pixels, so that merging their answers gives what was shown and
not what was there earlier.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Sequence
from typing import TypeVar

Thing = TypeVar("Thing", bound=Hashable)

SAME = 0.5
"""The likeness from which two things of a class are about the same."""


def left_alone(shown: Sequence[Thing], answers: Sequence[Collection[Thing]]) -> list[int]:
    """The places of those things that every answer has exactly as they were shown. None where nobody answered."""
    given = [set(answer) for answer in answers]
    return [place for place, one in enumerate(shown) if given and all(one in answer for answer in given)]


def places(
    kept: Sequence[Thing], merged: Sequence[Thing], alike: Callable[[Thing, Sequence[Thing]], list[float]]
) -> list[int | None]:
    """Of each thing that was left alone, as it was shown, the place of the merged one that was made of it, each place
    once; None where there is none.

    `alike(thing, others)` says how alike it is to each of the others, 0 for another class. Comparing takes long, so
    that things which merging left as they were shown are not compared.
    """
    same: dict[Thing, list[int]] = {}
    for place, one in enumerate(merged):
        same.setdefault(one, []).append(place)
    found: list[int | None] = [same[one].pop(0) if same.get(one) else None for one in kept]
    free = sorted(place for rest in same.values() for place in rest)
    for number, one in enumerate(kept):
        if found[number] is None and free:
            likeness = dict(zip(free, alike(one, [merged[place] for place in free]), strict=True))
            best = max(free, key=likeness.__getitem__)
            if likeness[best] >= SAME:
                found[number] = best
                free.remove(best)
    return found
