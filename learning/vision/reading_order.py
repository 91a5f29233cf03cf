"""Announces images some batches before they are needed, so that streamed ones are read ahead.

It must not know how they are read.
"""

import math
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Protocol

READ_AHEAD = 128
"""Images that are announced before they are needed, at least."""

Keys = list[tuple[int, int]]


class Announced(Protocol):
    """A set of images that likes to know what will be asked for."""

    def soon(self, places: Iterable[int]) -> None:
        """These places, after what was announced before."""


def announced(order: Iterable[Keys], images: Announced, batch_size: int) -> Iterator[Keys]:
    """The batches of `order`, lists of (epoch, place); each is announced some batches before its turn."""
    waiting: deque[Keys] = deque()
    depth = max(2, math.ceil(READ_AHEAD / batch_size))
    for batch in order:
        images.soon(place for _, place in batch)
        waiting.append(batch)
        if len(waiting) > depth:
            yield waiting.popleft()
    yield from waiting


def in_order(images: Announced, length: int) -> Iterator[int]:
    """The places from 0 on, announced in pieces before their turn."""
    for place in range(length):
        if place % READ_AHEAD == 0:
            first = place + READ_AHEAD if place else 0
            images.soon(range(min(first, length), min(place + 2 * READ_AHEAD, length)))
        yield place
