"""The demo's data set on disk: generated garden scenes as JPEG files, their boxes as COCO.

It must not know how scenes are painted, nor jobs, workers or models.
"""

import json
from pathlib import Path

import numpy as np

from learning.scenes import garden
from learning.scenes.painting import jpeg


def write_dataset(folder: Path, *, count: int, seed: int) -> None:
    """Write images/scene_0001.jpg ... and annotations.coco.json (boxes [x, y, w, h]); the same seed, the same set."""
    images = folder / "images"
    images.mkdir(parents=True, exist_ok=True)
    studio = garden.open_studio(np.random.default_rng(seed))
    records: list[dict[str, object]] = []
    annotations: list[dict[str, object]] = []
    for number in range(1, count + 1):
        scene = garden.compose(np.random.default_rng([seed, number]), studio)
        name = f"scene_{number:04d}.jpg"
        (images / name).write_bytes(jpeg(scene.image, quality=90))
        width, height = scene.image.size
        records.append({"id": number, "file_name": name, "width": width, "height": height})
        for (left, top, right, bottom), kind in zip(
            scene.boxes.astype(int).tolist(), scene.kinds.tolist(), strict=True
        ):
            box = [left, top, right - left, bottom - top]
            annotations.append(
                {"id": len(annotations) + 1, "image_id": number, "category_id": kind + 1, "bbox": box,
                 "area": box[2] * box[3], "iscrowd": 0}
            )  # fmt: skip
    body = {
        "info": {"description": "Generated scenes of bees and ladybirds on flowers", "seed": seed},
        "images": records,
        "categories": [{"id": index + 1, "name": name} for index, name in enumerate(garden.CLASSES)],
        "annotations": annotations,
    }
    (folder / "annotations.coco.json").write_text(json.dumps(body), encoding="utf-8")
