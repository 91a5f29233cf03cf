"""The trust score of an image: the chance that the label a detector gives it is right, learned from checked images.

uncertainty.Certainty looks at one figure, the expected quality by the scores. Whether a whole image is right shows
better when the image is looked at a second time, mirrored: objects that are found only once, at another place or under
another class, are often wrong. A logistic regression corrects Certainty's chance by how far both agree; it begins at
no correction, so that few checked images do no harm (docs/learning.md has the measurement, and what else was tried).
Knows nothing of models, jobs or how a cut-off is chosen.
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
from learning.selection.uncertainty import Certainty, Curve, fit_logistic, kept, log_odds

LEAST_OF_EACH = 3
"""Of right and of wrong images there must be so many, or there is nothing to tell apart."""
SAME_IOU = 0.5
"""From such an overlap on two boxes of a class are of the same object."""
_RIDGE = 10.0


def agreement(image: Detections, cuts: Floats) -> Floats:
    """(5,) how far the boxes found in an image and in its mirror image agree, those at or above the cuts (classes,).

    Over the kept boxes of the image, the least score and the least overlap that the other's best box for it has; the
    same over the kept boxes of the mirror image; and whether as many are kept in both. All in 0..1; 1 where no box is
    kept, or nobody looked at the mirror image.
    """
    other = image.mirrored
    if other is None:
        return np.ones(5)
    here, there = kept(image, cuts), kept(other, cuts)
    as_many = float(len(here.scores) == len(there.scores))
    return np.array([*_confirmed(here, other), *_confirmed(there, image), as_many])


def _confirmed(boxes: Detections, by: Detections) -> tuple[float, float]:
    if not len(boxes.scores):
        return 1.0, 1.0
    if not len(by.scores):
        return 0.0, 0.0
    overlap = iou_matrix(boxes.corners, by.corners) * (boxes.classes[:, None] == by.classes)
    scores = np.where(overlap >= SAME_IOU, by.scores, 0.0).max(axis=1)
    return float(scores.min()), float(overlap.max(axis=1).min())


@dataclass(frozen=True, slots=True)
class Trust:
    """From an image's detections to the chance that its label is right, 0..1.

    `slopes` and `intercept` correct the log-odds of `certainty` by the `agreement` less `centre` over `scale`, each
    (5,); None: `certainty` alone.
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
        if not told_apart or all(image.mirrored is None for image in images):
            return cls(certainty)
        table = np.stack([agreement(image, cuts) for image in images])
        centre, scale = table.mean(axis=0), np.maximum(table.std(axis=0), 1e-6)
        slopes, intercept = fit_logistic(
            (table - centre) / scale, right, np.ones(len(images)), ridge=_RIDGE,
            offset=log_odds(certainty.predict(images)),
        )  # fmt: skip
        return cls(certainty, slopes, intercept, centre, scale)

    def predict(self, images: Sequence[Detections]) -> Floats:
        """(n,) the chance in 0..1 that each image's label is right."""
        sure = self.certainty.predict(images)
        if self.slopes is None or self.centre is None or self.scale is None or not len(images):
            return sure
        table = np.stack([agreement(image, self.cuts) for image in images])
        found: Floats = expit(log_odds(sure) + (table - self.centre) / self.scale @ self.slopes + self.intercept)
        return found

    def to_dict(self) -> dict[str, Any]:
        """As JSON; `from_dict` gives the same object back. It has `cuts`, as a Certainty has."""
        body = self.certainty.to_dict()
        if self.slopes is None or self.centre is None or self.scale is None:
            return body | {"agreement": None}
        learned = {"slopes": self.slopes, "centre": self.centre, "scale": self.scale}
        return body | {"agreement": {"intercept": self.intercept} | {key: row.tolist() for key, row in learned.items()}}

    @classmethod
    def from_dict(cls, body: dict[str, Any]) -> Trust:
        """The inverse of `to_dict`."""
        certainty, learned = Certainty.from_dict(body), body["agreement"]
        if learned is None:
            return cls(certainty)
        slopes, centre, scale = (np.array(learned[key], dtype=np.float64) for key in ("slopes", "centre", "scale"))
        return cls(certainty, slopes, learned["intercept"], centre, scale)


BoxRule = Certainty | Trust
"""What makes labels of the boxes of an image, with cuts, by either promise."""


def stored_rule(body: Mapping[str, Any]) -> BoxRule:
    """The rule whose `to_dict` gave this. Raises ValueError for one of before there was an agreement."""
    if body.get("trust"):
        raise ValueError("the rule of the round was made by an earlier version, whose scores mean something else")
    return Trust.from_dict(dict(body)) if "agreement" in body else Certainty.from_dict(dict(body))


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
