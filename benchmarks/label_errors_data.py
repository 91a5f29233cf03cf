"""Data sets with planted label errors, and a detector's predictions of each image by a model that has not seen it.

Errors are planted in the boxes of a COCO file: boxes left out, boxes moved or wrongly sized, boxes of another class.
Predictions are made out of fold by models trained on the labels with the errors, as they would be in a real job.
"""

import copy
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.fine_tuning import ATTRIBUTE, DATASETS, ROOT, manifest_lines, train
from labeling.formats.geometry import iou_matrix
from learning.contract import MODEL, PREDICT, TRAIN, VALIDATION, JobFolder, Prediction, read_predictions

OVERLOOKED, BADLY_PLACED, WRONG_CLASS = KINDS = ("overlooked", "badly_placed", "wrong_class")
# How much a moved box still overlaps with its true place.
MOVED_IOU = (0.3, 0.7)
LEAST_SCORE = 0.01


@dataclass(frozen=True)
class Planted:
    """A set with errors: the COCO file as people would have it, and where the errors are.

    `wrong` maps the id of an annotation to the kind of its error; `left_out` maps an image's id to the COCO
    annotations that were left out of it.
    """

    name: str
    coco: dict
    wrong: dict[int, str]
    left_out: dict[int, list[dict]]

    def erroneous(self, kind: str) -> set[int]:
        """The ids of the images with an error of this kind."""
        if kind == OVERLOOKED:
            return set(self.left_out)
        return {one["image_id"] for one in self.coco["annotations"] if self.wrong.get(one["id"]) == kind}

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds that are there: a set of one class has no wrong classes."""
        return KINDS if len(self.coco["categories"]) > 1 else KINDS[:2]


def plant(name: str, *, rate: float, seed: int, datasets: Path = DATASETS) -> Planted:
    """Plant one error of each kind in a share `rate` of the images; each kind draws its images anew.

    No box gets two errors. Raises FileNotFoundError when the set is missing.
    """
    coco = json.loads((datasets / name / "annotations.coco.json").read_text())
    rng = np.random.default_rng([seed, len(coco["images"]), len(coco["annotations"])])
    sizes = {one["id"]: (one["width"], one["height"]) for one in coco["images"]}
    classes = sorted(one["id"] for one in coco["categories"])
    planted = Planted(name, coco, {}, {})
    for kind in planted.kinds:
        free: dict[int, list[dict]] = {}
        for one in coco["annotations"]:
            if one["id"] not in planted.wrong:
                free.setdefault(one["image_id"], []).append(one)
        for image in rng.choice(sorted(free), size=round(rate * len(sizes)), replace=False).tolist():
            box = free[image][rng.integers(len(free[image]))]
            if kind == OVERLOOKED:
                planted.left_out.setdefault(image, []).append(copy.deepcopy(box))
                coco["annotations"].remove(box)
                continue
            planted.wrong[box["id"]] = kind
            if kind == BADLY_PLACED:
                box["bbox"] = moved(box["bbox"], sizes[image], rng)
            else:
                box["category_id"] = int(rng.choice([one for one in classes if one != box["category_id"]]))
    return planted


def moved(bbox: list[float], size: tuple[int, int], rng: np.random.Generator) -> list[float]:
    """The box shifted and resized at random, inside the image, so that its IoU with itself is within MOVED_IOU."""
    left, top, width, height = bbox
    true = np.array([[left, top, left + width, top + height]])
    low, high = MOVED_IOU
    while True:
        dx, dy = rng.uniform(-0.5, 0.5, 2) * (rng.random() < 0.7)
        wider, higher = np.exp(rng.uniform(-0.6, 0.6, 2) * (rng.random() < 0.7))
        centre = np.array([left + width / 2 + dx * width, top + height / 2 + dy * height])
        half = np.array([width * wider, height * higher]) / 2
        box = np.concatenate([np.maximum(centre - half, 0), np.minimum(centre + half, size)])
        if (box[2:] - box[:2] >= 2).all() and low <= iou_matrix(true, box[None])[0, 0] <= high:
            return [round(float(value), 2) for value in (*box[:2], *(box[2:] - box[:2]))]


def out_of_fold(
    planted: Planted, folder: Path, *, folds: int, training: dict[str, float], images: Path
) -> dict[str, Prediction]:
    """File name -> its prediction by a model of the other folds; kept in `folder`, and read from there the next time.

    `training`: hyperparameters that say how long and how large.
    """
    names = sorted(one["file_name"] for one in planted.coco["images"])
    fold = np.random.default_rng(11).permutation(len(names)) % folds
    found = {}
    for number in range(folds):
        inside = [name for name, place in zip(names, fold, strict=True) if place == number]
        outside = [name for name, place in zip(names, fold, strict=True) if place != number]
        job = JobFolder(folder / f"{planted.name}-{number}")
        predictions = JobFolder(folder / f"{planted.name}-{number}-predictions")
        if not (predictions.root / "done").exists():
            train_on(job, planted.coco, outside, inside, training, images)
            predict_with(predictions, job, planted.coco, inside, images)
            (predictions.root / "done").touch()
        found |= {Path(one.source_ref).name: one for one in read_predictions(predictions.predictions)}
    return found


def train_on(
    job: JobFolder, coco: dict, names: list[str], held: list[str], training: dict[str, float], images: Path
) -> None:
    """Train in the folder on the images `names`; `held` are for its own evaluation. Raises RuntimeError if it fails."""
    hyperparameters = {"label_attribute_name": ATTRIBUTE, "epochs": 100_000, "eval_every": 100_000} | training
    job.prepare(hyperparameters=hyperparameters, channels={TRAIN: {}, VALIDATION: {}})
    for channel, chosen in ((TRAIN, names), (VALIDATION, held)):
        job.manifest(channel).write_text("".join(manifest_lines(coco, chosen, images)))
    metrics = train(job)
    print(job.root.name, {name: round(value, 3) for name, value in metrics.items()}, flush=True)


def predict_with(
    folder: JobFolder, job: JobFolder, coco: dict, names: list[str], images: Path, *, mirrored: bool = False
) -> None:
    """Predict the images `names` in `folder` with the model of `job`. Raises RuntimeError if it fails."""
    asked = {"score_threshold": LEAST_SCORE, "embedding": False, "mirrored": mirrored}
    folder.prepare(hyperparameters=asked, channels={PREDICT: {}})
    folder.manifest(PREDICT).write_text("".join(manifest_lines(coco, names, images)))
    folder.channel(MODEL).symlink_to(job.model.resolve())
    command = [sys.executable, "-m", "learning.serving.predict", str(folder.root)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"prediction failed: {folder.read_failure() or done.stderr[-2000:]}")
