"""Arithmetic on segmentations without ever laying out their pixels: all of it works on the ends of runs.

Pixels are numbered column by column from 0, as COCO's run lengths have them. It must not know who drew a segment, nor
what its label means.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from labeling.formats import masks
from labeling.formats.masks import MAX_PIXELS
from labeling.formats.shapes import Segment, Segmentation

Ints = NDArray[np.int64]

MOST_RUNS = 200_000
"""Runs of all segments of an image together: far more than anybody paints, and about half a megabyte."""

MOST_SEGMENTS = 255
"""Segments of an image: what the bytes of a palette PNG tell apart, beside the background."""


@lru_cache(maxsize=128)
def ends_of(counts: str) -> Ints:
    """The pixels at which a segment begins, ends, begins again and so on, ascending. Do not change it.

    Raises ValueError for damaged run lengths.
    """
    runs = masks.unpacked(counts)
    # The longest run first: a sum of many that are far too long could overflow.
    if len(runs) and (int(runs.min()) < 0 or int(runs.max()) > MAX_PIXELS or int(runs.sum()) > MAX_PIXELS):
        raise ValueError(f"run lengths must be positive and cover at most {MAX_PIXELS:,} pixels")
    ends = np.cumsum(runs)
    ends.flags.writeable = False
    return ends


def counts_of(ends: Ints, pixels: int) -> str:
    """COCO's text of a segment that begins and ends at these pixels, of an image with so many of them."""
    whole = np.concatenate([[0], ends, [pixels]])
    runs = np.diff(whole)
    return masks.pack(runs[:-1] if runs[-1] == 0 and len(runs) > 1 else runs)


def check(found: Segmentation) -> None:
    """Raises ValueError for a segmentation that cannot be stored or written: damaged, too large or too many runs."""
    width, height = found.size
    pixels, runs = width * height, 0
    if min(found.size) < 1 or pixels > MAX_PIXELS:
        raise ValueError(f"a mask of {width} x {height} pixels, 1 to {MAX_PIXELS:,} are possible")
    if len(found.segments) > MOST_SEGMENTS:
        raise ValueError(f"{len(found.segments)} segments, at most {MOST_SEGMENTS} are possible")
    for place, segment in enumerate(found.segments):
        ends = ends_of(segment.counts)
        if int(ends[-1] if len(ends) else 0) != pixels:
            raise ValueError(f"segment {place} covers {int(ends[-1])} pixels, the image has {width} x {height}")
        runs += len(ends) // 2
    if runs > MOST_RUNS:
        raise ValueError(f"the mask has {runs:,} runs of pixels, at most {MOST_RUNS:,} are possible: smooth it")


def joined(found: Segmentation) -> Segmentation:
    """The same pixels in one segment for each label, as sure as the surest of those that it is made of."""
    pixels, by_label = found.size[0] * found.size[1], dict[str, list[Segment]]()
    for segment in found.segments:
        by_label.setdefault(segment.label, []).append(segment)
    made = []
    for same in by_label.values():
        # Where one segment ends and another begins there is no end any more: no pixel belongs to two.
        ends, times = np.unique(np.concatenate([ends_of(one.counts) for one in same]), return_counts=True)
        counts = counts_of(ends[(times % 2 == 1) & (ends < pixels)], pixels) if len(same) > 1 else same[0].counts
        surest = max(same, key=lambda one: one.confidence or 0.0)
        made.append(replace(surest, counts=counts))
    return replace(found, segments=tuple(made))


def stacked(found: Segmentation) -> tuple[Segmentation, int]:
    """The same with no pixel twice: of segments that share pixels the later one has them; and how many are shared.

    A segment that lies wholly behind others is left out.
    """
    pixels = found.size[0] * found.size[1]
    starts, lengths = spans([found], pixels)
    values = at(found, starts)
    shared = sum(area(one) for one in found.segments) - int(lengths[values > 0].sum())
    if not shared:
        return found, 0
    counts = segment_counts(starts, values, pixels)
    kept = tuple(replace(one, counts=counts[n]) for n, one in enumerate(found.segments, start=1) if n in counts)
    return replace(found, segments=kept), shared


