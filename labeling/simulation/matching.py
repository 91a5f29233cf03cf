"""Scoring boxes against golds: which boxes are right, and sums of them over images.

A box is right when it is matched (best total IoU, one to one, same class) to a gold at the IoU asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from labeling.consolidation.arrays import iou
from labeling.formats.shapes import Box


@dataclass(frozen=True)
class Labeled:
    """Boxes on one image: `ltrb` (B, 4), `label` (B,) class names, `score` (B,)."""

    ltrb: NDArray[np.float64]
    label: NDArray[np.str_]
    score: NDArray[np.float64]

    def above(self, threshold: float) -> Labeled:
        """Only boxes with at least this score."""
        keep = self.score >= threshold
        return Labeled(self.ltrb[keep], self.label[keep], self.score[keep])


def labeled(boxes: Iterable[Box], scores: Sequence[float] | None = None) -> Labeled:
    """From boxes with left, top, width, height, label; every score is 1 where none are given."""
    given = list(boxes)
    rows = [(b.left, b.top, b.left + b.width, b.top + b.height) for b in given]
    score = np.ones(len(rows)) if scores is None else np.asarray(scores, float)
    return Labeled(np.array(rows, float).reshape(-1, 4), np.array([b.label for b in given], dtype=str), score)


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
    return np.array(rows, float).reshape(-1, 4)
