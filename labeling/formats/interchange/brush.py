"""Label Studio's masks of brushes: bits that pack the red, green, blue and alpha of every pixel, row by row.

The format is that of the package rle-pack: 32 bits with the number of values, 5 with the bits of a value less one,
four times 4 with the bits of a length less one; then blocks of a bit (repeated or not), 2 bits that choose the length's
bits, a length less one, and the value or the values. It must not know files or labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from labeling.formats.masks import MAX_PIXELS, encode_rle


class _Bits:
    """Reads numbers of some bits, the highest first. Raises ValueError at the end of the bytes."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def read(self, bits: int) -> int:
        first, after = self._at // 8, (self._at + bits + 7) // 8
        if after > len(self._data):
            raise ValueError("the mask of a brush is cut off")
        word = int.from_bytes(self._data[first:after], "big")
        self._at += bits
        return (word >> (8 * after - self._at)) & ((1 << bits) - 1)


def counts_of(packed: Sequence[Any], size: tuple[int, int]) -> str:
    """COCO's run lengths of the pixels of an image of (width, height) that a brush has covered, by their alpha.

    Raises ValueError for damaged data, or for those of an image of another size.
    """
    width, height = size
    values = 4 * width * height
    if not 0 < width * height <= MAX_PIXELS:
        raise ValueError(f"a mask of {width} x {height} pixels, 1 to {MAX_PIXELS:,} are possible")
    try:
        bits = _Bits(bytes(packed))
    except (TypeError, ValueError):
        raise ValueError("rle must be a list of numbers from 0 to 255") from None
    number = bits.read(32)
    if number != values:
        raise ValueError(f"the mask of a brush has {number:,} values, expected {values:,} (4 x {width} x {height})")
    word = bits.read(5) + 1
    lengths = [bits.read(4) + 1 for _ in range(4)]
    flat = np.zeros(width * height, np.uint8)
    at = 0
    while at < number:
        repeated = bits.read(1)
        end = min(at + 1 + bits.read(lengths[bits.read(2)]), number)
        if repeated:
            if bits.read(word):
                # The alpha of pixel p is value 4p + 3.
                flat[at // 4 : end // 4] = 1
            at = end
            continue
        for place in range(at, end):
            if bits.read(word) and place % 4 == 3:
                flat[place // 4] = 1
        at = end
    return str(encode_rle(flat.reshape(height, width))["counts"])
