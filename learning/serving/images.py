"""Images in the shape a detector reads: decoded by labeling's one decoder, stretched to a square.

Training and serving both read pixels through this file, so a model sees in service what it saw in training.
It must not know models, manifests or where an image came from.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from labeling.formats.images import MACHINE_FORMATS, ImageError, Limits, decode


@dataclass(frozen=True)
class Picture:
    """Pixels stretched to the size asked for, and the size at which people see the original."""

    pixels: NDArray[np.uint8]  # [height, width, 3]
    width: int
    height: int
    depth: int

    @property
    def image_size(self) -> dict[str, int]:
        return {"width": self.width, "height": self.height, "depth": self.depth}


def load_picture(source: str | Path | bytes, *, size: int, limits: Limits) -> Picture:
    """Decode a file or bytes and stretch it to size x size (bilinear); raises ImageError saying why not."""
    if isinstance(source, bytes):
        return _stretched(source, size, limits)
    try:
        with Path(source).open("rb") as stream:
            return _stretched(stream, size, limits)
    except OSError as error:
        raise ImageError(f"the file cannot be read: {error}") from None


def _stretched(source: bytes | BinaryIO, size: int, limits: Limits) -> Picture:
    image, info = decode(source, limits, formats=MACHINE_FORMATS, needed_side=size)
    if image.size != (size, size):
        image = image.resize((size, size), Image.Resampling.BILINEAR)
    return Picture(np.asarray(image, dtype=np.uint8), info.width, info.height, info.depth)
