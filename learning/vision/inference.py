"""Running a network in torch over pictures, and scoring it against labels.

It must not know jobs or files. Suppression and scaling are serving's, so torch and the exported model agree.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from labeling.formats.images import ImageError
from learning.contract import ModelConfig, PredictedBox
from learning.serving.detector import Choice, to_original
from learning.serving.images import Picture
from learning.serving.session import Heads
from learning.vision import recipe
from learning.vision.data import ImageSet
from learning.vision.evaluate import Scores, Truth, average_precision
from learning.vision.reading_order import in_order
from learning.vision.ssd import Network

Seen = Callable[[int, Picture, Truth, Sequence[PredictedBox]], None]
BATCH = 16
LEAST_SCORE = 0.005  # COCO ranks all boxes; boxes of lower scores do not change the figure.


class TorchSession:
    """A network behind the interface of serving's sessions."""

    name = "torch"

    def __init__(self, network: Network, *, dtype: torch.dtype = torch.float32) -> None:
        self._network, self._dtype = network.eval(), dtype
        self._device = next(network.parameters()).device

    def run(self, images: NDArray[np.uint8]) -> Heads:
        pixels = torch.from_numpy(images).to(self._device).permute(0, 3, 1, 2)
        with torch.inference_mode(), recipe.precision(self._device, self._dtype):
            boxes, scores, embedding = (part.float().cpu().numpy() for part in self._network.heads(pixels))
        return boxes, scores, embedding


def measure(
    network: Network,
    images: ImageSet,
    *,
    class_map: Mapping[str, str],
    nms_threshold: float,
    overlap_threshold: float,
    dtype: torch.dtype,
    seen: Seen | None = None,
) -> Scores:
    """Average precision of a network on labeled images; unreadable ones are left out.

    `seen` is called for each image with its place, its pixels, its labels and the boxes found.
    """
    session = TorchSession(network, dtype=dtype)
    config = ModelConfig("compact", dict(class_map), network.image_size, {}, {}, {}, {})
    choice = Choice(score_threshold=LEAST_SCORE, nms_threshold=nms_threshold)
    truth, found = [], []
    for places in _batches(images):
        pictures = [images.picture(place) for place in places]
        heads = session.run(np.stack([picture.pixels for picture in pictures]))
        for place, picture, boxes, scores in zip(places, pictures, *heads[:2], strict=True):
            truth.append(images.truth(place))
            found.append(to_original(boxes, scores, picture=picture, config=config, choice=choice))
            if seen is not None:
                seen(place, picture, truth[-1], found[-1])
    return average_precision(truth, found, class_map=class_map, overlap_threshold=overlap_threshold)


def _batches(images: ImageSet) -> Iterator[list[int]]:
    batch: list[int] = []
    for place in in_order(images, len(images)):
        try:
            images.picture(place)
        except ImageError:
            continue
        batch.append(place)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
