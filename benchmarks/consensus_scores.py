"""Scoring boxes against golds: F1 at an IoU, mean IoU of what was found, bootstrap intervals over images.

A box is right when it is matched (best total IoU, one to one, same class) to a gold at the IoU asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from labeling.consolidation.arrays import iou


@dataclass(frozen=True)
class Labeled:
    """Boxes on one image: `ltrb` (B, 4), `label` (B,) class names, `score` (B,)."""

    ltrb: NDArray[np.float64]
    label: NDArray[np.str_]
    score: NDArray[np.float64]

    def above(self, threshold: float) -> "Labeled":
        keep = self.score >= threshold
        return Labeled(self.ltrb[keep], self.label[keep], self.score[keep])


def labeled(boxes: Sequence, scores: Sequence[float] | None = None) -> Labeled:
    """From boxes with left, top, width, height, label."""
    rows = [(b.left, b.top, b.left + b.width, b.top + b.height) for b in boxes]
    score = np.ones(len(rows)) if scores is None else np.asarray(scores, float)
    return Labeled(np.array(rows, float).reshape(-1, 4), np.array([b.label for b in boxes], dtype=str), score)


def matches(found: Labeled, gold: Labeled, least: float) -> list[tuple[int, int, float]]:
    """(found, gold, IoU) of each right box."""
    if not len(found.ltrb) or not len(gold.ltrb):
        return []
    overlap = iou(found.ltrb[:, None], gold.ltrb[None])
    overlap = np.where((overlap >= least) & (found.label[:, None] == gold.label[None]), overlap, 0.0)
    rows, columns = linear_sum_assignment(-overlap)
    return [(int(i), int(j), float(overlap[i, j])) for i, j in zip(rows, columns, strict=True) if overlap[i, j] > 0]


def tally(found: Sequence[Labeled], golds: Sequence[Labeled], least: float = 0.5) -> NDArray[np.float64]:
    """Per image: right boxes, found boxes, gold boxes, summed IoU of the right ones: (images, 4)."""
    rows = []
    for one, gold in zip(found, golds, strict=True):
        right = matches(one, gold, least)
        rows.append((len(right), len(one.ltrb), len(gold.ltrb), sum(value for _, _, value in right)))
    return np.array(rows, float)


def summary(rows: NDArray[np.float64]) -> dict[str, float]:
    """precision, recall, f1, mean_iou (of what was found) and iou_missed_as_0 (of all golds, a missed one counting 0)
    of a tally."""
    right, found, gold, overlap = rows.sum(axis=0)
    return {
        "precision": right / max(found, 1),
        "recall": right / max(gold, 1),
        "f1": 2 * right / max(found + gold, 1),
        "mean_iou": overlap / max(right, 1),
        "iou_missed_as_0": overlap / max(gold, 1),
    }


def interval(rows: NDArray[np.float64], figure: str, rounds: int = 1000, seed: int = 1) -> tuple[float, float]:
    """95 % bootstrap interval of a figure over images."""
    values = _resampled(rows, figure, rounds, seed)
    return float(np.quantile(values, 0.025)), float(np.quantile(values, 0.975))


def difference(
    ours: NDArray[np.float64], other: NDArray[np.float64], figure: str, rounds: int = 1000, seed: int = 1
) -> tuple[float, float]:
    """95 % bootstrap interval of ours minus other on the same images."""
    values = _resampled(ours, figure, rounds, seed) - _resampled(other, figure, rounds, seed)
    return float(np.quantile(values, 0.025)), float(np.quantile(values, 0.975))


def _resampled(rows: NDArray[np.float64], figure: str, rounds: int, seed: int) -> NDArray[np.float64]:
    """The figure on `rounds` resamples of the images; the same seed draws the same images."""
    times = np.random.default_rng(seed).multinomial(len(rows), np.full(len(rows), 1 / len(rows)), size=rounds)
    return np.array([summary(total[None])[figure] for total in times @ rows])


def calibration_error(confidence: NDArray[np.float64], right: NDArray[np.float64], bins: int = 10) -> float:
    """Expected calibration error over equally wide bins."""
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    error = 0.0
    for b in np.unique(which):
        inside = which == b
        error += inside.mean() * abs(confidence[inside].mean() - right[inside].mean())
    return float(error)
