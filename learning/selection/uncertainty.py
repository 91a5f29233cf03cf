"""How sure a detector is of a whole image: the expected quality of its label, predicted from the scores of the boxes.

Fitted on images with known labels. Knows nothing of models, jobs or what is done with the figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from learning.selection.quality import Bools, Detections, Floats

# The weight of the chance that no box was missed, in boxes.
NOTHING_MISSED_WEIGHT = 0.5
# Shares are kept this far from 0 and 1, where the log-odds are infinite.
_EDGE = 1e-3
# The weight of the squared slope in the fit of the logistic curve.
_RIDGE = 0.1


def kept(image: Detections, cuts: Floats) -> Detections:
    """The boxes that become labels: those at or above their class's score cut; `cuts` has shape (classes,)."""
    return image.keep(image.scores >= cuts[image.classes])


def raw_certainty(image: Detections, cuts: Floats) -> float:
    """The expected quality, in 0..1, if every score were the probability that its box is right.

    A kept box is right, and a box below its cut is a missed one, with the probability of its score. So the expected
    quality is the sum of the kept scores over the number of kept boxes plus the expected number of missed ones.
    """
    keep = image.scores >= cuts[image.classes]
    above, below = image.scores[keep], image.scores[~keep]
    nothing_missed = float(np.prod(1.0 - below))
    right = above.sum() + NOTHING_MISSED_WEIGHT * nothing_missed
    return float(right / (len(above) + below.sum() + NOTHING_MISSED_WEIGHT))


@dataclass(frozen=True, slots=True)
class Certainty:
    """From an image's detections to the quality its label would have.

    `cuts` (classes,) are the score cuts of the boxes; `slope` and `intercept` turn the log-odds of the raw certainty
    into those of the quality. `empty` is the quality of images without any kept box, which have no scores to predict it
    from: the mean over such images in the fit and one more of quality 0.
    """

    cuts: Floats
    slope: float
    intercept: float
    empty: float

    @classmethod
    def fit(cls, images: Sequence[Detections], quality: Floats, weights: Floats, cuts: Floats) -> Certainty:
        """`quality` (n,) in 0..1 of each image's kept boxes, `weights` (n,) their numbers of boxes (at least 1 counts).

        A logistic curve of two parameters: it is smooth and monotone and holds with twenty images, where isotonic
        regression would have a few wide steps.
        """
        return cls.fit_raw(*_raw(images, cuts), quality, weights, cuts)

    @classmethod
    def fit_raw(cls, raw: Floats, without_boxes: Bools, quality: Floats, weights: Floats, cuts: Floats) -> Certainty:
        """As `fit`, by the `raw_certainty` (n,) of each image, and whether no box of it is kept (n,)."""
        empty = float(quality[without_boxes].sum() / (without_boxes.sum() + 1))
        odds, target = log_odds(raw[~without_boxes]), np.clip(quality[~without_boxes], _EDGE, 1 - _EDGE)
        if len(odds) < 2 or np.ptp(odds) < _EDGE:
            mean = float(np.clip((target.sum()) / (len(target) + 1), _EDGE, 1 - _EDGE))
            return cls(cuts, 1.0, float(log_odds(np.array(mean)) - (odds.mean() if len(odds) else 0.0)), empty)
        share = np.sqrt(np.maximum(weights[~without_boxes], 1.0))
        slope, intercept = _logistic(odds, target, share * len(odds) / share.sum())
        # A falling curve would be noise: more certain must never mean worse.
        return cls(cuts, max(slope, _EDGE), intercept, empty)

    def predict(self, images: Sequence[Detections]) -> Floats:
        """(n,) expected quality in 0..1; 1 minus it is the uncertainty."""
        return self.predict_raw(*_raw(images, self.cuts))

    def predict_raw(self, raw: Floats, without_boxes: Bools) -> Floats:
        """As `predict`, by the `raw_certainty` (n,) of each image, and whether no box of it is kept (n,)."""
        sure = expit(self.intercept + self.slope * log_odds(raw))
        return np.where(without_boxes, self.empty, sure)

    def to_dict(self) -> dict[str, Any]:
        """As JSON; `from_dict` gives the same object back."""
        return {
            "cuts": self.cuts.tolist(),
            "slope": self.slope,
            "intercept": self.intercept,
            "empty": self.empty,
        }

    @classmethod
    def from_dict(cls, body: dict[str, Any]) -> Certainty:
        """The inverse of `to_dict`."""
        return cls(np.array(body["cuts"], dtype=np.float64), body["slope"], body["intercept"], body["empty"])


