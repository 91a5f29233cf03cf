"""Consensus of boxes on synthetic crowds over the truth of `bccd` and `cards`: nobody knows the workers, no golds.

Run by `python -m benchmarks.box_consensus_synthetic [dataset ...] [--answers 3,5] [--images N] [--uneven 0.5]`. The
others keep what more than half of the answers drew, ours what its models believe. `known_by_class` is what our F1 gains
by knowing how well each class is found.

Plain mean IoU is over the objects a method found, and a method that finds only the easy ones looks good by it. Beside
it stand two that cannot be won by finding fewer: over all objects, a missed one counting 0, and paired, over the
objects that both methods found. Each is reported as ours minus the best other, the one best in that very figure.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.bench_environment import with_bench_packages
from benchmarks.consensus_data import Crowd, coco_truth, imagine
from benchmarks.consensus_methods import greedy_median, intersect_merge, majority, weighted_boxes_fusion
from benchmarks.consensus_scores import Labeled, difference, labeled, matches, summary, tally
from benchmarks.report import report
from labeling.consolidation.boxes import consolidator as boxes
from labeling.consolidation.boxes.answers import ImageAnswers

ROUNDS = 500
"""Bootstrap resamples of a cell's images."""
KEYS = ("f1_50", "f1_75", "mean_iou", "iou_missed_as_0", "paired_iou")
NOISE = {"low": (0.03, 0.05, 0.05), "mid": (0.10, 0.15, 0.10), "high": (0.20, 0.25, 0.20)}
"""Jitter, misses, false boxes."""


def crowds(answers: Sequence[int], uneven: float) -> Iterator[tuple[str, Crowd]]:
    """Every cell: 10, 20, 50 workers; 0, 25, 50 % spammers; three levels of noise. `uneven`: see Crowd."""
    for count in answers:
        for workers in (10, 20, 50):
            for spammers in (0.0, 0.25, 0.5):
                for noise, (jitter, miss, false) in NOISE.items():
                    name = f"{workers}w_{round(spammers * 100)}spam_{noise}_{count}a"
                    yield name, Crowd(workers, spammers, jitter, miss, false, answers=count, uneven=uneven)


def ours(images: Sequence[ImageAnswers], labels: list[str]) -> tuple[list[Labeled], list[Labeled]]:
    """Our consensus, and what it would be if workers were not known by class."""
    blind = [replace(image, gold=None) for image in images]
    workers = boxes.fit_workers(blind, labels=labels)
    found = [labeled(result.boxes) for result in boxes.consolidate_many(blind, labels=labels, workers=workers)]
    workers.population.by_class = {}
    for skill in workers.skills.values():
        skill.by_class = {}
    return found, [labeled(result.boxes) for result in boxes.consolidate_many(blind, labels=labels, workers=workers)]


def others(images: Sequence[ImageAnswers], labels: list[str], count: int) -> dict[str, list[Labeled]]:
    quorum = count // 2 + 1
    least = (quorum - 0.5) / count
    return {
        "greedy": [one.above(least) for one in greedy_median(images, labels)],
        "majority": [one.above(least) for one in majority(images, labels)],
        "wbf": [one.above(least) for one in weighted_boxes_fusion(images, labels)],
        "datumaro": intersect_merge(images, labels, quorum),
    }


def paired_iou(a: Sequence[Labeled], b: Sequence[Labeled], golds: Sequence[Labeled]) -> NDArray[np.float64]:
    """Per image: summed IoU of `a` minus that of `b` over the golds both have found, and how many those are."""
    rows = []
    for one, other, gold in zip(a, b, golds, strict=True):
        mine = {g: value for _, g, value in matches(one, gold, 0.5)}
        theirs = {g: value for _, g, value in matches(other, gold, 0.5)}
        both = mine.keys() & theirs.keys()
        rows.append((sum(mine[g] - theirs[g] for g in sorted(both)), len(both)))
    return np.array(rows, float)


