"""Random changes to a training image that leave its labels true, in presets by name.

Pure numpy and Pillow on images already at the detector's size. It must not know models, files or batches.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Pixels = NDArray[np.uint8]  # [S, S, 3] RGB
Boxes = NDArray[np.float32]  # [n, 4] xyxy px
Labels = NDArray[np.int64]  # [n]
Transform = Callable[[Pixels, Boxes, Labels, np.random.Generator], tuple[Pixels, Boxes, Labels]]


@dataclass(frozen=True)
class Preset:
    """How far an image may be changed. Chances 0..1; factors are ranges drawn from log-uniformly."""

    mirror: float = 0.0
    any_way_up: float = 0.0  # chance of a random quarter turn and upside-down mirror as well
    zoom: tuple[float, float] = (1.0, 1.0)  # below 1 shows more than the image (grey around it), above 1 a part
    zoom_chance: float = 0.0
    stretch: float = 1.0  # largest factor on the aspect ratio
    light: float = 0.0  # deviation of brightness and contrast
    tint: float = 0.0  # deviation of each channel's gain
    grey: float = 0.0
    blur: float = 0.0
    least_visible: float = 0.35  # a box of which less remains inside is dropped


PRESETS = {
    "none": Preset(),
    "light": Preset(mirror=0.5, light=0.1, tint=0.03),
    "standard": Preset(
        mirror=0.5, zoom=(0.6, 1.8), zoom_chance=0.7, stretch=1.2, light=0.2, tint=0.06, grey=0.03, blur=0.08
    ),
    "strong": Preset(
        mirror=0.5, zoom=(0.4, 3.0), zoom_chance=0.85, stretch=1.4, light=0.3, tint=0.12, grey=0.1, blur=0.15
    ),
    # For objects that are small even at the largest input: mostly parts of the image, enlarged.
    "close_up": Preset(
        mirror=0.5, zoom=(0.9, 4.0), zoom_chance=0.8, stretch=1.2, light=0.2, tint=0.06, grey=0.03, blur=0.04
    ),
    # For pictures that have no upright: microscopy, aerial views, things on a table.
    "any_way_up": Preset(
        mirror=0.5, any_way_up=1.0, zoom=(0.6, 1.8), zoom_chance=0.7, stretch=1.2, light=0.2, tint=0.06, grey=0.03,
        blur=0.08,
    ),
}  # fmt: skip


def train_transform(preset: str) -> Transform:
    """The transform of a preset: (pixels, boxes, labels, rng) -> the same three, changed; the input is left alone.

    Boxes that end up mostly outside are dropped with their labels. Raises ValueError for an unknown name.
    """
    if preset not in PRESETS:
        raise ValueError(f"no augmentation preset {preset!r}; there are: {', '.join(PRESETS)}")
    return _Transform(PRESETS[preset])


@dataclass(frozen=True)
class _Transform:
    preset: Preset  # a dataclass and not a closure, so that loader processes can be handed it

    def __call__(
        self, pixels: Pixels, boxes: Boxes, labels: Labels, rng: np.random.Generator
    ) -> tuple[Pixels, Boxes, Labels]:
        preset, boxes = self.preset, boxes.astype(np.float32, copy=True)
        if rng.random() < preset.mirror:
            pixels, boxes = _mirrored(pixels, boxes)
        if rng.random() < preset.any_way_up:
            pixels, boxes = _turned(pixels, boxes, int(rng.integers(4)))
        if rng.random() < preset.zoom_chance:
            pixels, boxes, labels = _zoomed(pixels, boxes, labels, preset, rng)
        pixels = _relit(pixels, preset, rng)
        if rng.random() < preset.blur:
            soft = Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.2)))
            pixels = np.asarray(soft)
        return np.ascontiguousarray(pixels), boxes, labels


def _mirrored(pixels: Pixels, boxes: Boxes) -> tuple[Pixels, Boxes]:
    width = pixels.shape[1]
    return pixels[:, ::-1], np.stack([width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]], 1)


def _turned(pixels: Pixels, boxes: Boxes, quarters: int) -> tuple[Pixels, Boxes]:
    for _ in range(quarters):  # anticlockwise: (x, y) -> (y, width - x)
        width = pixels.shape[1]
        pixels = np.rot90(pixels)
        boxes = np.stack([boxes[:, 1], width - boxes[:, 2], boxes[:, 3], width - boxes[:, 0]], 1)
    return pixels, boxes


def _zoomed(
    pixels: Pixels, boxes: Boxes, labels: Labels, preset: Preset, rng: np.random.Generator
) -> tuple[Pixels, Boxes, Labels]:
    """Crop to a window that may reach beyond the image, where it is grey."""
    side = pixels.shape[0]
    zoom = math.exp(rng.uniform(*np.log(preset.zoom)))
    stretch = preset.stretch ** rng.uniform(-0.5, 0.5)
    width, height = side / zoom * stretch, side / zoom / stretch
    left, top = (_offset(side, extent, rng) for extent in (width, height))
    scale = np.array([side / width, side / height] * 2, np.float32)
    moved = (boxes - np.array([left, top] * 2, np.float32)) * scale
    shown = np.clip(moved, 0, side)
    kept = _area(shown) >= preset.least_visible * np.maximum(_area(moved), 1e-6)
    if len(boxes) and not kept.any():
        return pixels, boxes, labels  # A window without any box teaches less than the whole image.
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + width, side), min(top + height, side)
    target = [round((x0 - left) * scale[0]), round((y0 - top) * scale[1])]
    extent = [max(1, round((x1 - x0) * scale[0])), max(1, round((y1 - y0) * scale[1]))]
    part = Image.fromarray(pixels).resize(extent, Image.Resampling.BILINEAR, box=(x0, y0, x1, y1))
    canvas = Image.new("RGB", (side, side), (114, 114, 114))
    canvas.paste(part, tuple(target))
    return np.asarray(canvas), shown[kept], labels[kept]


def _offset(side: int, extent: float, rng: np.random.Generator) -> float:
    """Where the window begins: inside the image if it is smaller, else so that the image is inside it."""
    return float(rng.uniform(min(0.0, side - extent), max(0.0, side - extent)))


def _area(boxes: Boxes) -> NDArray[np.float32]:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def _relit(pixels: Pixels, preset: Preset, rng: np.random.Generator) -> Pixels:
    """Brightness, contrast and tint by one table for each channel; rarely all colour is taken away."""
    if preset.light or preset.tint:
        gain = math.exp(rng.normal(0, preset.light)) * np.exp(rng.normal(0, preset.tint, 3))
        lift = rng.normal(0, 40 * preset.light)
        ramp = np.arange(256, dtype=np.float32)
        table = np.clip((ramp[None] - 128) * gain[:, None] + 128 + lift, 0, 255).astype(np.uint8)
        image = Image.fromarray(pixels).point(table.ravel().tolist())
        pixels = np.asarray(image)
    if rng.random() < preset.grey:
        pixels = np.asarray(Image.fromarray(pixels).convert("L").convert("RGB"))
    return pixels
