"""Small copies of masks, for pages that show many: a palette PNG in which each segment has a colour of its own.

It must not know who painted the masks, nor storage or jobs.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeling.formats import masks, segments
from labeling.formats.shapes import Segment, Segmentation

SIDE = 480
"""Pixels of the longer side at most; so a copy has at most 230,400 bytes before they are packed."""


def legend(given: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What the colours of a small copy stand for: the segments of a layer's masks, each with its colour there."""
    known = ("label", "confidence")
    colors = masks.distinct_colors(len(given))
    return [
        {name: one[name] for name in known if name in one} | {"color": color}
        for one, color in zip(given, colors, strict=True)
    ]


def small(given: Mapping[str, Any]) -> bytes:
    """The copy of a layer's masks: {"segments"} with the "png" (base64) that shows each in its "color", or with
    "width", "height" and the "counts" of each.

    Raises ValueError for masks that cannot be read.
    """
    found = given["segments"]
    values = _of_png(given["png"], found) if "png" in given else _of_runs(given, found)
    return masks.write_palette_png(values, dict(enumerate(masks.distinct_colors(len(found)), start=1)))


def raw(given: Mapping[str, Any]) -> bytes:
    """The PNG of a layer's masks, b"" where it has run lengths. Raises ValueError for what is no base64."""
    try:
        return base64.b64decode(given.get("png", ""), validate=True)
    except (binascii.Error, TypeError) as error:
        raise ValueError(f"the masks are no base64: {error}") from None


def _of_png(png: str, found: Sequence[Mapping[str, Any]]) -> NDArray[np.uint8]:
    pixels = masks.sampled_colors(raw({"png": png}), SIDE)
    used, inverse = np.unique(pixels, return_inverse=True)
    places: dict[int, int] = {}
    for place, one in enumerate(found, start=1):
        places.setdefault(int.from_bytes(masks.rgb(one["color"]), "big"), place)
    numbers = np.asarray([places.get(color, 0) for color in used.tolist()], np.uint8)
    return numbers[inverse].reshape(pixels.shape)


def _of_runs(given: Mapping[str, Any], found: Sequence[Mapping[str, Any]]) -> NDArray[np.uint8]:
    width, height = given["width"], given["height"]
    masked = Segmentation((width, height), tuple(Segment(one["label"], one["counts"]) for one in found))
    segments.check(masked)
    across, down = masks.fitted(width, height, SIDE)
    xs, ys = _middles(width, across), _middles(height, down)
    pixels = xs[np.newaxis, :] * height + ys[:, np.newaxis]
    return segments.at(masked, pixels.ravel(order="F")).astype(np.uint8).reshape(pixels.shape, order="F")


def _middles(side: int, drawn: int) -> NDArray[np.int64]:
    """Of the pixels that fall on each drawn one, the middle one."""
    return ((np.arange(drawn) + 0.5) * side / drawn).astype(np.int64)
