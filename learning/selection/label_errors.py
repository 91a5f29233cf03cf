"""Which labels are likely wrong: an overlooked object, a box that is badly placed, a box of the wrong class.

Given: the labels of images as they are, and a detector's predictions of each by a model that was not trained on it.
Each score is a chance, so that those of several boxes, and of the three kinds, make that of an image.
What an error looks like is not told from outside but learned from the same labels, most of which are right:

- *Overlooked.* How often a prediction of this score, class, size and surroundings has a box in the label. Its ceiling
  is the share of objects that people label. A prediction that nearly always has one, and has none here, is likely an
  object that was overlooked; one that has none half of the time says little, however high its score.
- *Badly placed.* The distance of each side from the prediction's, in units of the detector's own spread for boxes
  of that class, size and score.
- *Wrong class.* The chance of each class given the scores of all classes at the place, corrected by class.

The learned curves allow for the errors in the labels they are learned from. Knows nothing of models, jobs or answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, gammaln, logsumexp

from learning.selection.label_pairs import SMALLEST, Ints, LabeledImage, Pairs, pair
from learning.selection.quality import Floats

__all__ = ["ImageErrors", "LabeledImage", "find"]

# A box of the label that overlaps by so much is the box of a prediction.
SAME_IOU = 0.5
# What share of the boxes may have an error of a kind: below and above it is not believed.
RATES = (0.005, 0.3)
# Of so many times as many locations as there are boxes, the surest, nearly all are objects.
SUREST = 0.5
# The spread of the sides of a box that is badly placed, as a share of the box.
MISPLACED_SPREAD = 0.22
# Degrees of freedom of the detector's own deviations: now and then it is far off.
FREEDOM = 2.0
# The weight of squared coefficients in the fits.
RIDGE = 1.0
# Chances are kept this far from 0 and 1.
EDGE = 1e-6


@dataclass(frozen=True, slots=True)
class ImageErrors:
    """The chances of errors in one label.

    `badly_placed`, `wrong_class` (N,) and `likely_class` (N,) are about its boxes. `overlooked` (M,) is about places
    where the detector sees an object that the label does not have: `places` (M, 4) as corners, `classes` (M,).
    """

    overlooked: Floats
    places: Floats
    classes: Ints
    badly_placed: Floats
    wrong_class: Floats
    likely_class: Ints

    @property
    def kinds(self) -> dict[str, float]:
        """The chance that there is any error of each kind."""
        found = {"overlooked": self.overlooked, "badly_placed": self.badly_placed, "wrong_class": self.wrong_class}
        return {name: any_of(chances) for name, chances in found.items()}

    @property
    def wrong(self) -> float:
        """The chance that there is any error."""
        return any_of(np.array(list(self.kinds.values())))


def any_of(chances: Floats) -> float:
    """The chance that at least one of independent events happens."""
    return float(1.0 - np.prod(1.0 - np.asarray(chances, dtype=np.float64)))


def find(images: Sequence[LabeledImage], classes: int) -> list[ImageErrors]:
    """The chances of errors in each label, in order; `classes` is the number of classes."""
    pairs = pair(images, classes)
    real, overlooked = _overlooked(pairs)
    badly_placed = _badly_placed(pairs, real)
    wrong_class, likely_class = _wrong_class(pairs)
    errors = []
    for number in range(len(images)):
        seen = np.flatnonzero((pairs.image == number) & (pairs.pair < 0))
        boxes = pairs.label_image == number
        errors.append(
            ImageErrors(
                overlooked[seen],
                pairs.corners[seen],
                pairs.top_class[seen],
                badly_placed[boxes],
                wrong_class[boxes],
                likely_class[boxes],
            )
        )
    return errors


# --- overlooked -----------------------------------------------------------------------------------------------------


def _overlooked(pairs: Pairs) -> tuple[Floats, Floats]:
    """(L,) the chance that each location is an object, and (L,) that it is one without a box in the label."""
    if not len(pairs.pair):
        return np.zeros(0), np.zeros(0)
    features = _features(pairs)
    labeled = (pairs.pair >= 0).astype(np.float64)
    rate = _rate_overlooked(labeled, _fit_ceiling(features, labeled, RATES[0]), len(pairs.label_class))
    real = _fit_ceiling(features, labeled, rate)
    chance = real * rate / (real * rate + 1.0 - real)
    return real, np.where(pairs.pair < 0, chance, 0.0)


def _rate_overlooked(labeled: Floats, real: Floats, boxes: int) -> float:
    """The share of the objects that people overlook: of the surest locations, those without a box."""
    surest = np.argsort(-real, kind="stable")[: max(1, round(SUREST * boxes))]
    missing = (1.0 - labeled[surest]).sum()
    return float(np.clip(missing / (len(surest) + 1.0), *RATES))


def _features(pairs: Pairs) -> Floats:
    """(L, F) what tells whether a location is an object that people label."""
    score, size = logit(pairs.score), np.log(pairs.share)
    class_of = np.eye(pairs.class_scores.shape[1])[pairs.top_class]
    middle = np.array([np.median(size[one > 0]) if one.any() else 0.0 for one in class_of.T])
    relative = size - middle[pairs.top_class]
    crowded = np.maximum(pairs.other_label, 0.0)
    common = [score, score**2 / 10, relative, relative**2, pairs.border, crowded, pairs.other_location]
    mixed = [class_of * score[:, None] / 2, class_of]
    return np.column_stack([np.ones(len(score)), *common, pairs.border * score / 4, *mixed])


def _fit_ceiling(features: Floats, found: Floats, rate: float) -> Floats:
    """P(found) = (1 - rate) sigmoid(features beta): returns the sigmoids of greatest likelihood."""
    scale = np.r_[0.01, np.full(features.shape[1] - 1, RIDGE)]

    def loss(beta: Floats) -> tuple[float, Floats]:
        real = expit(features @ beta)
        p = np.clip((1 - rate) * real, EDGE, 1 - EDGE)
        slope = found / p - (1 - found) / (1 - p)
        value = -(found * np.log(p) + (1 - found) * np.log(1 - p)).sum() + 0.5 * (scale * beta**2).sum()
        return float(value), -features.T @ (slope * (1 - rate) * real * (1 - real)) + scale * beta

    begin = np.zeros(features.shape[1])
    begin[1] = 1.0
    best = minimize(loss, begin, jac=True, method="L-BFGS-B", options={"maxiter": 500}).x
    return expit(features @ best)


def _rate(value: float) -> float:
    low, high = RATES
    return float(low + (high - low) * expit(value))


def _rate_slope(value: float) -> float:
    low, high = RATES
    return float((high - low) * expit(value) * (1 - expit(value)))


# --- badly placed ---------------------------------------------------------------------------------------------------


def _badly_placed(pairs: Pairs, real: Floats) -> Floats:
    """(N,) the chance that each box of the label is badly placed."""
    chance = np.zeros(len(pairs.label_class))
    at = np.flatnonzero(pairs.location >= 0)
    if len(at) < 2:
        return chance
    seen = pairs.location[at]
    predicted, given = pairs.corners[seen], pairs.label_corners[at]
    sides = np.maximum(predicted[:, 2:] - predicted[:, :2], SMALLEST)
    off = (given - predicted) / np.tile(sides, 2)
    spread, bias = _spread(off, pairs, seen)
    z = (off - bias) / spread
    # Student's t against a wide Laplace distribution, side by side.
    usual = -(FREEDOM + 1) / 2 * np.log1p(z**2 / FREEDOM) - np.log(spread) - _t_norm()
    wide = np.maximum(MISPLACED_SPREAD, 2 * spread)
    misplaced = -np.abs(off) / wide - np.log(2 * wide)
    evidence = (misplaced - usual).sum(axis=1)
    rate = _mixture_rate(evidence, real[seen])
    posterior = expit(evidence + np.log(rate / (1 - rate)))
    # As far as the location is an object at all.
    chance[at] = posterior * real[seen]
    return chance


def _t_norm() -> float:
    """The logarithm of what the density of Student's t is divided by."""
    return float(gammaln(FREEDOM / 2) - gammaln((FREEDOM + 1) / 2) + 0.5 * np.log(FREEDOM * np.pi))


