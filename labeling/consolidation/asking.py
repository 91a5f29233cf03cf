"""Boxes: what stopping now is expected to cost and what one more answer would save. The rule itself is in stopping.py.

The loss counts boxes: a kept candidate costs its chance of being wrong, a dropped one its chance of being right, and
objects nobody has drawn yet cost one each. How many those are: objects an image are taken as gamma-Poisson (shape 1,
the crowd's mean), so an image where n were found with chance u of finding none of them each has
u (1 + n) / (1 / objects + 1 - u) more.

An answer costs the same on every image, so it goes where it saves the most boxes, not the greatest share of an image's:
the loss is held against the boxes of the job's *average* image (at least one). Stopping each image at `1 - target` of
those keeps the job's share of wrong and missing boxes within it, with fewer answers than the same share of each image.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from labeling.consolidation.boxes_types import ImageAnswers, WorkerAnswer
from labeling.consolidation.clusters import Floats
from labeling.consolidation.existence import log_odds_after, unseen_share, usable_weights
from labeling.consolidation.inference import Inference, infer
from labeling.consolidation.odds import logistic
from labeling.consolidation.stack import UNKNOWN, Stack, stack_answers
from labeling.consolidation.stopping import Decision, Stopping, decide
from labeling.consolidation.workers import WorkerModels


def should_ask_more(
    answers: Sequence[WorkerAnswer],
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
    images: Sequence[ImageAnswers],
    *,
    labels: Sequence[str],
    rule: Stopping,
    workers: WorkerModels | None = None,
) -> list[Decision]:
    """`should_ask_more` for many images at once."""
    models = workers or WorkerModels()
    stack = stack_answers(images, labels)
    inference = infer(stack, models)
    loss, gain = _risk(stack, inference, models)
    answered = np.bincount(stack.answer_image, minlength=stack.images)
    return [
        decide(rule, answers=int(answered[i]), loss=float(loss[i]), gain=float(gain[i])) for i in range(stack.images)
    ]


def _risk(stack: Stack, inference: Inference, models: WorkerModels) -> tuple[Floats, Floats]:
    """Of each image: the expected loss over the boxes of the job's average image, and the gain in boxes."""
    weights = usable_weights(models.calibration.weights)
    real = logistic(inference.features @ weights)
    limit, images = models.calibration.threshold, stack.images
    kept = (real >= limit) & (inference.label != UNKNOWN)
    loss = np.where(kept, 1 - inference.confidence, real)
    found = np.bincount(inference.image, real, images)
    population = models.population
    share = unseen_share(inference.rates.hit[stack.answer_worker], population.hard, stack.answer_image, images)
    unseen = share * (1 + found) / (1 / population.objects + 1 - share)
    saved = np.maximum(loss - _loss_after(inference, models, real, weights), 0.0)
    lost = np.bincount(inference.image, loss, images) + unseen
    return lost / max(population.objects, 1.0), np.bincount(inference.image, saved, images) + unseen * population.hit


def _loss_after(inference: Inference, models: WorkerModels, real: Floats, weights: Floats) -> Floats:
    """Each candidate's expected loss once one more ordinary worker has or has not drawn it."""
    population, hit = models.population, inference.next_hit
    chance = real * hit + (1 - real) * population.false
    after = np.zeros(len(real))
    for draws, probability in ((True, chance), (False, 1 - chance)):
        odds = log_odds_after(inference.pairs, population, hit, draws=draws)
        features = inference.features.copy()
        features[:, 1] = np.clip(odds, -12, 12)
        p = logistic(features @ weights)
        after += probability * np.minimum(p, 1 - p)
    return after
