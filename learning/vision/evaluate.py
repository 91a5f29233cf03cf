"""How good predictions are against the truth: COCO mean average precision, by faster-coco-eval.

It must not know models or files; boxes come in the displayed pixels of each image.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from faster_coco_eval import COCO, COCOeval_faster
from numpy.typing import NDArray

from learning.contract import PredictedBox

COCO_THRESHOLDS = np.round(np.arange(0.5, 0.96, 0.05), 2)


@dataclass(frozen=True)
class Truth:
    """The labels of one image: boxes [n, 4] as x1 y1 x2 y2 in displayed pixels, class ids [n]."""

    boxes: NDArray[np.float32]
    class_ids: Sequence[int]


@dataclass(frozen=True)
class Scores:
    """Average precisions, 0..1; nan where there is no true box to find."""

    mean: float  # over IoU .50 to .95 and all classes that occur, COCO's headline figure
    mean_50: float  # at IoU .50
    at_overlap: float  # at the overlap_threshold asked for
    by_class_50: dict[str, float]  # class name -> AP at IoU .50


def average_precision(
    truth: Sequence[Truth],
    found: Sequence[Sequence[PredictedBox]],
    *,
    class_map: Mapping[str, str],
    overlap_threshold: float = 0.5,
) -> Scores:
    """Score predictions, one sequence of boxes for each truth in the same order.

    COCO's protocol: greedy matching best score first, 101-point interpolated precision, at most 100 boxes an image.
    Raises ValueError when the lengths differ.
    """
    if len(truth) != len(found):
        raise ValueError(f"{len(truth)} images with truth but predictions for {len(found)}")
    reference = _coco([_annotations(image) for image in truth], class_map)
    results = [
        {
            "image_id": image + 1,
            "category_id": box.class_id + 1,
            "bbox": [box.left, box.top, box.width, box.height],
            "score": box.score,
        }
        for image, boxes in enumerate(found)
        for box in boxes
    ]
    evaluation = COCOeval_faster(reference, reference.loadRes(results), "bbox", print_function=_silent)
    thresholds = np.unique(np.r_[COCO_THRESHOLDS, round(overlap_threshold, 4)])
    evaluation.params.iouThrs = thresholds
    evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e10]], ["all"]
    evaluation.params.maxDets = [100]
    evaluation.evaluate()
    evaluation.accumulate()
    # precision is [threshold, recall, class, area, detections]; -1 marks classes without a true box.
    precision = evaluation.eval["precision"][:, :, :, 0, -1]
    by_class = np.where(precision.min(axis=1) < 0, np.nan, precision.mean(axis=1))
    at_50 = by_class[np.searchsorted(thresholds, 0.5)]
    names = [class_map[key] for key in sorted(class_map, key=int)]  # the order of the categories in precision
    return Scores(
        mean=_mean(by_class[np.isin(thresholds, COCO_THRESHOLDS)]),
        mean_50=_mean(at_50),
        at_overlap=_mean(by_class[np.searchsorted(thresholds, round(overlap_threshold, 4))]),
        by_class_50={name: float(value) for name, value in zip(names, at_50, strict=True)},
    )


def _annotations(image: Truth) -> list[dict[str, object]]:
    lines = []
    for (x1, y1, x2, y2), class_id in zip(image.boxes.tolist(), image.class_ids, strict=True):
        width, height = x2 - x1, y2 - y1
        # COCO takes category 0 for "none" in places, so ids are shifted by one here and in the results.
        body = {"category_id": class_id + 1, "bbox": [x1, y1, width, height], "area": width * height}
        lines.append(body | {"iscrowd": 0})
    return lines


def _coco(images: Sequence[list[dict[str, object]]], class_map: Mapping[str, str]) -> COCO:
    numbered = [line | {"image_id": image + 1} for image, annotations in enumerate(images) for line in annotations]
    return COCO(
        {
            "images": [{"id": image + 1} for image in range(len(images))],
            "categories": [{"id": int(key) + 1, "name": name} for key, name in class_map.items()],
            "annotations": [line | {"id": place + 1} for place, line in enumerate(numbered)],
        }
    )


def _mean(values: NDArray[np.float64]) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")


def _silent(*_: object, **__: object) -> None:
    """faster-coco-eval reports to a logger or stdout; stdout is for the metrics."""