def _spread(off: Floats, pairs: Pairs, seen: Ints) -> tuple[Floats, Floats]:
    """(P, 4) the detector's own spread of each side, and (P, 4) its bias, for boxes of this class, score and size."""
    label = pairs.top_class[seen]
    score, size = logit(pairs.score[seen]), np.log(pairs.share[seen])
    class_of = np.eye(pairs.class_scores.shape[1])[label]
    bias = np.zeros((len(off), 4))
    for number in np.unique(label):
        mine = label == number
        shrink = mine.sum() / (mine.sum() + 5.0)
        bias[mine] = shrink * np.median(off[mine], axis=0)
    size = size - size.mean()
    features = np.column_stack([np.ones(len(off)), score / 2, score**2 / 20, size, pairs.border[seen], class_of])
    size_of = np.log(np.abs(off - bias).mean(axis=1) + 1e-3)
    ridge = np.diag(np.r_[0.01, np.full(features.shape[1] - 1, RIDGE)])
    weight = np.ones(len(off))
    # Huber's weights, but one-sided: boxes that are badly placed must not widen the spread of the others.
    for _ in range(10):
        beta = np.linalg.solve(features.T @ (features * weight[:, None]) + ridge, features.T @ (weight * size_of))
        rest = size_of - features @ beta
        middle = np.median(np.abs(rest)) * 1.5 + 1e-6
        weight = np.where(rest > 0, np.minimum(1.0, middle / np.maximum(rest, 1e-9)), 1.0)
    # The mean of |t| is about so many spreads.
    spread = np.exp(features @ beta)[:, None] / 1.1
    relative = np.array([np.median(np.abs(off - bias)[:, side] / spread[:, 0]) for side in range(4)])
    return np.maximum(spread * relative / np.maximum(relative.mean(), 1e-9), 0.005), bias


