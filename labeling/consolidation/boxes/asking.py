"""Boxes: what stopping now is expected to cost and what one more answer would save. The rule itself is in stopping.py.

The loss counts boxes: a kept candidate costs its chance of being wrong, a dropped one its chance of being real, and an
object that nobody has drawn yet costs one. How many those are: the objects of an image are taken as gamma-Poisson
(shape 1, the crowd's mean), so an image where n were found, with chance u that all workers miss one, has
u (1 + n) / (1 / objects + 1 - u) more.

A kept box that is right but lies badly costs LOCATION_WEIGHT of a box: its sides have the variance that fusion gives
them, 1 - IoU is about the sum of their relative errors |e_s| / extent_s, and the chance that it is above 1 - STRICT_IOU
is taken as normal with the mean and variance of that sum of half-normals.

An answer costs the same on every image, so it goes where it saves the most boxes, not the greatest share of an image's:
the loss is held against the boxes of the job's *average* image (at least one). Stopping each image at `1 - target` of
those keeps the job's share of wrong and missing boxes within it, with fewer answers than the same share of each image.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from labeling.consolidation.arrays import Floats, Ints, extents
from labeling.consolidation.boxes.answers import UNKNOWN, AnswerArrays
from labeling.consolidation.boxes.confidence import chance_real
from labeling.consolidation.boxes.inference import Inference, infer
from labeling.consolidation.boxes.proposals import STRICT_IOU, proposed_badly
from labeling.consolidation.existence import chance_all_miss, log_odds_after
from labeling.consolidation.workers.models import WorkerModels

LOCATION_WEIGHT = 0.5
"""What a right box that does not lie well costs, in boxes. Of .1, .25, .5, 1 and 2 this one gave the best F1@.5 for the
answers on the MTurk images, and a better F1@.75 too."""


def expected_loss_and_gain(given: AnswerArrays, models: WorkerModels) -> tuple[Ints, Floats, Floats]:
    """Of each image: the number of answers, the expected loss over the boxes of the job's average image, and how many
    boxes one more answer would save."""
    inference, population, images = infer(given, models), models.population, given.images
    real = inference.real
    kept = (inference.confidence >= models.calibration.threshold) & (inference.label != UNKNOWN)
    loss = np.where(kept, 1 - inference.confidence, real)
    badly, less_badly = _lies_badly(given, inference, models)
    located = np.where(kept, LOCATION_WEIGHT * inference.confidence, 0.0)
    found = np.bincount(inference.image, real, images)
    recall = inference.rates.recall[given.answer_worker]
    all_miss = chance_all_miss(recall, population.difficulty, given.answer_image, images)
    unseen = all_miss * (1 + found) / (1 / population.objects + 1 - all_miss)
    saved = np.maximum(loss - _loss_after(inference, models), 0.0)
    lost = np.bincount(inference.image, loss + located * badly, images) + unseen
    saved += located * (badly - less_badly) * inference.next_recall
    gain = np.bincount(inference.image, saved, images) + unseen * population.recall
    answers = np.bincount(given.answer_image[~given.proposer[given.answer_worker]], minlength=images)
    return answers, lost / max(population.objects, 1.0), gain


def _lies_badly(given: AnswerArrays, inference: Inference, models: WorkerModels) -> tuple[Floats, Floats]:
    """The chance that each candidate, if real, overlaps its object by less than STRICT_IOU: now, and once one more
    ordinary worker has drawn it, or left as it was what a model proposed and nobody has corrected. (K,) each."""
    population = models.population
    extent = extents(inference.fused.ltrb)
    now = inference.fused.variance
    after = 1 / (1 / now + 1 / population.edges(extent)[0] ** 2)
    badly, less_badly = _beyond(now, extent), _beyond(after, extent)
    proposed = proposed_badly(given, inference.group, inference.fused.ltrb, models)
    untouched = ~np.isnan(proposed) & (np.bincount(inference.group, minlength=len(now)) == 1)
    again = proposed * models.checks.leaves_badly / (1 - proposed * (1 - models.checks.leaves_badly))
    return np.where(untouched, proposed, badly), np.where(untouched, again, less_badly)


def _beyond(variance: Floats, extent: Floats) -> Floats:
    relative = np.sqrt(variance) / extent
    mean = np.sqrt(2 / np.pi) * relative.sum(axis=1)
    spread = np.sqrt((1 - 2 / np.pi) * (relative**2).sum(axis=1))
    return np.asarray(ndtr((mean - (1 - STRICT_IOU)) / np.maximum(spread, 1e-9)))


def _loss_after(inference: Inference, models: WorkerModels) -> Floats:
    """Each candidate's expected loss once one more ordinary worker has or has not drawn it."""
    population, recall, real = models.population, inference.next_recall, inference.real
    chance = real * recall + (1 - real) * population.false_positive_rate
    after = np.zeros(len(real))
    for draws, probability in ((True, chance), (False, 1 - chance)):
        odds = log_odds_after(inference.pairs, population, recall, draws=draws)
        features = inference.features.copy()
        features[:, 1] = np.clip(odds, -12, 12)
        p = chance_real(features, models.calibration)
        after += probability * np.minimum(p, 1 - p)
    return after
