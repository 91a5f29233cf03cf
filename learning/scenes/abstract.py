"""Generated scenes for pretraining: random objects with exact boxes on random ground, with clutter, overlap,
blur, noise and bad light.

A bank of sprites and grounds is drawn once; each scene then costs a few milliseconds of pasting. Everything
follows from a seed. It must not know training.
"""

import io
import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from learning.scenes.painting import Corners, Rng, Scene, as_image, footprint, jpeg, pixels_shown, recoloured, scene
from learning.scenes.sprites import SHAPES, TEXTURES, Sprite, colours, fill, fractal, sprite

USUAL_SIDE = 320
"""Sizes below are px in scenes of this side, and grow and shrink with it."""
KINDS = len(SHAPES) * len(TEXTURES)
LEAST_SIDE = 7.0
"""px; an object of which less shows, in width or height, is not placed."""
LEAST_VISIBLE = 0.35
"""Share of an object's own pixels that later ones must leave visible, or it gets no box."""
OPAQUE = 100
"""Above this alpha of 255 a pixel belongs to an object."""


@dataclass(frozen=True)
class Bank:
    """What scenes are put together from; grounds are RGB pictures of one size."""

    sprites: list[Sprite]
    grounds: list[Image.Image]


def draw_bank(rng: Rng, *, sprites: int, grounds: int, side: int) -> Bank:
    """Draw the bank (about 6 ms a sprite and 40 ms a ground on one core)."""
    return Bank([sprite(rng) for _ in range(sprites)], [ground(rng, side) for _ in range(grounds)])


def membership() -> np.ndarray:
    """[KINDS, 1 + shapes + textures]: what each kind is: a thing, of this shape, with this texture."""
    table = np.zeros((KINDS, 1 + len(SHAPES) + len(TEXTURES)), np.float32)
    for kind in range(KINDS):
        shape, texture = divmod(kind, len(TEXTURES))
        table[kind, [0, 1 + shape, 1 + len(SHAPES) + texture]] = 1
    return table


def compose(rng: Rng, bank: Bank, side: int) -> Scene:
    """One scene of side x side px."""
    image = _piece_of_ground(rng, bank, side)
    _clutter(rng, bank, image)
    owner = np.zeros((side, side), np.int16)  # which object each pixel shows; 0 is ground
    found: list[tuple[Corners, int, int]] = []  # corners, kind, pixels inside the scene
    for thing, size in _cast(rng, bank):
        size *= side / USUAL_SIDE
        placed = _place(rng, image, owner, len(found) + 1, thing, size)
        if placed is not None:
            found.append((placed[0], thing.shape * len(TEXTURES) + thing.texture, placed[1]))
    shown = pixels_shown(owner, len(found))
    kept = [
        (corners, kind)
        for (corners, kind, area), pixels in zip(found, shown, strict=True)
        if pixels >= LEAST_VISIBLE * area
    ]
    return scene(_camera(rng, image), kept)


# --- the objects of the scene ---------------------------------------------------------


def _cast(rng: Rng, bank: Bank) -> list[tuple[Sprite, float]]:
    """Which sprites, at which size in px: a few large things, a mixture, or a crowd of one or two kinds."""
    style = rng.choice(["few", "mixture", "crowd"], p=[0.3, 0.4, 0.3])
    if style == "few":
        return [(_any(rng, bank), rng.uniform(70, 290)) for _ in range(int(rng.integers(1, 4)))]
    if style == "mixture":
        sizes = np.exp(rng.uniform(math.log(14), math.log(150), int(rng.integers(3, 14))))
        return [(_any(rng, bank), float(size)) for size in sizes]
    kinds = [_any(rng, bank) for _ in range(int(rng.integers(1, 4)))]
    base = math.exp(rng.uniform(math.log(16), math.log(70)))
    count = min(int(rng.integers(8, 36)), int(60000 / base**2))
    return [(kinds[int(rng.integers(len(kinds)))], base * rng.uniform(0.75, 1.3)) for _ in range(count)]


def _any(rng: Rng, bank: Bank) -> Sprite:
    return bank.sprites[int(rng.integers(len(bank.sprites)))]


def _place(
    rng: Rng, image: Image.Image, owner: np.ndarray, number: int, thing: Sprite, size: float
) -> tuple[Corners, int] | None:
    """Paste the sprite; its box inside the image and its pixels there, or None if too little would show."""
    side = image.width
    picture = _instance(rng, thing.picture, size)
    width, height = picture.size
    x, y = _spot(rng, side, width), _spot(rng, side, height)
    place = footprint(picture, x, y, image.size, above=OPAQUE)
    corners, inside = place.corners, int(place.opaque.sum())
    if corners is None:
        return None
    if min(corners[2] - corners[0], corners[3] - corners[1]) < LEAST_SIDE or inside < 0.3 * place.area:
        return None
    if place.covers_others(owner) > 0.5:
        return None  # the little that would remain of the others could not be recognised
    if rng.random() < 0.3:
        _shadow(rng, image, picture.getchannel("A"), x, y)
    image.paste(picture, (x, y), picture)
    place.claim(owner, number)
    return corners, inside


def _spot(rng: Rng, side: int, extent: int) -> int:
    """Where a thing of this extent begins: at most a quarter of it outside the scene, or of the scene outside it."""
    low, high = sorted((-0.25 * extent, side - 0.75 * extent))
    return int(rng.uniform(low, high))


