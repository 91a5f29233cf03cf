"""Lines of predictions as selection reads them. Knows neither jobs nor what the boxes are for."""

from collections.abc import Sequence

from learning.contract import PredictedBox, Prediction
from learning.selection.fusion import fused
from learning.selection.quality import Detections


def detections(prediction: Prediction) -> Detections:
    """The boxes of a prediction; of one that was made of the mirror image too, the boxes of both looks as one set."""
    boxes = _read(prediction.boxes)
    return boxes if prediction.mirrored is None else fused(boxes, _read(prediction.mirrored))


def _read(boxes: Sequence[PredictedBox]) -> Detections:
    return Detections.of([(b.class_id, b.left, b.top, b.width, b.height, b.score) for b in boxes])
