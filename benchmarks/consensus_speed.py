"""Speed of one consolidation pass and of the whole fit: 5 workers, 5 objects an image; memory against image count.

Beside ours: Datumaro's IntersectMerge, ensemble-boxes' WBF and a naive greedy clustering, each timed on its own input
format, conversions left out.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.bench_environment import with_bench_packages
from benchmarks.consensus_methods import greedy_median
from benchmarks.consensus_scores import labeled
from benchmarks.report import report
from labeling.consolidation.answers import WorkerAnswer
from labeling.consolidation.boxes import consolidator as boxes
from labeling.consolidation.boxes.answers import ImageAnswers
from labeling.formats.shapes import Box

LABELS = ["a", "b", "c"]
SIZE = (1280.0, 720.0)


class Images:
    """`count` synthetic images made as they are read, so that only the consolidation can use memory."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __iter__(self) -> Iterator[ImageAnswers]:
        for number in range(self.count):
            yield _image(number)


def _image(number: int) -> ImageAnswers:
    rng = np.random.default_rng(number)
    corner, size = rng.uniform(0, (1000, 500), (5, 2)), rng.uniform(40, 200, (5, 2))
    labels = rng.integers(3, size=5)
    shift = rng.normal(0, 0.06, (5, 5, 4)) * np.concatenate([size, size], axis=1)
    edges = np.concatenate([corner, corner + size], axis=1) + shift
    rows = np.concatenate([edges[..., :2], np.maximum(edges[..., 2:] - edges[..., :2], 2)], axis=2).tolist()
    answers = tuple(
        WorkerAnswer(
            f"w{(number + seat * 7) % 40}",
            tuple(Box(LABELS[label], *row) for row, label in zip(rows[seat], labels, strict=True)),
        )
        for seat in range(5)
    )
    return ImageAnswers(answers, SIZE)


def per_second(count: int, work: Callable[[], object], repeats: int = 3) -> float:
    """Images a second of processor time, the best of `repeats`: all are single-threaded, and a busy machine does not
    change the comparison."""
    best = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return count / best


def datumaro_rate(images: list[ImageAnswers]) -> float:
    from datumaro.components.annotation import Bbox
    from datumaro.components.dataset import Dataset
    from datumaro.components.dataset_base import DatasetItem
    from datumaro.components.merge import IntersectMerge

    sources = []
    for seat in range(5):
        items = [
            DatasetItem(
                id=str(key),
                annotations=[
                    Bbox(b.left, b.top, b.width, b.height, label=LABELS.index(b.label))
                    for b in image.answers[seat].value
                ],
            )
            for key, image in enumerate(images)
        ]
        sources.append(Dataset.from_iterable(items, categories=LABELS))
    settings = IntersectMerge.Conf(pairwise_dist=0.5, quorum=3, output_conf_thresh=0, close_distance=0)
    return per_second(len(images), lambda: list(IntersectMerge(conf=settings).merge(sources)))


def fusion_rate(images: list[ImageAnswers]) -> float:
    from ensemble_boxes import weighted_boxes_fusion

    scale = np.array([*SIZE, *SIZE])
    inputs = []
    for image in images:
        found = [labeled(answer.value) for answer in image.answers]
        inputs.append(
            (
                [np.clip(f.ltrb / scale, 0, 1).tolist() for f in found],
                [f.score.tolist() for f in found],
                [[LABELS.index(name) for name in f.label] for f in found],
            )
        )
    return per_second(len(images), lambda: [weighted_boxes_fusion(*one, iou_thr=0.55) for one in inputs])


def memory(count: int) -> float:
    """Peak resident megabytes of a process that fits and consolidates `count` images."""
    program = (
        "from benchmarks.consensus_speed import *\n"
        f"images = Images({count})\n"
        "models = boxes.fit_workers(images, labels=LABELS, rounds=1)\n"
        "for _ in boxes.consolidate_many(images, labels=LABELS, workers=models): pass\n"
        # Not ru_maxrss, which a child inherits from its parent.
        "print(next(int(s.split()[1]) / 1024 for s in open('/proc/self/status') if s.startswith('VmHWM')))"
    )
    return float(subprocess.run([sys.executable, "-c", program], check=True, capture_output=True).stdout)


def main() -> None:
    with_bench_packages("benchmarks.consensus_speed")
    images = list(Images(2000))
    models = boxes.fit_workers(images[:500], labels=LABELS)
    rates = {
        "ours": per_second(2000, lambda: sum(1 for _ in boxes.consolidate_many(images, labels=LABELS, workers=models))),
        "ours_one_by_one": per_second(
            200,
            lambda: [
                boxes.consolidate(i.answers, labels=LABELS, image_size=SIZE, workers=models) for i in images[:200]
            ],
        ),
        "naive_greedy": per_second(200, lambda: greedy_median(images[:200], LABELS)),
        "wbf": fusion_rate(images[:200]),
        "datumaro": datumaro_rate(images[:200]),
    }
    figures = {f"{name}_images_per_s": rate for name, rate in rates.items()}
    figures["ours_over_datumaro"] = rates["ours"] / rates["datumaro"]
    many = [_image(number) for number in range(10_000)]
    wall, processor = time.perf_counter(), time.process_time()
    boxes.fit_workers(many, labels=LABELS)
    figures["em_10000_images_cpu_s"] = time.process_time() - processor
    figures["em_10000_images_s"] = time.perf_counter() - wall
    print(figures, flush=True)
    for count in (1000, 10_000):
        figures[f"memory_mb_{count}"] = memory(count)
    report("consensus_speed", figures)


if __name__ == "__main__":
    main()
