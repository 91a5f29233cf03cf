"""The demo's images: small photo-like scenes of bees and ladybirds on flowers, with the exact box of each.

Bokeh, flowers at several depths, clutter, leaves in front, shadows, defocus, noise and uneven light. Pure numpy and
Pillow; everything follows from a seed. It knows nothing of jobs, workers or models.
"""

import io
import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from frontend.demo.scenes_parts import INSECTS, Rng, flower, leaf, noise, vary

CLASSES = tuple(INSECTS)
SIZES = ((480, 360), (420, 320), (360, 480), (448, 336), (400, 400))
LEAST_VISIBLE = 0.55  # an insect hidden more than this by leaves or the image's edge is painted out of the scene
DRAWN_FLOWERS, DRAWN_LEAVES, DRAWN_INSECTS = 24, 14, 40  # of each kind; scenes reuse them turned, scaled, relit


@dataclass(frozen=True)
class Scene:
    """image: RGB; boxes: (class index, left, top, width, height) in px of the image."""

    image: Image.Image
    boxes: list[tuple[int, int, int, int, int]]


@dataclass(frozen=True)
class Studio:
    """The parts painted once for all scenes."""

    flowers: list[Image.Image]
    leaves: list[Image.Image]
    insects: list[list[Image.Image]]  # by class


def write_dataset(folder: Path, *, count: int, seed: int) -> None:
    """Write images/scene_0001.jpg ... and annotations.coco.json (boxes [x, y, w, h]); the same seed, the same set."""
    images = folder / "images"
    images.mkdir(parents=True, exist_ok=True)
    studio = open_studio(np.random.default_rng(seed))
    records: list[dict[str, object]] = []
    annotations: list[dict[str, object]] = []
    for number in range(1, count + 1):
        scene = compose(np.random.default_rng([seed, number]), studio)
        name = f"scene_{number:04d}.jpg"
        (images / name).write_bytes(_as_jpeg(scene.image))
        width, height = scene.image.size
        records.append({"id": number, "file_name": name, "width": width, "height": height})
        for kind, *box in scene.boxes:
            annotations.append(
                {"id": len(annotations) + 1, "image_id": number, "category_id": kind + 1, "bbox": box,
                 "area": box[2] * box[3], "iscrowd": 0}
            )  # fmt: skip
    body = {
        "info": {"description": "Generated scenes of bees and ladybirds on flowers", "seed": seed},
        "images": records,
        "categories": [{"id": index + 1, "name": name} for index, name in enumerate(CLASSES)],
        "annotations": annotations,
    }
    (folder / "annotations.coco.json").write_text(json.dumps(body), encoding="utf-8")


def open_studio(rng: Rng) -> Studio:
    """Paint the parts (a few seconds)."""
    insects = [[_trim(paint(rng)) for _ in range(DRAWN_INSECTS)] for paint in INSECTS.values()]
    flowers = [_trim(flower(rng)) for _ in range(DRAWN_FLOWERS)]
    return Studio(flowers, [_trim(leaf(rng)) for _ in range(DRAWN_LEAVES)], insects)


def compose(rng: Rng, studio: Studio) -> Scene:
    """One scene, with nought to six insects."""
    width, height = SIZES[int(rng.integers(len(SIZES)))]
    image = _backdrop(rng, width, height)
    _plants(rng, image, studio)
    owner = np.zeros((height, width), np.uint8)  # which insect each pixel shows
    placed: list[tuple[int, tuple[int, int, int, int], int]] = []
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
    shown = np.bincount(owner.ravel(), minlength=len(placed) + 1)
    hidden = [box for number, (_, box, area) in enumerate(placed, 1) if shown[number] < LEAST_VISIBLE * area]
    for box in hidden:
        _paint_out(rng, image, box, studio)
    boxes = [(kind, *box) for kind, box, _ in placed if box not in hidden]
    return Scene(_camera(rng, image), boxes)


# --- the scene from back to front ----------------------------------------------------


def _backdrop(rng: Rng, width: int, height: int) -> Image.Image:
    """A garden far out of focus."""
    side = max(width, height)
    base = np.array(((74, 104, 48), (58, 84, 60), (112, 110, 66), (52, 70, 44), (120, 138, 120))[int(rng.integers(5))])
    plane = base + (noise(rng, side, 5)[..., None] - 0.5) * rng.uniform(40, 120)
    plane = plane + (noise(rng, side, 9)[..., None] - 0.5) * rng.normal(0, 24, 3)
    image = Image.fromarray(np.clip(plane, 0, 255).astype(np.uint8)).crop((0, 0, width, height))
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
) -> tuple[tuple[int, int, int, int], int] | None:
    """Paste an insect; its box and own area in px, or None where it would lie mostly outside or on another."""
    size = math.exp(rng.uniform(math.log(34), math.log(120))) * (1.0 if kind == 0 else 0.75)
    insect = _relit(rng, _turned(rng, _pick(rng, looks), size), 0.1)
    if rng.random() < 0.3:
        insect = _defocused(insect, rng.uniform(0.5, 1.4))
    width, height = image.size
    x = int(rng.uniform(-0.3 * insect.width, width - 0.7 * insect.width))
    y = int(rng.uniform(-0.3 * insect.height, height - 0.7 * insect.height))
    alpha = np.asarray(insect.getchannel("A")) > 80
    left, top, right, bottom = max(x, 0), max(y, 0), min(x + insect.width, width), min(y + insect.height, height)
    solid = alpha[top - y : bottom - y, left - x : right - x]
    if solid.sum() < LEAST_VISIBLE * alpha.sum() or (owner[top:bottom, left:right][solid] > 0).mean() > 0.25:
        return None
    rows, columns = np.flatnonzero(solid.any(1)), np.flatnonzero(solid.any(0))
    _drop_shadow(image, insect, x, y, rng.uniform(0.25, 0.55))
    image.paste(insect, (x, y), insect)
    owner[top:bottom, left:right][solid] = number
    box = (
        int(left + columns[0]), int(top + rows[0]), int(columns[-1] - columns[0] + 1), int(rows[-1] - rows[0] + 1),
    )  # fmt: skip
    return box, int(alpha.sum())


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


def _paint_out(rng: Rng, image: Image.Image, box: tuple[int, int, int, int], studio: Studio) -> None:
    """Cover what little shows of an insect with a flower, so that no unlabeled half of one is left."""
    left, top, width, height = box
    size = 1.7 * max(width, height)
    part = _relit(rng, _turned(rng, _pick(rng, studio.flowers), size), 0.1)
    x, y = int(left + width / 2 - part.width / 2), int(top + height / 2 - part.height / 2)
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
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


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
    ramp = np.arange(256)
    table = [np.clip(ramp * gain * t, 0, 255) for t in tint] + [ramp]
    return picture.point(np.concatenate(table).astype(np.uint8).tolist())


def _drop_shadow(image: Image.Image, part: Image.Image, x: int, y: int, strength: float) -> None:
    reach = max(2, max(part.size) // 16)
    room = Image.new("L", (part.width + 4 * reach, part.height + 4 * reach))
    room.paste(part.getchannel("A").point(lambda v: int(v * strength)), (2 * reach, 2 * reach))
    image.paste((12, 14, 8), (x - reach, y - reach), room.filter(ImageFilter.GaussianBlur(reach)))


def _as_jpeg(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()
