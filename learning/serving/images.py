"""Images in the shape a detector reads: decoded by labeling's one decoder, stretched to a square.

Training and serving both read pixels through this file, so a model sees in service what it saw in training.
It must not know models, manifests or where an image came from.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from labeling.formats.images import MACHINE_FORMATS, ImageError, Limits, decode


@dataclass(frozen=True)
class Frame:
    """The size a network reads. With a `pad` (0 to 255) pictures keep their proportions, and that fills the rest."""

    width: int
    height: int
    pad: int | None = None


@dataclass(frozen=True)
class Picture:
    """Pixels brought to the size asked for, and the size at which people see the original.

    `content` is the part of the pixels that shows the picture, as (left, top, width, height); None: all of them.
    """

    pixels: NDArray[np.uint8]  # [height, width, 3]
    width: int
    height: int
    depth: int
    content: tuple[int, int, int, int] | None = None

    @property
    def image_size(self) -> dict[str, int]:
        return {"width": self.width, "height": self.height, "depth": self.depth}


def mirror(picture: Picture) -> Picture:
    """The picture with left and right exchanged."""
    content = picture.content
    if content is not None:
        left, top, width, height = content
        content = (picture.pixels.shape[1] - left - width, top, width, height)
    return replace(picture, pixels=np.ascontiguousarray(picture.pixels[:, ::-1]), content=content)


KEPT_BLOCKS = 4
"""Of Pillow's memory, 16 MiB each at most."""
REDUCING_GAP = 1.0
"""Pillow's name for how much larger than asked for a picture may be when its bilinear filter gets it.

A picture at least twice as wide or high is first brought nearer by averaging whole blocks of pixels, which takes half
the time and gives the same pixels to within a few grey levels.
"""


def keep_memory() -> None:
    """Let this process keep the memory of its last pictures for its next ones.

    Otherwise the pages of each picture come from the system anew, which costs as much as decoding a small one.
    """
    Image.core.set_blocks_max(KEPT_BLOCKS)


def load_picture(source: str | Path | bytes, *, size: int | Frame, limits: Limits) -> Picture:
    """Decode a file or bytes and bring it to the frame, or stretch it to size x size (bilinear).

    Raises ImageError saying why not.
    """
    frame = Frame(size, size) if isinstance(size, int) else size
    if isinstance(source, bytes):
        return _framed(source, frame, limits)
    try:
        with Path(source).open("rb") as stream:
            return _framed(stream, frame, limits)
    except OSError as error:
        raise ImageError(f"the file cannot be read: {error}") from None


def _framed(source: bytes | BinaryIO, frame: Frame, limits: Limits) -> Picture:
    wanted = (frame.width, frame.height)
    image, info = decode(source, limits, formats=MACHINE_FORMATS, needed_side=max(wanted))
    content = None
    if frame.pad is not None:
        ratio = min(frame.width / image.width, frame.height / image.height)
        width, height = max(1, round(image.width * ratio)), max(1, round(image.height * ratio))
        content = ((frame.width - width) // 2, (frame.height - height) // 2, width, height)
        inside = image if image.size == (width, height) else _resized(image, (width, height))
        image = Image.new("RGB", wanted, (frame.pad,) * 3)
        image.paste(inside, content[:2])
    elif image.size != wanted:
        image = _resized(image, wanted)
    return Picture(np.asarray(image, dtype=np.uint8), info.width, info.height, info.depth, content)


def _resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    return image.resize(size, Image.Resampling.BILINEAR, reducing_gap=REDUCING_GAP)
