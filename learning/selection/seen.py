"""Lines of predictions as selection reads them. Knows neither jobs nor what the boxes are for."""

from collections.abc import Sequence
from dataclasses import replace

from learning.contract import PredictedBox, Prediction
from learning.selection.quality import Detections


def detections(prediction: Prediction) -> Detections:
    """The boxes of a prediction, with those of the mirror image where it has any."""
    mirrored = None if prediction.mirrored is None else _read(prediction.mirrored)
    return replace(_read(prediction.boxes), mirrored=mirrored)


def _read(boxes: Sequence[PredictedBox]) -> Detections:
    return Detections.of([(b.class_id, b.left, b.top, b.width, b.height, b.score) for b in boxes])
