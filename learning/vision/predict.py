"""Predicts boxes for a manifest in a job folder: python -m learning.vision.predict FOLDER (see learning/contract.py).

Reads the model in the "model" channel and the images in the "predict" channel; continues after the last complete
line of output/predictions.jsonl. It must not know Django, the store or what the boxes are for.
"""

import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from pathlib import Path

import torch

from labeling.formats.images import ImageError, Limits
from learning.contract import (
    MODEL,
    PREDICT,
    BadInput,
    JobFolder,
    MetricWriter,
    ModelConfig,
    Prediction,
    cut_half_line,
    read_predictions,
)
from learning.hyperparameters import PredictHyperparameters, parse_predict
from learning.program import Stop, log, run
from learning.serving.archive import opened_model
from learning.serving.detector import Choice, Detection, detect_pictures
from learning.serving.images import Picture, load_picture
from learning.serving.session import Session, open_session
from learning.vision import recipe
from learning.vision.export import read_model
from learning.vision.inference import TorchSession
from learning.vision.manifests import Item, read_items

REPORT_SECONDS = 1.0
BATCH_CPU, BATCH_GPU = 8, 64
READERS = 4
DTYPES = {"auto": torch.float32, "float32": torch.float32, "bfloat16": torch.bfloat16}
Pictures = list[Picture | ImageError]


def work(folder: JobFolder, stop: Stop) -> None:
    """The whole program."""
    asked = parse_predict(folder.read_hyperparameters())
    if asked.num_threads:
        torch.set_num_threads(asked.num_threads)
    session, config = open_model(opened_model(folder.channel(MODEL)), asked)
    log(f"predicting with {config.architecture} in {session.name}")
    total = sum(1 for _ in read_items(folder.manifest(PREDICT)))  # a bad line is reported before any work is done
    done = _lines_done(folder)
    on_gpu = session.name == "torch" and torch.cuda.is_available()
    batch = asked.batch_size or (BATCH_GPU if on_gpu else BATCH_CPU)
    with (
        closing(MetricWriter(folder, sys.stdout)) as metrics,
        ThreadPoolExecutor(READERS) as pool,
        folder.predictions.open("a", encoding="utf-8") as out,
    ):
        report = Report(metrics, total, done)
        items = islice(read_items(folder.manifest(PREDICT)), done, None)
        limits = Limits(asked.image_max_bytes, asked.image_max_pixels)
        choice = Choice(asked.score_threshold, asked.nms_threshold, asked.max_detections)
        for chunk, pictures in _read_ahead(_chunks(items, batch), config.image_size, limits, pool):
            found = detect_pictures(pictures, session.run, config, choice)
            for item, detection in zip(chunk, found, strict=True):
                out.write(_prediction(item, detection, embedding=asked.embedding).to_line())
            out.flush()
            done += len(chunk)
            report.done(done)
            if stop():
                folder.write_stopped(step=done, epoch=0)
                return
        report.done(done, last=True)


class Report:
    """Progress about once a second."""

    def __init__(self, metrics: MetricWriter, total: int, done: int) -> None:
        self._metrics, self._total, self._last_done, self._since = metrics, total, done, time.monotonic()

    def done(self, count: int, *, last: bool = False) -> None:
        elapsed = time.monotonic() - self._since
        if elapsed < REPORT_SECONDS and not last:
            return
        if count > self._last_done:
            speed = (count - self._last_done) / elapsed
            self._metrics.write("predict:images_per_second", speed, step=count, epoch=0)
        self._metrics.write("predict:progress", count / max(1, self._total), step=count, epoch=0)
        self._last_done, self._since = count, time.monotonic()


def open_model(folder: Path, asked: PredictHyperparameters) -> tuple[Session, ModelConfig]:
    """The model in the fastest runtime of this machine: torch on a GPU, else serving's runtimes."""
    if asked.backend != "torch" and not (asked.backend == "auto" and torch.cuda.is_available()):
        config = ModelConfig.read(folder)
        precision = "float32" if asked.precision == "auto" else asked.precision
        session = open_session(
            folder / "model.onnx", backend=asked.backend, num_threads=asked.num_threads, precision=precision
        )
        return session, config
    network, config = read_model(folder)
    if torch.cuda.is_available():
        recipe.to_channels_last(network.to("cuda"))
    return TorchSession(network, dtype=DTYPES[asked.precision]), config


def _lines_done(folder: JobFolder) -> int:
    """How many predictions an earlier start has written; raises BadInput when they are of another manifest."""
    done = cut_half_line(folder.predictions)
    if not done:
        return 0
    *_, last = read_predictions(folder.predictions)
    item = next(islice(read_items(folder.manifest(PREDICT)), done - 1, None), None)
    if item is None or item.source_ref != last.source_ref:
        raise BadInput(f"predictions.jsonl has {done} lines of another manifest: start in a fresh folder")
    return done


def _chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    items = iter(items)
    while chunk := list(islice(items, size)):
        yield chunk


def _read_ahead(
    chunks: Iterable[list[Item]], size: int, limits: Limits, pool: ThreadPoolExecutor
) -> Iterator[tuple[list[Item], Pictures]]:
    """Each chunk with its pictures; the next one is being decoded while this one is predicted."""

    def read(item: Item) -> Picture | ImageError:
        try:
            return load_picture(item.path, size=size, limits=limits)
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


if __name__ == "__main__":
    sys.exit(run(work, about="Predict boxes for a manifest in a job folder."))
