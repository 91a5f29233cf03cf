"""Objects for generated pretraining scenes: random shapes filled with random textures, as RGBA pictures.

A sprite's kind is its shape family and its texture family, so that a detector trained on them must look at
both. It must not know scenes or training, and draws nothing in the likeness of any particular data set.
"""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from learning.scenes.painting import Rng, as_image, smooth_noise

SHAPES = (
    "disc", "blob", "triangle", "quad", "polygon", "star", "ring", "crescent", "bar", "creature", "panel",
    "glyph", "flower", "cluster", "fork", "vessel",
)  # fmt: skip
TEXTURES = ("flat", "ball", "gradient", "stripes", "spots", "checker", "noise", "nested")
DRAWN = 256  # side at which masks are drawn, before they are cut to their content


@dataclass(frozen=True)
class Sprite:
    """picture: RGBA cut tightly to what is visible; shape, texture: indices into SHAPES and TEXTURES."""

    picture: Image.Image
    shape: int
    texture: int


def sprite(rng: Rng) -> Sprite:
    """One random object, its longer side between about 120 and 240 px."""
    while True:
        shape, texture = int(rng.integers(len(SHAPES))), int(rng.integers(len(TEXTURES)))
        mask = _SHAPE_MAKERS[SHAPES[shape]](rng)
        box = mask.point(lambda v: 255 if v > 127 else 0).getbbox()
        if box is None or min(box[2] - box[0], box[3] - box[1]) < 12:
            continue
        mask = mask.crop(box)
        colour = fill(rng, TEXTURES[texture], mask.size)
        if SHAPES[shape] in ("creature", "panel", "vessel", "flower"):
            colour = _with_parts(rng, colour)
        if rng.random() < 0.4:
            colour = _with_rim(rng, colour, mask)
        picture = colour.convert("RGB")
        picture.putalpha(mask)
        return Sprite(picture, shape, texture)


# --- colours and textures ------------------------------------------------------


def colours(rng: Rng, count: int) -> np.ndarray:
    """[count, 3] in 0..255: a random base and neighbours or opposites of it, mostly as muted as in photos."""
    spread = rng.choice([25.0, 70.0, 140.0])
    found = np.clip(rng.uniform(0, 255, 3) + rng.normal(0, spread, (count, 3)), 0, 255)
    grey = found.mean(1, keepdims=True)
    return grey + (found - grey) * rng.beta(1.2, 1.2)


def fractal(rng: Rng, width: int, height: int, roughness: float = 0.55) -> np.ndarray:
    """Smooth noise [height, width] in 0..1: grids of growing fineness added up."""
    total, weight, cells = np.zeros((height, width), np.float32), 1.0, int(rng.integers(2, 6))
    while cells < max(width, height) and weight > 0.02:
        total += weight * smooth_noise(rng, cells + 1, width, height)
        weight, cells = weight * roughness, cells * 2
    low, high = float(total.min()), float(total.max())
    return (total - low) / max(high - low, 1e-6)


def fill(rng: Rng, texture: str, size: tuple[int, int]) -> Image.Image:
    """A picture of this size in the named texture."""
    width, height = size
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    u, v = x / max(width - 1, 1), y / max(height - 1, 1)
    first, second, third = colours(rng, 3)
    angle, period = rng.uniform(0, math.pi), rng.uniform(0.06, 0.35)
    along = u * math.cos(angle) + v * math.sin(angle)
    across = -u * math.sin(angle) + v * math.cos(angle)
    if texture == "ball":
        cx, cy = rng.uniform(0.25, 0.6, 2)
        share = np.clip(np.hypot(u - cx, v - cy) / rng.uniform(0.5, 0.9), 0, 1) ** rng.uniform(0.7, 2)
    elif texture == "gradient":
        share = (along - along.min()) / np.ptp(along)
    elif texture == "stripes":
        share = 0.5 + 0.5 * np.tanh(rng.uniform(1, 8) * np.sin(2 * math.pi * along / period))
    elif texture == "spots":
        share = _spots(rng, u, v)
    elif texture == "checker":
        share = ((np.floor(along / period) + np.floor(across / period)) % 2).astype(np.float32)
    elif texture == "noise":
        share = fractal(rng, width, height, rng.uniform(0.4, 0.8))
    elif texture == "nested":
        radius = np.hypot((u - 0.5) + rng.uniform(-0.1, 0.1), (v - 0.5) + rng.uniform(-0.1, 0.1))
        share = (radius < rng.uniform(0.15, 0.35)).astype(np.float32) * rng.uniform(0.6, 1)
    else:
        share = np.zeros_like(u)
    plane = first + share[..., None] * (second - first)
    grain = fractal(rng, width, height)[..., None] * rng.uniform(0, 0.25)
    shade = 1 + rng.uniform(-0.35, 0.35) * (along - 0.5)[..., None]
    return as_image((plane * (1 - grain) + third * grain) * shade)


