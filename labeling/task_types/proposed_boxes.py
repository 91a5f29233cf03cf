"""Boxes that a model proposes, and boxes as <crowd-bounding-box> begins with them."""

from __future__ import annotations

import math
from dataclasses import replace

from labeling.formats.answers import MAX_SHAPES
from labeling.formats.shapes import Box
from labeling.simulation.matching import labeled, tally
from labeling.task_types.proposing import Proposing

SMALLEST = 3
"""Pixels of a side below which the element makes a box larger, so that it can be taken hold of."""


class ProposedBoxes(Proposing[list[Box]]):
    """A box is right with an IoU of at least 0.5 with a box of the label that has its class; pairs are one to one."""

    def begun(self, proposed: list[Box], *, size: tuple[int, int]) -> list[Box]:
        """In whole pixels and within the picture, each box once, and no more than an answer may hold. Boxes keep their
        scores, which people are not shown."""
        shown: dict[Box, Box] = {}
        for box in proposed:
            here = in_whole_pixels(box, size)
            shown.setdefault(here, replace(here, confidence=box.confidence))
        return list(shown.values())[:MAX_SHAPES]

    def mistakes(self, proposed: list[Box], label: list[Box]) -> tuple[int, int]:
        """See Proposing."""
        right, given, true, _ = (round(figure) for figure in tally([labeled(proposed)], [labeled(label)])[0].tolist())
        return true - right, given - right


def in_whole_pixels(box: Box, size: tuple[int, int]) -> Box:
    """The box within a picture of this size and not too small, as the element begins with it."""
    width, height = (
        min(max(math.floor(side + 0.5), min(SMALLEST, most)), most)
        for side, most in zip((box.width, box.height), size, strict=True)
    )
    left = min(max(math.floor(box.left + 0.5), 0), size[0] - width)
    top = min(max(math.floor(box.top + 0.5), 0), size[1] - height)
    return Box(box.label, left, top, width, height, attributes=box.attributes)
