"""Photo-like garden scenes: bees and ladybirds on flowers, with the exact box of each; the demo's data set.

Bokeh, flowers at several depths, clutter, leaves in front, shadows, defocus, noise and uneven light. Everything
follows from a seed. It must not know files, jobs or models.
"""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from learning.scenes.garden_parts import INSECTS, flower, leaf, vary
from learning.scenes.painting import (
    Corners,
    Rng,
    Scene,
    as_image,
    footprint,
    pixels_shown,
    recoloured,
    scene,
    smooth_noise,
)

CLASSES = tuple(INSECTS)
SIZES = ((480, 360), (420, 320), (360, 480), (448, 336), (400, 400))
LEAST_VISIBLE = 0.55
"""An insect of which leaves or the image's edge leave less than this is painted out of the scene."""
OPAQUE = 80
"""Above this alpha of 255 a pixel belongs to an insect."""
DRAWN_FLOWERS, DRAWN_LEAVES, DRAWN_INSECTS = 24, 14, 40  # of each kind; scenes reuse them turned, scaled, relit


@dataclass(frozen=True)
class Studio:
    """The parts painted once for all scenes."""

    flowers: list[Image.Image]
    leaves: list[Image.Image]
    insects: list[list[Image.Image]]  # by class


def open_studio(rng: Rng) -> Studio:
    """Paint the parts (a few seconds)."""
    insects = [[_trim(paint(rng)) for _ in range(DRAWN_INSECTS)] for paint in INSECTS.values()]
    flowers = [_trim(flower(rng)) for _ in range(DRAWN_FLOWERS)]
    return Studio(flowers, [_trim(leaf(rng)) for _ in range(DRAWN_LEAVES)], insects)


def compose(rng: Rng, studio: Studio) -> Scene:
    """One scene, with none to six insects; kinds are indices into CLASSES."""
    width, height = SIZES[int(rng.integers(len(SIZES)))]
    image = _backdrop(rng, width, height)
    _plants(rng, image, studio)
    owner = np.zeros((height, width), np.uint8)  # which insect each pixel shows
    placed: list[tuple[int, Corners, int]] = []  # kind, corners, own pixels
    for _ in range(int(rng.choice(7, p=[0.06, 0.3, 0.26, 0.18, 0.1, 0.06, 0.04]))):
        kind = int(rng.random() < 0.35)
        before = image.copy(), owner.copy()
        found = _land(rng, image, owner, len(placed) + 1, studio.insects[kind], kind)
        if found is None:
            image.paste(before[0])
            owner[:] = before[1]
        else:
            placed.append((kind, *found))
    image = _foreground(rng, image, owner, studio)
    shown = pixels_shown(owner, len(placed))
    kept: list[tuple[Corners, int]] = []
    for (kind, corners, area), pixels in zip(placed, shown, strict=True):
        if pixels < LEAST_VISIBLE * area:
            _paint_out(rng, image, corners, studio)
        else:
            kept.append((corners, kind))
    return scene(_camera(rng, image), kept)


# --- the scene from back to front ----------------------------------------------------


def _backdrop(rng: Rng, width: int, height: int) -> Image.Image:
    """A garden far out of focus."""
    side = max(width, height)
    base = np.array(((74, 104, 48), (58, 84, 60), (112, 110, 66), (52, 70, 44), (120, 138, 120))[int(rng.integers(5))])
    plane = base + (smooth_noise(rng, 5, side, side)[..., None] - 0.5) * rng.uniform(40, 120)
    plane = plane + (smooth_noise(rng, 9, side, side)[..., None] - 0.5) * rng.normal(0, 24, 3)
    image = as_image(plane).crop((0, 0, width, height))
    layer = Image.new("RGBA", image.size)
    pen = ImageDraw.Draw(layer)
    for _ in range(int(rng.integers(4, 22))):
        x, y, r = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(8, 46)
        light = vary(rng, tuple(int(c) for c in np.clip(base * 1.5 + 20, 0, 255)), 50)  # type: ignore[arg-type]
        pen.ellipse([x - r, y - r, x + r, y + r], fill=(*light, int(rng.uniform(30, 120))))
    image.paste(layer, (0, 0), layer.filter(ImageFilter.GaussianBlur(1.5)))
    return image.filter(ImageFilter.GaussianBlur(rng.uniform(3, 9)))


def _plants(rng: Rng, image: Image.Image, studio: Studio) -> None:
    """Stems, leaves and flowers, the farther the more blurred."""
    width, height = image.size
    for depth in sorted(rng.uniform(0, 1, int(rng.integers(8, 19)))):
        part = _pick(rng, studio.leaves if rng.random() < 0.45 else studio.flowers)
        size = rng.uniform(70, 150) * (0.7 + 0.9 * depth)
        part = _relit(rng, _turned(rng, part, size), 0.14)
        x, y = int(rng.uniform(-0.3, 1) * width), int(rng.uniform(-0.3, 1) * height)
        part = _defocused(part, float(1 - depth) * 5)
        if rng.random() < 0.5:
            _drop_shadow(image, part, x, y, 0.3)
        image.paste(part, (x, y), part)
    pen = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(0, 16))):  # pollen, seeds, grit: small dark or yellow specks that are no insect
        cx, cy, r = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(0.8, 3.2)
        tint = vary(rng, ((40, 32, 24), (216, 186, 60), (190, 60, 40))[int(rng.integers(3))], 20)
        pen.ellipse([cx - r, cy - r, cx + r, cy + r * rng.uniform(0.6, 1)], fill=tint)


