"""What the benchmarks of training speed share: pictures, our program and its parts, and torchvision's plain loop.

It needs nothing but the packages of a learner: no Django, no database.
"""

import io
import itertools
import json
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader

from learning.contract import TRAIN, JobFolder, MetricWriter, read_metrics
from learning.hyperparameters import parse_train
from learning.vision import augment, plan, recipe, ssd, train
from learning.vision.data import ImageSet
from learning.vision.loading import Examples, Order, batches
from learning.vision.run_state import Training

BCCD = Path(__file__).resolve().parents[2] / "shared" / "datasets" / "bccd"
CLASSES = {"0": "a", "1": "b", "2": "c"}
SHORT = {
    "ssd300_vgg16": "ssd300_vgg16",
    "ssd300_resnet50": "ssd300_resnet50",
    "ssdlite320_mobilenet_v3_large": "ssdlite320",
    "compact": "compact",
}


@dataclass(frozen=True)
class Setup:
    """How much is measured, and where."""

    device: torch.device
    seconds: float  # of each measurement
    image_size: int  # 0: each architecture's own
    workers: int
    generated: int = 0  # pictures to generate instead of taking bccd's


def lay_out(root: Path, architecture: str, batch_size: int, setup: Setup, **more: Any) -> JobFolder:
    """A job folder with `bccd`'s pictures where they lie beside the project, else with generated ones."""
    folder = JobFolder(root)
    given = {
        "label_attribute_name": "boxes", "architecture": architecture, "weights": "none", "batch_size": batch_size,
        "epochs": 100_000, "max_seconds": setup.seconds, "image_size": setup.image_size, "eval_every": 100_000,
        "checkpoint_seconds": 10_000, "augmentation": "strong", "class_map": CLASSES, "num_workers": setup.workers,
        "device": setup.device.type,
    }  # fmt: skip
    folder.prepare(hyperparameters=given | more, channels={TRAIN: {}})
    if BCCD.exists() and not setup.generated:
        found = _bccd()
    else:
        found = _generated(folder.channel(TRAIN), setup.generated or 128)
    folder.manifest(TRAIN).write_text("".join(found))
    return folder


def started(folder: JobFolder) -> Training:
    """The training of a folder, ready to learn."""
    folder.start()
    return train.prepare(folder, parse_train(folder.read_hyperparameters()), time.monotonic(), lambda: False)


