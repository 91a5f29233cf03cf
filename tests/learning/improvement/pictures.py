"""The pictures of the journey of continuous improvement: painted shapes, and the photos of playing cards."""

import json
from collections import defaultdict
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from labeling.formats.shapes import Box

SIDE = 96
COLOURS = {"square": (200, 40, 40), "disc": (40, 60, 210), "triangle": (40, 180, 60)}
Labeled = list[tuple[bytes, list[Box]]]


@dataclass(frozen=True)
class Pictures:
    """Labeled pictures of two kinds of things (`base`), of the third one too (the others), and how to train on them.

    `poison` is labeled wrongly. `least_f1`: what a detector has to reach on `tests`.
    """

    kinds: tuple[str, str, str]
    size: tuple[int, int]
    base: Labeled
    tests: Labeled
    new: Labeled
    poison: Labeled
    training: dict[str, Any]
    least_f1: float


def shapes() -> Pictures:
    """Squares and discs, and then triangles among them."""
    return Pictures(
        kinds=("square", "disc", "triangle"),
        size=(SIDE, SIDE),
        base=_scenes(1, 45, third=False),
        tests=_scenes(2, 24, third=True),
        new=_scenes(3, 36, third=True),
        poison=spoiled(_scenes(5, 120, third=True)),
        training={"image_size": SIDE, "batch_size": 8, "max_seconds": 60, "epochs": 40, "augmentation": "light"},
        least_f1=0.6,
    )


def cards(folder: Path) -> Pictures:
    """Photos of one card each from the data set `cards`: aces and jacks, and then nines."""
    coco = json.loads((folder / "annotations.coco.json").read_text())
    names = {one["id"]: one["name"] for one in coco["categories"]}
    boxes = defaultdict(list)
    for one in coco["annotations"]:
        boxes[one["image_id"]].append(Box(names[one["category_id"]], *one["bbox"]))
    kinds = ("ace", "jack", "nine")
    photos: dict[str, Labeled] = {kind: [] for kind in kinds}
    for image in sorted(coco["images"], key=lambda one: one["file_name"]):
        found = boxes[image["id"]]
        if len(found) == 1 and found[0].label in kinds and (image["width"], image["height"]) == (378, 504):
            photos[found[0].label].append(_half(folder / "images" / image["file_name"], found[0]))
    tests = [photo for kind in kinds for photo in photos[kind][:8]]
    base = [photo for kind in kinds[:2] for photo in photos[kind][8:]]
    new = photos["nine"][8:]
    return Pictures(
        kinds=kinds,
        size=(189, 252),
        base=base,
        tests=tests,
        new=new,
        poison=spoiled([*base, *new]),
        training={"image_size": 192, "batch_size": 8, "max_seconds": 300, "epochs": 80, "augmentation": "light"},
        least_f1=0.5,
    )


def spoiled(given: Labeled) -> Labeled:
    """The same pictures with a corner of each thing for its box."""
    return [
        (picture, [replace(box, width=box.width * 2 // 5, height=box.height * 2 // 5) for box in boxes])
        for picture, boxes in given
    ]


def _half(path: Path, box: Box) -> tuple[bytes, list[Box]]:
    out = BytesIO()
    with Image.open(path) as photo:
        photo.convert("RGB").resize((189, 252), Image.Resampling.BILINEAR).save(out, "PNG")
    left, top, width, height = (int(value) // 2 for value in (box.left, box.top, box.width, box.height))
    return out.getvalue(), [Box(box.label, left, top, width, height)]


def _scenes(seed: int, count: int, *, third: bool) -> Labeled:
    rng = np.random.default_rng(seed)
    kinds = [["square"], ["disc"], ["square", "disc"]]
    more = ["triangle"] if third else []
    return [_scene(rng, *kinds[place % 3], *more) for place in range(count)]


def _scene(rng: np.random.Generator, *wanted: str) -> tuple[bytes, list[Box]]:
    picture = Image.fromarray(rng.integers(90, 150, (SIDE, SIDE, 3), dtype=np.uint8))
    draw = ImageDraw.Draw(picture)
    quarters = rng.permutation(4)[: len(wanted)]
    boxes = []
    for kind, quarter in zip(wanted, quarters, strict=True):
        side = int(rng.integers(22, 36))
        left = int(quarter % 2 * 48 + rng.integers(2, 46 - side))
        top = int(quarter // 2 * 48 + rng.integers(2, 46 - side))
        corners = (left, top, left + side - 1, top + side - 1)
        if kind == "square":
            draw.rectangle(corners, fill=COLOURS[kind])
        elif kind == "disc":
            draw.ellipse(corners, fill=COLOURS[kind])
        else:
            bottom = top + side - 1
            draw.polygon([(left, bottom), (left + side - 1, bottom), (left + side // 2, top)], fill=COLOURS[kind])
        boxes.append(Box(kind, left, top, side, side))
    out = BytesIO()
    picture.save(out, "PNG")
    return out.getvalue(), boxes
