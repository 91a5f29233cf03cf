"""Small generated images with exact boxes: bright discs and squares on a blurred background, easy for a small model."""

import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

LABELS = ["disc", "square"]
COLOURS = {"disc": (230, 180, 30), "square": (60, 90, 220)}


def write(folder: Path, *, count: int, side: int = 96, seed: int = 1) -> Path:
    """`count` pictures under images/ and their annotations.coco.json; returns the folder."""
    (folder / "images").mkdir(parents=True)
    rng = np.random.default_rng(seed)
    images, annotations = [], []
    for number in range(count):
        ground = np.clip(rng.normal(120, 6, (side, side, 3)) + rng.uniform(-30, 30, 3), 0, 255).astype(np.uint8)
        picture = Image.fromarray(ground)
        draw = ImageDraw.Draw(picture)
        name = f"picture-{number:03d}.png"
        for half in range(int(rng.integers(1, 3))):
            label = LABELS[int(rng.integers(0, 2))]
            size = int(rng.integers(20, 34))
            left = int(rng.integers(2, side // 2 - size - 2)) + half * side // 2 if size < side // 2 - 4 else 2
            top = int(rng.integers(2, side - size - 2))
            box = (left, top, left + size - 1, top + size - 1)
            (draw.ellipse if label == "disc" else draw.rectangle)(box, fill=COLOURS[label])
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number + 1,
                    "category_id": LABELS.index(label) + 1,
                    "bbox": [left, top, size, size],
                    "area": size * size,
                    "iscrowd": 0,
                }
            )
        picture.save(folder / "images" / name)
        images.append({"id": number + 1, "file_name": name, "width": side, "height": side})
    coco = {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": i + 1, "name": label} for i, label in enumerate(LABELS)],
    }
    (folder / "annotations.coco.json").write_text(json.dumps(coco))
    return folder
