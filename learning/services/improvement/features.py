"""What is measured of an image and of what the model says of it, to see whether images change. Keeps no rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from labeling.formats.images import ImageError, decode
from labeling.formats.shapes import Box
from learning.models import Endpoint, Model
from learning.services import registry, review_loops
from learning.services.hosting import invoke
from marketplace.errors import Invalid, WrongState

FEATURES = ("brightness", "megapixels", "aspect ratio", "detections", "confidence")
"""Mean grey level 0 to 1; pixels in millions; width by height; boxes of at least COUNTED; the best score 0 to 1."""

COUNTED = 0.5
THUMB = 32
"""Pixels of the sides of the picture whose brightness is measured."""


@dataclass(frozen=True)
class Seen:
    """What the endpoint said of an image, best box first, with the size of the picture and its features."""

    boxes: list[Box]
    width: int
    height: int
    features: list[float]


def look(endpoint: Endpoint, model: Model, image: bytes) -> Seen:
    """Let the endpoint detect the image. Raises Invalid for what is no picture that it can read, else as `invoke`.

    WrongState where the answer is not that of `model`, because the endpoint has just changed: try again.
    """
    answer = invoke.invoke(endpoint=endpoint, image=image, content_type="application/x-image")
    if answer.status != 200:
        raise Invalid(answer.message)
    try:
        picture, info = decode(image, needed_side=2 * THUMB)
    except ImageError as error:
        raise Invalid(str(error)) from None
    names = {str(number): name for number, name in registry.class_names(model).items()}
    try:
        boxes = review_loops.predicted_boxes(answer.body, names=names, width=info.width, height=info.height)
    except KeyError as error:
        raise WrongState(
            f"the endpoint answered with a class {error} that its model {model.name} does not have"
        ) from None
    return Seen(boxes, info.width, info.height, measured(picture, info.width, info.height, boxes))


def measured(picture: Image.Image, width: int, height: int, boxes: Sequence[Box]) -> list[float]:
    """The features, in the order of FEATURES; `width` and `height` are those of the whole picture."""
    grey = picture.convert("L").resize((THUMB, THUMB), Image.Resampling.BOX)
    scores = [box.confidence or 0.0 for box in boxes]
    return [
        round(sum(grey.tobytes()) / (255 * THUMB * THUMB), 5),
        round(width * height / 1e6, 5),
        round(width / height, 5),
        float(sum(score >= COUNTED for score in scores)),
        round(max(scores, default=0.0), 5),
    ]
