"""The trust score of an image: the chance that the label a detector gives it is right, learned from checked images.

uncertainty.Certainty looks at one figure, the expected quality by the scores. Whether a whole image is right depends on
more: its weakest box, the strongest one that was left out, how many there are, whether two overlap. With enough checked
images a logistic regression on these figures tells right images from wrong ones better; with fewer it would learn
noise, and Certainty's order is used. Knows nothing of models, jobs or how a cut-off is chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from labeling.formats.geometry import iou_matrix
from learning.selection import losses
from learning.selection.candidates import SureCandidates
from learning.selection.quality import Detections, Floats, Outcomes
from learning.selection.thresholds import Bools, BoxCandidates, box_candidates
from learning.selection.uncertainty import Certainty, Curve, fit_logistic, kept, log_odds, raw_certainty

LEAST_LEARNED = 200
"""From so many checked images on the regression is fitted (see docs/learning.md for the measurement)."""
LEAST_OF_EACH = 8
"""Of right and of wrong images there must be so many, or there is nothing to tell apart."""
_RIDGE = 3.0
_LARGEST_COUNT = 50


def features(image: Detections, cuts: Floats) -> Floats:
    """(f,) figures of one image's label, if boxes at or above their class's cut (classes,) are kept.

    In this order: the log-odds of the expected quality; of the lowest kept score, and its margin over its cut; of the
    highest score left out, and its distance from its cut; the logarithm of the chance that all kept boxes are right and
    none is missed, if scores were chances; the numbers of kept boxes and of expected missed ones (logarithms); the
    greatest overlap of two kept boxes; the mean of the kept scores.
    """
    keep = image.scores >= cuts[image.classes]
    above, below = image.scores[keep], image.scores[~keep]
    corners = image.corners[keep][:_LARGEST_COUNT]
    overlap = iou_matrix(corners, corners) - np.eye(len(corners))
    margin_above = (above - cuts[image.classes[keep]]).min(initial=1.0)
    margin_below = (cuts[image.classes[~keep]] - below).min(initial=1.0)
    all_right = np.log(np.clip(above, 1e-3, 1)).sum() + np.log1p(-np.clip(below, 0, 0.999)).sum()
    return np.array(
        [
            log_odds(np.array(raw_certainty(image, cuts))),
            log_odds(above.min(initial=1.0)),
            margin_above,
            log_odds(below.max(initial=0.0)),
            margin_below,
            max(all_right, -20.0),
            np.log1p(len(above)),
            np.log1p(below.sum()),
            overlap.max(initial=0.0),
            above.mean() if len(above) else 0.5,
        ]
    )


@dataclass(frozen=True, slots=True)
class Trust:
    """From an image's detections to the chance that its label is right, 0..1.

    `slopes` and `intercept` belong to the features less `centre` over `scale`, each (f,); None: `certainty` alone.
    """

    certainty: Certainty
    slopes: Floats | None = None
    intercept: float = 0.0
    centre: Floats | None = None
    scale: Floats | None = None

    @property
    def cuts(self) -> Floats:
        """(classes,) the score of each class from which on a box is kept."""
        return self.certainty.cuts

    @classmethod
    def fit(cls, images: Sequence[Detections], right: Floats, cuts: Floats) -> Trust:
        """`right` (n,) in 0..1: 1 minus the loss of each image's kept boxes."""
        certainty = Certainty.fit(images, right, np.ones(len(images)), cuts)
        told_apart = min(right.sum(), (1 - right).sum()) >= LEAST_OF_EACH
        if len(images) < LEAST_LEARNED or not told_apart:
            return cls(certainty)
        table = np.stack([features(image, cuts) for image in images])
        centre, scale = table.mean(axis=0), np.maximum(table.std(axis=0), 1e-6)
        slopes, intercept = fit_logistic((table - centre) / scale, right, np.ones(len(images)), ridge=_RIDGE)
        return cls(certainty, slopes, intercept, centre, scale)

    def predict(self, images: Sequence[Detections]) -> Floats:
        """(n,) the chance in 0..1 that each image's label is right."""
        if self.slopes is None or self.centre is None or self.scale is None or not len(images):
            return self.certainty.predict(images)
        table = np.stack([features(image, self.cuts) for image in images])
        found: Floats = expit((table - self.centre) / self.scale @ self.slopes + self.intercept)
        return found

    def to_dict(self) -> dict[str, Any]:
        """As JSON; `from_dict` gives the same object back. It has `cuts`, as a Certainty has."""
        body = self.certainty.to_dict()
        if self.slopes is None or self.centre is None or self.scale is None:
            return body | {"trust": None}
        learned = {"slopes": self.slopes, "centre": self.centre, "scale": self.scale}
        return body | {"trust": {"intercept": self.intercept} | {key: row.tolist() for key, row in learned.items()}}

    @classmethod
    def from_dict(cls, body: dict[str, Any]) -> Trust:
        """The inverse of `to_dict`."""
        certainty, learned = Certainty.from_dict(body), body["trust"]
        if learned is None:
            return cls(certainty)
        slopes, centre, scale = (np.array(learned[key], dtype=np.float64) for key in ("slopes", "centre", "scale"))
        return cls(certainty, slopes, learned["intercept"], centre, scale)


