"""The one place that opens image files: format by content, limits before decoding, pixels as people see them.

Intake, pages, training and serving all decode here, so that a model learns from the pixels that workers labeled.
Accepted: JPEG (of phones' multi-picture files the first picture), PNG, WebP, BMP and GIF, still pictures only. TIFF
and others are refused by default, since browsers cannot show them to workers. Sizes are as displayed, that is after
EXIF orientation; `normalise` turns pixels upright so that no later reader has to know about orientation.
It must not know storage, jobs or models.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageFile, ImageOps, JpegImagePlugin

from labeling.formats import file_kinds, jpeg_ends
from labeling.formats.png_chunks import SIGNATURE, without_metadata

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF")
"""What browsers can show."""
MACHINE_FORMATS = (*FORMATS, "TIFF")
"""What a model may be given."""
SIGNATURE_BYTES = 16
"""How many of a file's first bytes `format_by_signature` needs."""
_SIGNATURES = ((b"\xff\xd8\xff", "JPEG"), (SIGNATURE, "PNG"), (b"GIF8", "GIF"), (b"BM", "BMP"))
_ORIENTATION = 0x0112
MISSING_ROWS, MISSING_SHARE = 16, 0.02
"""What may be missing of a JPEG that ends too early: one row of its blocks, or this share of the picture."""
_SIDEWAYS = (5, 6, 7, 8)
# What EXIF's orientations ask for, as Pillow's own exif_transpose has it.
_TURNED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
STRIP_PIXELS = 4_000_000
"""Pixels that are converted at a time when a small copy of a large image is made."""
CONTENT_TYPES = {name: f"image/{name.lower()}" for name in FORMATS}
"""Media types by format."""
# What Pillow's decoders raise for damaged or hostile files.
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
    ZeroDivisionError,
    MemoryError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)


@dataclass(frozen=True, slots=True)
class Limits:
    """Defaults are Ground Truth's: 40 MB and 100 megapixels. Above 178 megapixels Pillow's own guard refuses.

    The operator's settings say the limits of a portal and are handed to its programs; these are for use without them.
    """

    max_bytes: int = 40 * 2**20
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
        return CONTENT_TYPES.get(self.format, "application/octet-stream")


class ImageError(ValueError):
    """A file that cannot be used as an image; the message is the reason a requester reads."""


def format_by_signature(start: bytes) -> str:
    """The format that a file's first SIGNATURE_BYTES bytes announce, "" when it is none of FORMATS."""
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "WEBP"
    return next((name for signature, name in _SIGNATURES if start.startswith(signature)), "")


def not_shown(start: bytes) -> str:
    """What a file is that we do not take, and what to do about it, by its first bytes; "" when it is not known."""
    if not (what := file_kinds.described(start)):
        return ""
    if file_kinds.archive_kind(start):
        return f"is {what}: unpack it first"
    way_out = "convert it to JPEG or PNG" if file_kinds.image_kind(start) else f"images are {', '.join(FORMATS)}"
    return f"is {what}, which is not accepted: {way_out}"


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


def measure(source: bytes | BinaryIO, limits: Limits | None = None) -> ImageInfo:
    """What the header says, without decoding the picture (but a PNG, whose EXIF may follow it); see `inspect`."""
    try:
        return _open(source, limits or Limits())[1]
    except ImageError as error:
        return ImageInfo(problem=str(error))


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
            # A quality given beside the tables would scale them.
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


def pixels(source: bytes | BinaryIO) -> int:
    """Width times height as the header says, without decoding; 0 for what is no image."""
    try:
        with _header(_bytes(source), MACHINE_FORMATS) as image:
            return image.width * image.height
    except _DAMAGE:
        return 0


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
    return display_copies(source, (max_side,), format=format, quality=quality, limits=limits)[max_side]


def display_copies(
    source: bytes | BinaryIO,
    sides: Sequence[int],
    *,
    format: str = "JPEG",  # noqa: A002 - the word everyone uses for it
    quality: int = 82,
    limits: Limits | None = None,
) -> dict[int, bytes]:
    """Small copies as `display_copy` makes them, by side, for the price of decoding once. Raises ImageError.

    Beside the decoded image, which no format but JPEG can avoid, only strips of it are held in memory.
    """
    if format not in ("JPEG", "WEBP"):
        raise ValueError(f"a display copy is JPEG or WEBP, not {format!r}")
    largest = max(sides)
    image, info = _open(source, limits or Limits())
    try:
        image.draft("RGB", (largest, largest))
        image.load()
        small = _upright(_reduced(image, largest), info.orientation)
    except _DAMAGE as error:
        raise ImageError(_damage(error)) from None
    copies = {}
    for side in sorted(sides, reverse=True):
        small.thumbnail((side, side), Image.Resampling.LANCZOS)
        out = BytesIO()
        small.save(out, format, quality=quality)
        copies[side] = out.getvalue()
    return copies


def decode(
    source: bytes | BinaryIO,
    limits: Limits | None = None,
    *,
    formats: tuple[str, ...] = FORMATS,
    needed_side: int | None = None,
) -> tuple[Image.Image, ImageInfo]:
    """The picture as people see it (upright, RGB, transparency on white) and what the file is. Raises ImageError.

    With `needed_side` a JPEG is decoded at 1/2, 1/4 or 1/8 of its size for a fraction of the time, its sides never
    below the one needed. `info` speaks of the whole picture all the same.
    """
    image, info = _open(source, limits or Limits(), formats)
    try:
        if needed_side is not None:
            image.draft("RGB", (needed_side, needed_side))
        image.load()
        return _to_rgb(image if info.orientation == 1 else ImageOps.exif_transpose(image)), info
    except _DAMAGE as error:
        raise ImageError(_damage(error)) from None


