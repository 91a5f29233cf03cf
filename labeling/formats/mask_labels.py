"""Segmentation labels of manifests: the palette PNG that is the label's file <-> Segmentation.

Pixel value 0 is the background. It must not know storage or jobs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from labeling.formats import masks, segments
from labeling.formats.augmented_reading import MaskEntry, MaskLabel
from labeling.formats.shapes import Segment, Segmentation

BACKGROUND = "BACKGROUND"
"""What an internal-color-map calls the pixels that have no class."""

ColorMap = dict[int, tuple[str, str]]
"""What each pixel value stands for, and its colour '#rrggbb'."""


def class_numbers(found: Segmentation, labels: Sequence[str]) -> list[int]:
    """The pixel value of each segment: the index of its class plus one. Raises ValueError for an unknown class."""
    segments.check(found)
    index = {label: number for number, label in enumerate(labels, start=1)}
    for place, segment in enumerate(found.segments):
        if segment.label not in index:
            raise ValueError(f"segment {place}: {segment.label!r} is not one of the labels")
    numbers = [index[segment.label] for segment in found.segments]
    if len(set(numbers)) != len(numbers):
        raise ValueError("a class has more than one segment")
    return numbers


def color_map(found: Segmentation, numbers: Sequence[int]) -> ColorMap:
    """What the pixel values of the file stand for: the background, and each segment by its number."""
    colors = masks.distinct_colors(max(numbers, default=0))
    used = {n: (segment.label, colors[n - 1]) for n, segment in zip(numbers, found.segments, strict=True)}
    return {0: (BACKGROUND, masks.BACKGROUND), **used}


def png(found: Segmentation, numbers: Sequence[int]) -> bytes:
    """The file: an 8-bit palette PNG in which each segment has its number and colour."""
    colors = {number: color for number, (_name, color) in color_map(found, numbers).items()}
    return masks.write_palette_png(segments.layout(found, numbers), colors)


def read_classes(label: MaskLabel, attr: str) -> Segmentation:
    """The masks of classes, in the order of their pixel values; those of one class are one segment."""
    found = _read(label, attr)
    by_class: dict[str, list[int]] = {}
    for number, entry in sorted(label.entries.items()):
        by_class.setdefault(entry.label, []).append(number)
    names = [name for name in by_class if name.upper() != BACKGROUND]
    table = np.zeros(256, np.uint8)
    for place, name in enumerate(names, start=1):
        table[by_class[name]] = place
    masked = segments.from_pixels(table[found], dict(enumerate(names, start=1)))
    sure = [entry.confidence for _number, entry in sorted(label.entries.items())]
    confidence = sure[-1] if sure else None
    return _checked(
        replace(
            masked,
            segments=tuple(replace(one, confidence=confidence) for one in masked.segments),
            confidence=confidence,
        ),
        attr,
    )


def read_instances(label: MaskLabel, attr: str) -> Segmentation:
    """The masks of objects, in the order of their pixel values, each with its own confidence."""
    found = _read(label, attr)
    entries = {n: entry for n, entry in sorted(label.entries.items()) if entry.label.upper() != BACKGROUND}
    masked = segments.from_pixels(found, {number: str(number) for number in entries})
    made = tuple(_instance(one, entries[int(one.label)]) for one in masked.segments)
    behind = label.entries.get(0)
    confidence = behind.confidence if behind is not None and behind.label.upper() == BACKGROUND else None
    return _checked(Segmentation(masked.size, made, confidence), attr)


def _instance(one: Segment, entry: MaskEntry) -> Segment:
    return Segment(entry.label, one.counts, entry.confidence)


def _read(label: MaskLabel, attr: str) -> np.ndarray:
    """The pixel values, by the index in a palette or else by the colour of each pixel."""
    try:
        values = masks.read_indices(label.png, {n: one.color for n, one in label.entries.items() if one.color})
    except ValueError as error:
        raise ValueError(f"{attr!r}: {error}") from None
    unknown = sorted(set(np.unique(values).tolist()) - set(label.entries) - {0})
    if unknown:
        raise ValueError(f"{attr!r}: the PNG has the pixel value {unknown[0]}, which its internal-color-map lacks")
    return values


def _checked(found: Segmentation, attr: str) -> Segmentation:
    try:
        segments.check(found)
    except ValueError as error:
        raise ValueError(f"{attr!r}: {error}") from None
    return found
