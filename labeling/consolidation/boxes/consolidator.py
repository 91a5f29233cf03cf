"""The consolidator of boxes: several workers' boxes of one image in, one set of boxes with confidences and reasons out.

A pure function of the answers and the worker models: the order of answers changes nothing, and the same algorithm
version gives the same bytes. See docs/consensus.md for the mathematics and the figures.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from labeling.consolidation.answers import require_rereadable
from labeling.consolidation.boxes.answers import BoxAnswer, Consolidated, ImageAnswers, flatten
from labeling.consolidation.boxes.asking import expected_loss_and_gain
from labeling.consolidation.boxes.calibration import calibrate
from labeling.consolidation.boxes.explanation import explain
from labeling.consolidation.boxes.fit import CHUNK, counts_of, expect_and_maximise
from labeling.consolidation.boxes.inference import infer
from labeling.consolidation.boxes.proposals import blind
from labeling.consolidation.boxes.proposers import learn_proposals
from labeling.consolidation.stopping import Decision, Stopping, decide
from labeling.consolidation.workers.models import WorkerModels
from labeling.consolidation.workers.skills import Skill, SkillRow, rows_of_skills

ALGORITHM = "boxes/5"
"""The version that labels are stored with. Results that differ need another version."""


def consolidate(
    answers: Sequence[BoxAnswer],
    *,
    labels: Sequence[str],
    image_size: tuple[float, float],
    workers: WorkerModels | None = None,
    threshold: float | None = None,
) -> Consolidated:
    """The consensus on one image of `image_size` (width, height) pixels.

    `labels` are the job's classes: a box with another label counts as a sign of an object but votes for no class.
    `workers` come from `fit_workers` (None: nothing is known of anybody). `threshold` is the confidence from
    which a box is kept (None: the models' own, 0.5 unless fitted). Raises ValueError for repeated labels, for an image
    without a positive size and for a box without a finite, positive area.
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
    stream = iter(images)
    while some := list(islice(stream, chunk)):
        given = flatten(some, labels)
        yield from explain(given, infer(given, models), limit, ALGORITHM)


def fit_workers(
    images: Iterable[ImageAnswers], *, labels: Sequence[str], start: WorkerModels | None = None, rounds: int = 6
) -> WorkerModels:
    """Learn the crowd, its workers and the calibration from the answers (and golds) of a job.

    `images` is any iterable that can be read several times. `start` carries the population and calibration of an
    earlier fit. Raises ValueError if `images` is an iterator, which could be read only once.

    Of images whose answers began with a model's proposal is learned how people check, and nothing else (proposals.py).
    """
    require_rereadable(images)
    if not any(image.proposals for image in images):
        models = expect_and_maximise(images, labels=labels, start=start, rounds=rounds)
        return calibrate(images, models, labels=labels)
    drawn = list(blind(images))
    models = calibrate(drawn, expect_and_maximise(drawn, labels=labels, start=start, rounds=rounds), labels=labels)
    seen = [image for image in drawn if image.proposals and image.answers]
    found = consolidate_many(seen, labels=labels, workers=models)
    learn_proposals(images, [(image, one.boxes) for image, one in zip(seen, found, strict=True)], models, labels)
    return models


def observe(image: ImageAnswers, *, labels: Sequence[str], workers: WorkerModels | None = None) -> dict[str, Skill]:
    """What one image says about its workers, to be added by `WorkerModels.update` as answers come in."""
    return counts_of([image], workers or WorkerModels(), labels)


def should_ask_more(
    answers: Sequence[BoxAnswer],
    *,
    labels: Sequence[str],
    image_size: tuple[float, float],
    rule: Stopping,
    workers: WorkerModels | None = None,
) -> Decision:
    """Whether one more person should look at the image. Raises ValueError as `consolidate` does."""
    image = ImageAnswers(tuple(answers), image_size)
    return decide_many([image], labels=labels, rule=rule, workers=workers)[0]


def decide_many(
    images: Sequence[ImageAnswers], *, labels: Sequence[str], rule: Stopping, workers: WorkerModels | None = None
) -> list[Decision]:
    """`should_ask_more` for many images at once."""
    given = flatten(images, labels)
    answers, loss, gain = expected_loss_and_gain(given, workers or WorkerModels())
    return [
        decide(
            rule,
            answers=int(answers[i]),
            loss=float(loss[i]),
            gain=float(gain[i]),
            models=int(images[i].shown is not None),
        )
        for i in range(given.images)
    ]


def skill_rows(models: WorkerModels, labels: Sequence[str]) -> list[SkillRow]:
    """Each worker's counts over all labels and for each of `labels`, to be added to those of other jobs.

    The counts by label are of objects beyond doubt only; false positives are not counted by label.
    """
    return [row for row in rows_of_skills(models.skills) if not row.label or row.label in labels]