def program(folder: JobFolder) -> float:
    """Images a second of our program, end to end: the median of what it reports in the second half of the run."""
    training = started(folder)
    training.began = time.monotonic()
    with closing(MetricWriter(folder, io.StringIO())) as metrics:
        train.learn(training, metrics, lambda: False)
    rates = [metric.value for metric in read_metrics(folder.metrics)[0] if metric.name == "train:images_per_second"]
    return statistics.median(rates[len(rates) // 2 :])


def plain_loop(training: Training, dtype: torch.dtype, seconds: float) -> float:
    """Images a second of torchvision's reference loop: its model and loss, lists of images, each loss read."""
    asked, device = training.asked, training.device
    model = (
        ssd.build(asked.architecture, num_classes=len(CLASSES), image_size=asked.image_size).model.to(device).train()
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4, momentum=0.9)
    loader = _plain_loader(training.train, training)

    def learn(batch: list[tuple[torch.Tensor, dict[str, torch.Tensor]]]) -> int:
        images = [image.to(device) for image, _ in batch]
        targets = [{name: value.to(device) for name, value in target.items()} for _, target in batch]
        with recipe.precision(device, dtype):
            losses = sum(model(images, targets).values())
        losses.item()
        optimizer.zero_grad()
        losses.backward()
        optimizer.step()
        return len(images)

    return rate(learn, iter(loader), seconds, device)


def rate(learn: Callable[[Any], int], source: Iterator[Any], seconds: float, device: torch.device) -> float:
    """Images a second over at least `seconds`, after steps that are not counted: three on a card, one on a CPU."""
    for batch in itertools.islice(source, 3 if device.type == "cuda" else 1):
        learn(batch)
    wait_for(device)
    began, images = time.perf_counter(), 0
    for batch in source:
        images += learn(batch)
        if time.perf_counter() - began >= seconds:
            break
    wait_for(device)
    return images / (time.perf_counter() - began)


def loader_alone(training: Training, seconds: float) -> float:
    """Images a second of the loader, with as many processes as the training has, nobody learning from them."""
    source = batches(
        training.train, augment=augment.train_transform(training.chosen.augmentation),
        batch_size=training.chosen.batch_size, seed=0, first_step=0, num_workers=_workers(training),
        device=training.device,
    )  # fmt: skip
    return rate(lambda batch: len(batch[0]), source, seconds, training.device)


def one_batch(training: Training) -> tuple[torch.Tensor, torch.Tensor]:
    """A batch of the training on its device."""
    source = batches(
        training.train, augment=augment.train_transform("none"), batch_size=training.chosen.batch_size, seed=0,
        first_step=0, num_workers=0, device=training.device,
    )  # fmt: skip
    return next(source)


def wait_for(device: torch.device) -> None:
    """Until the device has done everything."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


class Busy:
    """The share of time in which the card runs any kernel, 0..1, sampled by nvidia-smi; nan where there is none."""

    def __init__(self, device: torch.device) -> None:
        self.share = float("nan")
        self._process: subprocess.Popen[str] | None = None
        if device.type == "cuda":
            query = "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "-lms", "250"
            with suppress(FileNotFoundError):
                self._process = subprocess.Popen(["nvidia-smi", *query], stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> "Busy":
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is None:
            return
        self._process.terminate()
        lines = self._process.communicate()[0].split()
        values = [int(line) for line in lines if line.isdigit()]
        values = values[len(values) // 2 :]  # the first half holds the start
        self.share = sum(values) / len(values) / 100 if values else float("nan")


def _plain_loader(images: ImageSet, training: Training) -> DataLoader:
    workers = _workers(training)
    return DataLoader(
        Examples(images, augment.train_transform(training.chosen.augmentation), 0),
        batch_sampler=Order(len(images), training.chosen.batch_size, 0, 0),
        collate_fn=_as_lists,
        num_workers=workers,
        persistent_workers=workers > 0,
    )


def _workers(training: Training) -> int:
    return plan.loader_workers(training.asked.num_workers, training.device, os.cpu_count() or 1)


def _as_lists(examples: list[Any]) -> list[tuple[torch.Tensor, dict[str, torch.Tensor]]]:
    return [
        (
            torch.from_numpy(pixels.copy()).permute(2, 0, 1).float() / 255,
            {"boxes": torch.from_numpy(boxes.astype(np.float32)), "labels": torch.from_numpy(labels)},
        )
        for pixels, boxes, labels in examples
    ]


def _bccd() -> list[str]:
    coco = json.loads((BCCD / "annotations.coco.json").read_text())
    kinds = {category["id"]: place for place, category in enumerate(sorted(coco["categories"], key=lambda c: c["id"]))}
    boxes: dict[int, list[tuple[int, float, float, float, float]]] = {}
    for found in coco["annotations"]:
        boxes.setdefault(found["image_id"], []).append((kinds[found["category_id"]], *found["bbox"]))
    images = BCCD / "images"
    return [_line(images / image["file_name"], boxes.get(image["id"], [])) for image in coco["images"]]


def _generated(folder: Path, count: int, size: tuple[int, int] = (640, 480)) -> list[str]:
    rng, lines = np.random.default_rng(0), []
    for place in range(count):
        image = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)).resize(size)
        boxes = []
        for _ in range(int(rng.integers(1, 20))):
            width, height = (int(side) for side in rng.integers(20, 120, 2))
            left, top, kind = (int(rng.integers(0, limit)) for limit in (size[0] - width, size[1] - height, 3))
            image.paste(((250, 60, 60), (60, 250, 60), (60, 60, 250))[kind], (left, top, left + width, top + height))
            boxes.append((kind, left, top, width, height))
        path = folder / f"{place}.jpg"
        image.save(path, quality=90)
        lines.append(_line(path, boxes))
    return lines


def _line(path: Path, boxes: list[Any]) -> str:
    names = ("class_id", "left", "top", "width", "height")
    annotations = [dict(zip(names, box, strict=True)) for box in boxes]
    return json.dumps({"source-ref": str(path), "boxes": {"annotations": annotations, "image_size": []}}) + "\n"
