"""Opening images that nobody vouches for: by limits, upright as people see them, RGB.

Training and serving both read pixels through this file, so a model sees in service what it saw in training.
It must not know models, manifests or where an image came from.
"""

import io
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "MPO")
_GREY_MODES = frozenset({"1", "L", "LA", "I", "F", "I;16", "I;16B", "I;16L"})
# Everything Pillow's decoders are known to raise on files that are cut short or lie about themselves.
_DECODE_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    TypeError,
    KeyError,
    IndexError,
    OverflowError,
    ZeroDivisionError,
    MemoryError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)


class UnreadableImage(ValueError):
    """The image cannot be used; the message is fit for the requester."""


@dataclass(frozen=True)
class Limits:
    """What an image may cost us."""

    max_bytes: int = 64 << 20
    max_pixels: int = 100_000_000


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


DEFAULT_LIMITS = Limits()


def load_picture(source: str | Path | bytes, *, size: int, limits: Limits = DEFAULT_LIMITS) -> Picture:
    """Decode a file or bytes and stretch it to size x size (bilinear); raises UnreadableImage saying why not."""
    try:
        data = source if isinstance(source, bytes) else _read(Path(source), limits)
        if len(data) > limits.max_bytes:
            raise UnreadableImage(f"the image has {len(data)} bytes; at most {limits.max_bytes} are read")
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > limits.max_pixels:
                pixels = f"{image.width} x {image.height}"
                raise UnreadableImage(f"the image is {pixels} pixels; at most {limits.max_pixels} are decoded")
            return _to_picture(image, size)
    except UnreadableImage:
        raise
    except _DECODE_ERRORS as error:
        raise UnreadableImage(f"the image cannot be decoded: {error or type(error).__name__}") from error


def _read(path: Path, limits: Limits) -> bytes:
    with path.open("rb") as stream:
        return stream.read(limits.max_bytes + 1)


def _to_picture(image: Image.Image, size: int) -> Picture:
    turned = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
    width, height = (image.height, image.width) if turned else image.size
    depth = 1 if image.mode in _GREY_MODES else 3
    # JPEG decodes at 1/2, 1/4 or 1/8 for a fraction of the time, never below the size asked for.
    image.draft("RGB", (size, size))
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith("I;16"):
        # Pillow would clip 16-bit grey to white; people are shown its upper byte.
        upright = Image.fromarray((np.asarray(upright, dtype=np.uint16) >> 8).astype(np.uint8))
    rgb = upright if upright.mode == "RGB" else upright.convert("RGB")
    stretched = rgb if rgb.size == (size, size) else rgb.resize((size, size), Image.Resampling.BILINEAR)
    return Picture(np.asarray(stretched, dtype=np.uint8), width, height, depth)
