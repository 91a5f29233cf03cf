"""Pixel masks in their file forms: COCO run lengths, palette PNG (dataset labels), coloured PNG (worker answers).

A mask is uint8 of shape (height, width); 0 is background. It must not know what labels mean, nor jobs or storage.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection, Mapping, Sequence
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, UnidentifiedImageError

from labeling.formats.answers import AnswerError
from labeling.formats.shapes import ImageSize, Mask

MAX_PIXELS = 100_000_000
MAX_PNG_BYTES = 40_000_000
BACKGROUND = "#ffffff"
_HEX = re.compile(r"#[0-9a-fA-F]{6}")

# The order of colours in Ground Truth's segmentation output and templates (matplotlib's tab10, green first).
PALETTE = (
    "#2ca02c",
    "#1f77b4",
    "#ff7f0e",
    "#d62728",
    "#9467bd",
    "#8c564b",
    "#e377c2",
    "#7f7f7f",
    "#bcbd22",
    "#17becf",
)


# --- run lengths (COCO) --------------------------------------------------------------------------------------------


def encode_rle(mask: ArrayLike) -> dict[str, Any]:
    """{'size': [height, width], 'counts': text}: COCO's compressed run lengths, column by column."""
    pixels = np.asarray(mask) != 0
    if pixels.ndim != 2:
        raise ValueError(f"a mask has two dimensions, found {pixels.ndim}")
    flat = pixels.ravel(order="F")
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    ends = np.concatenate([[0], changes, [flat.size]]) if flat.size else np.array([0])
    counts = np.diff(ends).tolist()
    if flat.size and flat[0]:
        counts.insert(0, 0)  # The first run is always background.
    return {"size": [pixels.shape[0], pixels.shape[1]], "counts": _pack(counts)}


def decode_rle(rle: Mapping[str, Any]) -> NDArray[np.uint8]:
    """The mask of COCO run lengths, compressed (text) or plain (a list of counts); raises ValueError."""
    height, width = (int(side) for side in rle["size"])
    if not 0 <= height * width <= MAX_PIXELS or min(height, width) < 0:
        raise ValueError(f"run lengths describe {height} x {width} pixels, at most {MAX_PIXELS:,} are allowed")
    counts = rle["counts"]
    if isinstance(counts, str | bytes):
        counts = _unpack(counts if isinstance(counts, str) else counts.decode("ascii", "replace"))
    if any(count < 0 for count in counts) or sum(counts) != height * width:
        raise ValueError(f"run lengths cover {sum(counts)} pixels, expected {height} x {width}")
    runs = np.asarray(counts, dtype=np.int64)
    flat = np.repeat(np.arange(len(runs)) % 2, runs).astype(np.uint8)
    return flat.reshape((height, width), order="F")


def _pack(counts: Sequence[int]) -> str:
    """COCO's text: counts in signed groups of five bits; from the fourth on, less the count two before."""
    text = bytearray()
    for place, count in enumerate(counts):
        value = count - counts[place - 2] if place > 2 else count
        while True:
            bits = value & 0x1F
            value >>= 5
            done = value == (-1 if bits & 0x10 else 0)
            text.append((bits if done else bits | 0x20) + 48)
            if done:
                break
    return text.decode("ascii")


def _unpack(text: str) -> list[int]:
    counts: list[int] = []
    at = 0
    while at < len(text):
        value = shift = 0
        while True:
            if at >= len(text) or not 48 <= ord(text[at]) < 112 or shift > 40:
                raise ValueError(f"run lengths are damaged at character {at + 1}")
            group = ord(text[at]) - 48
            value |= (group & 0x1F) << shift
            shift += 5
            at += 1
            if not group & 0x20:
                break
        if group & 0x10:
            value -= 1 << shift
        counts.append(value + (counts[-2] if len(counts) > 2 else 0))
    return counts


# --- palette PNG ---------------------------------------------------------------------------------------------------


def write_palette_png(indices: ArrayLike, colors: Mapping[int, str]) -> bytes:
    """An 8-bit palette PNG: pixel value = class index, palette entry = its '#rrggbb', unused entries white."""
    pixels = np.ascontiguousarray(indices, dtype=np.uint8)
    if pixels.ndim != 2:
        raise ValueError(f"a mask has two dimensions, found {pixels.ndim}")
    palette = bytearray(b"\xff" * 768)
    for index, color in colors.items():
        if not 0 <= index <= 255:
            raise ValueError(f"class index {index} does not fit a palette of 256")
        palette[3 * index : 3 * index + 3] = _rgb(color)
    missing = sorted(set(np.unique(pixels).tolist()) - set(colors) - {0})
    if missing:
        raise ValueError(f"class indices without a colour: {missing}")
    image = Image.frombytes("P", (pixels.shape[1], pixels.shape[0]), pixels.tobytes())
    image.putpalette(bytes(palette))
    out = BytesIO()
    image.save(out, "PNG", bits=8)
    return out.getvalue()


