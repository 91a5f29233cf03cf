"""Made-up images with known truth and a made-up detector of a given skill, for the tests of selection."""

import numpy as np

from labeling.formats.geometry import iou_matrix
from learning.selection.fusion import fused
from learning.selection.quality import Detections


def draw(rng: np.random.Generator, *, skill: float, informative: bool = True, classes: int = 2):
    """(detections, truth) of one image; the scores tell difficult images from easy ones only when `informative`."""
    truth, found, difficulty = [], [], rng.beta(2, 2)
    for _ in range(rng.integers(1, 6)):
        kind, (x, y), (w, h) = int(rng.integers(classes)), rng.uniform(0, 200, 2), rng.uniform(20, 60, 2)
        truth.append((kind, x, y, w, h, 1.0))
        chance = np.clip(skill * (1 - difficulty) + 0.2 + rng.normal(0, 0.15), 0.02, 0.98)
        if rng.random() < chance:
            moved = rng.normal(0, 0.04, 4) * w
            score = np.clip(chance + rng.normal(0, 0.1), 0.02, 0.99) if informative else rng.uniform(0.5, 0.99)
            found.append((kind, x + moved[0], y + moved[1], w + moved[2], h + moved[3], float(score)))
    for _ in range(rng.poisson(difficulty)):
        x, y = rng.uniform(0, 200, 2)
        score = rng.beta(1.2, 4) if informative else rng.uniform(0.5, 0.99)
        found.append((int(rng.integers(classes)), x, y, 30.0, 30.0, float(score)))
    return Detections.of(found), Detections.of(truth)


def draw_many(rng: np.random.Generator, count: int, **options):
    """`count` images as (list of detections, list of truths)."""
    pairs = [draw(rng, **options) for _ in range(count)]
    return [found for found, _ in pairs], [truth for _, truth in pairs]


def looked_at_twice(rng: np.random.Generator, found, truths):
    """The images as two looks found them: right boxes both, most of the wrong ones once."""
    images = []
    for image, truth in zip(found, truths, strict=True):
        overlap = iou_matrix(image.corners, truth.corners) * (image.classes[:, None] == truth.classes)
        right = overlap.max(axis=1, initial=0.0) >= 0.5
        images.append(fused(image, image.keep(right | (rng.random(len(right)) < 0.3))))
    return images
