"""The answers on many images as flat arrays, in an order that depends on the answers alone.

Everything after this works on arrays; nothing here judges. N boxes, M answers (worker x image), W workers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labeling.consolidation.boxes_types import ImageAnswers, WorkerAnswer, latest_answers
from labeling.consolidation.clusters import Floats, Ints

UNKNOWN = -1
"""The label number of a box whose label the job does not have: it says where, not what."""


@dataclass(frozen=True, slots=True)
class Stack:
    """`ltrb` (N, 4) clipped to the image, `image`, `worker`, `label` (N,), canonical order within an image.

    `answer_image`, `answer_worker` (M,) list who answered where, boxes or not; `size` (images, 2) is width, height;
    `ignored` lists (image, worker name, left, top, width, height) of boxes that lie outside their image.
    """

    workers: list[str]
    labels: tuple[str, ...]
    size: Floats
    ltrb: Floats
    image: Ints
    worker: Ints
    label: Ints
    answer_image: Ints
    answer_worker: Ints
    ignored: list[tuple[int, str, float, float, float, float]]

    @property
    def images(self) -> int:
        return len(self.size)


def stack_answers(images: Sequence[ImageAnswers], labels: Sequence[str]) -> Stack:
    """Flatten `images`; raises ValueError for a size that is not positive or labels that repeat."""
    numbers = {label: number for number, label in enumerate(labels)}
    if len(numbers) != len(labels):
        raise ValueError(f"labels repeat: {list(labels)}")
    rows: list[tuple[float, float, float, float, int, int, int]] = []
    answers: list[tuple[int, int]] = []
    names: dict[str, int] = {}
    for number, one in enumerate(images):
        if not (one.image_size[0] > 0 and one.image_size[1] > 0):
            raise ValueError(f"image {one.key or number}: size {one.image_size} must be positive")
        for answer in latest_answers(one.answers):
            worker = names.setdefault(answer.worker, len(names))
            answers.append((number, worker))
            rows.extend(_rows(answer, number, worker, numbers))
    workers = sorted(names)
    rank = np.empty(len(names), np.int64)
    rank[[names[name] for name in workers]] = np.arange(len(workers))
    table = np.array(rows, np.float64).reshape(-1, 7)
    who = np.array(answers, np.int64).reshape(-1, 2)
    size = np.array([one.image_size for one in images], np.float64).reshape(-1, 2)
    return _clip(table, rank, who, size, workers, tuple(labels))


def _rows(
    answer: WorkerAnswer, image: int, worker: int, numbers: dict[str, int]
) -> list[tuple[float, float, float, float, int, int, int]]:
    return [
        (b.left, b.top, b.left + b.width, b.top + b.height, image, worker, numbers.get(b.label, UNKNOWN))
        for b in answer.boxes
    ]


def _clip(table: Floats, rank: Ints, who: Ints, size: Floats, workers: list[str], labels: tuple[str, ...]) -> Stack:
    ltrb = table[:, :4]
    image, worker, label = table[:, 4:].astype(np.int64).T
    worker = rank[worker]
    clipped = np.clip(ltrb, 0.0, np.tile(size[image], 2))
    inside: NDArray[np.bool_] = (clipped[:, 2] - clipped[:, 0] > 0) & (clipped[:, 3] - clipped[:, 1] > 0)
    ignored = [
        (int(image[i]), workers[worker[i]], *(float(v) for v in (*ltrb[i, :2], *(ltrb[i, 2:] - ltrb[i, :2]))))
        for i in np.flatnonzero(~inside)
    ]
    clipped, image, worker, label = clipped[inside], image[inside], worker[inside], label[inside]
    columns = (worker, label, clipped[:, 3], clipped[:, 2], clipped[:, 1], clipped[:, 0], image)
    order = np.lexsort(columns)
    return Stack(
        workers=workers,
        labels=labels,
        size=size,
        ltrb=clipped[order],
        image=image[order],
        worker=worker[order],
        label=label[order],
        answer_image=who[:, 0],
        answer_worker=rank[who[:, 1]],
        ignored=sorted(ignored),
    )