def paired_interval(rows: NDArray[np.float64], rounds: int = ROUNDS) -> tuple[float, float, float]:
    """Mean gap and its 95 % bootstrap interval over images."""
    times = np.random.default_rng(1).multinomial(len(rows), np.full(len(rows), 1 / len(rows)), size=rounds)
    gap, count = (times @ rows).T
    low, high = np.quantile(gap / np.maximum(count, 1), (0.025, 0.975))
    total, pairs = rows.sum(axis=0)
    return float(total / max(pairs, 1)), float(low), float(high)


def cell(name: str, images: Sequence[ImageAnswers], labels: list[str], count: int) -> dict[str, float]:
    """Figures of one cell: each method's, and ours minus the best other with bootstrap intervals over images."""
    golds = [labeled(image.gold or ()) for image in images]
    mine, classless = ours(images, labels)
    found = {"ours": mine, **others(images, labels, count)}
    half = {method: tally(one, golds) for method, one in found.items()}
    strict = {method: tally(one, golds, 0.75) for method, one in found.items()}
    rest = [method for method in found if method != "ours"]
    gain = summary(half["ours"])["f1"] - summary(tally(classless, golds))["f1"]
    figures: dict[str, float] = {f"{name}_known_by_class_gain": gain}
    for key, (rows, figure) in {
        "f1_50": (half, "f1"),
        "f1_75": (strict, "f1"),
        "mean_iou": (half, "mean_iou"),
        "iou_missed_as_0": (half, "iou_missed_as_0"),
    }.items():
        said = {method: summary(rows[method])[figure] for method in found}
        best = sorted(rest, key=said.__getitem__)[-1]
        low, high = difference(rows["ours"], rows[best], figure, ROUNDS)
        figures |= {f"{name}_{method}_{key}": value for method, value in said.items()}
        figures[f"{name}_margin_{key}"] = said["ours"] - said[best]
        figures |= {f"{name}_margin_{key}_low": low, f"{name}_margin_{key}_high": high}
    worst = min((paired_interval(paired_iou(found["ours"], found[m], golds)) for m in rest), key=lambda gap: gap[0])
    for end, value in zip(("", "_low", "_high"), worst, strict=True):
        figures[f"{name}_margin_paired_iou{end}"] = value
    return figures


def main() -> None:
    with_bench_packages("benchmarks.box_consensus_synthetic")
    parser = argparse.ArgumentParser()
    parser.add_argument("datasets", nargs="*", default=["bccd", "cards"])
    parser.add_argument("--answers", default="3,5")
    parser.add_argument("--images", type=int, default=400)
    parser.add_argument("--uneven", type=float, default=0.0)
    asked = parser.parse_args()
    figures: dict[str, float] = {}
    gains: list[float] = []
    margins: dict[str, list[float]] = {key: [] for key in KEYS}
    sure: dict[str, list[bool]] = {key: [] for key in KEYS}
    lost: dict[str, list[bool]] = {key: [] for key in KEYS}
    for dataset in asked.datasets:
        labels, truth = coco_truth(dataset)
        for name, crowd in crowds([int(n) for n in asked.answers.split(",")], asked.uneven):
            images = imagine(crowd, labels, truth[: asked.images])
            said = cell(f"{dataset}_{name}", images, labels, crowd.answers)
            figures |= said
            gains.append(said[f"{dataset}_{name}_known_by_class_gain"])
            for key, values in margins.items():
                margin = f"{dataset}_{name}_margin_{key}"
                values.append(float(said[margin]))
                sure[key].append(said[f"{margin}_low"] > 0)
                lost[key].append(said[f"{margin}_high"] < 0)
            print(dataset, name, {key: round(values[-1], 4) for key, values in margins.items()}, flush=True)
    for key, values in margins.items():
        near = np.round(values, 9)
        figures |= {
            f"cells_ahead_{key}": int((near > 0).sum()),
            f"cells_level_{key}": int((near == 0).sum()),
            f"cells_behind_{key}": int((near < 0).sum()),
            f"cells_surely_ahead_{key}": sum(sure[key]),
            f"cells_surely_behind_{key}": sum(lost[key]),
            f"worst_margin_{key}": float(min(values)),
        }
    figures |= {"known_by_class_gain_mean": float(np.mean(gains)), "known_by_class_gain_least": min(gains)}
    figures["cells"] = len(margins["f1_50"])
    report("box_consensus_synthetic", figures)


if __name__ == "__main__":
    main()
