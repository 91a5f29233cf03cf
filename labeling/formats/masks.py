"""Pixel masks in their file forms: COCO run lengths, palette PNG (dataset labels), any PNG as runs of colours.

A mask is uint8 of shape (height, width); 0 is background. It must not know what labels mean, nor jobs or storage. The
answers of workers are in `mask_answers`.
"""

from __future__ import annotations

import colorsys
import re
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, UnidentifiedImageError

MAX_PIXELS = 100_000_000
MAX_PNG_BYTES = 40_000_000
BACKGROUND = "#ffffff"
Ints = NDArray[np.int64]
_MOST_GROUPS = 9
"""Groups of five bits of a count at most: far more than the pixels of any image need."""
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
_GOLDEN_ANGLE = 0.381966


def distinct_colors(number: int) -> list[str]:
    """So many different colours: Ground Truth's, then others around the circle of hues, none of them white."""
    found = list(PALETTE[:number])
    place = 0
    while len(found) < number:
        hue = place * _GOLDEN_ANGLE % 1.0
        parts = colorsys.hls_to_rgb(hue, (0.35, 0.5, 0.65)[place % 3], 0.75)
        color = "#" + "".join(f"{round(255 * part):02x}" for part in parts)
        place += 1
        if color not in found:
            found.append(color)
    return found


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
    return {"size": [pixels.shape[0], pixels.shape[1]], "counts": pack(counts)}


def decode_rle(rle: Mapping[str, Any]) -> NDArray[np.uint8]:
    """The mask of COCO run lengths, compressed (text) or plain (a list of counts); raises ValueError."""
    height, width = (int(side) for side in rle["size"])
    if not 0 <= height * width <= MAX_PIXELS or min(height, width) < 0:
        raise ValueError(f"run lengths describe {height} x {width} pixels, at most {MAX_PIXELS:,} are allowed")
    counts = rle["counts"]
    if isinstance(counts, str | bytes):
        counts = unpack(counts if isinstance(counts, str) else counts.decode("ascii", "replace"))
    if any(count < 0 for count in counts) or sum(counts) != height * width:
        raise ValueError(f"run lengths cover {sum(counts)} pixels, expected {height} x {width}")
    runs = np.asarray(counts, dtype=np.int64)
    flat = np.repeat(np.arange(len(runs)) % 2, runs).astype(np.uint8)
    return flat.reshape((height, width), order="F")


def pack(counts: ArrayLike) -> str:
    """COCO's text: counts in signed groups of five bits; from the fourth on, less the count two before."""
    whole = np.asarray(counts, np.int64)
    value = whole.copy()
    value[3:] -= whole[1:-2]
    # A group more for each five bits that the value and its sign do not fit into.
    groups = np.ones(len(value), np.int64)
    for more in range(1, _MOST_GROUPS):
        groups += (value >= 1 << 5 * more - 1) | (value < -(1 << 5 * more - 1))
    place = np.arange(int(groups.sum())) - np.repeat(np.cumsum(groups) - groups, groups)
    bits = (np.repeat(value, groups) >> 5 * place) & 0x1F
    bits |= np.where(place < np.repeat(groups, groups) - 1, 0x20, 0)
    return (bits + 48).astype(np.uint8).tobytes().decode("ascii")


def unpack(text: str) -> list[int]:
    """The counts of COCO's text. Raises ValueError naming the character that is damaged."""
    return unpacked(text).tolist()


def unpacked(text: str) -> Ints:
    """`unpack` as an array. Raises ValueError naming the character that is damaged."""
    given = np.frombuffer(text.encode("utf-32-le"), np.uint32).astype(np.int64)
    if not len(given):
        return np.zeros(0, np.int64)
    group = given - 48
    last = (group & 0x20) == 0
    first = np.concatenate([[True], last[:-1]])
    number = np.cumsum(first) - 1
    start = np.flatnonzero(first)
    place = np.arange(len(group)) - start[number]
    bad = np.flatnonzero((group < 0) | (group >= 64) | (place >= _MOST_GROUPS))
    if len(bad) or not last[-1]:
        raise ValueError(f"run lengths are damaged at character {bad[0] + 1 if len(bad) else len(text) + 1}")
    value = np.add.reduceat((group & 0x1F) << 5 * place, start)
    end = np.flatnonzero(last)
    value -= np.where(group[end] & 0x10, 1 << 5 * (place[end] + 1), 0)
    value[1::2] = np.cumsum(value[1::2])
    value[2::2] = np.cumsum(value[2::2])
    return np.asarray(value, np.int64)


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
        palette[3 * index : 3 * index + 3] = rgb(color)
    missing = sorted(set(np.flatnonzero(np.bincount(pixels.ravel())).tolist()) - set(colors) - {0})
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


