"""Predicts boxes for a manifest with torch, on a GPU when there is one: python -m learning.vision.predict FOLDER

learning.serving.predict becomes this program where torch is asked for or is the only one that can use the GPU. Reads
the model in the "model" channel and the images in the "predict" channel; continues after the last complete
line of output/predictions.jsonl. It must not know Django, the store or what the boxes are for.
"""

import sys
from concurrent.futures import ThreadPoolExecutor

import torch

from learning.contract import MODEL, PREDICT, JobFolder
from learning.hyperparameters import parse_predict
from learning.prediction_runs import predict_all
from learning.program import Stop, log, run
from learning.serving.archive import opened_model
from learning.serving.images import keep_memory
from learning.serving.items import read_items
from learning.serving.pipeline import READERS, predicted
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
    batch = asked.batch_size or (BATCH_GPU if on_gpu else BATCH_CPU)
    log(f"predicting with {config.architecture} in {session.name}")
    keep_memory()
    with ThreadPoolExecutor(READERS) as pool:
        predict_all(
            folder,
            items=lambda: read_items(folder.manifest(PREDICT)),
            predicted=lambda items: predicted(items, session.run, config, asked, batch=batch, pool=pool),
            stop=stop,
        )


if __name__ == "__main__":
    sys.exit(run(work, about="Predict boxes for a manifest in a job folder with torch."))
