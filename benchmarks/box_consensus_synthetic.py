"""Consensus of boxes on synthetic crowds over the truth of `bccd` and `cards`: nobody knows the workers, no golds.

Run by `python -m benchmarks.box_consensus_synthetic [dataset ...] [--answers 3,5] [--images N]`. The others keep what
more than half of the answers drew, ours what its models believe.

Mean IoU is over the objects a method found, and a method that finds only the easy ones looks good by it. So the margin
in IoU is paired: over objects that both methods found.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from benchmarks.bench_environment import with_bench_packages
from benchmarks.consensus_data import Crowd, coco_truth, imagine
from benchmarks.consensus_methods import greedy_median, intersect_merge, majority, weighted_boxes_fusion
from benchmarks.consensus_scores import Labeled, labeled, matches, summary, tally
from benchmarks.report import report
from labeling.consolidation import boxes
from labeling.consolidation.boxes_types import ImageAnswers

NOISE = {"low": (0.03, 0.05, 0.05), "mid": (0.10, 0.15, 0.10), "high": (0.20, 0.25, 0.20)}
"""Jitter, misses, false boxes."""


def crowds(answers: Sequence[int]) -> Iterator[tuple[str, Crowd]]:
    """Every cell: 10, 20, 50 workers; 0, 25, 50 % spammers; three levels of noise."""
    for count in answers:
        for workers in (10, 20, 50):
            for spammers in (0.0, 0.25, 0.5):
                for noise, (jitter, miss, false) in NOISE.items():
                    name = f"{workers}w_{round(spammers * 100)}spam_{noise}_{count}a"
                    yield name, Crowd(workers, spammers, jitter, miss, false, answers=count)


def ours(images: Sequence[ImageAnswers], labels: list[str]) -> list[Labeled]:
    blind = [replace(image, gold=None) for image in images]
    workers = boxes.fit_workers(blind, labels=labels)
    return [labeled(result.boxes) for result in boxes.consolidate_many(blind, labels=labels, workers=workers)]


def others(images: Sequence[ImageAnswers], labels: list[str], count: int) -> dict[str, list[Labeled]]:
    quorum = count // 2 + 1
    least = (quorum - 0.5) / count
    return {
        "greedy": [one.above(least) for one in greedy_median(images, labels)],
        "majority": [one.above(least) for one in majority(images, labels)],
        "wbf": [one.above(least) for one in weighted_boxes_fusion(images, labels)],
        "datumaro": intersect_merge(images, labels, quorum),
    }


def paired_iou(a: Sequence[Labeled], b: Sequence[Labeled], golds: Sequence[Labeled]) -> float:
    """Mean IoU of `a` minus that of `b` over the golds both have found."""
    gaps = []
    for one, other, gold in zip(a, b, golds, strict=True):
        mine = {g: value for _, g, value in matches(one, gold, 0.5)}
        theirs = {g: value for _, g, value in matches(other, gold, 0.5)}
        gaps += [mine[g] - theirs[g] for g in mine.keys() & theirs.keys()]
    return float(np.mean(gaps)) if gaps else 0.0


def cell(name: str, images: Sequence[ImageAnswers], labels: list[str], count: int) -> dict[str, float]:
    """Figures of one cell: each method's, and ours minus the best other."""
    golds = [labeled(image.gold or ()) for image in images]
    found = {"ours": ours(images, labels), **others(images, labels, count)}
    figures: dict[str, float] = {}
    for method, one in found.items():
        half, strict = summary(tally(one, golds)), summary(tally(one, golds, 0.75))
        figures |= {
            f"{name}_{method}_f1_50": half["f1"],
            f"{name}_{method}_f1_75": strict["f1"],
            f"{name}_{method}_mean_iou": half["mean_iou"],
        }
    rest = [method for method in found if method != "ours"]
    for key in ("f1_50", "f1_75"):
        best = max(figures[f"{name}_{method}_{key}"] for method in rest)
        figures[f"{name}_margin_{key}"] = figures[f"{name}_ours_{key}"] - best
    figures[f"{name}_margin_paired_iou"] = min(paired_iou(found["ours"], found[m], golds) for m in rest)
    return figures


def main() -> None:
    with_bench_packages("benchmarks.box_consensus_synthetic")
    parser = argparse.ArgumentParser()
    parser.add_argument("datasets", nargs="*", default=["bccd", "cards"])
    parser.add_argument("--answers", default="3,5")
    parser.add_argument("--images", type=int, default=400)
    asked = parser.parse_args()
    figures: dict[str, float] = {}
    margins: dict[str, list[float]] = {"f1_50": [], "f1_75": [], "paired_iou": []}
    for dataset in asked.datasets:
        labels, truth = coco_truth(dataset)
        for name, crowd in crowds([int(n) for n in asked.answers.split(",")]):
            images = imagine(crowd, labels, truth[: asked.images])
            said = cell(f"{dataset}_{name}", images, labels, crowd.answers)
            figures |= said
            for key, values in margins.items():
                values.append(float(said[f"{dataset}_{name}_margin_{key}"]))
            print(dataset, name, {key: round(values[-1], 4) for key, values in margins.items()}, flush=True)
    for key, values in margins.items():
        ahead = float(np.mean(np.array(values) > 0))
        figures |= {f"share_of_cells_ahead_{key}": ahead, f"worst_margin_{key}": float(min(values))}
    figures["cells"] = len(margins["f1_50"])
    report("box_consensus_synthetic", figures)


if __name__ == "__main__":
    main()
