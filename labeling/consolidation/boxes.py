"""The consensus of boxes: several workers' boxes of one image in, one set of boxes with confidences and reasons out.

A pure function of the answers and the worker models: the order of answers changes nothing, and the same algorithm
version gives the same bytes. See docs/consensus.md for the mathematics and the figures.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from labeling.consolidation.asking import decide_many, should_ask_more
from labeling.consolidation.boxes_types import Consolidated, ImageAnswers, WorkerAnswer
from labeling.consolidation.calibration import calibrate
from labeling.consolidation.explain import explain
from labeling.consolidation.fit import CHUNK, Sums, chunks, expect_and_maximise, gather
from labeling.consolidation.inference import infer
from labeling.consolidation.stack import stack_answers
from labeling.consolidation.workers import Skill, WorkerModels

ALGORITHM = "boxes/3"

__all__ = [
    "ALGORITHM",
    "consolidate",
    "consolidate_many",
    "decide_many",
    "fit_workers",
    "observe",
    "should_ask_more",
]


def consolidate(
    answers: Sequence[WorkerAnswer],
    *,
    labels: Sequence[str],
    image_size: tuple[float, float],
    workers: WorkerModels | None = None,
    threshold: float | None = None,
) -> Consolidated:
    """The consensus on one image of `image_size` (width, height) pixels.

    `labels` are the job's classes: a box with another label counts as a sign of an object but votes for no class.
    `workers` come from `fit_workers` (None: nobody is known yet). `threshold` is the chance of being real from which a
    box is kept (None: the models' own, 0.5 unless fitted). Raises ValueError for repeated labels or a bad size.
    """
    image = ImageAnswers(tuple(answers), image_size)
    return next(consolidate_many([image], labels=labels, workers=workers, threshold=threshold))


def consolidate_many(
    images: Iterable[ImageAnswers],
    *,
    labels: Sequence[str],
    workers: WorkerModels | None = None,
    threshold: float | None = None,
    chunk: int = CHUNK,
) -> Iterator[Consolidated]:
    """`consolidate` for a stream of images, in order, reading `chunk` of them at a time."""
    models = workers or WorkerModels()
    limit = models.calibration.threshold if threshold is None else threshold
    for some in chunks(images, chunk):
        stack = stack_answers(some, labels)
        yield from explain(stack, infer(stack, models), models, limit, ALGORITHM)


def fit_workers(
    images: Iterable[ImageAnswers], *, labels: Sequence[str], start: WorkerModels | None = None, rounds: int = 6
) -> WorkerModels:
    """Learn the crowd, its workers and the calibration from the answers (and golds) of a job.

    `images` is any iterable that can be read several times. `start` carries the population and calibration of an
    earlier fit. Raises ValueError if `images` is an iterator, which could be read only once.
    """
    models = expect_and_maximise(images, labels=labels, start=start, rounds=rounds)
    return calibrate(images, models, labels=labels)


def observe(image: ImageAnswers, *, labels: Sequence[str], workers: WorkerModels | None = None) -> dict[str, Skill]:
    """What one image says about its workers, to be added by `WorkerModels.update` as answers come in."""
    models = workers or WorkerModels()
    stack = stack_answers([image], labels)
    total = Sums()
    gather(total, stack, infer(stack, models), models, [image.gold])
    return total.skills
