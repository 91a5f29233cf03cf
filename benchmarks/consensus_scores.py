"""Figures of boxes scored against golds: F1 at an IoU, mean IoU of what was found, bootstrap intervals over images.

Which boxes are right is decided in labeling/simulation/matching.py.
"""

import numpy as np
from numpy.typing import NDArray

from labeling.simulation.matching import Labeled, labeled, matches, tally

__all__ = ["Labeled", "calibration_error", "difference", "interval", "labeled", "matches", "summary", "tally"]


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
