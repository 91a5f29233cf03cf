"""Making confidences mean what they say: the weights between a candidate's features and its chance of being right.

Fitted on the images with golds only, and cross-fitted: a worker's record is judged on an image without what that very
image taught about the worker, or the model would look surer on golds than it is elsewhere. Without golds the shipped
weights hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np

from labeling.consolidation.boxes_types import ImageAnswers
from labeling.consolidation.existence import fit_calibration
from labeling.consolidation.fit import Sums, chunks, gather, known_truth
from labeling.consolidation.inference import infer
from labeling.consolidation.stack import stack_answers
from labeling.consolidation.workers import Calibration, Skill, WorkerModels

PARTS = 5
MOST_GOLDS = 5_000
"""Golds beyond these add nothing to eight weights; the first are taken, whatever the number of images."""
FEWEST_GOLDS = 10


def calibrate(images: Iterable[ImageAnswers], models: WorkerModels, *, labels: Sequence[str]) -> WorkerModels:
    """`models` with a calibration fitted on the golds among `images`; unchanged with fewer than FEWEST_GOLDS."""
    golds = list(islice((image for image in images if image.gold is not None), MOST_GOLDS))
    if len(golds) < FEWEST_GOLDS:
        return models
    features, right = [], []
    whole = _seen(images, models, labels, golds_known=True)
    for part in range(PARTS):
        mine = golds[part::PARTS]
        doubting = WorkerModels.from_json(WorkerModels(models.population, whole, models.calibration).to_json())
        taught = _seen(mine, models, labels, golds_known=True)
        doubting.update(_seen(mine, models, labels, golds_known=False), replaced=taught)
        for chunk in chunks(mine):
            stack = stack_answers(chunk, labels)
            inference = infer(stack, doubting)
            features.append(inference.features)
            right.append(known_truth(stack, inference, [image.gold for image in chunk]).right)
    weights = fit_calibration(np.concatenate(features), np.concatenate(right))
    return WorkerModels(models.population, models.skills, Calibration(weights, models.calibration.threshold))


def _seen(
    images: Iterable[ImageAnswers], models: WorkerModels, labels: Sequence[str], *, golds_known: bool
) -> dict[str, Skill]:
    """What `images` say about their workers under `models`, with or without their golds."""
    total = Sums()
    for chunk in chunks(images):
        stack = stack_answers(chunk, labels)
        golds = [image.gold if golds_known else None for image in chunk]
        gather(total, stack, infer(stack, models), models, golds)
    return total.skills
