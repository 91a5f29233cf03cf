"""Predicts boxes for a manifest with torch, on a GPU when there is one: python -m learning.vision.predict FOLDER

learning.serving.predict becomes this program where torch is asked for or is the only one that can use the GPU. Reads
the model in the "model" channel and the images in the "predict" channel; continues after the last complete
line of output/predictions.jsonl. It must not know Django, the store or what the boxes are for.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import islice

import torch

from learning.contract import (
    MODEL,
    PREDICT,
    BadInput,
    JobFolder,
    MetricWriter,
    cut_half_line,
    read_predictions,
)
from learning.hyperparameters import parse_predict
from learning.program import Stop, log, run
from learning.serving.archive import opened_model
from learning.serving.items import read_items
from learning.serving.pipeline import READERS, Report, predicted
from learning.vision import recipe
from learning.vision.export import read_model
from learning.vision.inference import TorchSession

BATCH_CPU, BATCH_GPU = 8, 64
DTYPES = {"auto": torch.float32, "float32": torch.float32, "bfloat16": torch.bfloat16}


def work(folder: JobFolder, stop: Stop) -> None:
    """The whole program."""
    asked = parse_predict(folder.read_hyperparameters())
    if asked.num_threads:
        torch.set_num_threads(asked.num_threads)
    network, config = read_model(opened_model(folder.channel(MODEL)))
    on_gpu = torch.cuda.is_available()
    if on_gpu:
        recipe.to_channels_last(network.to("cuda"))
    session = TorchSession(network, dtype=DTYPES[asked.precision])
    log(f"predicting with {config.architecture} in {session.name}")
    total = sum(1 for _ in read_items(folder.manifest(PREDICT)))  # a bad line is reported before any work is done
    done = _lines_done(folder)
    batch = asked.batch_size or (BATCH_GPU if on_gpu else BATCH_CPU)
    with (
        closing(MetricWriter(folder, sys.stdout)) as metrics,
        ThreadPoolExecutor(READERS) as pool,
        folder.predictions.open("a", encoding="utf-8") as out,
    ):
        report = Report(metrics, total, done)
        items = islice(read_items(folder.manifest(PREDICT)), done, None)
        for found in predicted(items, session.run, config, asked, batch=batch, pool=pool):
            out.writelines(one.to_line() for one in found)
            out.flush()
            done += len(found)
            report.done(done)
            if stop():
                folder.write_stopped(step=done, epoch=0)
                return
        report.done(done, last=True)


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


if __name__ == "__main__":
    sys.exit(run(work, about="Predict boxes for a manifest in a job folder with torch."))
