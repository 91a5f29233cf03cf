"""The sets of the benchmark of active learning: images with their true boxes, and detectors trained on some of them.

Trainings have a fixed number of steps, so that what comes out does not depend on how busy the machine is.
"""

import hashlib
import json
import math
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.fine_tuning import ATTRIBUTE, ROOT, manifest_lines
from frontend.demo import scenes
from learning.contract import MODEL, PREDICT, TRAIN, VALIDATION, JobFolder, ModelConfig, read_predictions
from learning.selection.quality import Detections, Floats
from learning.selection.seen import detections

SCENES = "scenes"
LEAST_EPOCHS = 2


@dataclass(frozen=True)
class ImageSet:
    """Images by name with their true boxes; `train` may be labeled, `test` measures the detectors."""

    folder: Path
    coco: dict
    classes: list[str]
    truths: dict[str, Detections]
    train: list[str]
    test: list[str]

    def boxes(self, names: list[str]) -> int:
        """How many boxes people draw on these images."""
        return sum(len(self.truths[name].classes) for name in names)


@dataclass(frozen=True)
class Effort:
    """How much a training does: `steps` of batches of `batch` images of `image_size` pixels."""

    architecture: str = "compact"
    steps: int = 150
    batch: int = 8
    image_size: int = 192


@dataclass(frozen=True)
class Seen:
    """What a detector says of images: their boxes and embeddings, in the order in which it was asked."""

    boxes: list[Detections]
    embeddings: Floats


def load(name: str, *, datasets: Path, scratch: Path, scenes_count: int, most: int, most_test: int) -> ImageSet:
    """A set by its name, or generated scenes; at most so many images to label and to test with.

    Raises FileNotFoundError where the set is not beside the project.
    """
    folder = datasets / name
    if name == SCENES:
        folder = scratch / SCENES
        if not folder.exists():
            scenes.write_dataset(folder, count=scenes_count, seed=11)
    coco = json.loads((folder / "annotations.coco.json").read_text())
    if name == SCENES:
        names = [image["file_name"] for image in coco["images"]]
        aside = max(len(names) // 5, 1)
        split = {"train": names[:-aside], "test": names[-aside:]}
    else:
        split = json.loads((folder / "suggested_split.json").read_text())
    rng = np.random.default_rng(7)
    chosen = {part: [str(one) for one in rng.permutation(split[part])] for part in ("train", "test")}
    classes = [one["name"] for one in sorted(coco["categories"], key=lambda one: one["id"])]
    return ImageSet(folder, coco, classes, _truths(coco), chosen["train"][:most], chosen["test"][:most_test])


def _truths(coco: dict) -> dict[str, Detections]:
    places = {one["id"]: place for place, one in enumerate(sorted(coco["categories"], key=lambda one: one["id"]))}
    names = {image["id"]: image["file_name"] for image in coco["images"]}
    rows: dict[str, list] = {name: [] for name in names.values()}
    for one in coco["annotations"]:
        rows[names[one["image_id"]]].append((places[one["category_id"]], *one["bbox"], 1.0))
    return {name: Detections.of(found) for name, found in rows.items()}


def train(root: Path, images: ImageSet, labeled: list[str], effort: Effort, *, seed: int) -> dict[str, float]:
    """Train a detector in the folder `root` on these images; its metrics on the test images.

    Raises RuntimeError with the program's reason when it fails.
    """
    shutil.rmtree(root, ignore_errors=True)
    folder = JobFolder(root)
    batch = min(effort.batch, len(labeled))
    epochs = max(LEAST_EPOCHS, round(effort.steps / math.ceil(len(labeled) / batch)))
    hyperparameters = {
        "label_attribute_name": ATTRIBUTE, "architecture": effort.architecture, "batch_size": batch, "epochs": epochs,
        "max_seconds": 0, "image_size": effort.image_size, "eval_every": 100_000, "checkpoint_seconds": 10_000,
        "seed": seed, "device": "cpu" if os.environ.get("CUDA_VISIBLE_DEVICES") == "" else "auto",
        "class_map": {str(place): name for place, name in enumerate(images.classes)},
    }  # fmt: skip
    folder.prepare(hyperparameters=hyperparameters, channels={TRAIN: {}, VALIDATION: {}})
    for channel, names in ((TRAIN, labeled), (VALIDATION, images.test)):
        lines = manifest_lines(images.coco, names, images.folder / "images")
        folder.manifest(channel).write_text("".join(lines))
    _run("learning.vision.train", folder)
    return ModelConfig.read(folder.model).metrics


@dataclass(frozen=True)
class Said:
    """What a detector says of all images of a set."""

    places: dict[str, int]
    seen: Seen

    def of(self, names: list[str]) -> Seen:
        """Of these images, in their order."""
        rows = [self.places[name] for name in names]
        return Seen([self.seen.boxes[row] for row in rows], self.seen.embeddings[rows])


def kept(
    folder: Path, images: ImageSet, labeled: list[str], effort: Effort, *, tested_on: list[str], seed: int
) -> tuple[dict[str, float], Said]:
    """`train` on the `labeled` images, measured on others, and `predict` of all; returns the metrics and what it says.

    Both are kept in `folder`, and read from there the next time the same is asked for.
    """
    key = hashlib.sha256(repr((labeled, tested_on, effort, seed)).encode()).hexdigest()[:16]
    root, names = folder / key, [*images.train, *images.test]
    done = root / "done"
    if done.exists():
        metrics, seen = ModelConfig.read(JobFolder(root).model).metrics, _read(JobFolder(root / "predict"))
    else:
        metrics = train(root, replace(images, test=tested_on), labeled, effort, seed=seed)
        seen = predict(root, images, names)
        done.touch()
    return metrics, Said({name: place for place, name in enumerate(names)}, seen)


def predict(root: Path, images: ImageSet, names: list[str]) -> Seen:
    """What the detector that was trained in `root` says of these images. Raises RuntimeError when it fails."""
    folder = JobFolder(root / "predict")
    shutil.rmtree(folder.root, ignore_errors=True)
    folder.prepare(hyperparameters={"mirrored": True}, channels={MODEL: {}, PREDICT: {}})
    for path in (root / "model").iterdir():
        shutil.copy(path, folder.channel(MODEL) / path.name)
    lines = [json.dumps({"source-ref": str(images.folder / "images" / name)}) + "\n" for name in names]
    folder.manifest(PREDICT).write_text("".join(lines))
    _run("learning.serving.predict", folder)
    return _read(folder)


def _read(folder: JobFolder) -> Seen:
    found = list(read_predictions(folder.predictions))
    return Seen([detections(one) for one in found], np.array([one.embedding for one in found], dtype=np.float64))


def smaller(effort: Effort, **changes: int) -> Effort:
    """The same trainings with these changes."""
    return replace(effort, **changes)


def _run(program: str, folder: JobFolder) -> None:
    environment = {"OMP_WAIT_POLICY": "PASSIVE"} | os.environ
    command = [sys.executable, "-m", program, str(folder.root)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{program} failed: {folder.read_failure() or done.stderr[-2000:]}")
