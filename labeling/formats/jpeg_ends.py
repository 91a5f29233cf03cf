"""JPEG files without their end, as interrupted transfers leave them: browsers show what is there, Pillow refuses it.

Says whether a file is cut and how much of the picture that takes away. Knows neither limits nor other formats.
"""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image

END = b"\xff\xd9"
"""The marker EOI (ITU T.81, table B.1)."""

_SCAN, _FILL, _ALONE = 0xDA, 0xFF, (0x01, *range(0xD0, 0xD8))
_REDUCED = 8
_OTHER_ENDING = bytes(range(1, 200)) * 8


def is_cut(data: bytes) -> bool:
    """Whether the picture of a JPEG has no end marker. A thumbnail in the header has one of its own."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == _SCAN:
            return data.find(END, at) < 0
        if marker == _FILL:
            at += 1
        elif marker in _ALONE:
            at += 2
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return False


def missing_rows(data: bytes) -> int:
    """How many rows at the bottom of a cut JPEG are not in its data, at most eight more than that.

    The file is completed in two ways: where the pictures differ, it is the completion that is seen. Raises what Pillow
    raises for a file that is damaged otherwise.
    """
    first, second = (_small(data + ending + END) for ending in (b"", _OTHER_ENDING))
    differs = np.any(first != second, axis=1)
    return int(len(differs) - differs.argmax()) * _REDUCED if differs.any() else 0


def _small(data: bytes) -> np.ndarray:
    """Grey values of every eighth pixel, which the decoder makes without decoding the others."""
    image = Image.open(BytesIO(data), formats=("JPEG",))
    image.draft("L", (max(1, image.width // _REDUCED), max(1, image.height // _REDUCED)))
    return np.asarray(image.convert("L"))