def _open(
    source: bytes | BinaryIO, limits: Limits, formats: tuple[str, ...] = FORMATS
) -> tuple[Image.Image, ImageInfo]:
    """The image with its header read and checked, not yet decoded; raises ImageError."""
    size = len(source) if isinstance(source, bytes) else source.seek(0, 2)
    if size == 0:
        raise ImageError("the file is empty")
    if size > limits.max_bytes:
        raise ImageError(f"the file has {size:,} bytes, at most {limits.max_bytes:,} are allowed")
    data = _bytes(source)
    announced = format_by_signature(data[:SIGNATURE_BYTES])
    try:
        image = _header(data, formats)
        width, height = image.size
        name = "JPEG" if image.format == "MPO" else str(image.format)
        pixels = width * height
        if width < 1 or height < 1:
            raise ImageError(f"the image has no pixels ({width} x {height})")
        if pixels > limits.max_pixels or max(width, height) > limits.max_side:
            raise ImageError(f"the image is {width} x {height}, at most {limits.max_pixels:,} pixels are allowed")
        if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
            several = "has several pages" if name == "TIFF" else "is animated"
            raise ImageError(f"the {name} {several}; only still images can be labeled")
        if image.format == "JPEG" and jpeg_ends.is_cut(data):
            image = _completed(data, height)
        orientation = _orientation(image)
        depth = 3 if image.mode in ("P", "PA") else len(image.getbands())
    except ImageError:
        raise
    except Image.UnidentifiedImageError:
        if announced:
            raise ImageError(
                f"the image is damaged (it begins like a {announced}, its header cannot be read)"
            ) from None
        what = not_shown(data[: file_kinds.START_BYTES])
        raise ImageError(
            f"the file {what}" if what else f"not an image in a known format ({', '.join(formats)})"
        ) from None
    except Image.DecompressionBombError:
        raise ImageError(f"the image is too large, at most {limits.max_pixels:,} pixels are allowed") from None
    except _DAMAGE as error:
        raise ImageError(_damage(error)) from None
    if orientation in _SIDEWAYS:
        width, height = height, width
    return image, ImageInfo(width, height, depth, name, orientation)


def _header(data: bytes, formats: tuple[str, ...]) -> ImageFile.ImageFile:
    """The image with nothing but its header read."""
    png = format_by_signature(data[:SIGNATURE_BYTES]) == "PNG"
    return Image.open(BytesIO(without_metadata(data) if png else data), formats=formats)


def _completed(data: bytes, height: int) -> ImageFile.ImageFile:
    """A JPEG whose end is missing, if next to nothing of the picture is; raises ImageError."""
    missing = jpeg_ends.missing_rows(data)
    if missing > max(MISSING_ROWS, height * MISSING_SHARE):
        raise ImageError(f"the image is damaged (the file ends too early: {missing} of its {height} rows are missing)")
    return Image.open(BytesIO(data + jpeg_ends.END), formats=("JPEG",))


def _orientation(image: Image.Image) -> int:
    if image.format == "PNG":
        # The EXIF of a PNG may follow the picture, so Pillow decodes it first: that damage is the picture's.
        image.load()
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except _DAMAGE:
        return 1  # as browsers do: a picture with damaged EXIF is shown as it is stored
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _reduced(image: Image.Image, side: int) -> Image.Image:
    """RGB at 1/n of the size, the longer side at least twice `side` unless the image is smaller; strip by strip.

    RGB, and transparency laid on white, would each take as much memory as the decoded image once more.
    """
    factor = max(image.size) // (2 * side)
    # Whether a 32-bit grey goes to 255 or 65535 is seen in the whole picture only.
    if factor < 2 or min(image.size) < factor or image.mode in ("I", "F"):
        return _to_rgb(image)
    width, height = image.size
    small = Image.new("RGB", (-(-width // factor), -(-height // factor)))
    rows = factor * max(1, STRIP_PIXELS // (width * factor))
    for top in range(0, height, rows):
        strip = image.crop((0, top, width, min(top + rows, height)))
        small.paste(_to_rgb(strip).reduce(factor), (0, top // factor))
    return small


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    method = _TURNED.get(orientation)
    return image if method is None else image.transpose(method)


def _to_rgb(image: Image.Image) -> Image.Image:
    """RGB from any mode. Pillow would clip 16-bit grey to white, and drop transparency with the colours under it."""
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image, np.uint16) // 257).astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        # 32-bit TIFFs do not say which value is white: 65535 if one is above 255.
        values = np.asarray(image).astype(np.float64)
        white = 65535.0 if values.max(initial=0) > 255 else 255.0
        return Image.fromarray(np.clip(values / white * 255, 0, 255).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        ground = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(ground, rgba).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _bytes(source: bytes | BinaryIO) -> bytes:
    if isinstance(source, bytes):
        return source
    source.seek(0)
    return source.read()


def _damage(error: BaseException) -> str:
    text = str(error).strip().rstrip(".") or type(error).__name__
    return f"the image is damaged ({text[:200]})"
