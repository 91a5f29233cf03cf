"""Short texts about three topics, made from words that are typical of each and words that are not."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from learning.contract import MODEL, OBJECT_ID_KEY, PREDICT, TRAIN, VALIDATION, JobFolder

TOPICS = ("weather", "sport", "food")
_TYPICAL = {
    "weather": [
        "rain",
        "sun",
        "wind",
        "cloud",
        "storm",
        "degrees",
        "frost",
        "humid",
        "forecast",
        "umbrella",
        "snow",
        "thunder",
    ],
    "sport": [
        "match",
        "goal",
        "team",
        "referee",
        "league",
        "coach",
        "stadium",
        "penalty",
        "tennis",
        "score",
        "player",
        "sprint",
    ],
    "food": [
        "soup",
        "bread",
        "recipe",
        "oven",
        "butter",
        "salad",
        "spicy",
        "dinner",
        "cheese",
        "kitchen",
        "taste",
        "garlic",
    ],
}
_ANY = [
    "the",
    "a",
    "today",
    "very",
    "they",
    "we",
    "there",
    "again",
    "quite",
    "with",
    "after",
    "before",
    "many",
    "some",
    "people",
    "town",
    "week",
]


def sentence(rng: np.random.Generator, topics: tuple[str, ...]) -> str:
    """About these topics; three words of ten are typical of one of them."""
    words = [str(word) for word in rng.choice(_ANY, 8)]
    for topic in topics:
        words += [str(word) for word in rng.choice(_TYPICAL[topic], 3)]
    return " ".join(str(word) for word in rng.permutation(words))


def texts(count: int, *, seed: int = 0, several: bool = False) -> list[tuple[str, tuple[str, ...]]]:
    """(text, its topics): one topic, or none to three with `several`."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(count):
        if several:
            mine = tuple(topic for topic in TOPICS if rng.random() < 0.45)
        else:
            mine = (TOPICS[number % len(TOPICS)],)
        made.append((sentence(rng, mine), mine))
    return made


def label(topics: tuple[str, ...], *, several: bool) -> dict[str, Any]:
    """As augmented manifests have it, under the attribute "topic"."""
    ids = [TOPICS.index(topic) for topic in topics]
    if not several:
        return {"topic": ids[0], "topic-metadata": {"class-name": topics[0], "confidence": 1.0}}
    metadata = {
        "class-map": {str(k): TOPICS[k] for k in ids},
        "confidence-map": {str(k): 0.9 for k in ids},
    }
    return {"topic": ids, "topic-metadata": metadata}


def a_training(
    root: Path, *, train: list[Any], validation: list[Any] | None = None, **hyperparameters: Any
) -> JobFolder:
    """The folder of a training on such texts."""
    folder = JobFolder(root)
    several = bool(hyperparameters.get("multi_label"))
    channels = {TRAIN: train} | ({VALIDATION: validation} if validation else {})
    given = {"label_attribute_name": "topic", "architecture": "tfidf_logistic_regression"} | hyperparameters
    folder.prepare(hyperparameters=given, channels={name: {} for name in channels})
    for name, rows in channels.items():
        lines = [{"source": text} | label(topics, several=several) for text, topics in rows]
        folder.manifest(name).write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def a_prediction(root: Path, *, model: Path, rows: list[dict[str, Any]], **hyperparameters: Any) -> JobFolder:
    """The folder of a prediction with the model in a folder; `rows` are manifest lines without an id."""
    folder = JobFolder(root)
    folder.prepare(hyperparameters=hyperparameters, channels={MODEL: {}, PREDICT: {}})
    for path in model.iterdir():
        (folder.channel(MODEL) / path.name).write_bytes(path.read_bytes())
    lines = [row | {OBJECT_ID_KEY: number} for number, row in enumerate(rows, start=10)]
    folder.manifest(PREDICT).write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder
