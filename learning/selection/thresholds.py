"""The cut-off above which auto-labels keep the promised quality, with a stated bound on being wrong.

Given: predictions and people's labels of validation images, drawn at random and never trained on. Found: (1) a rule
that makes a label of a prediction (for boxes, the score of each class at which one is kept), (2) a curve from scores to
an image's expected quality, (3) the expected quality at or above which an image is labeled by machine.

"Image" stands for any data object, and what is fitted depends on the kind of label: boxes here (BoxCandidates), classes
and masks in candidates.py. The cut-off and its proof are the same for all, because they need only the quality of each
object's label (quality.Outcomes) and the order of the expected qualities.

**The promise.** With probability of at least `confidence`, the quality of the machine's labels (for boxes the mean IoU
by Ground Truth's definition, selection/quality.py) is at least `target`. What it rests on:

- *Cross-fitting.* (1) and (2) are fitted on four fifths of the validation images and evaluated on the rest, five times,
  so no image is evaluated by a curve that was fitted on it.
- *A lower bound, not the mean* (quality.lower_bound): images are the sampling unit, one image of quality 0 is added.
- *Few looks.* Ten nested cut-offs are tried and the lowest that holds is used; with fewer than eight images nothing
  is promised. The looks overlap: they count not as ten but by the logarithm of the largest over the smallest, as the
  maximum of nested means grows (a Bonferroni correction by `_effective_looks`, at most 1.8). The tests draw many jobs
  from populations just below the target, with scores unrelated to quality, and count the broken promises: without the
  correction up to 16 in 100 with 100 validation images.
- *All rounds together.* Validation images that passed in earlier rounds represent the objects that were auto-labeled in
  them. They count in the bound and are no candidates any more, like the objects they represent. So the bound is about
  all machine labels of the job. The labels of this round alone must reach the target too, so that good early rounds do
  not make up for bad later ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from learning.selection import quality
from learning.selection.quality import Detections, Floats, Outcomes
from learning.selection.uncertainty import Certainty

FOLDS = 5
LOOKS = 10
MIN_IMAGES = 8
MIN_CLASS_BOXES = 10
CUT_GRID = np.round(np.arange(0.05, 0.96, 0.05), 2)


Bools = NDArray[np.bool_]


class Rule(Protocol):
    """What makes labels of predictions, fitted on validation objects; each kind of label has its own."""

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""


class Candidates(Protocol):
    """Validation objects with their predictions and people's labels, as the choice of a cut-off needs them."""

    @property
    def shape(self) -> tuple[int, int]:
        """The number of objects, and of the columns of their outcomes."""

    def fit(self, use: Bools) -> tuple[Any, Outcomes]:
        """The rule fitted on the objects `use` (n,), and the outcomes of all objects with it."""

    def sure(self, rule: Any, which: Bools) -> Floats:
        """The expected quality, by the rule, of the objects `which` (n,)."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What to auto-label: the images whose expected quality is at least `threshold`; none when it is None.

    `certainty` is the rule: for boxes a Certainty, else what the candidates fit.
    `quality`, `lower` (the lower bound) and `coverage` describe the cut-off on this round's n candidates; for `lower`
    those that passed in earlier rounds count too. Of the candidates `passed` (n,) says which passed, `scores` (n,) is
    the expected quality, `outcomes` the quality of the boxes kept. `curve` has every cut-off, falling.

    A promised share of wrong labels (error_rates.py) adds `target_error`, the `losses` (n,) of the candidates, the
    mean loss `risk` of those that passed, and the upper bound `risk_upper` of all labels of the job. Where the
    candidates could prove nothing, or not probably, it was not `tested`; `needed` says how many right ones it takes at
    least where there are fewer.
    """

    threshold: float | None
    certainty: Any
    quality: float | None
    lower: float | None
    coverage: float
    passed: Bools
    scores: Floats
    outcomes: Outcomes
    curve: list[dict[str, Any]]
    losses: Floats | None = None
    target_error: float | None = None
    risk: float | None = None
    risk_upper: float | None = None
    tested: bool = True
    needed: int | None = None