def area(segment: Segment) -> int:
    """Its pixels."""
    ends = ends_of(segment.counts)
    ends = ends[: len(ends) // 2 * 2]
    return int((ends[1::2] - ends[::2]).sum())


def spans(segmentations: Iterable[Segmentation], pixels: int) -> tuple[Ints, Ints]:
    """(first pixels, lengths) of the spans within which no segment of any of them begins or ends."""
    ends = [ends_of(segment.counts) for found in segmentations for segment in found.segments]
    starts = distinct(np.concatenate([np.zeros(1, np.int64), *ends]))
    starts = starts[starts < pixels]
    return starts, np.diff(starts, append=pixels)


def distinct(pixels: Ints) -> Ints:
    """Each of them once, ascending. numpy's `unique` builds a hash table first, which takes three times as long."""
    ordered = np.sort(pixels)
    return ordered[np.concatenate([[True], ordered[1:] != ordered[:-1]])] if len(ordered) else ordered


def at(found: Segmentation, pixels: Ints) -> Ints:
    """For each of these pixels, ascending, the place of its segment plus one, 0 where there is none."""
    values = np.zeros(len(pixels), np.int64)
    for place, segment in enumerate(found.segments, start=1):
        values[within(ends_of(segment.counts), pixels)] = place
    return values


def within(ends: Ints, pixels: Ints) -> NDArray[np.bool_]:
    """Which of these pixels, ascending, lie in an area that begins and ends at `ends`, ascending too."""
    # The ends are looked up among the pixels, of which there are several for each, and not the other way round.
    passed = np.bincount(np.searchsorted(pixels, ends), minlength=len(pixels) + 1)[:-1]
    return np.asarray(passed.cumsum() % 2 == 1)


def segment_counts(starts: Ints, values: Ints, pixels: int) -> dict[int, str]:
    """COCO's text of the pixels that have each value but 0, given the value of the span from each start on."""
    if not len(starts):
        return {}
    new = np.concatenate([[True], values[1:] != values[:-1]])
    starts, values = starts[new], values[new]
    ends = np.append(starts[1:], pixels)
    found = {}
    for value in np.unique(values[values != 0]).tolist():
        mine = values == value
        found[value] = counts_of(np.stack([starts[mine], ends[mine]], axis=1).ravel(), pixels)
    return found


def layout(found: Segmentation, numbers: Sequence[int]) -> NDArray[np.uint8]:
    """The pixels, (height, width): those of each segment have its number, all others 0."""
    width, height = found.size
    starts, lengths = spans([found], width * height)
    table = np.asarray([0, *numbers], np.uint8)
    flat = np.repeat(table[at(found, starts)], lengths)
    return flat.reshape((height, width), order="F")


def from_pixels(values: NDArray[np.uint8], labels: dict[int, str]) -> Segmentation:
    """The segmentation of an array (height, width): the pixels of each number of `labels` are a segment, in its order.

    Pixels with other numbers are background, and numbers without pixels no segment.
    """
    height, width = values.shape
    flat = values.ravel(order="F")
    starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1]).astype(np.int64)
    counts = segment_counts(starts, flat[starts].astype(np.int64), width * height)
    segments = tuple(Segment(label, counts[number]) for number, label in labels.items() if number in counts)
    return Segmentation((width, height), segments)


def box(segment: Segment, height: int) -> tuple[int, int, int, int]:
    """(left, top, width, height) in pixels of the smallest box round a segment of an image of this height.

    All 0 for a segment without pixels.
    """
    ends = ends_of(segment.counts)
    first, last = ends[: len(ends) // 2 * 2 : 2], ends[1 : len(ends) // 2 * 2 : 2] - 1
    if not len(first):
        return 0, 0, 0, 0
    left, right = int(first[0]) // height, int(last[-1]) // height
    if (first // height != last // height).any():
        return left, 0, right - left + 1, height
    top, bottom = int((first % height).min()), int((last % height).max())
    return left, top, right - left + 1, bottom - top + 1