def read_indices(raw: bytes, colors: Mapping[int, str]) -> NDArray[np.uint8]:
    """(height, width) indices of a PNG: those of its palette, or, where it has none, those of `colors` by colour.

    White is 0 where no index has it. Raises ValueError for a colour that no index has.
    """
    image = _open_png(raw)
    if image.mode == "P":
        return np.asarray(image, dtype=np.uint8)
    starts, found = color_runs(raw, size=image.size)
    numbers = {0xFFFFFF: 0} | {int.from_bytes(rgb(color), "big"): index for index, color in colors.items()}
    used, inverse = np.unique(found, return_inverse=True)
    if unknown := [color for color in used.tolist() if color not in numbers]:
        raise ValueError(f"the PNG holds the colour #{unknown[0]:06x}, which no class has")
    values = np.asarray([numbers[color] for color in used.tolist()], np.uint8)[inverse]
    flat = np.repeat(values, np.diff(starts, append=image.width * image.height))
    return flat.reshape((image.height, image.width), order="F")


def color_runs(raw: bytes, *, size: tuple[int, int]) -> tuple[Ints, Ints]:
    """(first pixels, colours 0xRRGGBB) of the runs of a PNG, column by column; transparent pixels are white.

    Raises ValueError for what is no PNG, or one of another (width, height); only one of this size is decoded.
    """
    image = _open_png(raw, size)
    if image.mode == "P":
        pixels = np.asarray(image, dtype=np.uint8)
        starts = _run_starts(pixels.ravel(order="F"))
        return starts, _palette(image)[pixels.ravel(order="F")[starts]]
    rgba = np.ascontiguousarray(np.asarray(image.convert("RGBA")))
    words = rgba.view("<u4")[..., 0].ravel(order="F")
    starts = _run_starts(words)
    red, green, blue, alpha = (words[starts] >> shift & 0xFF for shift in (0, 8, 16, 24))
    return starts, np.where(alpha == 0, 0xFFFFFF, red << 16 | green << 8 | blue).astype(np.int64)


def _run_starts(flat: NDArray[Any]) -> Ints:
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    return np.concatenate([np.zeros(min(1, flat.size), np.int64), changes])


def _palette(image: Image.Image) -> Ints:
    """The 256 colours of a palette image, white where it has none and where it is transparent."""
    given = np.asarray((image.getpalette("RGB") or [])[:768], np.int64).reshape(-1, 3)
    table = np.full(256, 0xFFFFFF, np.int64)
    table[: len(given)] = given @ np.array([1 << 16, 1 << 8, 1])
    transparent = image.info.get("transparency", b"")
    alpha = {transparent: 0} if isinstance(transparent, int) else dict(enumerate(transparent))
    table[[entry for entry, opaque in alpha.items() if opaque == 0]] = 0xFFFFFF
    return table


def _open_png(raw: bytes, size: tuple[int, int] | None = None) -> Image.Image:
    if len(raw) > MAX_PNG_BYTES:
        raise ValueError(f"the PNG has {len(raw):,} bytes, at most {MAX_PNG_BYTES:,} are allowed")
    try:
        image = Image.open(BytesIO(raw), formats=["PNG"])
        if size is not None and image.size != size:
            raise ValueError(f"is {image.width} x {image.height}, but the image has {size[0]} x {size[1]}")
        if image.width * image.height > MAX_PIXELS:
            raise ValueError(f"the PNG has {image.width} x {image.height} pixels, at most {MAX_PIXELS:,} are allowed")
        image.load()
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"not a readable PNG: {error}") from None
    return image


def rgb(color: object) -> bytes:
    """The three bytes of '#rrggbb'; raises ValueError for anything else."""
    if not isinstance(color, str) or not _HEX.fullmatch(color):
        found = repr(color[:20]) if isinstance(color, str) else type(color).__name__
        raise ValueError(f"a colour looks like '#2ca02c', found {found}")
    return bytes.fromhex(color[1:])