def _raw(images: Sequence[Detections], cuts: Floats) -> tuple[Floats, Bools]:
    raw = np.array([raw_certainty(image, cuts) for image in images])
    return raw, np.array([len(kept(image, cuts).scores) == 0 for image in images], dtype=bool)


@dataclass(frozen=True, slots=True)
class Curve:
    """From what a learner says of its own label, a chance or an expected IoU in 0..1, to the quality that it has.

    The logistic curve of Certainty for labels that need no cuts: of the prediction there is one label in any case.
    """

    slope: float
    intercept: float

    @classmethod
    def fit(cls, raw: Floats, quality: Floats) -> Curve:
        """`raw` and `quality` (n,) in 0..1. One more object, of average `raw` and quality 0, keeps few modest."""
        if not len(raw):
            return cls(1.0, 0.0)
        odds = log_odds(np.append(raw, raw.mean()))
        target = np.clip(np.append(quality, 0.0), _EDGE, 1 - _EDGE)
        if np.ptp(odds) < _EDGE:
            return cls(1.0, float(log_odds(target.mean()) - odds.mean()))
        slope, intercept = _logistic(odds, target, np.ones(len(odds)))
        # A falling curve would be noise: more certain must never mean worse.
        return cls(max(slope, _EDGE), intercept)

    def predict(self, raw: Floats) -> Floats:
        """(n,) expected quality in 0..1."""
        found: Floats = expit(self.intercept + self.slope * log_odds(np.asarray(raw, dtype=np.float64)))
        return found

    def to_dict(self) -> dict[str, Any]:
        """As JSON; `from_dict` gives the same object back."""
        return {"slope": self.slope, "intercept": self.intercept}

    @classmethod
    def from_dict(cls, body: dict[str, Any]) -> Curve:
        """The inverse of `to_dict`."""
        return cls(body["slope"], body["intercept"])


def _logistic(x: Floats, target: Floats, weights: Floats) -> tuple[float, float]:
    """(slope, intercept) of the logistic curve of greatest likelihood through shares `target` (n,) in 0..1."""
    slopes, intercept = fit_logistic(x[:, None], target, weights, ridge=_RIDGE)
    return float(slopes[0]), intercept


def fit_logistic(
    x: Floats, target: Floats, weights: Floats, *, ridge: float, offset: Floats | float = 0.0
) -> tuple[Floats, float]:
    """(slopes (f,), intercept) of greatest likelihood of shares `target` (n,) in 0..1, by features `x` (n, f).

    `offset` (n,) are log-odds that are known without them and have the slope 1. A `ridge` penalty on the slopes keeps
    them finite for data that a step would separate. scikit-learn's LogisticRegression gives the same curve (to 1e-6 in
    300 random cases), but takes 150 times as long, and 48 MB and seconds to import.
    """

    def loss(found: Floats) -> tuple[float, Floats]:
        logit = offset + x @ found[:-1] + found[-1]
        residual = weights * (expit(logit) - target)
        value = (weights * (np.logaddexp(0.0, logit) - target * logit)).sum() + ridge / 2 * (found[:-1] ** 2).sum()
        return float(value), np.append(residual @ x + ridge * found[:-1], residual.sum())

    best = minimize(loss, np.zeros(x.shape[1] + 1), jac=True, method="BFGS", options={"gtol": 1e-7}).x
    return best[:-1], float(best[-1])


def log_odds(share: Floats) -> Floats:
    """Of shares in 0..1, those at the ends a little inside."""
    inside = np.clip(share, _EDGE, 1 - _EDGE)
    return np.log(inside / (1 - inside))
