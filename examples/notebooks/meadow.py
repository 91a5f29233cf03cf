"""Pictures for the notebooks: insects in a meadow, drawn by random numbers, with the boxes that are true of them."""

import json
from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image, ImageDraw, ImageFilter

BEE, LADYBIRD = "bee", "ladybird"
FLOWERS = ((250, 235, 240), (222, 190, 235), (250, 210, 120))
Box = dict[str, int]


def _bee(side: int) -> Image.Image:
    """A bee from above, head to the right, on a transparent square."""
    bee = Image.new("RGBA", (side, side))
    draw = ImageDraw.Draw(bee)
    part = side / 20
    for above in (1.5, 11.5):
        draw.ellipse((7 * part, above * part, 12.5 * part, (above + 7) * part), fill=(235, 240, 250, 210))
    draw.ellipse((1 * part, 6 * part, 16 * part, 14 * part), fill=(235, 175, 30, 255))
    for stripe in (3.5, 7, 10.5):
        draw.rectangle((stripe * part, 6.8 * part, (stripe + 1.7) * part, 13.2 * part), fill=(50, 35, 20, 255))
    draw.ellipse((14 * part, 7.5 * part, 19 * part, 12.5 * part), fill=(50, 35, 20, 255))
    return bee


def _ladybird(side: int) -> Image.Image:
    """A ladybird from above."""
    beetle = Image.new("RGBA", (side, side))
    draw = ImageDraw.Draw(beetle)
    part = side / 20
    draw.ellipse((13 * part, 6 * part, 18.5 * part, 14 * part), fill=(35, 25, 25, 255))
    draw.ellipse((2 * part, 3 * part, 16 * part, 17 * part), fill=(205, 40, 30, 255))
    draw.line((2 * part, 10 * part, 16 * part, 10 * part), fill=(35, 25, 25, 255), width=max(1, round(part)))
    for x, y in ((5, 6.5), (10, 5.5), (5, 13.5), (10, 14.5)):
        draw.ellipse(((x - 1.3) * part, (y - 1.3) * part, (x + 1.3) * part, (y + 1.3) * part), fill=(35, 25, 25, 255))
    return beetle


INSECTS = {BEE: _bee, LADYBIRD: _ladybird}


def picture(rng: np.random.Generator, *, side: int, kinds: Sequence[str]) -> tuple[Image.Image, list[tuple[str, Box]]]:
    """A meadow of `side` pixels with one to three insects of these kinds; each with its tight box."""
    green = np.array([96, 140, 70]) + rng.uniform(-18, 18, 3)
    ground = np.clip(rng.normal(green, 14, (side, side, 3)), 0, 255).astype(np.uint8)
    scene = Image.fromarray(ground).filter(ImageFilter.GaussianBlur(side / 160))
    draw = ImageDraw.Draw(scene)
    for _ in range(int(rng.integers(3, 7))):
        x, y, size = rng.uniform(0, side), rng.uniform(0, side), rng.uniform(0.04, 0.1) * side
        draw.ellipse((x - size, y - size, x + size, y + size), fill=FLOWERS[int(rng.integers(len(FLOWERS)))])
    boxes: list[tuple[str, Box]] = []
    # Each insect has a quarter of the meadow to itself.
    for quarter in rng.permutation(4)[: int(rng.integers(1, 4))]:
        kind = str(rng.choice(list(kinds)))
        size = int(rng.uniform(0.26, 0.38) * side)
        insect = INSECTS[kind](size).rotate(rng.uniform(0, 360), resample=Image.Resampling.BICUBIC)
        room = side // 2 - size
        left = quarter % 2 * (side // 2) + int(rng.integers(0, room + 1))
        top = quarter // 2 * (side // 2) + int(rng.integers(0, room + 1))
        scene.paste(insect, (int(left), int(top)), insect)
        seen = np.asarray(insect)[:, :, 3] > 96
        columns, rows = np.flatnonzero(seen.any(axis=0)), np.flatnonzero(seen.any(axis=1))
        box = {
            "left": left + columns[0],
            "top": top + rows[0],
            "width": np.ptp(columns) + 1,
            "height": np.ptp(rows) + 1,
        }
        boxes.append((kind, {name: int(value) for name, value in box.items()}))
    return scene, boxes


def draw_meadows(
    folder: Path, *, count: int, kinds: Sequence[str] = (BEE,), side: int = 128, seed: int = 1, name: str = "meadow"
) -> list[Path]:
    """Write images/<name>-000.png ... and, with what is true of them, annotations.coco.json; returns the images.

    A folder may be drawn into several times under different names; `simulate_crowd --truth` reads its annotations.
    """
    (folder / "images").mkdir(parents=True, exist_ok=True)
    truth = folder / "annotations.coco.json"
    known = json.loads(truth.read_text()) if truth.exists() else {"images": [], "annotations": []}
    known["categories"] = [{"id": place, "name": kind} for place, kind in enumerate(kinds, start=1)]
    written = []
    for number in range(count):
        scene, boxes = picture(np.random.default_rng([seed, number]), side=side, kinds=kinds)
        path = folder / "images" / f"{name}-{number:03d}.png"
        scene.save(path)
        written.append(path)
        place = len(known["images"]) + 1
        known["images"].append({"id": place, "file_name": path.name, "width": side, "height": side})
        for kind, box in boxes:
            known["annotations"].append(
                {
                    "id": len(known["annotations"]) + 1,
                    "image_id": place,
                    "category_id": list(kinds).index(kind) + 1,
                    "bbox": [box["left"], box["top"], box["width"], box["height"]],
                    "area": box["width"] * box["height"],
                    "iscrowd": 0,
                }
            )
    truth.write_text(json.dumps(known))
    return written


def read_truth(folder: Path) -> dict[str, list[tuple[str, Box]]]:
    """What is true of the images that were drawn into a folder, by their names."""
    known = json.loads((folder / "annotations.coco.json").read_text())
    kinds = {one["id"]: one["name"] for one in known["categories"]}
    names = {one["id"]: one["file_name"] for one in known["images"]}
    found: dict[str, list[tuple[str, Box]]] = {name: [] for name in names.values()}
    for one in known["annotations"]:
        box = dict(zip(("left", "top", "width", "height"), one["bbox"], strict=True))
        found[names[one["image_id"]]].append((kinds[one["category_id"]], box))
    return found


def show(
    pictures: Sequence[tuple[Image.Image, Sequence[tuple[str, Box]]]],
    *,
    columns: int = 4,
    title: str = "",
    headings: Sequence[str] = (),
) -> None:
    """Plot pictures, each with its boxes and what they are called. `headings`: what stands above each column."""
    rows = -(-len(pictures) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(3 * columns, 3 * rows + 0.4), squeeze=False)
    figure.suptitle(title)
    for place in axes.flat:
        place.axis("off")
    for place, heading in zip(axes[0], headings, strict=False):
        place.set_title(heading)
    for place, (image, boxes) in zip(axes.flat, pictures, strict=False):
        place.imshow(image)
        line, written = image.height / 16, []
        for text, box in boxes:
            edge = plt.Rectangle(
                (box["left"], box["top"]), box["width"], box["height"], fill=False, edgecolor="white", linewidth=2
            )
            place.add_patch(edge)
            left, base = box["left"], box["top"] - 2
            # Of two boxes about the same animal one has its name below.
            if any(abs(left - x) < 4 * line and abs(base - y) < line for x, y in written):
                base = box["top"] + box["height"] + line
            written.append((left, base))
            place.text(left, base, text, color="white", fontsize=8, backgroundcolor="#0008")
    figure.tight_layout()
    plt.show()
