"""The images of a channel's manifest, line by line.

It must not know pixels or models: nothing is opened here but the manifest.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
from numpy.typing import NDArray

from labeling.formats.manifest import SOURCE_REF, BadLine, Line, parse
from learning.contract import OBJECT_ID_KEY, BadInput

MAX_LINE = 10_000_000  # staged by our own supervisor: a crowded image may have more text than AWS lets a user send


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


def read_lines(manifest: Path) -> Iterator[Line]:
    """The lines of a channel's manifest; raises BadInput naming the first that is not one."""
    try:
        stream = manifest.open("rb")
    except FileNotFoundError as error:
        raise BadInput(f"{manifest.parent.name} channel: {manifest.name} is missing") from error
    with stream:
        lines = parse(stream, kinds=(SOURCE_REF,), schemes=None, max_line=MAX_LINE, max_attribute=MAX_LINE)
        for line in lines:
            if isinstance(line, BadLine):
                raise BadInput(f"{manifest.parent.name} channel, {line}")
            yield line


def item_of(
    line: Line,
    manifest: Path,
    boxes: NDArray[np.float32],
    class_ids: tuple[int, ...],
    image_size: tuple[int, int] | None = None,
) -> Item:
    """The image of a line; raises BadInput naming the line whose image is none of this machine."""
    where = f"{manifest.parent.name} channel, line {line.number}"
    reference = line.source_ref or ""
    object_id = line.attributes.get(OBJECT_ID_KEY)
    if object_id is not None and not isinstance(object_id, int):
        raise BadInput(f"{where}: {OBJECT_ID_KEY!r} must be a whole number, found {object_id!r}")
    path = _local(reference, manifest, where)
    return Item(line.index, path, sys.intern(reference), object_id, boxes, class_ids, image_size)


def _local(reference: str, manifest: Path, where: str) -> Path:
    """The file a source-ref names: an absolute path, one relative to the channel's folder, or a file:// URI."""
    parts = urlsplit(reference)
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return Path(unquote(parts.path))
    if "://" in reference:
        raise BadInput(f"{where}: 'source-ref' must be a local file here, found {reference[:120]!r}")
    return manifest.parent / reference
