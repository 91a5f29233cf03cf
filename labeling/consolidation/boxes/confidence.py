"""The chance that a candidate box is right: what it looks like and who drew it, weighed by a logistic model.

The weights are fitted on golds (calibration.py); without golds DEFAULT_WEIGHTS hold. One of the features asks whether a
box has the size and proportions of this job's objects. For it, a real box of class c has (log width, log height) from
a Student-t around the mean of that class, a distractor from one around the mean of all distractors. Each mean and
spread is shrunk towards that of the greater whole (distractors and all real boxes towards everything, a class towards
all real boxes), so that a class with three boxes is judged like the rest. Knows arrays only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from labeling.consolidation.arrays import NINE_IN_TEN, Floats, Ints, group_sums, iou, logistic, overlapping_pairs
from labeling.consolidation.boxes.answers import AnswerArrays
from labeling.consolidation.boxes.fusion import BORDER, Fused
from labeling.consolidation.workers.models import MOMENTS, Calibration, WorkerModels

FEATURES = ("constant", "log_odds", "share", "agreement", "small", "border", "overlap_with_surer", "shape")
"""The features of a candidate, in the order of the columns and of stored weights. New ones are added at the end."""

DEFAULT_WEIGHTS = (0.0, 0.75, 0.0, 0.0, 0.0, 0.0, 0.0, 0.4)
"""The weights without golds. Shape has a weight for the sake of crowds with spammers, which nothing else shows then."""

SHAPE_STRENGTH = 20.0
"""Boxes of the greater whole that are added to those a mean and spread are taken of."""

SHAPE_FREEDOM = 5.0
"""Degrees of freedom of the Student-t distributions of shapes."""

SHAPE_LIMIT = 2.0
"""Shape alone never multiplies the odds by more than e^2: a rare size does not make an object a distractor."""


def judge(
    given: AnswerArrays,
    models: WorkerModels,
    group: Ints,
    image: Ints,
    label: Ints,
    fused: Fused,
    log_odds: Floats,
    error: Floats,
    member_iou: Floats,
) -> tuple[Floats, Floats, Floats, Floats]:
    """The features of each candidate (K, F), in the order of FEATURES and roughly within -3..3, the chance that the
    candidate is real (K,), and where that lies nine times in ten: low and high (K,).

    `group` (N,) is the candidate of each box and `member_iou` (N,) its overlap with the fused one; `image`, `label`,
    `log_odds` and its standard `error` are (K,).
    """
    groups, population = len(image), models.population
    members = np.bincount(group, minlength=groups)
    answered = np.bincount(given.answer_image, minlength=given.images)[image]
    agreement = group_sums(member_iou, group, groups) / np.maximum(members, 1)
    wh = fused.ltrb[:, 2:] - fused.ltrb[:, :2]
    size = given.size[image]
    small = -np.log(np.sqrt(wh.prod(axis=1) / size.prod(axis=1)) / 0.1)
    border = (fused.ltrb[:, :2] <= BORDER).any(axis=1) | (fused.ltrb[:, 2:] >= size - BORDER).any(axis=1)
    columns = {
        "constant": np.ones(groups),
        "log_odds": np.clip(log_odds, -12, 12),
        "share": np.log((members + 0.5) / (answered - members + 0.5)),
        "agreement": np.where(members > 1, (agreement - 0.75) / 0.15, 0.0),
        "small": np.clip(small, -2.0, 2.0),
        "border": border.astype(float),
        "overlap_with_surer": _overlap_with_surer(fused.ltrb, image, log_odds),
        "shape": shape_log_ratio(fused.ltrb, label, given.labels, population.shapes, population.distractor_shape),
    }
    features = np.stack([columns[name] for name in FEATURES], axis=1)
    real = chance_real(features, models.calibration)
    return features, real, *interval_real(real, error, models.calibration)


def chance_real(features: Floats, calibration: Calibration) -> Floats:
    """The chance that candidates with `features` (K, F) are real: (K,).

    Without fitted weights DEFAULT_WEIGHTS hold; a feature that was added since the fit weighs nothing.
    """
    return logistic(features @ _weights(calibration))


def interval_real(real: Floats, error: Floats, calibration: Calibration) -> tuple[Floats, Floats]:
    """Where the chances `real` (K,) lie nine times in ten, when the log-odds of existence have the standard error
    `error` (K,): low and high (K,)."""
    half = NINE_IN_TEN * log_odds_weight(calibration) * error
    centre = np.log(np.maximum(real, 1e-12)) - np.log(np.maximum(1 - real, 1e-12))
    return logistic(centre - np.abs(half)), logistic(centre + np.abs(half))


def log_odds_weight(calibration: Calibration) -> float:
    """What the log-odds of existence are multiplied by."""
    return float(_weights(calibration)[FEATURES.index("log_odds")])


def _weights(calibration: Calibration) -> Floats:
    fitted = calibration.weights
    return np.array([*fitted, *[0.0] * (len(FEATURES) - len(fitted))] if fitted else DEFAULT_WEIGHTS)


def _overlap_with_surer(ltrb: Floats, image: Ints, log_odds: Floats) -> Floats:
    """Greatest IoU with a surer candidate of the same image: a duplicate, or half of a wrongly split object."""
    a, b = overlapping_pairs(ltrb, image)
    overlap = iou(ltrb[a], ltrb[b])
    out = np.zeros(len(ltrb))
    less_sure = np.where(log_odds[a] <= log_odds[b], a, b)
    np.maximum.at(out, less_sure, overlap)
    return out


def shape_of(ltrb: Floats) -> Floats:
    """log width and log height of boxes (K, 4), a side below a pixel taken as a pixel: (K, 2)."""
    return np.asarray(np.log(np.maximum(ltrb[:, 2:] - ltrb[:, :2], 1.0)))


def moments(shape: Floats, weight: Floats) -> Floats:
    """Weighted count, sums (2) and sums of products (xx, xy, yy) of `shape` (K, 2): (MOMENTS,)."""
    x, y = shape.T
    return np.array([float((weight * column).sum()) for column in (np.ones(len(x)), x, y, x * x, x * y, y * y)])


def shape_log_ratio(
    ltrb: Floats, label: Ints, labels: Sequence[str], real: Mapping[str, Floats], distractors: Floats
) -> Floats:
    """log p(shape | real, its class) / p(shape | distractor) within SHAPE_LIMIT, for boxes (K, 4) of class number
    `label` (K,): (K,).

    `real` holds moments by class, `distractors` those of all distractors. Before anything is learned: 0 for all.
    """
    pooled = sum(real.values(), np.zeros(MOMENTS))
    if not pooled[0] or not distractors[0]:
        return np.zeros(len(ltrb))
    x = shape_of(ltrb)
    whole = _shrunk(pooled + distractors, np.zeros(2), np.eye(2), 0.0)
    objects = _shrunk(pooled, *whole, SHAPE_STRENGTH)
    density = _log_density(x, *objects)
    for number, name in enumerate(labels):
        mine = np.flatnonzero(label == number)
        if len(mine) and name in real:
            density[mine] = _log_density(x[mine], *_shrunk(real[name], *objects, SHAPE_STRENGTH))
    ratio = density - _log_density(x, *_shrunk(distractors, *whole, SHAPE_STRENGTH))
    return np.clip(ratio, -SHAPE_LIMIT, SHAPE_LIMIT)


def _shrunk(seen: Floats, mean: Floats, spread: Floats, strength: float) -> tuple[Floats, Floats]:
    """Mean (2,) and covariance (2, 2) of moments, shrunk towards those given as if these were `strength` boxes."""
    total = seen[0] + strength
    middle = (seen[1:3] + strength * mean) / total
    second = seen[[3, 4, 4, 5]].reshape(2, 2) + strength * (spread + np.outer(mean, mean))
    return middle, second / total - np.outer(middle, middle) + 1e-3 * np.eye(2)


def _log_density(x: Floats, mean: Floats, spread: Floats) -> Floats:
    """Bivariate Student-t, up to a constant that all have in common: (K,)."""
    a, b, c = spread[0, 0], spread[0, 1], spread[1, 1]
    determinant = a * c - b * b
    u, v = (x - mean).T
    distance = (c * u * u - 2 * b * u * v + a * v * v) / determinant
    out: Floats = -0.5 * np.log(determinant) - (SHAPE_FREEDOM + 2) / 2 * np.log1p(distance / SHAPE_FREEDOM)
    return out