def _instance(rng: Rng, picture: Image.Image, size: float) -> Image.Image:
    """This appearance of the sprite: its size, stretch, turn, light and opacity."""
    scale = size / max(picture.size)
    stretch = math.exp(rng.normal(0, 0.12))
    target = (max(4, round(picture.width * scale * stretch)), max(4, round(picture.height * scale / stretch)))
    picture = picture.resize(target, Image.Resampling.BILINEAR, reducing_gap=2.0)
    if rng.random() < 0.5:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if rng.random() < 0.6:
        turn = rng.uniform(0, 360) if rng.random() < 0.5 else rng.normal(0, 20)
        picture = picture.rotate(turn, resample=Image.Resampling.BILINEAR, expand=True)
    gain, lift = rng.normal(1, 0.12, 3), rng.normal(0, 8, 3)
    opacity = rng.uniform(0.55, 1) if rng.random() < 0.2 else 1.0
    picture = recoloured(picture, gain, lift, opacity)
    if rng.random() < 0.15:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.4, 1.6)))
    return picture


def _shadow(rng: Rng, image: Image.Image, alpha: Image.Image, x: int, y: int) -> None:
    reach = max(2, int(max(alpha.size) * rng.uniform(0.02, 0.1)))
    soft = alpha.filter(ImageFilter.BoxBlur(reach / 2)).point(lambda v: v * 0.45)
    image.paste((0, 0, 0), (x + reach, y + reach), soft)


# --- ground, clutter, camera -------------------------------------------------------


def ground(rng: Rng, side: int) -> Image.Image:
    """A background: mixed noise, a texture, or piled up soft shapes."""
    style = rng.choice(["flat", "noise", "texture", "piled"], p=[0.2, 0.35, 0.2, 0.25])
    if style == "texture":
        texture = str(rng.choice(["gradient", "stripes", "checker", "noise", "spots"]))
        return fill(rng, texture, (side, side)).filter(ImageFilter.GaussianBlur(rng.uniform(0, 3)))
    first, second, third = colours(rng, 3)
    if style == "flat":
        second, third = first + rng.normal(0, 8, 3), first + rng.normal(0, 15, 3)
    one, two = fractal(rng, side, side, rng.uniform(0.3, 0.8)), fractal(rng, side, side)
    plane = first + one[..., None] * (second - first)
    plane += (two[..., None] ** 2) * (third - first) * rng.uniform(0, 1)
    image = as_image(plane)
    if style == "piled":
        draw = ImageDraw.Draw(image)
        for _ in range(int(rng.integers(10, 80))):
            x, y, r = *rng.uniform(0, side, 2), rng.uniform(5, side / 4)
            paint = tuple(int(c) for c in np.clip(first + rng.normal(0, 50, 3), 0, 255))
            draw.ellipse([x - r, y - r * rng.uniform(0.2, 1), x + r, y + r * rng.uniform(0.2, 1)], fill=paint)
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(4, 14)))
    return image


def _piece_of_ground(rng: Rng, bank: Bank, side: int) -> Image.Image:
    whole = bank.grounds[int(rng.integers(len(bank.grounds)))]
    part = int(rng.uniform(0.4, 1) * whole.width)
    x, y = (int(v) for v in rng.integers(0, whole.width - part + 1, 2))
    piece = whole.resize((side, side), Image.Resampling.BILINEAR, box=(x, y, x + part, y + part))
    return piece.transpose(Image.Transpose(int(rng.integers(0, 7))))


def _clutter(rng: Rng, bank: Bank, image: Image.Image) -> None:
    """What is no object and has no box: lines, specks, and things far out of focus."""
    side, draw = image.width, ImageDraw.Draw(image)
    if rng.random() < 0.4:
        for _ in range(int(rng.integers(1, 12))):
            points = [tuple(p) for p in rng.uniform(-40, side + 40, (int(rng.integers(2, 5)), 2))]
            paint = tuple(int(c) for c in colours(rng, 1)[0])
            draw.line(points, fill=paint, width=int(rng.integers(1, 4)), joint="curve")
    if rng.random() < 0.3:
        paint = tuple(int(c) for c in colours(rng, 1)[0])
        for x, y in rng.uniform(0, side, (int(rng.integers(10, 80)), 2)):
            draw.ellipse([x, y, x + 2, y + 2], fill=paint)
    if rng.random() < 0.3:
        for _ in range(int(rng.integers(1, 5))):
            _far_away(rng, image, _any(rng, bank).picture, int(rng.uniform(40, 160)))


def _far_away(rng: Rng, image: Image.Image, picture: Image.Image, size: int) -> None:
    """A thing far out of focus: drawn tiny, with room around it, and blown up."""
    tiny = picture.resize((1, 1)).resize((16, 16))
    tiny.putalpha(0)
    small = picture.resize((8, 8))
    tiny.paste(small, (4, 4))
    far = tiny.resize((2 * size, 2 * size), Image.Resampling.BICUBIC).filter(ImageFilter.BoxBlur(size / 8))
    x, y = (int(v) for v in rng.integers(-size, image.width, 2))
    image.paste(far, (x, y), far)


def _camera(rng: Rng, image: Image.Image) -> Image.Image:
    """Focus, light falling off towards the corners, noise, loss of colour and JPEG."""
    if rng.random() < 0.25:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.3)))
    pixels = np.asarray(image, np.float32)
    if rng.random() < 0.3:
        line = np.linspace(-1, 1, image.width, dtype=np.float32)
        pixels = pixels * (1 - rng.uniform(0, 0.25) * (line[:, None] ** 2 + line[None] ** 2))[..., None]
    if rng.random() < 0.4:
        grain = rng.standard_normal(pixels.shape[:2], dtype=np.float32)
        pixels = pixels + grain[..., None] * rng.uniform(1, 12)
    if rng.random() < 0.15:
        pixels = pixels.mean(-1, keepdims=True).repeat(3, -1)
    image = as_image(pixels)
    if rng.random() < 0.2:
        image = Image.open(io.BytesIO(jpeg(image, quality=int(rng.integers(30, 80))))).convert("RGB")
    return image
