"""Making confidences mean what they say, and keeping the boxes that serve F1: what golds teach of boxes/confidence.py.

Cross-fitted: on an image with a gold a worker's record is judged without what that very image taught about the worker,
or the model would look surer on golds than it is elsewhere. Without golds weights and cut stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np
from scipy.optimize import minimize

from labeling.consolidation.answers import chunks
from labeling.consolidation.arrays import Floats, logistic
from labeling.consolidation.boxes.answers import ImageAnswers, flatten
from labeling.consolidation.boxes.confidence import DEFAULT_WEIGHTS
from labeling.consolidation.boxes.fit import CHUNK, counts_of, known_truth
from labeling.consolidation.boxes.inference import infer
from labeling.consolidation.workers.models import Calibration, WorkerModels

PARTS = 5
"""Golds are split into so many parts, each judged by the records of all others."""

MOST_GOLDS = 5_000
"""Golds beyond these add nothing to eight weights; the first are taken, whatever the number of images."""

FEWEST_GOLDS = 10
"""With fewer golds the weights stay as they are."""

CUTS = (0.5, 0.45, 0.4, 0.35, 0.3, 0.25, 0.2, 0.15)
"""The confidences from which boxes may be kept; the first one without golds."""

PRIOR_WEIGHTS = (*DEFAULT_WEIGHTS[:-1], 0.0)
"""Where the fit starts from. Shape starts at 0: golds say what it is worth."""

RIDGE = 6.0
"""Prior precision of each weight around PRIOR_WEIGHTS."""


def calibrate(images: Iterable[ImageAnswers], models: WorkerModels, *, labels: Sequence[str]) -> WorkerModels:
    """`models` with a calibration fitted on the golds among `images`; unchanged with fewer than FEWEST_GOLDS."""
    golds = list(islice((image for image in images if image.gold is not None), MOST_GOLDS))
    if len(golds) < FEWEST_GOLDS:
        return models
    features, found, right, label_chance = [], [], [], []
    counts = counts_of(images, models, labels)
    for part in range(PARTS):
        held_out = golds[part::PARTS]
        # Read back from JSON because `update` changes the counts that all parts begin with.
        judges = WorkerModels.from_json(WorkerModels(models.population, counts, models.calibration).to_json())
        with_golds = counts_of(held_out, models, labels)
        judges.update(counts_of(held_out, models, labels, use_golds=False), replaced=with_golds)
        for chunk in chunks(held_out, CHUNK):
            given = flatten(chunk, labels)
            inference = infer(given, judges)
            features.append(inference.features)
            truth = known_truth(given, inference, [image.gold for image in chunk])
            found.append(truth.found)
            right.append(truth.found * (inference.label == truth.label))
            label_chance.append(inference.label_chance)
    weights = fit_weights(np.concatenate(features), np.concatenate(found))
    confidence = logistic(np.concatenate(features) @ np.array(weights)) * np.concatenate(label_chance)
    threshold = best_cut(confidence, np.concatenate(right), sum(len(image.gold or ()) for image in golds))
    return WorkerModels(models.population, models.skills, Calibration(weights, threshold))


def best_cut(confidence: Floats, right: Floats, golds: int) -> float:
    """The confidence from which boxes are kept so that F1 on the golds is greatest: one of CUTS, mostly .5.

    `confidence` and `right` (K,) are of the candidates on images with golds, right being those that have found a gold
    of their class; `golds` is the number of golds. F1 = 2 right / (kept + golds) grows by a box that is right with a
    chance above F1 / 2 (Lipton, Elkan & Naryanaswamy 2014), so on a hard crowd boxes pay that are more likely wrong
    than right. A lower cut is taken only where the boxes that it adds were right more often than that with some
    certainty: by the lower end of Wilson's interval of one standard error.
    """

    def f1_from(cut: float) -> float:
        kept = confidence >= cut
        return float(2 * right[kept].sum() / max(kept.sum() + golds, 1))

    usual = best = CUTS[0]
    for cut in CUTS[1:]:
        added = (confidence >= cut) & (confidence < usual)
        sure = _wilson_low(float(right[added].sum()), int(added.sum())) > f1_from(usual) / 2
        if sure and f1_from(cut) > f1_from(best):
            best = cut
    return best


def _wilson_low(right: float, count: int) -> float:
    """Lower end of Wilson's interval of one standard error for `right` of `count`; 0 of none."""
    if not count:
        return 0.0
    share, z2 = right / count, 1.0
    middle = share + z2 / (2 * count)
    half = np.sqrt(z2 * (share * (1 - share) / count + z2 / (4 * count**2)))
    return float((middle - half) / (1 + z2 / count))


def fit_weights(features: Floats, right: Floats) -> tuple[float, ...]:
    """Logistic regression of `right` (K,) on `features` (K, F), each weight with a normal prior around PRIOR_WEIGHTS.

    scikit-learn's LogisticRegression shrinks weights towards 0 only, hence scipy's minimizer.
    """
    prior = np.array(PRIOR_WEIGHTS)

    def misfit(weights: Floats) -> float:
        x = features @ weights
        return float((np.logaddexp(0.0, x) - right * x).sum() + RIDGE / 2 * ((weights - prior) ** 2).sum())

    def gradient(weights: Floats) -> Floats:
        return features.T @ (logistic(features @ weights) - right) + RIDGE * (weights - prior)

    def curvature(weights: Floats) -> Floats:
        p = logistic(features @ weights)
        return (features * (p * (1 - p))[:, None]).T @ features + RIDGE * np.eye(len(prior))

    found = minimize(misfit, prior, method="trust-exact", jac=gradient, hess=curvature, options={"gtol": 1e-8})
    return tuple(float(weight) for weight in found.x)
