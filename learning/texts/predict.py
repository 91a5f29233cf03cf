"""Predicts the classes of texts in a job folder: python -m learning.texts.predict FOLDER (see learning/contract.py).

Reads the model in the "model" channel and the texts in the "predict" channel. It must not know Django, the store or
what the classes are for.
"""

import sys

from learning.class_manifests import Item, Unreadable, read_items
from learning.contract import MODEL, PREDICT, JobFolder, ModelConfig, PredictedClass, Prediction
from learning.hyperparameters import parse_predict
from learning.prediction_runs import chunks, predict_all
from learning.program import Stop, log, run
from learning.serving.archive import opened_model
from learning.texts.model import TextModel

BATCH = 500


def work(folder: JobFolder, stop: Stop) -> None:
    """The whole program."""
    asked = parse_predict(folder.read_hyperparameters())
    channel = opened_model(folder.channel(MODEL))
    config = ModelConfig.read(channel)
    model = TextModel.read(channel, config)
    log(f"predicting with {config.architecture}, {len(model.terms)} terms")
    predict_all(
        folder,
        items=lambda: read_items(folder.manifest(PREDICT), of_texts=True),
        predicted=lambda items: (
            predictions(some, model, config.class_ids, embedding=asked.embedding)
            for some in chunks(items, asked.batch_size or BATCH)
        ),
        stop=stop,
    )


def predictions(items: list[Item], model: TextModel, class_ids: list[int], *, embedding: bool) -> list[Prediction]:
    """Those of the items, in their order."""
    texts, errors = [], dict[int, str]()
    for place, item in enumerate(items):
        try:
            texts.append(item.text())
        except Unreadable as error:
            errors[place] = str(error)
            texts.append("")
    features = model.features(texts)
    chances = model.chances(features).round(6)
    vectors = model.embeddings(features).round(5) if embedding else None
    return [
        Prediction(
            index=item.index,
            object_id=item.object_id,
            source_ref=item.source_ref,
            image_size=None,
            boxes=[],
            embedding=[] if vectors is None or place in errors else vectors[place].tolist(),
            error=errors.get(place),
            classes=[]
            if place in errors
            else [PredictedClass(k, one) for k, one in zip(class_ids, chances[place].tolist(), strict=True)],
        )
        for place, item in enumerate(items)
    ]


if __name__ == "__main__":
    sys.exit(run(work, about="Predict the classes of texts in a job folder."))