def _spots(rng: Rng, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    share = np.zeros_like(u)
    for _ in range(int(rng.integers(4, 16))):
        cx, cy, radius = *rng.random(2), rng.uniform(0.03, 0.14)
        share = np.maximum(share, np.clip((radius - np.hypot(u - cx, v - cy)) * 40, 0, 1))
    return share


def _with_rim(rng: Rng, colour: Image.Image, mask: Image.Image) -> Image.Image:
    inner = mask.filter(ImageFilter.MinFilter(int(rng.choice([3, 5, 9, 13]))))
    rim = Image.new("RGB", colour.size, tuple(int(c) for c in colours(rng, 1)[0]))
    return Image.composite(colour.convert("RGB"), rim, inner)


def _with_parts(rng: Rng, colour: Image.Image) -> Image.Image:
    """Marks inside an object: eyes, windows, signs."""
    colour = colour.convert("RGB")
    draw, (width, height) = ImageDraw.Draw(colour), colour.size
    for _ in range(int(rng.integers(1, 6))):
        w, h = rng.uniform(0.05, 0.35) * width, rng.uniform(0.05, 0.35) * height
        x, y = rng.uniform(0, width - w), rng.uniform(0, height - h)
        paint = tuple(int(c) for c in colours(rng, 1)[0])
        kind = rng.integers(3)
        if kind == 0:
            draw.ellipse([x, y, x + w, y + h], fill=paint)
        elif kind == 1:
            draw.rectangle([x, y, x + w, y + h], fill=paint)
        else:
            draw.text((x, y), _letter(rng), fill=paint, font=_font(int(max(10, h))))
    return colour


# --- shapes --------------------------------------------------------------------


def _canvas() -> tuple[Image.Image, ImageDraw.ImageDraw]:
    mask = Image.new("L", (DRAWN, DRAWN))
    return mask, ImageDraw.Draw(mask)


def _radial(radius: np.ndarray, squeeze: float, turn: float) -> Image.Image:
    """A closed outline given by its distance from the centre (in half sides) at equal angles."""
    angle = np.linspace(0, 2 * math.pi, len(radius), endpoint=False)
    x, y = radius * np.cos(angle), radius * np.sin(angle) * squeeze
    px, py = x * math.cos(turn) - y * math.sin(turn), x * math.sin(turn) + y * math.cos(turn)
    reach = max(float(np.abs(px).max()), float(np.abs(py).max()), 1e-3)
    half = DRAWN / 2
    mask, draw = _canvas()
    points = np.stack([half + px / reach * (half - 4), half + py / reach * (half - 4)], 1)
    draw.polygon([tuple(point) for point in points], fill=255)
    return mask


def _disc(rng: Rng) -> Image.Image:
    return _radial(np.ones(90), rng.uniform(0.45, 1), rng.uniform(0, math.pi))


def _blob(rng: Rng) -> Image.Image:
    angle = np.linspace(0, 2 * math.pi, 120, endpoint=False)
    radius = np.ones(120)
    for wave in range(2, 7):
        radius += rng.normal(0, 0.35 / wave) * np.cos(wave * angle + rng.uniform(0, 2 * math.pi))
    return _radial(np.clip(radius, 0.25, 3), rng.uniform(0.5, 1), rng.uniform(0, math.pi))


def _corners(rng: Rng, count: int, wobble: float) -> Image.Image:
    angle = np.linspace(0, 2 * math.pi, count, endpoint=False) + rng.normal(0, wobble / count, count)
    radius = np.clip(1 + rng.normal(0, wobble, count), 0.4, 2)
    x, y = radius * np.cos(angle), radius * np.sin(angle) * rng.uniform(0.5, 1)
    turn = rng.uniform(0, 2 * math.pi)
    px, py = x * math.cos(turn) - y * math.sin(turn), x * math.sin(turn) + y * math.cos(turn)
    reach, half = max(np.abs(px).max(), np.abs(py).max()), DRAWN / 2
    mask, draw = _canvas()
    draw.polygon([(half + a / reach * 120, half + b / reach * 120) for a, b in zip(px, py, strict=True)], fill=255)
    if rng.random() < 0.4:  # rounded corners
        mask = mask.filter(ImageFilter.GaussianBlur(6)).point(lambda v: 255 if v > 127 else 0)
    return mask


def _star(rng: Rng) -> Image.Image:
    arms = int(rng.integers(4, 10))
    radius = np.where(np.arange(2 * arms) % 2 == 0, 1.0, rng.uniform(0.3, 0.7))
    return _radial(radius, rng.uniform(0.7, 1), rng.uniform(0, math.pi))


def _ring(rng: Rng) -> Image.Image:
    mask = _disc(rng)
    hole = rng.uniform(0.3, 0.75)
    side = int(DRAWN * hole)
    inner = mask.resize((side, side))
    offset = (DRAWN - side) // 2
    mask.paste(0, (offset, offset), inner)
    return mask


def _crescent(rng: Rng) -> Image.Image:
    mask = _disc(rng)
    shift = rng.uniform(25, 70, 2) * rng.choice([-1, 1], 2)
    mask.paste(0, (int(shift[0]), int(shift[1])), mask.copy())
    return mask


def _bar(rng: Rng) -> Image.Image:
    mask, draw = _canvas()
    angle, length, thick = rng.uniform(0, math.pi), rng.uniform(80, 120), int(rng.integers(12, 44))
    dx, dy = length * math.cos(angle), length * math.sin(angle)
    bend = rng.normal(0, 25, 2)
    points = [(128 - dx, 128 - dy), (128 + bend[0], 128 + bend[1]), (128 + dx, 128 + dy)]
    draw.line(points, fill=255, width=thick, joint="curve")
    for x, y in (points[0], points[2]):
        draw.ellipse([x - thick / 2, y - thick / 2, x + thick / 2, y + thick / 2], fill=255)
    return mask


def _oval(draw: ImageDraw.ImageDraw, x: float, y: float, rx: float, ry: float) -> None:
    draw.ellipse([x - rx, y - ry, x + rx, y + ry], fill=255)


def _creature(rng: Rng) -> Image.Image:
    """A trunk, a head, limbs and perhaps a tail, turned any way."""
    mask, draw = _canvas()
    rx, ry = rng.uniform(40, 75), rng.uniform(22, 45)
    _oval(draw, 128, 128, rx, ry)
    head = rng.uniform(14, 30)
    _oval(draw, 128 + rx + head * 0.5, 128 - rng.uniform(-10, 30), head, head * rng.uniform(0.8, 1.2))
    limbs, width = int(rng.integers(2, 5)), int(rng.integers(5, 14))
    for side in (-1, 1):
        for x in np.linspace(-rx * 0.7, rx * 0.7, limbs):
            foot = (128 + x + rng.normal(0, 14), 128 + side * (ry + rng.uniform(12, 38)))
            draw.line([(128 + x, 128), foot], fill=255, width=width)
        if rng.random() < 0.5:
            break
    if rng.random() < 0.5:
        draw.line([(128 - rx, 128), (128 - rx - 30, 128 + rng.normal(0, 25))], fill=255, width=width)
    return mask.rotate(rng.uniform(0, 360), resample=Image.Resampling.BILINEAR)


def _panel(rng: Rng) -> Image.Image:
    mask, draw = _canvas()
    w, h = rng.uniform(50, 100, 2)
    draw.rounded_rectangle([128 - w, 128 - h, 128 + w, 128 + h], radius=rng.uniform(0, 24), fill=255)
    return mask.rotate(rng.choice([0.0, rng.uniform(0, 360)]), resample=Image.Resampling.BILINEAR)


def _letter(rng: Rng) -> str:
    return str(rng.choice(list("ABCDEFGHKMNPQRSTUVWXYZ23456789&%#@?")))


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _glyph(rng: Rng) -> Image.Image:
    mask, draw = _canvas()
    draw.text((128, 128), _letter(rng), fill=255, font=_font(int(rng.integers(130, 210))), anchor="mm",
              stroke_width=int(rng.integers(0, 10)))  # fmt: skip
    return mask.rotate(rng.normal(0, 40), resample=Image.Resampling.BILINEAR)


def _flower(rng: Rng) -> Image.Image:
    angle = np.linspace(0, 2 * math.pi, 180, endpoint=False)
    petals = rng.integers(3, 9)
    return _radial(1 + rng.uniform(0.2, 0.6) * np.cos(petals * angle), rng.uniform(0.6, 1), rng.uniform(0, 3))


def _cluster(rng: Rng) -> Image.Image:
    """Several touching lobes that belong together."""
    mask, draw = _canvas()
    x, y, radius = 128.0, 128.0, rng.uniform(22, 45)
    for _ in range(int(rng.integers(2, 6))):
        _oval(draw, x, y, radius, radius * rng.uniform(0.8, 1.2))
        angle = rng.uniform(0, 2 * math.pi)
        x = float(np.clip(x + radius * 1.1 * math.cos(angle), 50, 206))
        y = float(np.clip(y + radius * 1.1 * math.sin(angle), 50, 206))
    return mask


def _fork(rng: Rng) -> Image.Image:
    """A branching thing: a stem with side strokes."""
    mask, draw = _canvas()
    width = int(rng.integers(8, 20))
    draw.line([(128, 20), (128, 236)], fill=255, width=width)
    for y in rng.uniform(30, 220, int(rng.integers(2, 6))):
        reach = rng.uniform(30, 90) * rng.choice([-1, 1])
        draw.line([(128, y), (128 + reach, y - rng.uniform(0, 50))], fill=255, width=width)
    return mask.rotate(rng.uniform(0, 360), resample=Image.Resampling.BILINEAR)


def _vessel(rng: Rng) -> Image.Image:
    """Symmetric about its axis like a bottle, a cup or a lamp."""
    mask, draw = _canvas()
    heights = np.linspace(12, 244, 9)
    half = np.clip(np.abs(np.cumsum(rng.normal(0, 18, 9)) + rng.uniform(30, 70)), 10, 110)
    left = [(128 - w, y) for w, y in zip(half, heights, strict=True)]
    draw.polygon(left + [(256 - x, y) for x, y in reversed(left)], fill=255)
    return mask.rotate(rng.choice([0.0, rng.normal(0, 30)]), resample=Image.Resampling.BILINEAR)


_SHAPE_MAKERS = {
    "disc": _disc,
    "blob": _blob,
    "triangle": lambda rng: _corners(rng, 3, 0.15),
    "quad": lambda rng: _corners(rng, 4, 0.15),
    "polygon": lambda rng: _corners(rng, int(rng.integers(5, 9)), 0.12),
    "star": _star,
    "ring": _ring,
    "crescent": _crescent,
    "bar": _bar,
    "creature": _creature,
    "panel": _panel,
    "glyph": _glyph,
    "flower": _flower,
    "cluster": _cluster,
    "fork": _fork,
    "vessel": _vessel,
}
