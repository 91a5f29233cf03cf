"""The preset `auto`: the size of the input and the augmentation, chosen from the sizes of the labeled objects.

It must not know pixels, models or torch.
"""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from learning.contract import DEFAULT_IMAGE_SIZE
from learning.hyperparameters import AUTO, BUILTIN, TrainHyperparameters
from learning.vision.manifests import Item

LEAST, MOST, STEP = 160, 512, 32
# Pixels that small objects should have. SSD: the side of its smallest default box, on a map of stride 8; SSDLite's
# finest map has stride 16. The compact detector has no default boxes: one and a half cells (with 13 pixels it reached
# an mAP@0.5 of .98).
SMALL_PIXELS = {"compact": 12, "ssdlite320_mobilenet_v3_large": 32, "ssd300_vgg16": 21, "ssd300_resnet50": 21}
ENOUGH_PIXELS = 96  # for small objects; beyond it a larger input costs time and shows nothing new
FEW = 5  # boxes of a class from which no tenth can be taken
CLOSE_UP = "close_up"


def decide(
    asked: TrainHyperparameters, items: Sequence[Item], *, earlier_size: int = 0
) -> tuple[TrainHyperparameters, str]:
    """The hyperparameters with the image size and the augmentation filled in, and the reason in one sentence.

    earlier_size: of the model that the training goes on from, whose size is kept (0: none). What the requester gave is
    kept too.
    """
    if asked.preset == BUILTIN:
        return asked, "preset builtin: what is not given is as in AWS's built-in algorithm"
    if asked.image_size:
        return asked, f"preset {AUTO}: image size {asked.image_size} as asked for"
    if earlier_size:
        sized = dataclasses.replace(asked, image_size=earlier_size)
        return sized, f"preset {AUTO}: image size {earlier_size}, that of the model to start from"
    sizes = relative_sizes(items)
    if not sizes:
        size = DEFAULT_IMAGE_SIZE[asked.architecture]
        reason = (
            f"preset {AUTO}: image size {size}, the architecture's own, as the labels do not say how large images are"
        )
        return dataclasses.replace(asked, image_size=size), reason
    small = min(float(np.quantile(each, 0.1)) for each in sizes)
    pixels, own = SMALL_PIXELS[asked.architecture], DEFAULT_IMAGE_SIZE[asked.architecture]
    size = own
    if small * own < pixels:
        size = min(MOST, math.ceil(pixels / small / STEP) * STEP)
    elif small * own > ENOUGH_PIXELS:
        size = max(LEAST, math.ceil(ENOUGH_PIXELS / small / STEP) * STEP)
    reason = (
        f"preset {AUTO}: image size {size}: the smallest tenth of the boxes of a class measure at most {small:.1%} of "
        f"an image, {small * size:.0f} of {size} pixels ({pixels} to {ENOUGH_PIXELS} are wanted)"
    )
    augmentation = asked.augmentation
    if pixels / small > MOST and augmentation == "auto":
        augmentation = CLOSE_UP
        reason += f"; augmentation {CLOSE_UP}, since even {MOST} pixels are too few"
    return dataclasses.replace(asked, image_size=size, augmentation=augmentation), reason


def relative_sizes(items: Sequence[Item]) -> list[NDArray[np.float64]]:
    """For each class with some boxes: the square roots of the shares of the image that its boxes cover, 0 to 1.

    Images whose label does not say their size are left out. Where every class has few boxes they count as one.
    """
    by_class: dict[int, list[float]] = {}
    for item in items:
        if item.image_size is None:
            continue
        width, height = item.image_size
        corners = np.clip(item.boxes, 0, [width, height, width, height])
        shares = (corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1]) / (width * height)
        for class_id, share in zip(item.class_ids, shares.tolist(), strict=True):
            if share > 0:
                by_class.setdefault(class_id, []).append(math.sqrt(share))
    many = [np.array(sizes) for sizes in by_class.values() if len(sizes) > FEW]
    every = [size for sizes in by_class.values() for size in sizes]
    return many or ([np.array(every)] if every else [])


def check_samples(asked: TrainHyperparameters, images: int) -> str:
    """What to say about num_training_samples, "" when it is right or was not given.

    AWS's algorithm needs it to know the length of an epoch; here the data say it.
    """
    given = asked.num_training_samples
    if not given or given == images:
        return ""
    return f"hyperparameter 'num_training_samples' is {given}, but the train channel has {images} labeled images"
