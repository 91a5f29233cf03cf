"""Job folders with tiny pictures that have a class, several, or masks."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from labeling.formats import mask_labels, segments
from learning.contract import MODEL, OBJECT_ID_KEY, PREDICT, TRAIN, VALIDATION, JobFolder, files_of

NAMES = ("red", "green", "blue")
COLORS = ((200, 40, 40), (40, 180, 60), (50, 60, 200))
CLASS_MAP = {str(k): name for k, name in enumerate(NAMES)}
SIDE = 48


def picture(rng: np.random.Generator, kinds: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Grey with a disc for each of these kinds, and (h, w) which kind each pixel has, plus one."""
    noise = rng.integers(0, 30, (SIDE, SIDE, 3))
    pixels, values = (150 + noise).astype(np.uint8), np.zeros((SIDE, SIDE), np.uint8)
    y, x = np.mgrid[:SIDE, :SIDE]
    for kind in kinds:
        middle, radius = rng.integers(12, SIDE - 12, 2), int(rng.integers(7, 12))
        inside = (x - middle[0]) ** 2 + (y - middle[1]) ** 2 <= radius**2
        pixels[inside], values[inside] = COLORS[kind], kind + 1
    return pixels, values


def _label(form: str, kinds: list[int], values: np.ndarray, beside: Path) -> dict[str, Any]:
    if form == "one":
        return {"kind": kinds[0], "kind-metadata": {"class-name": NAMES[kinds[0]]}}
    if form == "several":
        said = {"class-map": {str(k): NAMES[k] for k in kinds}, "confidence-map": {str(k): 0.9 for k in kinds}}
        return {"kind": kinds, "kind-metadata": said}
    found = segments.from_pixels(values, {k + 1: name for k, name in enumerate(NAMES)})
    numbers = [NAMES.index(one.label) + 1 for one in found.segments]
    beside.write_bytes(mask_labels.png(found, numbers))
    entries = {
        str(n): {"class-name": name, "hex-color": color}
        for n, (name, color) in mask_labels.color_map(found, numbers).items()
    }
    return {"kind-ref": str(beside), "kind-ref-metadata": {"internal-color-map": entries}}


def a_training(
    root: Path, *, architecture: str, form: str = "one", images: int = 24, validation: int = 12, **given: Any
) -> JobFolder:
    """A folder ready for learning.vision.train_images; `form` is one, several or masks."""
    folder, rng = JobFolder(root), np.random.default_rng(3)
    hyperparameters = {
        "label_attribute_name": "kind-ref" if form == "masks" else "kind",
        "architecture": architecture,
        "class_map": CLASS_MAP,
        "image_size": 32,
        "weights": "none",
        "batch_size": 8,
        "augmentation": "light",
        **({"multi_label": True} if form == "several" else {}),
    }
    folder.prepare(hyperparameters=hyperparameters | given, channels={TRAIN: {}, VALIDATION: {}})
    for channel, count in ((TRAIN, images), (VALIDATION, validation)):
        lines = []
        for place in range(count):
            kinds = [place % 3] if form != "several" else [k for k in range(3) if rng.random() < 0.5]
            pixels, values = picture(rng, kinds)
            path = folder.channel(channel) / f"{place}.png"
            Image.fromarray(pixels).save(path)
            label = _label(form, kinds, values, folder.channel(channel) / f"{place}.mask.png")
            lines.append(json.dumps({"source-ref": str(path), OBJECT_ID_KEY: 100 + place} | label))
        folder.manifest(channel).write_text("\n".join(lines) + "\n")
    return folder


def a_prediction(root: Path, *, trained: JobFolder, **hyperparameters: Any) -> JobFolder:
    """A prediction of the validation channel of a training, and of one file that is no image."""
    folder = JobFolder(root)
    folder.prepare(hyperparameters=hyperparameters, channels={MODEL: {}, PREDICT: {}})
    for name in files_of(trained.model):
        (folder.channel(MODEL) / name).write_bytes((trained.model / name).read_bytes())
    rows = [json.loads(line) for line in trained.manifest(VALIDATION).read_text().splitlines()]
    broken = root / "broken.png"
    broken.write_bytes(b"no image")
    rows.append({"source-ref": str(broken), OBJECT_ID_KEY: 1})
    lines = [{key: row[key] for key in ("source-ref", OBJECT_ID_KEY)} for row in rows]
    folder.manifest(PREDICT).write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder
