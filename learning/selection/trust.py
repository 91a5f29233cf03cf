"""The trust score of an image: the chance that the label a detector gives it is right, learned from checked images.

uncertainty.Certainty looks at one figure, the expected quality by the scores. Whether a whole image is right shows
better when it is looked at a second time, mirrored (fusion.py): labels with a box that one look does not confirm, or
that leave out a box which one of them finds, are often wrong. A logistic regression corrects Certainty's chance by
these signs (views.Signs); a strong penalty draws it to no correction, so that few checked images do no harm
(docs/learning.md has the measurement, and what else was tried).
Knows nothing of models, jobs or how a cut-off is chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import expit

from learning.selection import losses
from learning.selection.candidates import SureCandidates
from learning.selection.quality import Detections, Floats, Outcomes
from learning.selection.thresholds import Bools, BoxCandidates, box_candidates
from learning.selection.uncertainty import Certainty, Curve, fit_logistic, kept, log_odds
from learning.selection.views import Signs, Views

LEAST_OF_EACH = 3
"""Of right and of wrong images there must be so many, or there is nothing to tell apart."""
_RIDGE = 50.0
_KNOWN = 0.5
"""The signs say in part what the scores say: so much of the log-odds by the scores is kept."""


@dataclass(frozen=True, slots=True)
class Trust:
    """From an image's detections to the chance that its label is right, 0..1.

    `slopes`, `centre` and `scale` (SIGNS,) and the `intercept` correct a part of the log-odds of `certainty` by what
    both looks at the image say (views.Signs); None: `certainty` alone.
    """

    certainty: Certainty
    slopes: Floats | None = None
    intercept: float = 0.0
    centre: Floats | None = None
    scale: Floats | None = None
    stretch: tuple[float, float] = (1.0, 0.0)

    @property
    def cuts(self) -> Floats:
        """(classes,) the score of each class from which on a box is kept."""
        return self.certainty.cuts

    @classmethod
    def fit(cls, signs: Signs, right: Floats, cuts: Floats) -> Trust:
        """`right` (n,) in 0..1: 1 minus the loss of each image's kept boxes, of which `signs` are by the same cuts."""
        ones = np.ones(len(right))
        certainty = Certainty.fit_raw(signs.raw, signs.empty, right, ones, cuts)
        told_apart = min(right.sum(), (1 - right).sum()) >= LEAST_OF_EACH
        if not told_apart or not signs.looked.any():
            return cls(certainty)
        centre, scale = signs.looks.mean(axis=0), np.maximum(signs.looks.std(axis=0), 1e-6)
        slopes, intercept = fit_logistic(
            (signs.looks - centre) / scale, right, ones, ridge=_RIDGE,
            offset=_KNOWN * log_odds(certainty.predict_raw(signs.raw, signs.empty)),
        )  # fmt: skip
        found = cls(certainty, slopes, intercept, centre, scale)
        # The penalty keeps the order of the images and makes their chances too much alike.
        odds = found._odds(signs)
        (stretched,), shift = fit_logistic(odds[:, None], right, ones, ridge=1.0)
        return replace(found, stretch=(float(max(stretched, 1e-3)), shift))

    def _odds(self, signs: Signs) -> Floats:
        """(n,) the corrected log-odds, before they are stretched; those by the scores alone without a correction."""
        odds = log_odds(self.certainty.predict_raw(signs.raw, signs.empty))
        if self.slopes is None or self.centre is None or self.scale is None:
            return odds
        table = (signs.looks - self.centre) / self.scale
        found: Floats = _KNOWN * odds + table @ self.slopes + self.intercept
        return found

    def predict(self, images: Sequence[Detections]) -> Floats:
        """(n,) the chance in 0..1 that each image's label is right."""
        return self.of(Views.of(images).signs(self.cuts))

    def of(self, signs: Signs) -> Floats:
        """As `predict`, of images with these signs by the rule's own cuts."""
        if self.slopes is None:
            return self.certainty.predict_raw(signs.raw, signs.empty)
        stretch, shift = self.stretch
        found: Floats = expit(stretch * self._odds(signs) + shift)
        return found

    def to_dict(self) -> dict[str, Any]:
        """As JSON; `from_dict` gives the same object back. It has `cuts`, as a Certainty has."""
        body = self.certainty.to_dict()
        if self.slopes is None or self.centre is None or self.scale is None:
            return body | {"looks": None}
        tables = {"slopes": self.slopes, "centre": self.centre, "scale": self.scale}
        learned = {"intercept": self.intercept, "stretch": list(self.stretch)}
        return body | {"looks": learned | {key: row.tolist() for key, row in tables.items()}}

    @classmethod
    def from_dict(cls, body: dict[str, Any]) -> Trust:
        """The inverse of `to_dict`."""
        certainty, learned = Certainty.from_dict(body), body["looks"]
        if learned is None:
            return cls(certainty)
        slopes, centre, scale = (np.array(learned[key], dtype=np.float64) for key in ("slopes", "centre", "scale"))
        stretch, shift = learned["stretch"]
        return cls(certainty, slopes, learned["intercept"], centre, scale, (stretch, shift))


BoxRule = Certainty | Trust
"""What makes labels of the boxes of an image, with cuts, by either promise."""


def stored_rule(body: Mapping[str, Any]) -> BoxRule:
    """The rule whose `to_dict` gave this. Raises ValueError for one that corrects by other signs."""
    if body.get("trust") or body.get("agreement"):
        raise ValueError("the rule of the round was made by an earlier version, whose scores mean something else")
    return Trust.from_dict(dict(body)) if "looks" in body else Certainty.from_dict(dict(body))


@dataclass(frozen=True, slots=True)
class TrustedBoxes:
    """BoxCandidates with a Trust for their rule: error_rates.CheckedCandidates.

    For the cuts (classes,) of the scores, `loss` gives the losses (n,) of all labels, and `signs` how sure the detector
    is of each.
    """

    boxes: BoxCandidates
    loss: Callable[[Floats], Floats]
    signs: Callable[[Floats], Signs]

    @property
    def shape(self) -> tuple[int, int]:
        """See thresholds.Candidates."""
        return self.boxes.shape

    def fit(self, use: Bools) -> tuple[Trust, Outcomes]:
        """See thresholds.Candidates: the cuts best for these images, and the trust in the labels that they leave."""
        cuts = self.boxes.table.best_cuts(use, self.boxes.truths)
        return Trust.fit(self.signs(cuts).take(use), 1 - self.loss(cuts)[use], cuts), self.boxes.table.at(cuts)

    def sure(self, rule: Trust, which: Bools) -> Floats:
        """See thresholds.Candidates."""
        return rule.of(self.signs(rule.cuts).take(which))

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

    return TrustedBoxes(box_candidates(predicted, truths, classes), loss, Views.of(predicted).signs)


def labels(known: SureCandidates | BoxCandidates, *, kind: losses.Kind, iou: float) -> TrustedBoxes | TrustedLabels:
    """Of the other kinds of labels (candidates.py)."""
    if isinstance(known, SureCandidates):
        return TrustedLabels(known, losses.of_outcomes(known.outcomes, kind=kind, iou=iou))
    return TrustedBoxes(
        known,
        lambda cuts: losses.of_outcomes(known.table.at(cuts), kind=kind, iou=iou),
        Views.of(known.predicted).signs,
    )
