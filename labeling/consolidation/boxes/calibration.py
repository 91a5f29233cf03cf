"""Making confidences mean what they say: fitting the weights of boxes/confidence.py on golds.

Cross-fitted: on an image with a gold a worker's record is judged without what that very image taught about the worker,
or the model would look surer on golds than it is elsewhere. Without golds the weights stay as they are.
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

PRIOR_WEIGHTS = (*DEFAULT_WEIGHTS[:-1], 0.0)
"""Where the fit starts from. Shape starts at 0: golds say what it is worth."""

RIDGE = 6.0
"""Prior precision of each weight around PRIOR_WEIGHTS."""


def calibrate(images: Iterable[ImageAnswers], models: WorkerModels, *, labels: Sequence[str]) -> WorkerModels:
    """`models` with a calibration fitted on the golds among `images`; unchanged with fewer than FEWEST_GOLDS."""
    golds = list(islice((image for image in images if image.gold is not None), MOST_GOLDS))
    if len(golds) < FEWEST_GOLDS:
        return models
    features, right = [], []
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
            right.append(known_truth(given, inference, [image.gold for image in chunk]).right)
    weights = fit_weights(np.concatenate(features), np.concatenate(right))
    return WorkerModels(models.population, models.skills, Calibration(weights, models.calibration.threshold))


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
