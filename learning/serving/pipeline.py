"""From a manifest's items to lines of predictions, the next images being decoded while these are predicted.

It must not know which runtime the network is in, nor how the work is divided.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from labeling.formats.images import ImageError, Limits
from learning.contract import MetricWriter, ModelConfig, Prediction
from learning.hyperparameters import PredictHyperparameters
from learning.serving.detector import Choice, Detection, detect_pictures
from learning.serving.images import Frame, Picture, load_picture
from learning.serving.items import Item
from learning.serving.opening import frame_of
from learning.serving.session import Heads

REPORT_SECONDS = 1.0
READERS = 4
Pictures = list[Picture | ImageError]


class Report:
    """Progress about once a second."""

    def __init__(self, metrics: MetricWriter, total: int, done: int) -> None:
        self._metrics, self._total, self._last_done, self._since = metrics, total, done, time.monotonic()

    def done(self, count: int, *, last: bool = False) -> None:
        """So many images are predicted."""
        elapsed = time.monotonic() - self._since
        if elapsed < REPORT_SECONDS and not last:
            return
        if count > self._last_done:
            speed = (count - self._last_done) / max(elapsed, 1e-6)
            self._metrics.write("predict:images_per_second", speed, step=count, epoch=0)
        self._metrics.write("predict:progress", count / max(1, self._total), step=count, epoch=0)
        self._last_done, self._since = count, time.monotonic()


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
    for chunk, pictures in _read_ahead(_chunks(items, batch), frame_of(config), limits, pool):
        found = detect_pictures(pictures, run, config, choice)
        yield [_prediction(item, one, embedding=asked.embedding) for item, one in zip(chunk, found, strict=True)]


def _chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    items = iter(items)
    while chunk := list(islice(items, size)):
        yield chunk


def _read_ahead(
    chunks: Iterable[list[Item]], frame: Frame, limits: Limits, pool: ThreadPoolExecutor
) -> Iterator[tuple[list[Item], Pictures]]:
    """Each chunk with its pictures; the next one is being decoded while this one is predicted."""

    def read(item: Item) -> Picture | ImageError:
        try:
            return load_picture(item.path, size=frame, limits=limits)
        except ImageError as error:
            return error

    waiting: tuple[list[Item], list[Future[Picture | ImageError]]] | None = None
    for chunk in chunks:
        reading = [pool.submit(read, item) for item in chunk]
        if waiting is not None:
            yield waiting[0], [future.result() for future in waiting[1]]
        waiting = chunk, reading
    if waiting is not None:
        yield waiting[0], [future.result() for future in waiting[1]]


def _prediction(item: Item, found: Detection, *, embedding: bool) -> Prediction:
    return Prediction(
        index=item.index,
        object_id=item.object_id,
        source_ref=item.source_ref,
        image_size=found.image_size,
        boxes=found.boxes,
        embedding=found.embedding if embedding else [],
        error=found.error,
    )
