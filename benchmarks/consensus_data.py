"""What the consensus benchmarks measure on: real workers with expert golds, and synthetic crowds over real truth."""

import csv
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.options import datasets
from labeling.consolidation.answers import WorkerAnswer
from labeling.consolidation.boxes.answers import ImageAnswers
from labeling.formats.shapes import Box

DATASETS = datasets()


def pedestrians() -> list[ImageAnswers]:
    """Seven MTurk answers an image, golds on about half of them; ordered by image id, which is the order of frames."""
    folder = DATASETS / "mturk_pedestrian_boxes"
    drawn, gold = defaultdict(list), defaultdict(list)
    for row in _rows(folder / "annotations.csv"):
        drawn[row["image_id"], row["worker"]].append(_box(row))
    for row in _rows(folder / "gold.csv"):
        gold[row["image_id"]].append(_box(row))
    answers = defaultdict(list)
    for row in _rows(folder / "responses.csv"):
        key = row["image_id"]
        answers[key].append(WorkerAnswer(row["worker"], tuple(drawn[key, row["worker"]])))
    return [
        ImageAnswers(
            tuple(answers[row["image_id"]]),
            (float(row["width"]), float(row["height"])),
            tuple(gold[row["image_id"]]) if row["has_gold"] == "1" else None,
            row["image_id"],
        )
        for row in sorted(_rows(folder / "images.csv"), key=lambda row: row["image_id"])
    ]


def some_answers(images: Sequence[ImageAnswers], count: int, seed: int) -> list[ImageAnswers]:
    """`count` answers of each image, chosen at random; the same seed gives nested choices for growing counts."""
    chosen = []
    for number, image in enumerate(images):
        order = np.random.default_rng([seed, number]).permutation(len(image.answers))[:count]
        chosen.append(replace(image, answers=tuple(image.answers[i] for i in order)))
    return chosen


@dataclass(frozen=True)
class Crowd:
    """A synthetic crowd. Rates are of an honest worker on average; `spammers` is a share of the workers. With `uneven`
    each class is overlooked more often than `miss` by something between 0 and that."""

    workers: int
    spammers: float
    jitter: float
    miss: float
    false_positives: float
    confusion: float = 0.05
    answers: int = 5
    seed: int = 7
    uneven: float = 0.0


def coco_truth(name: str) -> tuple[list[str], list[tuple[tuple[float, float], list[Box]]]]:
    """Class names, and (size, boxes) of each image of a dataset with COCO truth."""
    coco = json.loads((DATASETS / name / "annotations.coco.json").read_text())
    names = {c["id"]: c["name"] for c in coco["categories"]}
    boxes = defaultdict(list)
    for a in coco["annotations"]:
        if a["bbox"][2] >= 2 and a["bbox"][3] >= 2:
            boxes[a["image_id"]].append(Box(names[a["category_id"]], *map(float, a["bbox"])))
    images = sorted(coco["images"], key=lambda image: image["id"])
    return list(names.values()), [((float(i["width"]), float(i["height"])), boxes[i["id"]]) for i in images]


def imagine(crowd: Crowd, labels: list[str], truth: list[tuple[tuple[float, float], list[Box]]]) -> list[ImageAnswers]:
    """`crowd`'s answers on `truth`; golds are carried along for scoring."""
    rng = np.random.default_rng([crowd.seed, crowd.workers, round(crowd.spammers * 100), round(crowd.jitter * 1000)])
    spammers = set(rng.permutation(crowd.workers)[: round(crowd.spammers * crowd.workers)].tolist())
    skill = rng.lognormal(0, 0.35, (crowd.workers, 3))
    bias = rng.normal(0, 0.4 * crowd.jitter, (crowd.workers, 4))
    overlooked = dict(zip(labels, np.random.default_rng(crowd.seed).uniform(0, crowd.uneven, len(labels)), strict=True))
    mean = sum(len(boxes) for _, boxes in truth) / len(truth)
    images = []
    for number, (size, boxes) in enumerate(truth):
        answers = []
        for worker in rng.permutation(crowd.workers)[: crowd.answers].tolist():
            if worker in spammers:
                drawn = spam_boxes(rng, size, labels, rng.poisson(mean))
            else:
                drawn = honest_boxes(rng, crowd, size, overlooked, boxes, skill[worker], bias[worker])
            answers.append(WorkerAnswer(f"w{worker:02d}", tuple(drawn)))
        images.append(ImageAnswers(tuple(answers), size, tuple(boxes), str(number)))
    return images


def honest_boxes(rng, crowd, size, overlooked, boxes, skill, bias) -> list[Box]:
    """The boxes of an honest worker on an image of these true `boxes`."""
    drawn, labels = [], list(overlooked)
    for box in boxes:
        if rng.random() < min(crowd.miss * skill[0] + overlooked[box.label], 0.9):
            continue
        label = box.label
        if rng.random() < crowd.confusion:
            label = labels[rng.integers(len(labels))]
        extent = np.array([box.width, box.height, box.width, box.height])
        edges = np.array([box.left, box.top, box.left + box.width, box.top + box.height])
        edges = edges + extent * (bias + rng.normal(0, crowd.jitter * skill[1], 4))
        drawn += _clipped(edges, size, label)
    for _ in range(rng.poisson(min(crowd.false_positives * skill[2], 1.0) * len(boxes))):
        drawn += spam_boxes(rng, size, labels, 1)
    return drawn


def spam_boxes(rng, size, labels, count) -> list[Box]:
    """So many boxes at random."""
    drawn = []
    for _ in range(count):
        width, height = rng.uniform(0.05, 0.3, 2) * size
        left, top = rng.uniform(0, 1, 2) * (size[0] - width, size[1] - height)
        drawn.append(Box(labels[rng.integers(len(labels))], float(left), float(top), float(width), float(height)))
    return drawn


def _clipped(edges, size, label) -> list[Box]:
    left, top, right, bottom = np.round(np.clip(edges, 0, [*size, *size]), 1).tolist()
    return [Box(label, left, top, right - left, bottom - top)] if right - left > 1 and bottom - top > 1 else []


def _box(row: dict[str, str]) -> Box:
    return Box("person", float(row["x"]), float(row["y"]), float(row["w"]), float(row["h"]))


def _rows(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))
