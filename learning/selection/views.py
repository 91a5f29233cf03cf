"""What a detector says of many images, in tables that answer for any score cuts at once.

Choosing a cut-off asks the same of every image for many cuts: how sure the scores are (uncertainty.raw_certainty), and,
where the image was looked at a second time, mirrored, how far both looks agree with the label. Which boxes overlap does
not depend on the cuts, so it is found once. Knows nothing of models, jobs or how a cut-off is chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labeling.formats.geometry import iou_matrix
from learning.selection.fusion import SAME_IOU
from learning.selection.quality import Bools, Detections, Floats
from learning.selection.uncertainty import NOTHING_MISSED_WEIGHT

Ints = NDArray[np.int64]

SIGNS = 10
"""Columns of Signs.looks."""
_NOTHING = Detections.of([])


@dataclass(frozen=True, slots=True)
class Signs:
    """How sure a detector is of each of n labels, its kept boxes by some cuts.

    `raw` (n,) is uncertainty.raw_certainty, `empty` (n,) whether no box is kept. `looks` (n, SIGNS), all in 0..1, for
    each of both looks: the least score, and the least overlap, that its best box of the class has for any kept box (1
    without a kept box); the highest score of its boxes that overlap no kept box, perhaps a missed object; and that of
    its boxes below the cuts. The last two columns are the same of the label's own boxes below the cuts. `looked` (n,):
    whether the image was looked at twice; without it the row is 0.
    """

    raw: Floats
    empty: Bools
    looks: Floats
    looked: Bools

    def take(self, which: Bools | Ints) -> Signs:
        """Those of these images (a mask, or indices)."""
        return Signs(self.raw[which], self.empty[which], self.looks[which], self.looked[which])


@dataclass(frozen=True, slots=True)
class _Boxes:
    """All boxes of the images: `image` (k,) the place of each box's image, `classes` and `scores` (k,)."""

    image: Ints
    classes: Ints
    scores: Floats

    @classmethod
    def of(cls, images: Sequence[Detections]) -> _Boxes:
        return cls(
            np.repeat(np.arange(len(images)), [len(image.scores) for image in images]),
            np.concatenate([np.zeros(0, dtype=np.int64), *(image.classes for image in images)]),
            np.concatenate([np.zeros(0), *(image.scores for image in images)]),
        )

    def kept(self, cuts: Floats) -> Bools:
        """(k,) whether each box is at or above the cut of its class."""
        found: Bools = self.scores >= cuts[self.classes]
        return found

    def highest(self, which: Bools, size: int) -> Floats:
        """(size,) the highest score of these boxes (k,) of each image; 0 without any."""
        found = np.zeros(size)
        np.maximum.at(found, self.image[which], self.scores[which])
        return found


@dataclass(frozen=True, slots=True)
class _Look:
    """The `boxes` of one look. `confirmed` (k, 2): the best score and overlap that one of them has for each of the
    label's k boxes; `pairs` (p, 2): places of a box of the label and of a box of the look that overlap."""

    boxes: _Boxes
    confirmed: Floats
    pairs: Ints

    @classmethod
    def of(cls, images: Sequence[Detections], looks: Sequence[Detections]) -> _Look:
        confirmed: list[Floats] = [np.zeros((0, 2))]
        pairs: list[Ints] = [np.zeros((0, 2), dtype=np.int64)]
        first = second = 0
        for image, look in zip(images, looks, strict=True):
            overlap = iou_matrix(image.corners, look.corners)
            same = overlap * (image.classes[:, None] == look.classes)
            scores = np.where(same >= SAME_IOU, look.scores, 0.0).max(axis=1, initial=0.0)
            confirmed.append(np.stack([scores, same.max(axis=1, initial=0.0)], axis=1))
            pairs.append(np.argwhere(overlap >= SAME_IOU) + np.array([first, second], dtype=np.int64))
            first, second = first + len(image.scores), second + len(look.scores)
        return cls(_Boxes.of(looks), np.concatenate(confirmed), np.concatenate(pairs))

    def signs(self, labels: _Boxes, keep: Bools, cuts: Floats, size: int) -> list[Floats]:
        """Four columns (size,) of Signs.looks."""
        worst = np.ones((size, 2))
        np.minimum.at(worst, labels.image[keep], self.confirmed[keep])
        covered = np.zeros(len(self.boxes.scores), dtype=bool)
        covered[self.pairs[keep[self.pairs[:, 0]], 1]] = True
        below = ~self.boxes.kept(cuts)
        return [*worst.T, self.boxes.highest(~covered, size), self.boxes.highest(below, size)]


@dataclass(frozen=True, slots=True)
class Views:
    """n images with what both looks at each of them found, where there were two."""

    labels: _Boxes
    looks: tuple[_Look, ...]
    looked: Bools

    @classmethod
    def of(cls, images: Sequence[Detections]) -> Views:
        """The tables of the detections of these images."""
        views = [image.views or (_NOTHING, _NOTHING) for image in images]
        looks = [*([view[place] for view in views] for place in range(2)), list(images)]
        looked = np.array([image.views is not None for image in images], dtype=bool)
        return cls(_Boxes.of(images), tuple(_Look.of(images, look) for look in looks), looked)

    def signs(self, cuts: Floats) -> Signs:
        """How sure the detector is of the label of each image, by the score cuts (classes,)."""
        size, keep = len(self.looked), self.labels.kept(cuts)
        kept = np.bincount(self.labels.image[keep], minlength=size)
        first, second, own = (look.signs(self.labels, keep, cuts, size) for look in self.looks)
        looks = np.column_stack([*first, *second, *own[2:]]) * self.looked[:, None]
        return Signs(self._raw(keep, kept), kept == 0, looks, self.looked)

    def _raw(self, keep: Bools, kept: Ints) -> Floats:
        """uncertainty.raw_certainty of each image."""
        image, scores, size = self.labels.image, self.labels.scores, len(self.looked)
        above = np.bincount(image[keep], scores[keep], size)
        below = np.bincount(image[~keep], scores[~keep], size)
        with np.errstate(divide="ignore"):
            nothing_missed = np.exp(np.bincount(image[~keep], np.log1p(-scores[~keep]), size))
        right = above + NOTHING_MISSED_WEIGHT * nothing_missed
        found: Floats = right / (kept + below + NOTHING_MISSED_WEIGHT)
        return found
