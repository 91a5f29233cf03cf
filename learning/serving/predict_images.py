"""Predicts the classes or the masks of images in a job folder: python -m learning.serving.predict_images FOLDER.

The contract is in learning/contract.py: the model lies in the "model" channel, the images in the "predict" channel. No
torch. It must not know Django, the store or what the predictions are for.
"""

import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from labeling.formats.images import ImageError, Limits
from learning.class_manifests import Item, read_items
from learning.contract import MODEL, PREDICT, SEGMENTERS, JobFolder, ModelConfig, Prediction
from learning.hyperparameters import parse_predict
from learning.prediction_runs import predict_all
from learning.program import Stop, log, run
from learning.serving import classifying
from learning.serving.archive import opened_model
from learning.serving.images import Frame, Picture, keep_memory
from learning.serving.pipeline import READERS, read_ahead
from learning.serving.session import Session, open_session

BATCH = 16


def work(folder: JobFolder, stop: Stop) -> None:
    """The whole program."""
    asked = parse_predict(folder.read_hyperparameters())
    channel = opened_model(folder.channel(MODEL))
    config = ModelConfig.read(channel)
    session = open_session(
        channel / "model.onnx",
        backend="auto" if asked.backend == "torch" else asked.backend,
        num_threads=asked.num_threads,
        precision="float32" if asked.precision == "auto" else asked.precision,
        outputs=classifying.OUTPUTS,
    )
    log(f"predicting with {config.architecture} in {session.name}")
    limits = Limits(asked.image_max_bytes, asked.image_max_pixels)
    frame = Frame(config.image_size, config.image_size)
    keep_memory()
    with ThreadPoolExecutor(READERS) as pool:

        def predicted(items: Iterable[Item]) -> Iterator[list[Prediction]]:
            for some, pictures in read_ahead(items, asked.batch_size or BATCH, frame, limits, pool):
                yield list(predictions(some, pictures, session, config, embedding=asked.embedding))

        predict_all(
            folder, items=lambda: read_items(folder.manifest(PREDICT), of_texts=False), predicted=predicted, stop=stop
        )


def predictions(
    items: list[Item], pictures: list[Picture | ImageError], session: Session, config: ModelConfig, *, embedding: bool
) -> Iterator[Prediction]:
    """Those of the items, in their order; an image that cannot be read has an error in place of a prediction."""
    readable = [picture.pixels for picture in pictures if isinstance(picture, Picture)]
    rows = iter(zip(*session.run(np.stack(readable)), strict=True) if readable else ())
    for item, picture in zip(items, pictures, strict=True):
        if isinstance(picture, ImageError):
            yield Prediction(item.index, item.object_id, item.source_ref, None, [], [], str(picture))
            continue
        scores, vector = next(rows)
        masked = config.architecture in SEGMENTERS
        size = {"width": picture.width, "height": picture.height}
        yield Prediction(
            index=item.index,
            object_id=item.object_id,
            source_ref=item.source_ref,
            image_size=picture.image_size,
            boxes=[],
            embedding=[round(one, 5) for one in vector.tolist()] if embedding else [],
            classes=[] if masked else classifying.classes(scores, config.class_ids),
            segments=classifying.masks(scores, config.class_ids, **size) if masked else [],
        )


if __name__ == "__main__":
    sys.exit(run(work, about="Predict the classes or the masks of images in a job folder."))
