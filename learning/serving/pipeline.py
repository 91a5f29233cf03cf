"""From a manifest's items to lines of predictions, the next images being decoded while these are predicted.

It must not know which runtime the network is in, nor how the work is divided.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from labeling.formats.images import ImageError, Limits
from learning.contract import ModelConfig, PredictedBox, Prediction
from learning.hyperparameters import PredictHyperparameters
from learning.prediction_runs import Subject, chunks
from learning.serving.detector import Choice, Detection, detect_pictures
from learning.serving.images import Frame, Picture, load_picture, mirror
from learning.serving.items import Item
from learning.serving.opening import frame_of
from learning.serving.session import Heads

READERS = 4
Pictures = list[Picture | ImageError]


class Source(Subject, Protocol):
    """A line of the manifest whose picture is a file."""

    @property
    def path(self) -> Path | None: ...


Shown = TypeVar("Shown", bound=Source)


def predicted(
    items: Iterable[Item],
    run: Callable[[NDArray[np.uint8]], Heads],
    config: ModelConfig,
    asked: PredictHyperparameters,
    *,
    batch: int,
    pool: ThreadPoolExecutor,
) -> Iterator[list[Prediction]]:
    """The predictions of the items in their order, a batch at a time; `run` as Session.run. `pool` decodes."""
    limits = Limits(asked.image_max_bytes, asked.image_max_pixels)
    nms = asked.nms_threshold or config.thresholds["nms"]
    choice = Choice(asked.score_threshold, nms, asked.max_detections)
    for chunk, pictures in read_ahead(items, batch, frame_of(config), limits, pool):
        found = detect_pictures(pictures, run, config, choice)
        mirrored = _in_mirror(pictures, run, config, choice) if asked.mirrored else [None] * len(found)
        yield [
            _prediction(item, one, turned, embedding=asked.embedding)
            for item, one, turned in zip(chunk, found, mirrored, strict=True)
        ]


def _in_mirror(
    pictures: Pictures, run: Callable[[NDArray[np.uint8]], Heads], config: ModelConfig, choice: Choice
) -> list[list[PredictedBox] | None]:
    """The boxes found in each mirror image, at their places in the image itself; None for one that cannot be read."""
    turned = [one if isinstance(one, ImageError) else mirror(one) for one in pictures]
    found = detect_pictures(turned, run, config, choice)
    return [
        None if isinstance(one, ImageError) else [_turned_back(box, one.width) for box in seen.boxes]
        for one, seen in zip(pictures, found, strict=True)
    ]


def _turned_back(box: PredictedBox, width: int) -> PredictedBox:
    return replace(box, left=round(width - box.left - box.width, 2))


def read_ahead(
    items: Iterable[Shown], batch: int, frame: Frame, limits: Limits, pool: ThreadPoolExecutor
) -> Iterator[tuple[list[Shown], Pictures]]:
    """The items with their pictures, `batch` at a time; the next ones are being decoded while these are predicted."""
    waiting: tuple[list[Shown], list[Future[Picture | ImageError]]] | None = None
    for chunk in chunks(items, batch):
        reading = [pool.submit(_read, item.path, frame, limits) for item in chunk]
        if waiting is not None:
            yield waiting[0], [future.result() for future in waiting[1]]
        waiting = chunk, reading
    if waiting is not None:
        yield waiting[0], [future.result() for future in waiting[1]]


def _read(path: Path | None, frame: Frame, limits: Limits) -> Picture | ImageError:
    assert path is not None  # images are never in the line itself
    try:
        return load_picture(path, size=frame, limits=limits)
    except ImageError as error:
        return error


def _prediction(item: Item, found: Detection, mirrored: list[PredictedBox] | None, *, embedding: bool) -> Prediction:
    return Prediction(
        index=item.index,
        object_id=item.object_id,
        source_ref=item.source_ref,
        image_size=found.image_size,
        boxes=found.boxes,
        embedding=found.embedding if embedding else [],
        error=found.error,
        mirrored=mirrored,
    )
