"""What a model predicted as the input of a human loop, in the form that Amazon A2I's templates read.

Whatever puts predictions before people uses this form: endpoints, and policies that improve a model. It must not know
why people are asked, nor any row of the database.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from labeling.formats.shapes import Box

SHOWN_SCORE = 0.2
"""From which score a box is shown to people where nobody has said otherwise; AWS's notebook shows boxes from there."""

MOST_SHOWN = 500
"""Boxes of one prediction that people are shown, best first: more could not be looked at, and input has a limit."""


def predicted_boxes(body: bytes, *, names: Mapping[str, str], width: int, height: int) -> list[Box]:
    """The boxes of an endpoint's answer, best first, in pixels of a picture of that size; none is left out.

    `body`: {"prediction": [[class, score, xmin, ymin, xmax, ymax], ...]} with corners as shares of the sides.
    `names`: the model's classes by their number as text. Raises KeyError for a class that has no name.
    """
    found = []
    for number, score, left, top, right, bottom in orjson.loads(body)["prediction"]:
        x, y = left * width, top * height
        label = names[str(int(number))]
        found.append(Box(label, x, y, right * width - x, bottom * height - y, confidence=score))
    return sorted(found, key=lambda box: -(box.confidence or 0.0))


def prediction_input(
    *,
    picture: str,
    boxes: Sequence[Box],
    model_name: str = "",
    endpoint: str = "",
    inference_id: str = "",
    least_score: float = SHOWN_SCORE,
    condition_results: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """InputContent of a human loop about the predicted `boxes` (see `predicted_boxes`) in the picture at that address.

    `taskObject` is the address and `initialValue` the JSON text that crowd-bounding-box takes: label, left, top, width
    and height in whole pixels, of the boxes with at least `least_score` (0 to 1). `scores` are theirs, in the same
    order, and `highestScore` that of all boxes, 0 without any. `condition_results`: the evaluated activation
    conditions, which A2I echoes as `humanTaskActivationConditionResults`; left out where people are asked without.
    """
    kept = [box for box in boxes if (box.confidence or 0.0) >= least_score][:MOST_SHOWN]
    said: dict[str, Any] = {
        "taskObject": picture,
        "initialValue": orjson.dumps([_drawn(box) for box in kept]).decode(),
        "scores": [box.confidence for box in kept],
        "highestScore": max((box.confidence or 0.0 for box in boxes), default=0.0),
        "modelName": model_name,
        "endpoint": endpoint,
        "inferenceId": inference_id,
    }
    if condition_results is not None:
        said["humanTaskActivationConditionResults"] = condition_results
    return said


def _drawn(box: Box) -> dict[str, Any]:
    """The box as people could have drawn it: whole pixels, at least one wide and high, inside at the top left."""
    left, top = max(0, round(box.left)), max(0, round(box.top))
    right, bottom = round(box.left + box.width), round(box.top + box.height)
    return {"label": box.label, "left": left, "top": top, "width": max(1, right - left), "height": max(1, bottom - top)}