BoxRule = Certainty | Trust
"""What makes labels of the boxes of an image, with cuts, by either promise."""


def stored_rule(body: Mapping[str, Any]) -> BoxRule:
    """The rule whose `to_dict` gave this."""
    return Trust.from_dict(dict(body)) if "trust" in body else Certainty.from_dict(dict(body))


@dataclass(frozen=True, slots=True)
class TrustedBoxes:
    """BoxCandidates with a Trust for their rule: error_rates.CheckedCandidates.

    `loss` gives the losses (n,) of all labels for the cuts (classes,) of the scores.
    """

    boxes: BoxCandidates
    loss: Callable[[Floats], Floats]

    @property
    def shape(self) -> tuple[int, int]:
        """See thresholds.Candidates."""
        return self.boxes.shape

    def fit(self, use: Bools) -> tuple[Trust, Outcomes]:
        """See thresholds.Candidates: the cuts best for these images, and the trust in the labels that they leave."""
        cuts = self.boxes.table.best_cuts(use, self.boxes.truths)
        chosen = [image for image, used in zip(self.boxes.predicted, use, strict=True) if used]
        return Trust.fit(chosen, 1 - self.loss(cuts)[use], cuts), self.boxes.table.at(cuts)

    def sure(self, rule: Trust, which: Bools) -> Floats:
        """See thresholds.Candidates."""
        return rule.predict([image for image, wanted in zip(self.boxes.predicted, which, strict=True) if wanted])

    def losses(self, rule: Trust, which: Bools) -> Floats:
        """See error_rates.CheckedCandidates."""
        return self.loss(rule.cuts)[which]


@dataclass(frozen=True, slots=True)
class TrustedLabels:
    """SureCandidates with the losses (n,) of their labels, which no rule changes: error_rates.CheckedCandidates."""

    labels: SureCandidates
    lost: Floats

    @property
    def shape(self) -> tuple[int, int]:
        """See thresholds.Candidates."""
        return self.labels.shape

    def fit(self, use: Bools) -> tuple[Curve, Outcomes]:
        """See thresholds.Candidates: from what the learner says of its label to the chance that it is right."""
        return Curve.fit(self.labels.raw[use], 1 - self.lost[use]), self.labels.outcomes

    def sure(self, rule: Curve, which: Bools) -> Floats:
        """See thresholds.Candidates."""
        return self.labels.sure(rule, which)

    def losses(self, rule: Curve, which: Bools) -> Floats:
        """See error_rates.CheckedCandidates."""
        return self.lost[which]


def boxes(
    predicted: Sequence[Detections],
    truths: Sequence[Detections],
    *,
    classes: int,
    kind: losses.Kind = "image",
    iou: float = losses.RIGHT_IOU,
) -> TrustedBoxes:
    """Of a detector's images. Raises ValueError for lengths that differ, or a kind or overlap that there is not."""

    def loss(cuts: Floats) -> Floats:
        return losses.losses([kept(image, cuts) for image in predicted], truths, kind=kind, iou=iou)

    return TrustedBoxes(box_candidates(predicted, truths, classes), loss)


def labels(known: SureCandidates | BoxCandidates, *, kind: losses.Kind, iou: float) -> TrustedBoxes | TrustedLabels:
    """Of the other kinds of labels (candidates.py)."""
    if isinstance(known, SureCandidates):
        return TrustedLabels(known, losses.of_outcomes(known.outcomes, kind=kind, iou=iou))
    return TrustedBoxes(known, lambda cuts: losses.of_outcomes(known.table.at(cuts), kind=kind, iou=iou))
