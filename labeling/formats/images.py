"""Looking at image files before anything else touches them: format by content, limits before decoding, real decode.

Accepted: JPEG (phones' multi-picture files count by their first picture), PNG, WebP, BMP and GIF, still pictures
only. TIFF and others are refused, since browsers cannot show them to workers. Sizes are as displayed, that is after
EXIF orientation; `normalise` turns pixels upright so that no later reader has to know about orientation.
Knows nothing of storage or jobs.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageOps, JpegImagePlugin

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF")
_ORIENTATION = 0x0112
_SIDEWAYS = (5, 6, 7, 8)
_CONTENT_TYPES = {name: f"image/{name.lower()}" for name in FORMATS}
# what Pillow's decoders raise for damaged or hostile files
_DAMAGE = (
    OSError,  # UnidentifiedImageError and truncated files are OSErrors
    SyntaxError,
    ValueError,
    EOFError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    OverflowError,
    MemoryError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)


@dataclass(frozen=True, slots=True)
class Limits:
    """Defaults are Ground Truth's: 40 MB and 100 megapixels. Above 178 megapixels Pillow's own guard refuses."""

    max_bytes: int = 40_000_000
    max_pixels: int = 100_000_000
    max_side: int = 65_535


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """What a file is. With `problem` the rest may be zero or empty; width and height are displayed pixels."""

    width: int = 0
    height: int = 0
    depth: int = 0
    format: str = ""
    orientation: int = 1
    problem: str | None = None

    @property
    def ok(self) -> bool:
        """Whether people and machines can work with the file."""
        return self.problem is None

    @property
    def content_type(self) -> str:
        """The media type of the content, whatever the file's name says."""
        return _CONTENT_TYPES.get(self.format, "application/octet-stream")


class ImageError(ValueError):
    """A file that cannot be used as an image; the message is the reason a requester reads."""


def inspect(source: bytes | BinaryIO, limits: Limits | None = None) -> ImageInfo:
    """Check and measure an image by really decoding it; never raises for bad content, `problem` says what is wrong.

    `source`: bytes or a seekable binary file. Byte and pixel limits are checked on the header, before decoding.
    """
    try:
        image, info = _open(source, limits or Limits())
    except ImageError as error:
        return ImageInfo(problem=str(error))
    try:
        image.load()
    except _DAMAGE as error:
        return ImageInfo(info.width, info.height, info.depth, info.format, info.orientation, _damage(error))
    return info


def normalise(source: bytes | BinaryIO, limits: Limits | None = None) -> bytes:
    """The file upright: as it is when orientation is 1, else re-encoded in its own format without EXIF.

    JPEG keeps its quantisation tables and chroma sampling, so that turning costs next to no quality; the colour
    profile is kept. Raises ImageError.
    """
    image, info = _open(source, limits or Limits())
    if info.orientation == 1:
        return _bytes(source)
    options: dict[str, Any] = {}
    try:
        if info.format == "JPEG":
            # a quality beside the tables would scale them
            tables = getattr(image, "quantization", None)
            how = {"qtables": tables} if tables else {"quality": 95}
            options = {"subsampling": max(JpegImagePlugin.get_sampling(image), 0), **how}
        elif info.format == "WEBP":
            options = {"lossless": True}
        if profile := image.info.get("icc_profile"):
            options["icc_profile"] = profile
        upright = ImageOps.exif_transpose(image)
        out = BytesIO()
        upright.save(out, info.format, **options)
    except _DAMAGE as error:
        raise ImageError(_damage(error)) from None
    return out.getvalue()


def display_copy(
    source: bytes | BinaryIO,
    max_side: int,
    *,
    format: str = "JPEG",  # noqa: A002 - the word everyone uses for it
    quality: int = 82,
    limits: Limits | None = None,
) -> bytes:
    """A small upright copy (JPEG or WEBP, sides at most `max_side`, never enlarged) for lists and thumbnails.

    Transparency is laid on white. Raises ImageError.
    """
    if format not in ("JPEG", "WEBP"):
        raise ValueError(f"a display copy is JPEG or WEBP, not {format!r}")
    image, _ = _open(source, limits or Limits())
    try:
        image.draft("RGB", (max_side, max_side))
        small = _to_rgb(ImageOps.exif_transpose(image))
        small.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
        out = BytesIO()
        small.save(out, format, quality=quality)
    except _DAMAGE as error:
        raise ImageError(_damage(error)) from None
    return out.getvalue()


def open_rgb(source: bytes | BinaryIO, limits: Limits | None = None) -> Image.Image:
    """The decoded image, upright, as RGB (transparency on white) for whoever computes on it. Raises ImageError."""
    image, _ = _open(source, limits or Limits())
    try:
        return _to_rgb(ImageOps.exif_transpose(image))
    except _DAMAGE as error:
        raise ImageError(_damage(error)) from None


def _open(source: bytes | BinaryIO, limits: Limits) -> tuple[Image.Image, ImageInfo]:
    """The image with its header read and checked, not yet decoded; raises ImageError."""
    file = BytesIO(source) if isinstance(source, bytes) else source
    size = file.seek(0, 2)
    file.seek(0)
    if size == 0:
        raise ImageError("the file is empty")
    if size > limits.max_bytes:
        raise ImageError(f"the file has {size:,} bytes, at most {limits.max_bytes:,} are allowed")
    try:
        image = Image.open(file, formats=FORMATS)
        width, height = image.size
        name = "JPEG" if image.format == "MPO" else str(image.format)
        pixels = width * height
        if width < 1 or height < 1:
            raise ImageError(f"the image has no pixels ({width} x {height})")
        if pixels > limits.max_pixels or max(width, height) > limits.max_side:
            raise ImageError(f"the image is {width} x {height}, at most {limits.max_pixels:,} pixels are allowed")
        if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
            raise ImageError(f"the {name} is animated; only still images can be labeled")
        orientation = _orientation(image)
        depth = 3 if image.mode in ("P", "PA") else len(image.getbands())
    except ImageError:
        raise
    except Image.UnidentifiedImageError:
        raise ImageError(f"not an image in a known format ({', '.join(FORMATS)})") from None
    except Image.DecompressionBombError:
        raise ImageError(f"the image is too large, at most {limits.max_pixels:,} pixels are allowed") from None
    except _DAMAGE as error:
        raise ImageError(_damage(error)) from None
    if orientation in _SIDEWAYS:
        width, height = height, width
    return image, ImageInfo(width, height, depth, name, orientation)


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except _DAMAGE:
        return 1  # viewers show a picture with damaged EXIF as it lies
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        # 16-bit greyscale: Pillow's own conversion clips instead of scaling
        values = np.asarray(image).astype(np.float64)
        top = 65535.0 if values.max(initial=0) > 255 else 255.0
        return Image.fromarray(np.clip(values / top * 255, 0, 255).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _bytes(source: bytes | BinaryIO) -> bytes:
    if isinstance(source, bytes):
        return source
    source.seek(0)
    return source.read()


def _damage(error: BaseException) -> str:
    text = str(error).strip().rstrip(".") or type(error).__name__
    return f"the image is damaged ({text[:200]})"