def read_palette_png(raw: bytes) -> tuple[NDArray[np.uint8], dict[int, str]]:
    """(indices, {index: '#rrggbb'} of the indices used); raises ValueError for anything but a palette PNG."""
    image = _open_png(raw)
    if image.mode != "P":
        raise ValueError(f"a palette PNG was expected, found mode {image.mode}")
    indices = np.asarray(image, dtype=np.uint8)
    palette = image.getpalette("RGB") or []
    colors = {}
    for index in np.unique(indices).tolist():
        entry = palette[3 * index : 3 * index + 3] or [255, 255, 255]
        colors[index] = "#{:02x}{:02x}{:02x}".format(*entry)
    return indices, colors


def _open_png(raw: bytes) -> Image.Image:
    if len(raw) > MAX_PNG_BYTES:
        raise ValueError(f"the PNG has {len(raw):,} bytes, at most {MAX_PNG_BYTES:,} are allowed")
    try:
        image = Image.open(BytesIO(raw), formats=["PNG"])
        if image.width * image.height > MAX_PIXELS:
            raise ValueError(f"the PNG has {image.width} x {image.height} pixels, at most {MAX_PIXELS:,} are allowed")
        image.load()
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"not a readable PNG: {error}") from None
    return image


def _rgb(color: object) -> bytes:
    if not isinstance(color, str) or not _HEX.fullmatch(color):
        raise ValueError(f"a colour looks like '#2ca02c', found {color!r}")
    return bytes.fromhex(color[1:])


# --- worker answers ------------------------------------------------------------------------------------------------


def parse_mask_answer(
    content: Mapping[str, Any],
    *,
    labels: Sequence[str],
    image_size: ImageSize | tuple[int, ...],
    element_name: str = "crowd-semantic-segmentation",
) -> Mask:
    """The mask of a `<crowd-semantic-segmentation>` answer; class indices are indices into `labels` plus one.

    White or transparent pixels are background; any other colour has to be one of the answer's labelMappings.
    Raises AnswerError.
    """
    element = content.get(element_name) if isinstance(content, Mapping) else None
    if not isinstance(element, Mapping):
        raise AnswerError(element_name, "is missing or not an object")
    size = ImageSize(*image_size)
    colors = _label_colors(element.get("labelMappings"), labels, f"{element_name}.labelMappings")
    where = f"{element_name}.labeledImage.pngImageData"
    holder = element.get("labeledImage")
    data = holder.get("pngImageData") if isinstance(holder, Mapping) else None
    if not isinstance(data, str):
        raise AnswerError(where, "is missing")
    try:
        image = _open_png(base64.b64decode(data, validate=True))
    except (ValueError, binascii.Error) as error:
        raise AnswerError(where, str(error)) from None
    if image.size != (size.width, size.height):
        raise AnswerError(where, f"is {image.width} x {image.height}, but the image has {size.width} x {size.height}")
    pixels = np.asarray(image.convert("RGBA")).astype(np.uint32)
    packed = (pixels[..., 0] << 16) | (pixels[..., 1] << 8) | pixels[..., 2]
    packed[pixels[..., 3] == 0] = 0xFFFFFF
    found, inverse = np.unique(packed, return_inverse=True)
    table = np.zeros(len(found), dtype=np.uint8)
    for place, color in enumerate(found.tolist()):
        if color != 0xFFFFFF and color not in colors:
            raise AnswerError(where, f"holds the colour #{color:06x}, which no label has")
        table[place] = colors.get(color, 0)
    indices = table[inverse].reshape(packed.shape)
    used = {index: labels[index - 1] for index in sorted(set(table.tolist())) if index}
    return Mask(indices, used)


def _label_colors(mappings: Any, labels: Collection[str], where: str) -> dict[int, int]:
    if not isinstance(mappings, Mapping):
        raise AnswerError(where, "is missing")
    index = {label: place + 1 for place, label in enumerate(labels)}
    colors: dict[int, int] = {}
    for label, value in mappings.items():
        if label not in index:
            raise AnswerError(where, f"{str(label)[:100]!r} is not one of the labels of this task")
        try:
            color = int.from_bytes(_rgb(value.get("color") if isinstance(value, Mapping) else None), "big")
        except ValueError as error:
            raise AnswerError(f"{where}.{label}", str(error)) from None
        if colors.setdefault(color, index[label]) != index[label]:
            raise AnswerError(f"{where}.{label}", "has the colour of another label")
    return colors


def mask_content(
    mask: Mask, *, colors: Mapping[str, str], element_name: str = "crowd-semantic-segmentation"
) -> dict[str, Any]:
    """The answer a worker's page would send for this mask; `colors` gives '#rrggbb' for each label."""
    table = np.full((256, 3), 255, dtype=np.uint8)
    for index, label in mask.labels.items():
        table[index] = list(_rgb(colors[label]))
    out = BytesIO()
    Image.fromarray(table[mask.indices]).save(out, "PNG")
    height, width = mask.indices.shape
    return {
        element_name: {
            "inputImageProperties": {"height": height, "width": width},
            "labelMappings": {label: {"color": colors[label]} for label in mask.labels.values()},
            "labeledImage": {"pngImageData": base64.b64encode(out.getvalue()).decode("ascii")},
        }
    }