def _mixture_rate(evidence: Floats, weight: Floats) -> float:
    """The share of badly placed boxes under which the evidence is most probable."""
    rate = 0.05
    for _ in range(50):
        posterior = expit(evidence + np.log(rate / (1 - rate)))
        rate = float(np.clip((posterior * weight).sum() / max(weight.sum(), 1e-9), *RATES))
    return rate


# --- wrong class ----------------------------------------------------------------------------------------------------


def _wrong_class(pairs: Pairs) -> tuple[Floats, Ints]:
    """(N,) the chance that each box of the label has another class, and (N,) its most likely class."""
    classes = pairs.class_scores.shape[1]
    chance, likely = np.zeros(len(pairs.label_class)), pairs.label_class.copy()
    at = np.flatnonzero(pairs.location >= 0)
    if classes < 2 or len(at) < 2:
        return chance, likely
    seen = pairs.location[at]
    odds, label = logit(pairs.class_scores[seen]), pairs.label_class[at]
    weight = np.where(pairs.iou[seen] >= SAME_IOU, 1.0, 0.3)
    probable, rate = _fit_classes(odds, label, weight)
    own = probable[np.arange(len(at)), label]
    wrong = (1 - own) * rate / (classes - 1)
    chance[at] = wrong / (wrong + own * (1 - rate)) * np.sqrt(pairs.iou[seen])
    likely[at] = probable.argmax(axis=1)
    return chance, likely


def _fit_classes(odds: Floats, label: Ints, weight: Floats) -> tuple[Floats, float]:
    """(P, C) P(class) = softmax(slope odds + bias), fitted to labels of which a share `rate` is wrong; and the rate."""
    count, classes = odds.shape
    rows = np.arange(count)

    def loss(given: Floats) -> tuple[float, Floats]:
        slope, bias, rate = np.exp(given[0]), given[1:-1], _rate(given[-1])
        logits = slope * odds + bias
        p = np.exp(logits - logsumexp(logits, axis=1, keepdims=True))
        own = p[rows, label]
        keep = 1 - rate - rate / (classes - 1)
        likelihood = rate / (classes - 1) + keep * own
        value = -(weight * np.log(likelihood)).sum() + 0.5 * RIDGE * ((bias**2).sum() + given[0] ** 2)
        pull = weight * keep * own / likelihood
        by_logit = pull[:, None] * (np.eye(classes)[label] - p)
        by_rate = (weight * (1 / (classes - 1) - own * (1 + 1 / (classes - 1))) / likelihood).sum()
        gradient = np.r_[
            -(by_logit * odds).sum() * slope + RIDGE * given[0],
            -by_logit.sum(axis=0) + RIDGE * bias,
            -by_rate * _rate_slope(given[-1]),
        ]
        return float(value), gradient

    begin = np.r_[0.0, np.zeros(classes), -1.0]
    best = minimize(loss, begin, jac=True, method="L-BFGS-B", options={"maxiter": 500}).x
    logits = np.exp(best[0]) * odds + best[1:-1]
    return np.exp(logits - logsumexp(logits, axis=1, keepdims=True)), _rate(best[-1])


def logit(share: Floats) -> Floats:
    """The log-odds of shares, which are kept from 0 and 1."""
    inside = np.clip(share, 1e-4, 1 - 1e-4)
    return np.log(inside / (1 - inside))
