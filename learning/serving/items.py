"""The images of a channel's manifest, line by line.

It must not know pixels or models: nothing is opened here but the manifest.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from labeling.formats.manifest import Line
from learning.class_manifests import object_of, read_lines


@dataclass(frozen=True)
class Item:
    """One manifest line: an image and, when it is labeled, its boxes in displayed pixels."""

    index: int  # zero-based place in the manifest
    path: Path
    source_ref: str
    object_id: int | None
    boxes: NDArray[np.float32]  # [n, 4] as x1 y1 x2 y2
    class_ids: tuple[int, ...]
    image_size: tuple[int, int] | None = None  # width and height in pixels where the label says them

    @property
    def number(self) -> int:
        return self.index + 1


def read_items(manifest: Path) -> Iterator[Item]:
    """Every line's image, streamed; raises BadInput naming the first line that cannot be used."""
    for line in read_lines(manifest):
        yield item_of(line, manifest, np.zeros((0, 4), np.float32), ())


def item_of(
    line: Line,
    manifest: Path,
    boxes: NDArray[np.float32],
    class_ids: tuple[int, ...],
    image_size: tuple[int, int] | None = None,
) -> Item:
    """The image of a line; raises BadInput naming the line whose image is none of this machine."""
    object_id, path = object_of(line, manifest)
    assert path is not None  # read_lines gives lines of images only
    return Item(line.index, path, sys.intern(line.source_ref or ""), object_id, boxes, class_ids, image_size)
