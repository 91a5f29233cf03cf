"""Finds pictures that look alike, such as frames of one video or copies of one photo, by a perceptual hash.

Pure numpy and Pillow on decoded pixels; it must not know files or what the groups are for.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

DISTANCE = 4
"""Bits of 64 in which near-duplicates may differ: recompressing, scaling and small shifts change up to that many."""

_BITS = 64


def picture_hash(pixels: NDArray[np.uint8]) -> int:
    """The difference hash (dHash) of RGB pixels [height, width, 3]: 64 bits, one for each pair of neighbours of 9 x 8
    grey means, set where the right one is brighter."""
    grey = Image.fromarray(pixels).convert("L").resize((9, 8), Image.Resampling.BOX)
    values = np.asarray(grey, dtype=np.int16)
    return int.from_bytes(np.packbits(values[:, 1:] > values[:, :-1]).tobytes(), "big")


def group(hashes: NDArray[np.uint64], *, distance: int = DISTANCE) -> NDArray[np.int64]:
    """The group of each hash [n], groups numbered from 0 in the order of their first member.

    Two hashes that differ in at most `distance` bits are in one group, and so are all that are linked by such pairs.
    Of the 64 bits, dealt into `distance` + 1 bands, such a pair has one band in common; only those are compared.
    """
    known, place = np.unique(hashes, return_inverse=True)
    root = np.arange(len(known))
    for band in range(distance + 1):
        mask = np.uint64(sum(1 << bit for bit in range(band, _BITS, distance + 1)))
        order = np.argsort(known & mask, kind="stable")
        _join_band(root, known, order, (known & mask)[order], distance)
    _, first, number = np.unique(root[place], return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[number]


def _join_band(
    root: NDArray[np.int64],
    known: NDArray[np.uint64],
    order: NDArray[np.int64],
    key: NDArray[np.uint64],
    distance: int,
) -> None:
    """Join the groups of hashes that are near each other and have the same key; `key` is sorted as `order` says."""
    at, step = np.arange(len(order)), 0
    while len(at):
        # What has no equal key `step` places further has none beyond.
        step += 1
        at = at[at + step < len(order)]
        at = at[key[at + step] == key[at]]
        one, other = order[at], order[at + step]
        near = np.bitwise_count(known[one] ^ known[other]) <= distance
        _join(root, one[near], other[near])


def _join(root: NDArray[np.int64], one: NDArray[np.int64], other: NDArray[np.int64]) -> None:
    """Union-find on arrays: the smaller root becomes that of both, then every path is shortened."""
    while True:
        apart = root[one] != root[other]
        one, other = one[apart], other[apart]
        if not len(one):
            return
        low, high = np.minimum(root[one], root[other]), np.maximum(root[one], root[other])
        np.minimum.at(root, high, low)
        while not np.array_equal(shorter := root[root], root):
            root[:] = shorter