@dataclass(frozen=True, slots=True)
class CutTable:
    """Outcomes at every score cut: `iou` and `boxes` have shape (cuts, images, classes)."""

    iou: Floats
    boxes: Floats

    def best_cuts(self, images: Bools, truths: Floats) -> Floats:
        """(classes,) cuts of greatest quality on these images; a class with few boxes uses the cut best for all."""
        iou, boxes = self.iou[:, images].sum(axis=1), self.boxes[:, images].sum(axis=1)
        ratio = np.divide(iou, boxes, out=np.full_like(iou, np.nan), where=boxes > 0)
        known = ~np.isnan(ratio).any(axis=0)
        overall = CUT_GRID[int(ratio[:, known].mean(axis=1).argmax())] if known.any() else CUT_GRID[len(CUT_GRID) // 2]
        own = known & (truths[images].sum(axis=0) >= MIN_CLASS_BOXES)
        best = CUT_GRID[np.where(np.isnan(ratio), -1.0, ratio).argmax(axis=0)]
        return np.where(own, best, overall)

    def at(self, cuts: Floats) -> Outcomes:
        """The outcomes of all images when each class uses its own cut."""
        place = np.searchsorted(CUT_GRID, cuts)
        column = np.arange(len(cuts))
        return Outcomes(self.iou[place, :, column].T.copy(), self.boxes[place, :, column].T.copy())


def choose(
    predicted: Sequence[Detections],
    truths: Sequence[Detections],
    *,
    classes: int,
    target: float = 0.6,
    confidence: float = 0.9,
    earlier: Outcomes | None = None,
    seed: int = 0,
) -> Decision:
    """`decide` for boxes. Raises ValueError for lengths that differ, or a target or confidence outside 0..1."""
    candidates = box_candidates(predicted, truths, classes)
    return decide(candidates, target=target, confidence=confidence, earlier=earlier, seed=seed)


def box_candidates(predicted: Sequence[Detections], truths: Sequence[Detections], classes: int) -> BoxCandidates:
    """Images as the choice of a cut-off needs them. Raises ValueError for lengths that differ."""
    if len(predicted) != len(truths):
        raise ValueError(f"{len(predicted)} predictions for {len(truths)} labeled images")
    return BoxCandidates(predicted, _tabulate(predicted, truths, classes), _count_truths(truths, classes))


def decide(
    candidates: Candidates, *, target: float, confidence: float, earlier: Outcomes | None = None, seed: int = 0
) -> Decision:
    """The lowest cut-off that keeps the promise of this file's head; `earlier`: objects that passed in earlier rounds.

    Raises ValueError for a target or confidence outside 0..1.
    """
    if not (0 < target <= 1 and 0 < confidence < 1):
        raise ValueError(f"target {target} and confidence {confidence} must lie between 0 and 1")
    certainty, _ = candidates.fit(np.ones(candidates.shape[0], dtype=bool))
    scores, found, _ = cross_fit(candidates, seed)
    curve = _curve(scores, found)
    chosen, looks = None, _looks(len(scores))
    each = 1 - (1 - confidence) / _effective_looks(looks)
    for images in looks:
        passed = scores >= np.sort(scores)[::-1][images - 1]
        alone, together = found.take(passed), found.take(passed).join(earlier)
        lower = quality.lower_bound(together, each)
        if lower >= target and quality.set_quality(quality.with_worst_image(alone)) >= target:
            chosen = (passed, lower)
    if chosen is None:
        none = np.zeros(len(scores), dtype=bool)
        return Decision(None, certainty, None, None, 0.0, none, scores, found, curve)
    passed, lower = chosen
    return Decision(
        threshold=float(scores[passed].min()),
        certainty=certainty,
        quality=quality.set_quality(found.take(passed)),
        lower=lower,
        coverage=float(passed.mean()),
        passed=passed,
        scores=scores,
        outcomes=found,
        curve=curve,
    )


def _looks(images: int) -> list[int]:
    """The numbers of images that pass the cut-offs to be tried, rising."""
    sizes = {round(images * (look + 1) / LOOKS) for look in range(LOOKS)}
    return sorted(size for size in sizes if size >= MIN_IMAGES)


def _effective_looks(looks: list[int]) -> float:
    """The number of independent looks that need the same correction as these nested ones."""
    return max(1.0, (1 + np.log(looks[-1] / looks[0])) / 1.8) if looks else 1.0


def _tabulate(predicted: Sequence[Detections], truths: Sequence[Detections], classes: int) -> CutTable:
    by_cut = [
        quality.outcomes([image.keep(image.scores >= cut) for image in predicted], truths, classes) for cut in CUT_GRID
    ]
    return CutTable(np.stack([found.iou for found in by_cut]), np.stack([found.boxes for found in by_cut]))


def _count_truths(truths: Sequence[Detections], classes: int) -> Floats:
    counts = [np.bincount(image.classes, minlength=classes) for image in truths]
    return np.array(counts, dtype=np.float64).reshape(-1, classes)


@dataclass(frozen=True, slots=True)
class BoxCandidates:
    """Images with boxes: `predicted`, their outcomes at every cut, and the numbers of true boxes (images, classes)."""

    predicted: Sequence[Detections]
    table: CutTable
    truths: Floats

    @property
    def shape(self) -> tuple[int, int]:
        """See Candidates."""
        return self.truths.shape[0], self.truths.shape[1]

    def fit(self, use: Bools) -> tuple[Certainty, Outcomes]:
        """See Candidates: the cuts best for these images, and the curve fitted on them."""
        cuts = self.table.best_cuts(use, self.truths)
        found = self.table.at(cuts)
        fitting = found.take(use)
        chosen = [image for image, used in zip(self.predicted, use, strict=True) if used]
        weights = fitting.boxes.sum(axis=1)
        return Certainty.fit(chosen, quality.image_quality(fitting), weights, cuts), found

    def sure(self, rule: Certainty, which: Bools) -> Floats:
        """See Candidates."""
        return rule.predict([image for image, wanted in zip(self.predicted, which, strict=True) if wanted])


def cross_fit(candidates: Candidates, seed: int) -> tuple[Floats, Outcomes, list[tuple[Bools, Any]]]:
    """(n,) scores and outcomes, those of each image by a fit without it; each fold (n,) with the rule used on it."""
    images, columns = candidates.shape
    fold = np.random.default_rng(seed).permutation(images) % min(FOLDS, max(images, 1))
    scores = np.zeros(images)
    iou, boxes = np.zeros((images, columns)), np.zeros((images, columns))
    folds: list[tuple[Bools, Any]] = []
    for number in range(fold.max() + 1 if images else 0):
        held_out = fold == number
        certainty, found = candidates.fit(~held_out)
        scores[held_out] = candidates.sure(certainty, held_out)
        iou[held_out], boxes[held_out] = found.iou[held_out], found.boxes[held_out]
        folds.append((held_out, certainty))
    return scores, Outcomes(iou, boxes), folds


def curve_places(images: int) -> list[int]:
    """How many of so many images pass at each of at most a hundred cut-offs, rising."""
    return np.unique(np.linspace(1, images, min(100, images)).astype(int)).tolist() if images else []


def _curve(scores: Floats, found: Outcomes) -> list[dict[str, Any]]:
    """At most a hundred cut-offs by falling threshold, with quality and coverage on the validation images."""
    order = np.argsort(-scores, kind="stable")
    return [
        {
            "threshold": round(float(scores[order[size - 1]]), 6),
            "quality": round(quality.set_quality(found.take(order[:size])), 6),
            "coverage": round(size / len(scores), 6),
        }
        for size in curve_places(len(scores))
    ]
