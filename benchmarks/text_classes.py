"""How well the text classifier learns, and how much of a set its cut-off would let it label.

`topics`: generated texts about one of four topics; half of them have two words that are typical of it, the others one,
and a tenth of these words are of another topic. `snow_rte`: 800 real pairs of sentences, of which one follows from the
other or not (../shared/datasets/crowd_labels); no bag of words can tell that well. Of each set a part is trained on and
a part is the validation split; accuracy and labels are measured on the rest. The last line is JSON.
"""

import csv
import json
import time

import numpy as np

from benchmarks.consensus_data import DATASETS
from learning.family_hyperparameters import TextHyperparameters
from learning.selection import candidates, thresholds
from learning.texts.model import fit

TARGET = 0.9
TOPICS = 4
WORDS = 40
OTHERS = 400


def topics(count: int, rng: np.random.Generator) -> tuple[list[str], list[int]]:
    """Texts of 12 words, and their topics."""
    texts, labels = [], []
    for number in range(count):
        topic = number % TOPICS
        words = [f"w{rng.integers(OTHERS)}" for _ in range(10)]
        for _ in range(1 + number // TOPICS % 2):
            about = topic if rng.random() < 0.9 else int(rng.integers(TOPICS))
            words.append(f"t{about}x{rng.integers(WORDS)}")
        texts.append(" ".join(str(word) for word in rng.permutation(words)))
        labels.append(topic)
    return texts, labels


def snow_rte() -> tuple[list[str], list[int]]:
    """Both sentences as one text, and whether the second follows from the first."""
    with (DATASETS / "crowd_labels/snow_rte/texts.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    return [f"{row['text']} {row['hypothesis']}" for row in rows], [int(row["gold"]) for row in rows]


def measured(texts: list[str], labels: list[int], *, train: int, validation: int, classes: int) -> dict[str, float]:
    """Accuracy on the rest, the share of it that would be labeled at TARGET, and how right these labels are."""
    order = np.random.default_rng(0).permutation(len(texts))
    parts = np.split(order, [train, train + validation])
    truth = np.array(labels)
    began = time.perf_counter()
    model = fit([texts[k] for k in parts[0]], np.eye(classes, dtype=bool)[truth[parts[0]]], TextHyperparameters())
    seconds = time.perf_counter() - began
    chances = [model.chances(model.features([texts[k] for k in part])) for part in parts[1:]]
    known = candidates.one_class(chances[0], truth[parts[1]].tolist())
    decision = thresholds.decide(known, target=TARGET, confidence=0.9)
    right = chances[1].argmax(axis=1) == truth[parts[2]]
    sure = decision.certainty.predict(chances[1].max(axis=1))
    passed = sure >= decision.threshold if decision.threshold is not None else np.zeros(len(sure), dtype=bool)
    return {
        "train": train,
        "validation": validation,
        "rest": len(right),
        "accuracy": round(float(right.mean()), 4),
        "labeled": round(float(passed.mean()), 4),
        "labeled_accuracy": round(float(right[passed].mean()), 4) if passed.any() else 0.0,
        "seconds": round(seconds, 2),
    }


def main() -> None:
    """Print a line for each set, and all figures as JSON."""
    texts, labels = topics(3000, np.random.default_rng(1))
    figures = {
        f"topics_{train}": measured(texts, labels, train=train, validation=100, classes=TOPICS)
        for train in (100, 300, 1000)
    }
    if (DATASETS / "crowd_labels/snow_rte/texts.csv").exists():
        figures["snow_rte"] = measured(*snow_rte(), train=400, validation=100, classes=2)
    for name, row in figures.items():
        print(f"{name:12} " + "  ".join(f"{key} {value}" for key, value in row.items()))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
