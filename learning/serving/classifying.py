"""From the scores of a classifier or a segmenter to predictions: classes with chances, or masks in displayed pixels.

No torch. It must not know requests, jobs or manifests.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from labeling.formats import segments
from learning.contract import PredictedClass, PredictedSegment

OUTPUTS = ("scores", "embedding")
"""Of the graph: [N, C], or [N, C + 1, S, S] with the background first, and [N, D]."""
Floats = NDArray[np.float32]


def classes(scores: Floats, class_ids: Sequence[int]) -> list[PredictedClass]:
    """Every class of one image, from (C,) chances."""
    return [PredictedClass(k, round(one, 6)) for k, one in zip(class_ids, scores.tolist(), strict=True)]


def masks(scores: Floats, class_ids: Sequence[int], *, width: int, height: int) -> list[PredictedSegment]:
    """The pixels whose most likely class is each of these, from (C + 1, S, S) chances, in an image of this size.

    The score of a segment is its expected IoU: if every pixel is of the class with its chance, the expected overlap is
    the sum of the chances inside, and the union adds to the segment the sum of the chances outside.
    """
    best = scores.argmax(axis=0).astype(np.uint8)
    whole = Image.fromarray(best).resize((width, height), Image.Resampling.NEAREST)
    labels = {place + 1: str(k) for place, k in enumerate(class_ids)}
    found = segments.from_pixels(np.asarray(whole, dtype=np.uint8), labels)
    place_of = {str(k): place + 1 for place, k in enumerate(class_ids)}
    made = []
    for one in found.segments:
        place = place_of[one.label]
        inside = best == place
        chance = scores[place]
        within = float(chance[inside].sum())
        union = float(inside.sum()) + float(chance[~inside].sum())
        made.append(PredictedSegment(int(one.label), one.counts, round(min(within / max(union, 1e-9), 1.0), 6)))
    return made