def _land(
    rng: Rng, image: Image.Image, owner: np.ndarray, number: int, looks: list[Image.Image], kind: int
) -> tuple[Corners, int] | None:
    """Paste an insect; its corners and all its pixels, or None where it would lie mostly outside or on another."""
    size = math.exp(rng.uniform(math.log(34), math.log(120))) * (1.0 if kind == 0 else 0.75)
    insect = _relit(rng, _turned(rng, _pick(rng, looks), size), 0.1)
    if rng.random() < 0.3:
        insect = _defocused(insect, rng.uniform(0.5, 1.4))
    width, height = image.size
    x = int(rng.uniform(-0.3 * insect.width, width - 0.7 * insect.width))
    y = int(rng.uniform(-0.3 * insect.height, height - 0.7 * insect.height))
    found = footprint(insect, x, y, image.size, above=OPAQUE)
    corners = found.corners
    if corners is None or found.opaque.sum() < LEAST_VISIBLE * found.area or found.covers_others(owner) > 0.25:
        return None
    _drop_shadow(image, insect, x, y, rng.uniform(0.25, 0.55))
    image.paste(insect, (x, y), insect)
    found.claim(owner, number)
    return corners, found.area


def _foreground(rng: Rng, image: Image.Image, owner: np.ndarray, studio: Studio) -> Image.Image:
    """Leaves and petals close to the lens, in front of everything."""
    width, height = image.size
    for _ in range(int(rng.choice(4, p=[0.35, 0.35, 0.2, 0.1]))):
        part = _pick(rng, studio.leaves if rng.random() < 0.75 else studio.flowers)
        part = _relit(rng, _turned(rng, part, rng.uniform(60, 190)), 0.15)
        part = _defocused(part, rng.uniform(0.4, 4))
        x, y = int(rng.uniform(-0.2, 0.95) * width), int(rng.uniform(-0.2, 0.95) * height)
        image.paste(part, (x, y), part)
        cover = Image.new("L", image.size)
        cover.paste(part.getchannel("A"), (x, y))
        owner[np.asarray(cover) > 128] = 0
    return image


def _paint_out(rng: Rng, image: Image.Image, corners: Corners, studio: Studio) -> None:
    """Cover what little shows of an insect with a flower, so that no unlabeled half of one is left."""
    left, top, right, bottom = corners
    size = 1.7 * max(right - left, bottom - top)
    part = _relit(rng, _turned(rng, _pick(rng, studio.flowers), size), 0.1)
    x, y = int((left + right - part.width) / 2), int((top + bottom - part.height) / 2)
    image.paste(part, (x, y), part)


def _camera(rng: Rng, image: Image.Image) -> Image.Image:
    """Focus, uneven light, white balance, noise."""
    if rng.random() < 0.3:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 0.9)))
    pixels = np.asarray(image, np.float64)
    height, width = pixels.shape[:2]
    across, down = np.linspace(-1, 1, width), np.linspace(-1, 1, height)[:, None]
    light = 1 + rng.normal(0, 0.1) * across + rng.normal(0, 0.1) * down
    light = light - rng.uniform(0.05, 0.25) * (across**2 + down**2) / 2
    pixels = pixels * (light * rng.uniform(0.8, 1.2))[..., None] * rng.normal(1, 0.04, 3)
    pixels = 255 * np.clip(pixels / 255, 0, 1) ** rng.uniform(0.8, 1.2)
    pixels = pixels + rng.normal(0, rng.uniform(1.5, 6), (height, width, 1)) + rng.normal(0, 1.5, pixels.shape)
    return as_image(pixels)


# --- small tools of the painter --------------------------------------------------------


def _trim(picture: Image.Image) -> Image.Image:
    return picture.crop(picture.getchannel("A").getbbox())


def _pick(rng: Rng, pictures: list[Image.Image]) -> Image.Image:
    return pictures[int(rng.integers(len(pictures)))]


def _turned(rng: Rng, picture: Image.Image, size: float) -> Image.Image:
    """At any angle, its longer side (before turning) `size` px."""
    scale = 2 * size / max(picture.size)
    picture = picture.resize((max(4, int(picture.width * scale)), max(4, int(picture.height * scale))))
    picture = picture.rotate(rng.uniform(0, 360), resample=Image.Resampling.BILINEAR, expand=True)
    half = (max(2, picture.width // 2), max(2, picture.height // 2))
    return _trim(picture.resize(half, Image.Resampling.BOX))


def _defocused(picture: Image.Image, radius: float) -> Image.Image:
    """Blurred with room for the blur, and with premultiplied colours, or dark rims would appear."""
    room = math.ceil(2 * radius)
    wide = Image.new("RGBA", (picture.width + 2 * room, picture.height + 2 * room))
    wide.paste(picture, (room, room))
    return wide.convert("RGBa").filter(ImageFilter.GaussianBlur(radius)).convert("RGBA")


def _relit(rng: Rng, picture: Image.Image, spread: float) -> Image.Image:
    gain, tint = rng.normal(1, spread), rng.normal(1, spread / 3, 3)
    return recoloured(picture, gain * tint)


def _drop_shadow(image: Image.Image, part: Image.Image, x: int, y: int, strength: float) -> None:
    reach = max(2, max(part.size) // 16)
    room = Image.new("L", (part.width + 4 * reach, part.height + 4 * reach))
    room.paste(part.getchannel("A").point(lambda v: int(v * strength)), (2 * reach, 2 * reach))
    image.paste((12, 14, 8), (x - reach, y - reach), room.filter(ImageFilter.GaussianBlur(reach)))
