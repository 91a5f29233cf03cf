"""What garden scenes are painted from: flowers, leaves, bees and ladybirds, as RGBA pictures with soft shading.

Pure numpy and Pillow. It must not know scenes, boxes or files.
"""

import math

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from learning.scenes.painting import Colour, Rng, as_image, smooth_noise

SIDE = 320
"""Insects and flowers are painted this large, in px, and shrunk, which smooths their edges."""

PETALS: tuple[Colour, ...] = (
    (236, 232, 226), (214, 120, 160), (150, 96, 190), (240, 200, 70), (226, 120, 60), (196, 50, 70),
    (120, 140, 220), (245, 214, 224),
)  # fmt: skip


def vary(rng: Rng, colour: Colour, spread: float) -> Colour:
    """The colour, brighter or darker and a little shifted."""
    shifted = np.array(colour) * rng.normal(1, spread / 120) + rng.normal(0, spread / 3, 3)
    return tuple(int(c) for c in np.clip(shifted, 0, 255))  # type: ignore[return-value]


def shaded(mask: Image.Image, colour: Colour, rng: Rng, *, relief: float, grain: float) -> Image.Image:
    """The mask filled with the colour, lit from above left as something round, with a little grain."""
    side = mask.width
    height = np.asarray(mask.filter(ImageFilter.GaussianBlur(side / 26)), np.float32) / 255
    down, right = np.gradient(height)
    light = 1 - (down + right) * relief + (smooth_noise(rng, 24, side, side) - 0.5) * grain
    light *= 0.62 + 0.38 * height
    picture = as_image(np.array(colour, np.float32) * light[..., None])
    picture.putalpha(mask)
    return picture


def oval(cx: float, cy: float, rx: float, ry: float, turn: float = 0.0, side: int = SIDE) -> Image.Image:
    """A mask with one filled ellipse; turn in degrees, anticlockwise."""
    mask = Image.new("L", (side, side))
    ImageDraw.Draw(mask).ellipse([cx - rx, cy - ry, cx + rx, cy + ry], fill=255)
    return mask.rotate(turn, resample=Image.Resampling.BILINEAR, center=(cx, cy)) if turn else mask


def fuzzy(rng: Rng, mask: Image.Image, reach: float) -> Image.Image:
    """The mask with a hairy edge."""
    soft = np.asarray(mask.filter(ImageFilter.GaussianBlur(reach)), np.float32)
    hair = rng.normal(0, 60, soft.shape) * ((soft > 20) & (soft < 235))
    return as_image((soft + hair - 90) * 2.2)


# --- insects ---------------------------------------------------------------------


def bee(rng: Rng) -> Image.Image:
    """A honey bee seen from above, its head to the right."""
    canvas = Image.new("RGBA", (SIDE, SIDE))
    _legs(rng, canvas, x=170, reach=rng.uniform(48, 64), colour=(34, 26, 20), width=6)
    draw = ImageDraw.Draw(canvas)
    for side in (-1, 1):
        tip = (258 + rng.uniform(0, 14), 160 + side * rng.uniform(14, 30))
        draw.line([(226, 160 + side * 6), tip], fill=(30, 24, 20, 255), width=4)
    long, wide = rng.uniform(62, 76), rng.uniform(33, 41)
    belly = oval(112, 160, long, wide)
    amber = vary(rng, (224, 160, 46), 18)
    canvas.alpha_composite(shaded(belly, amber, rng, relief=14, grain=0.35))
    stripes = Image.new("L", (SIDE, SIDE))
    paint = ImageDraw.Draw(stripes)
    for x in np.linspace(112 - long * 0.85, 112 + long * 0.55, int(rng.integers(4, 6))):
        paint.ellipse([x - 9, 160 - wide - 14, x + rng.uniform(5, 10), 160 + wide + 14], fill=255)
    stripes = ImageChops.multiply(stripes.filter(ImageFilter.GaussianBlur(1.5)), belly)
    canvas.alpha_composite(shaded(stripes, vary(rng, (46, 32, 22), 10), rng, relief=8, grain=0.4))
    thorax = fuzzy(rng, oval(180, 160, rng.uniform(30, 36), rng.uniform(31, 37)), 5)
    canvas.alpha_composite(shaded(thorax, vary(rng, (132, 92, 44), 18), rng, relief=10, grain=0.9))
    canvas.alpha_composite(shaded(oval(219, 160, 17, 22), vary(rng, (52, 42, 34), 8), rng, relief=12, grain=0.4))
    for side in (-1, 1):
        canvas.alpha_composite(shaded(oval(222, 160 + side * 15, 9, 8), (18, 14, 12), rng, relief=14, grain=0))
    _wings(rng, canvas)
    return canvas


