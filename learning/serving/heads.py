"""Outputs of foreign detectors as heads of our own: boxes in input pixels, and a score for each of the model's classes.

One function a format (foreign.FORMATS); what follows, suppression and scaling, is the same for every detector. numpy
only: it must not know images or runtimes.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from learning.contract import BadInput
from learning.serving.foreign import Input, Output

Array = NDArray[np.float32]
Outputs = Mapping[str, NDArray[np.generic]]
Found = tuple[Array, Array]
MOST_BOXES = 200_000


def read_heads(outputs: Outputs, *, frame: Input, output: Output, classes: Sequence[int], images: int) -> Found:
    """(boxes [N, A, 4] as x1 y1 x2 y2 in input pixels, scores [N, A, len(classes)]) of `images` images.

    `outputs` by the parts' names in foreign.PARTS; `classes` are the network's numbers of the model's classes. Scores
    that are not finite become 0. Raises BadInput naming an output that does not have the shape of its format.
    """
    raw, scores = _READERS[output.format](outputs, output, classes, images)
    if raw.shape[1] > MOST_BOXES:
        raise BadInput(f"the network has {raw.shape[1]:,} boxes for an image, at most {MOST_BOXES:,} are read")
    boxes = _CORNERS[output.corners](raw)
    if output.units == "normalized":
        boxes = boxes * np.array([frame.width, frame.height] * 2, np.float32)
    broken = ~np.isfinite(boxes).all(-1, keepdims=True)
    boxes, scores = np.where(broken, 0, boxes), np.where(broken | ~np.isfinite(scores), 0, scores)
    return boxes.astype(np.float32), np.clip(scores, 0, 1).astype(np.float32)


def _boxes(outputs: Outputs, output: Output, classes: Sequence[int], images: int) -> Found:
    boxes = _batched(outputs, "boxes", images, 3)
    _expect(boxes.shape[-1] == 4, "boxes", boxes, "[N, boxes, 4]")
    if "labels" in outputs:
        return boxes, _labeled(outputs, output, classes, boxes)
    scores = _activated(_batched(outputs, "scores", images, 3), output)
    _expect(scores.shape[1] == boxes.shape[1], "scores", scores, f"[N, {boxes.shape[1]}, classes]")
    return boxes, _columns(scores, classes, "scores")


def _ssd(outputs: Outputs, output: Output, classes: Sequence[int], images: int) -> Found:
    boxes = _batched(outputs, "boxes", images, 3)
    _expect(boxes.shape[-1] == 4, "boxes", boxes, "[N, boxes, 4]")
    scores = _labeled(outputs, output, classes, boxes)
    if "count" in outputs:
        count = np.asarray(outputs["count"], np.float32).reshape(-1)
        _expect(len(count) == images, "count", count, f"[{images}]")
        scores = np.where(np.arange(boxes.shape[1])[None, :, None] < count[:, None, None], scores, 0)
    return boxes, scores


def _labeled(outputs: Outputs, output: Output, classes: Sequence[int], boxes: Array) -> Array:
    """Scores by class of boxes that have one score and one label each."""
    score = _activated(_batched(outputs, "scores", len(boxes), 2), output)
    label = _batched(outputs, "labels", len(boxes), 2)
    for part, found in (("scores", score), ("labels", label)):
        _expect(found.shape == boxes.shape[:2], part, found, f"[N, {boxes.shape[1]}]")
    return np.where(np.rint(label)[..., None] == np.array(classes), score[..., None], 0)


def _yolo5(outputs: Outputs, output: Output, classes: Sequence[int], images: int) -> Found:
    found = _batched(outputs, "predictions", images, 3)
    _expect(found.shape[-1] > 5, "predictions", found, "[N, boxes, 5 + classes]")
    scores = _activated(found[..., 4:], output)
    return found[..., :4], _columns(scores[..., 1:] * scores[..., :1], classes, "predictions")


def _yolo8(outputs: Outputs, output: Output, classes: Sequence[int], images: int) -> Found:
    found = np.swapaxes(_batched(outputs, "predictions", images, 3), 1, 2)
    _expect(found.shape[-1] > 4, "predictions", found, "[N, 4 + classes, boxes]")
    return found[..., :4], _columns(_activated(found[..., 4:], output), classes, "predictions")


def _detr(outputs: Outputs, output: Output, classes: Sequence[int], images: int) -> Found:
    boxes, logits = _batched(outputs, "boxes", images, 3), _batched(outputs, "logits", images, 3)
    _expect(boxes.shape[-1] == 4, "boxes", boxes, "[N, queries, 4]")
    _expect(logits.shape[1] == boxes.shape[1], "logits", logits, f"[N, {boxes.shape[1]}, classes]")
    scores = _activated(logits, output)
    # After a softmax the last column says that there is no object.
    return boxes, _columns(scores[..., :-1] if output.activation == "softmax" else scores, classes, "logits")


_READERS: dict[str, Callable[[Outputs, Output, Sequence[int], int], Found]] = {
    "boxes": _boxes,
    "yolo5": _yolo5,
    "yolo8": _yolo8,
    "ssd": _ssd,
    "detr": _detr,
}


def _batched(outputs: Outputs, part: str, images: int, dimensions: int) -> Array:
    """An output as [images, ...]; one without the first axis is that of a single image."""
    found = np.asarray(outputs[part], np.float32)
    if found.ndim == dimensions - 1 and images == 1:
        found = found[None]
    wanted = {2: f"[{images}, boxes]", 3: f"[{images}, boxes, values]"}[dimensions]
    _expect(found.ndim == dimensions and found.shape[0] == images, part, found, wanted)
    return found


def _columns(scores: Array, classes: Sequence[int], part: str) -> Array:
    if max(classes) >= scores.shape[-1]:
        raise BadInput(f"class {max(classes)} of class_map is not among the {scores.shape[-1]} classes of {part!r}")
    return scores[..., list(classes)]


def _activated(values: Array, output: Output) -> Array:
    if output.activation == "sigmoid":
        return (1 / (1 + np.exp(-np.clip(values, -80, 80)))).astype(np.float32)
    if output.activation == "softmax":
        exponents = np.exp(values - values.max(-1, keepdims=True))
        return (exponents / exponents.sum(-1, keepdims=True)).astype(np.float32)
    return values


def _expect(holds: bool, part: str, found: NDArray[np.generic], wanted: str) -> None:
    if not holds:
        raise BadInput(f"the output {part!r} has the shape {list(found.shape)}, {wanted} expected")


def _centred(raw: Array) -> Array:
    half = raw[..., 2:] / 2
    return np.concatenate([raw[..., :2] - half, raw[..., :2] + half], -1)


_CORNERS: dict[str, Callable[[Array], Array]] = {
    "xyxy": lambda raw: raw,
    "yxyx": lambda raw: raw[..., [1, 0, 3, 2]],
    "xywh": lambda raw: np.concatenate([raw[..., :2], raw[..., :2] + raw[..., 2:]], -1),
    "cxcywh": _centred,
}
