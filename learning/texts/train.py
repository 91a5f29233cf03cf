"""Trains a text classifier in a job folder: python -m learning.texts.train FOLDER (see learning/contract.py).

It must not know Django, the store or who asked for the model. The optimum is unique and found in seconds: an earlier
model would change nothing, and a run that was killed begins anew.
"""

import dataclasses
import sys
import time
from contextlib import closing

from learning import class_scores
from learning.class_manifests import Item, Labels, Unreadable, read_class_labels, resolve_class_map
from learning.contract import MODEL, TRAIN, VALIDATION, BadInput, JobFolder, MetricWriter, ModelConfig
from learning.family_hyperparameters import TextHyperparameters, parse_texts
from learning.program import Stop, log, run
from learning.texts.model import TextModel, fit


def work(folder: JobFolder, stop: Stop) -> None:
    """The whole program."""
    began = time.monotonic()
    asked = parse_texts(folder.read_hyperparameters())
    labels = _read_channels(folder, asked)
    class_map = resolve_class_map(asked.class_map, asked.num_classes, labels)
    if folder.channel(MODEL).exists():
        log("the channel 'model' is not needed: the best model for these texts does not depend on where it starts")
    with closing(MetricWriter(folder, sys.stdout)) as metrics:
        read = {name: _texts(name, found.items) for name, found in labels.items()}
        names = list(class_map.values())
        items, texts = read[TRAIN]
        metrics.write("train:progress", 0.1, step=0, epoch=0)
        if stop():
            folder.write_stopped(step=0, epoch=0)
            return
        model = fit(texts, class_scores.targets([item.classes for item in items], names), asked)
        log(f"{len(model.terms)} terms, {'characters' if model.characters else 'words'}")
        metrics.write("train:progress", 0.9, step=1, epoch=1)
        figures: dict[str, float] = {}
        if VALIDATION in read:
            items, texts = read[VALIDATION]
            truth = class_scores.targets([item.classes for item in items], names)
            chances = model.chances(model.features(texts))
            figures = class_scores.scores(chances, truth, names, several=asked.multi_label)
        for name, value in figures.items():
            metrics.write(f"validation:{name}", value, step=1, epoch=1)
        _write(folder, model, asked, class_map, figures | {"seconds": round(time.monotonic() - began, 1)})
        metrics.write("train:progress", 1.0, step=1, epoch=1)


def _write(
    folder: JobFolder,
    model: TextModel,
    asked: TextHyperparameters,
    class_map: dict[str, str],
    figures: dict[str, float],
) -> None:
    model.write(folder.model)
    ModelConfig(
        architecture=asked.architecture,
        class_map=class_map,
        image_size=0,
        preprocessing={
            "input": "a text in UTF-8, in lower case and without accents; TF-IDF with a logarithmic count, of length 1",
            "terms": "runs of 2 to 5 characters within words" if model.characters else "one or more words in a row",
            "characters": model.characters,
            "ngrams": model.ngrams,
        },
        thresholds={},
        hyperparameters=dataclasses.asdict(asked),
        metrics=figures,
    ).write(folder.model)
    log(f"model written: {len(model.terms)} terms, {len(class_map)} classes")


def _read_channels(folder: JobFolder, asked: TextHyperparameters) -> dict[str, Labels]:
    names = [TRAIN] + ([VALIDATION] if folder.manifest(VALIDATION).exists() else [])
    labels = {
        name: read_class_labels(
            folder.manifest(name), asked.label_attribute_name, several=asked.multi_label, of_texts=True
        )
        for name in names
    }
    for name, found in labels.items():
        log(f"{name}: {len(found.items)} labeled texts, {found.unlabeled} lines without a label left out")
    return labels


def _texts(channel: str, items: list[Item]) -> tuple[list[Item], list[str]]:
    """The readable ones. Raises BadInput when there is none."""
    kept, texts = [], []
    for item in items:
        try:
            texts.append(item.text())
        except Unreadable as error:
            log(f"{channel} channel, line {item.number}: left out: {error}")
        else:
            kept.append(item)
    if not kept:
        raise BadInput(f"{channel} channel: not one text can be read (the log names the reason for each)")
    return kept, texts


if __name__ == "__main__":
    sys.exit(run(work, about="Train a text classifier in a job folder."))