def _wings(rng: Rng, canvas: Image.Image) -> None:
    spread, opacity = rng.uniform(18, 52), rng.uniform(70, 130)
    for side in (-1, 1):
        for length, width, extra in ((66, 20, 0.0), (46, 15, 20.0)):
            turn = math.radians(spread + extra)
            cx, cy = 176 - math.cos(turn) * length, 160 + side * (14 + math.sin(turn) * length)
            wing = oval(cx, cy, length, width, turn=side * math.degrees(turn))
            layer = shaded(wing, (214, 216, 210), rng, relief=3, grain=0.3)
            layer.putalpha(wing.point(lambda v: int(v * opacity / 255)))
            canvas.alpha_composite(layer)
            veins = Image.new("RGBA", (SIDE, SIDE))
            pen = ImageDraw.Draw(veins)
            for lift in (-0.5, 0.0, 0.5):
                end = (cx - math.cos(turn) * length * 0.9, cy + side * (math.sin(turn) * length * 0.9) + lift * width)
                pen.line([(176, 160 + side * 14), end], fill=(70, 54, 40, 110), width=2)
            veins.putalpha(ImageChops.multiply(veins.getchannel("A"), wing))
            canvas.alpha_composite(veins)


def ladybird(rng: Rng) -> Image.Image:
    """A ladybird seen from above, its head to the right."""
    canvas = Image.new("RGBA", (SIDE, SIDE))
    _legs(rng, canvas, x=150, reach=rng.uniform(90, 104), colour=(24, 20, 20), width=9)
    dark = vary(rng, (28, 24, 24), 6)
    canvas.alpha_composite(shaded(oval(240, 160, 30, 46), dark, rng, relief=12, grain=0.3))
    for side in (-1, 1):
        canvas.alpha_composite(shaded(oval(236, 160 + side * 28, 11, 10), (226, 222, 210), rng, relief=5, grain=0))
    shell = oval(148, 160, rng.uniform(88, 98), rng.uniform(76, 86))
    red = vary(rng, (200, 40, 24) if rng.random() < 0.75 else (222, 120, 24), 20)
    canvas.alpha_composite(shaded(shell, red, rng, relief=16, grain=0.12))
    spots = Image.new("L", (SIDE, SIDE))
    pen = ImageDraw.Draw(spots)
    pen.line([(52, 160), (246, 160)], fill=255, width=5)
    size = rng.uniform(13, 21)
    for along, across in ((105, 34), (150, 50), (185, 28), (92, 62), (205, 58))[: int(rng.integers(2, 6))]:
        for side in (-1, 1):
            x, y, r = along, 160 + side * across, size * rng.uniform(0.85, 1.15)
            pen.ellipse([x - r, y - r, x + r, y + r], fill=255)
    canvas.alpha_composite(shaded(ImageChops.multiply(spots, shell), dark, rng, relief=5, grain=0.2))
    gleam = oval(120, 122, 26, 13, turn=25).filter(ImageFilter.GaussianBlur(7))
    shine = Image.new("RGBA", (SIDE, SIDE), (255, 255, 255, 0))
    shine.putalpha(gleam.point(lambda v: int(v * 0.6)))
    canvas.alpha_composite(shine)
    return canvas


