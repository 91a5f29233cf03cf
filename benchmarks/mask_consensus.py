"""Consensus of masks on generated crowds (mask_crowds.py): ours beside the three methods of crowd-kit in the same run.

crowd-kit is needed here only and is no part of the product: `pip install --target var/rivals crowd-kit==1.4.2`, then
`PYTHONPATH=var/rivals python -m benchmarks.mask_consensus`. All methods get the same answers, of a whole job at once,
no golds; ours as run lengths, as they are stored, crowd-kit's as arrays, conversions left out.
"""

from __future__ import annotations

import importlib.util
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.mask_crowds import KINDS, Mask, Picture, pictures
from benchmarks.report import machine, report
from labeling.consolidation.answers import ObjectAnswers, WorkerAnswer
from labeling.consolidation.masks import semantic
from labeling.consolidation.masks.answers import ConsolidatedMask
from labeling.formats import segments
from labeling.formats.shapes import Segmentation

LABELS = ("area",)
SEEDS = (11, 12, 13)
PICTURES, SIZE = 20, (320, 240)
ANSWERS = (3, 5)
SPEED_KINDS = ("jitter", "everything")
SPEED_PICTURES, SPEED_SIZE = 10, (1024, 768)
RIVALS = ("SegmentationMajorityVote", "SegmentationEM", "SegmentationRASA")


def run_lengths(mask: Mask) -> Segmentation:
    """A mask as an answer is stored."""
    return segments.from_pixels(mask.astype(np.uint8), {1: LABELS[0]})


def laid_out(found: ConsolidatedMask) -> Mask:
    """The pixels of ours."""
    assert found.mask is not None
    return segments.layout(found.mask, [1] * len(found.mask.segments)) > 0


def objects_of(given: Sequence[Picture]) -> list[ObjectAnswers[Segmentation]]:
    """The answers as ours reads them."""
    return [ObjectAnswers(tuple(WorkerAnswer(worker, run_lengths(m)) for worker, m in one.answers)) for one in given]


def table_of(given: Sequence[Picture]) -> Any:
    """The answers as crowd-kit reads them."""
    import pandas

    rows = [(task, worker, mask) for task, one in enumerate(given) for worker, mask in one.answers]
    return pandas.DataFrame(rows, columns=["task", "worker", "segmentation"])


def rival(name: str) -> Any:
    """A fresh one of crowd-kit's aggregators."""
    from crowdkit.aggregation import image_segmentation

    return getattr(image_segmentation, name)()


def overlap(one: Mask, other: Mask) -> float:
    """Intersection over union, 1 for two that are empty."""
    union = np.count_nonzero(one | other)
    return np.count_nonzero(one & other) / union if union else 1.0


def scores(kind: str, answers: int) -> dict[str, float]:
    """Mean overlap with the truth of each method, and of ours how its confidences compare with it."""
    found: dict[str, list[float]] = {name: [] for name in (*RIVALS, "ours", "confidence", "within", "first")}
    for seed in SEEDS:
        given = pictures(KINDS[kind], count=PICTURES, answers=answers, size=SIZE, seed=seed)
        table, objects = table_of(given), objects_of(given)
        for name in RIVALS:
            masks = rival(name).fit_predict(table)
            found[name] += [overlap(np.asarray(masks[task]), one.truth) for task, one in enumerate(given)]
        models = semantic.fit_workers(objects, labels=LABELS)
        for one, answer in zip(given, objects, strict=True):
            made = semantic.consolidate(answer.answers, labels=LABELS, workers=models)
            reached = overlap(laid_out(made), one.truth)
            found["ours"].append(reached)
            found["first"].append(overlap(one.answers[0][1], one.truth))
            found["confidence"].append(made.confidence or 0.0)
            found["within"].append((made.confidence_low or 0.0) <= reached <= (made.confidence_high or 0.0))
    return {name: float(np.mean(values)) for name, values in found.items()}


def per_second(count: int, work: Callable[[], object], repeats: int = 3) -> float:
    """Masks a second of processor time, the best of `repeats`."""
    best = float("inf")
    for _ in range(repeats):
        segments.ends_of.cache_clear()
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return count / best


def speeds(size: tuple[int, int], count: int) -> dict[str, float]:
    """Masks a second of each method, five answers each; of ours once the workers are known, and the fit too."""
    given = [
        one for kind in SPEED_KINDS for one in pictures(KINDS[kind], count=count, answers=5, size=size, seed=SEEDS[0])
    ]
    table, objects = table_of(given), objects_of(given)
    models = semantic.fit_workers(objects, labels=LABELS)
    rates = {name: per_second(len(given), lambda name=name: rival(name).fit_predict(table)) for name in RIVALS}
    rates["ours"] = per_second(
        len(given), lambda: [semantic.consolidate(one.answers, labels=LABELS, workers=models) for one in objects]
    )
    rates["ours_fit"] = per_second(len(given), lambda: semantic.fit_workers(objects, labels=LABELS), repeats=1)
    return rates


def main() -> None:
    """Overlap by kind of crowd, then speed."""
    if importlib.util.find_spec("crowdkit") is None:
        sys.exit(
            "crowd-kit is not installed. Run: pip install --target var/rivals crowd-kit==1.4.2, "
            "then: PYTHONPATH=var/rivals python -m benchmarks.mask_consensus"
        )
    warnings.filterwarnings("ignore", module="crowdkit")
    warnings.filterwarnings("ignore", category=FutureWarning)
    before = machine()
    figures: dict[str, float] = {}
    margins = []
    for kind in KINDS:
        for answers in ANSWERS:
            found = scores(kind, answers)
            margins.append(found["ours"] - max(found[name] for name in RIVALS))
            figures |= {f"{kind}_{answers}_{name}": value for name, value in found.items()}
            print(kind, answers, {name: round(value, 4) for name, value in found.items()}, flush=True)
    figures["iou_margin"], figures["iou_margin_mean"] = min(margins), float(np.mean(margins))
    rates = speeds(SPEED_SIZE, SPEED_PICTURES)
    figures |= {f"{name}_masks_per_s": rate for name, rate in rates.items()}
    figures["speed_ratio"] = rates["ours"] / max(rates[name] for name in RIVALS)
    report("mask_consensus", figures, on=before)


if __name__ == "__main__":
    main()
