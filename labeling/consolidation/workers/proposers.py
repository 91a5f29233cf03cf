"""What is known of models whose labels people begin with or that count as one more answer: how good they are, and what
people do with their boxes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from labeling.consolidation.arrays import Floats, logistic, logit
from labeling.consolidation.workers.skills import Skill

UNPROVEN = Skill(found=4.0, chances=8.0, false_positives=2.0, distractors=6.0, edges=6.0, edge_square=np.full(4, 24.0))
"""What is taken for seen of each model beside what was: less than people can do, so that its proposals have to prove
themselves on objects that people labeled without seeing them."""

SCORES_SLOPE, SCORES_RIDGE = 0.5, 4.0
"""How much the log-odds of a box grow with those of its score before anything is seen, and the prior precision of
that."""


ALIKE = 12.0
"""Boxes of other models of the same job that are taken for boxes of a model."""


@dataclass(frozen=True, slots=True)
class Checks:
    """What people do with the boxes that a model proposes, as expected counts over the crowd: of `real` objects among
    these boxes they kept `kept_real`, left as it was or corrected; of `false` ones `kept_false`. Of the kept ones that
    lie well they left `left_well` of `well` as they were, of those that lie badly `left_badly` of `badly`."""

    kept_real: float = 0.0
    real: float = 0.0
    kept_false: float = 0.0
    false: float = 0.0
    left_well: float = 0.0
    well: float = 0.0
    left_badly: float = 0.0
    badly: float = 0.0

    @property
    def keeps_real(self) -> float:
        """The share of the real ones that people keep, with 20 of which all but one were kept."""
        return (self.kept_real + 19.0) / (self.real + 20.0)

    @property
    def keeps_false(self) -> float:
        """The share of the false ones that people keep, with 20 of which half were: anchoring is assumed until it is
        seen how much is deleted."""
        return (self.kept_false + 10.0) / (self.false + 20.0)

    @property
    def leaves_badly(self) -> float:
        """How often people leave a box that lies badly as it was, over how often one that lies well: with 20 of each,
        of which a half and three quarters were left."""
        badly, well = (self.left_badly + 10.0) / (self.badly + 20.0), (self.left_well + 15.0) / (self.well + 20.0)
        return min(badly / well, 1.0)


@dataclass(frozen=True, slots=True)
class Precision:
    """The share of a model's boxes that are about an object, or of these the share that lies well: `usual`, in
    log-odds, at the score `centre` (log-odds too), and by `slope` more for each that the score of a box lies above."""

    usual: float
    slope: float
    centre: float

    def log_odds(self, scores: Floats) -> Floats:
        """Of boxes with these scores (N,), within 0 and 1; NaN where a box has none, which then has the usual one."""
        above = np.where(np.isnan(scores), 0.0, logit(np.nan_to_num(scores, nan=0.5)) - self.centre)
        return np.asarray(self.usual + self.slope * above)


UNSEEN = Precision(float(np.log(UNPROVEN.found / UNPROVEN.false_positives)), SCORES_SLOPE, 0.0)
"""What is taken for the precision of a model of which nothing has been seen."""


def fit_precision(
    scores: Floats, real: Floats, known: Floats | None = None, *, start: Precision | None = None
) -> Precision:
    """The precision of a model whose boxes have these `scores` (N,), NaN for none, and are `real` (N,), 0 to 1.

    `known` (N,) are the log-odds that each has without the model, 0 if left out: the precision is what comes on top.

    A logistic regression beside UNPROVEN boxes at the mean score, and a normal prior of the slope: so few boxes, or
    boxes that all have the same score, say no more than how many of them are real. `start`: what is known of other
    models of the same job, to begin with in place of that; the next model of a learning loop is much like the last.
    """
    scored = ~np.isnan(scores)
    of_score = logit(scores[scored])
    centre = float(of_score.mean()) if scored.any() else start.centre if start else 0.0
    above = np.zeros(len(scores))
    above[scored] = of_score - centre
    right, wrong = UNPROVEN.found, UNPROVEN.false_positives
    usual, slope, at = UNSEEN.usual, UNSEEN.slope, 0.0
    if start is not None:
        usual, slope, at = start.usual, start.slope, start.centre - centre
        right, wrong = (ALIKE * float(logistic(sign * usual)) for sign in (1, -1))
    x = np.stack([np.ones(len(scores) + 2), np.append(above, [at, at])], axis=1)
    weight = np.append(np.ones(len(scores)), [right, wrong])
    target = np.append(real, [1.0, 0.0])
    before = np.append(np.zeros(len(scores)) if known is None else known, [0.0, 0.0])

    def misfit(of: Floats) -> tuple[float, Floats]:
        z = x @ of + before
        loss = (weight * (np.logaddexp(0.0, z) - target * z)).sum() + SCORES_RIDGE / 2 * (of[1] - slope) ** 2
        descent = x.T @ (weight * (logistic(z) - target)) + SCORES_RIDGE * (of - slope) * [0.0, 1.0]
        return float(loss), descent

    found = minimize(misfit, [usual - slope * at, slope], jac=True, method="BFGS")
    return Precision(float(found.x[0]), float(found.x[1]), centre)


def fit_precisions(rows: Mapping[str, tuple[Floats, ...]]) -> dict[str, Precision]:
    """`fit_precision` of each model's (scores, real) or (scores, real, known), beginning with what the boxes of the
    others say."""
    found = {}
    for name, mine in rows.items():
        others = [some for other, some in rows.items() if other != name and len(some[0])]
        seen = [np.concatenate([some[part] for some in others]) for part in range(len(mine))] if others else []
        found[name] = fit_precision(*mine, start=fit_precision(*seen) if others else None)
    return found