def _legs(rng: Rng, canvas: Image.Image, *, x: float, reach: float, colour: Colour, width: int) -> None:
    pen = ImageDraw.Draw(canvas)
    for side in (-1, 1):
        for start, lean in ((-26, -34), (4, 0), (30, 34)):
            knee = (x + start + lean * 0.7 + rng.normal(0, 4), 160 + side * reach * 0.72)
            foot = (x + start + lean * 1.4 + rng.normal(0, 6), 160 + side * reach)
            pen.line([(x + start, 160), knee, foot], fill=(*colour, 255), width=width, joint="curve")


INSECTS = {"bee": bee, "ladybird": ladybird}


# --- plants ------------------------------------------------------------------------


def flower(rng: Rng) -> Image.Image:
    """A flower from above: one or two rows of petals round a grainy heart."""
    canvas, colour = Image.new("RGBA", (SIDE, SIDE)), PETALS[int(rng.integers(len(PETALS)))]
    colour = vary(rng, colour, 16)
    count, half = int(rng.integers(5, 17)), SIDE / 2
    width = min(46.0, 430 / count) * rng.uniform(0.8, 1.2)
    turn = rng.uniform(0, 360)
    for row in range(int(rng.integers(1, 3))):
        long = rng.uniform(62, 76) * (1 - 0.28 * row)
        tint = vary(rng, colour, 10)
        for number in range(count):
            petal = oval(half + long + 6, half, long, width * rng.uniform(0.85, 1.1))
            picture = _petal(rng, petal, tint, half)
            angle = turn + 360 * number / count + rng.normal(0, 4) + row * 180 / count
            canvas.alpha_composite(picture.rotate(angle, resample=Image.Resampling.BILINEAR))
    heart = fuzzy(rng, oval(half, half, rng.uniform(24, 46), rng.uniform(24, 46)), 3)
    tint = vary(rng, ((206, 150, 36), (120, 84, 40), (170, 170, 60))[int(rng.integers(3))], 20)
    canvas.alpha_composite(shaded(heart, tint, rng, relief=8, grain=1.4))
    squeeze = rng.uniform(0.55, 1)  # seen at a slant
    canvas = canvas.resize((SIDE, int(SIDE * squeeze)), Image.Resampling.BILINEAR)
    return canvas.rotate(rng.uniform(0, 360), resample=Image.Resampling.BILINEAR, expand=True)


def _petal(rng: Rng, mask: Image.Image, tint: Colour, half: float) -> Image.Image:
    picture = np.asarray(shaded(mask, tint, rng, relief=7, grain=0.15), np.float32).copy()
    x = np.arange(SIDE, dtype=np.float32)
    y = x[:, None]
    veins = 1 + 0.06 * np.sin((y - half) * 0.9 + 0.002 * (x - half) * (y - half))
    root = 0.72 + 0.28 * np.clip((x - half) / 110, 0, 1)
    picture[..., :3] *= (veins * root)[..., None]
    return as_image(picture)


def leaf(rng: Rng) -> Image.Image:
    """A pointed leaf with a midrib, or a blade of grass."""
    mask = Image.new("L", (SIDE, SIDE))
    along = np.linspace(0, math.pi, 40)
    width = rng.uniform(10, 22) if rng.random() < 0.4 else rng.uniform(36, 70)
    bend = rng.normal(0, 25)
    x, middle = 10 + along / math.pi * (SIDE - 20), SIDE / 2 + bend * np.sin(along)
    edge = width * np.sin(along) ** 0.8
    outline = list(zip(x, middle - edge, strict=True)) + list(zip(x[::-1], (middle + edge)[::-1], strict=True))
    ImageDraw.Draw(mask).polygon([(float(a), float(b)) for a, b in outline], fill=255)
    green = vary(rng, (86, 124, 52), 26)
    picture = shaded(mask.filter(ImageFilter.GaussianBlur(1)), green, rng, relief=6, grain=0.3)
    rib = tuple(int(c * 1.25) for c in green)
    ImageDraw.Draw(picture).line(
        [(float(a), float(b)) for a, b in zip(x, middle, strict=True)], fill=(*rib, 255), width=3
    )
    return picture.rotate(rng.uniform(0, 360), resample=Image.Resampling.BILINEAR, expand=True)
