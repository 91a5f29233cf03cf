"""Validation objects with classes or masks, as thresholds.decide chooses a cut-off for them. Knows no models and jobs.

The quality of a label is measured by the same two tables as that of boxes (quality.Outcomes):

- *One class* (accuracy): one column; an object counts 1, and 1 for quality where its class is right.
- *Several classes* (mean Jaccard index): a column for each class; an object counts where either side names the class,
  and 1 for quality where both do. The chance of each class from which on it is named is found as the cuts of boxes are.
- *Masks* (mean IoU): a column for each class; an image counts where either side has the class, with its IoU.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from learning.selection import quality
from learning.selection.quality import Detections, Floats, Outcomes
from learning.selection.thresholds import CUT_GRID, Bools, BoxCandidates, CutTable
from learning.selection.uncertainty import Curve

_WHOLE = (0.0, 0.0, 1.0, 1.0)
"""Left, top, width and height of a class as a box: it is about the whole object."""


@dataclass(frozen=True, slots=True)
class SureCandidates:
    """Objects of which the prediction says one label, and how sure it is of it: `raw` (n,) in 0..1."""

    raw: Floats
    outcomes: Outcomes

    @property
    def shape(self) -> tuple[int, int]:
        """See thresholds.Candidates."""
        return self.outcomes.boxes.shape[0], self.outcomes.boxes.shape[1]

    def fit(self, use: Bools) -> tuple[Curve, Outcomes]:
        """See thresholds.Candidates."""
        return Curve.fit(self.raw[use], quality.image_quality(self.outcomes.take(use))), self.outcomes

    def sure(self, rule: Curve, which: Bools) -> Floats:
        """See thresholds.Candidates."""
        return rule.predict(self.raw[which])


def one_class(chances: Floats, truths: Sequence[int]) -> SureCandidates:
    """(n, c) chances of the classes, and the n true ones; a row of zeros is an object without a prediction."""
    right = (chances.argmax(axis=1) == np.asarray(truths, dtype=np.int64)) & (chances.max(axis=1, initial=0.0) > 0)
    outcome = Outcomes(right.astype(np.float64)[:, None], np.ones((len(truths), 1)))
    return SureCandidates(chances.max(axis=1, initial=0.0), outcome)


def several_classes(chances: Floats, truths: Bools) -> BoxCandidates:
    """(n, c) chances of the classes, each by itself, and (n, c) whether an object has the class."""
    said = [chances >= cut for cut in CUT_GRID]
    table = CutTable(
        np.stack([one & truths for one in said]).astype(np.float64),
        np.stack([one | truths for one in said]).astype(np.float64),
    )
    return BoxCandidates([tagged(row) for row in chances], table, truths.astype(np.float64))


def tagged(chances: Floats) -> Detections:
    """The chances (c,) of the classes of an object as uncertainty.Certainty reads them: boxes with a score each."""
    return Detections.of([(place, *_WHOLE, score) for place, score in enumerate(chances.tolist())])


def masks(raw: Floats, iou: Floats, there: Floats) -> SureCandidates:
    """`iou` (n, c) of each class of each image, and 1 in `there` (n, c) where prediction or label have the class."""
    return SureCandidates(raw, Outcomes(iou, there))
