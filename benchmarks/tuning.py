"""How many trainings a Bayesian search saves beside a random one.

    make bench NAME=tuning      or: python -m benchmarks.tuning --parts surrogate raccoon --seeds 5

Random search tries `--trials` configurations. `trials_ratio` says with which part of so many the Bayesian search
reaches what was the best of them; the median over the seeds, and over the parts the worse one. Both are the samplers of
learning/services/tuning, asked one by one as there. Parts: `surrogate`, a formula with the shape of a detector's
quality and some noise; `raccoon`, real trainings of the compact detector on few small pictures, where a configuration
takes some seconds: they begin with the weights that come with the product, and stop short of the model's files.
"""

import argparse
import importlib
import json
import math
import multiprocessing
import os
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Mapping
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import optuna

from benchmarks.fine_tuning import ATTRIBUTE, DATASETS, manifest_lines
from benchmarks.report import machine, report
from learning.contract import TRAIN, VALIDATION, JobFolder, MetricWriter
from learning.services.tuning import config, studies

SPACE = [
    {"name": "learning_rate", "type": "Continuous", "min_value": 1e-5, "max_value": 1.0},
    {"name": "weight_decay", "type": "Continuous", "min_value": 1e-6, "max_value": 0.1},
    {"name": "momentum", "type": "Continuous", "min_value": 0.0, "max_value": 0.99, "scaling_type": "Linear"},
    {"name": "batch_size", "type": "Integer", "min_value": 4, "max_value": 64},
    {"name": "optimizer", "type": "Categorical", "values": ["sgd", "adam", "adamw", "rmsprop"]},
]
BEST_RATE = {"sgd": -1.8, "adam": -3.0, "adamw": -2.8, "rmsprop": -3.3}
"""Powers of ten."""
TOP = {"sgd": 0.88, "adam": 0.87, "adamw": 0.9, "rmsprop": 0.84}
NOISE = 0.005
Objective = Callable[[Mapping[str, str], int], float]
"""Of hyperparameters and a seed for the noise."""


def surrogate(values: Mapping[str, str], seed: int) -> float:
    """Like a detector's quality: each optimizer has its best rate, which grows with the batch; far off all is flat."""
    optimizer, batch = values["optimizer"], float(values["batch_size"])
    away = math.log10(float(values["learning_rate"])) - BEST_RATE[optimizer] - 0.5 * math.log10(batch / 16)
    quality = TOP[optimizer] - 0.16 * away**2 / (1 + 0.15 * away**2)
    quality -= 0.02 * (math.log10(float(values["weight_decay"])) + 3.5) ** 2
    quality -= 0.25 * (float(values["momentum"]) - 0.85) ** 2 + 0.03 * abs(math.log2(batch / 16))
    return max(quality, 0.0) + float(np.random.default_rng(seed).normal(0, NOISE))


def raccoon(options: argparse.Namespace, scratch: Path) -> Objective:
    """mAP@0.5 of a real training."""
    source = options.datasets / "raccoon"
    coco = json.loads((source / "annotations.coco.json").read_text())
    split = json.loads((source / "suggested_split.json").read_text())
    numbers = iter(range(1_000_000))
    context = multiprocessing.get_context("fork")
    # Loaded before the forks, so that torch is loaded once for all of them.
    importlib.import_module("learning.vision.train")

    def train(values: Mapping[str, str], seed: int) -> float:
        folder = JobFolder(scratch / f"job-{next(numbers)}")
        fixed = {
            "label_attribute_name": ATTRIBUTE, "architecture": "compact", "num_threads": 1, "epochs": options.epochs,
            "image_size": options.image_size, "eval_every": 100_000, "seed": seed % 2**31,
        }  # fmt: skip
        folder.prepare(hyperparameters={**fixed, **values}, channels={TRAIN: {}, VALIDATION: {}})
        for channel, names in ((TRAIN, split["train"]), (VALIDATION, split["test"])):
            lines = manifest_lines(coco, names[: options.images], source / "images")
            folder.manifest(channel).write_text("".join(lines))
        answer, told = context.Pipe(duplex=False)
        child = context.Process(target=_train, args=(folder, told))
        child.start()
        told.close()
        child.join()
        # A diverged training is a bad one.
        return float(answer.recv()) if child.exitcode == 0 else 0.0

    return train


def _train(folder: JobFolder, told: Connection) -> None:
    """The program of trainings up to its last evaluation: writing the model's files would take as long again."""
    import torch

    from learning.hyperparameters import parse_train
    from learning.vision import train

    with (folder.root / "log").open("w") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    asked = parse_train(folder.read_hyperparameters())
    torch.set_num_threads(1)
    torch.manual_seed(asked.seed)
    with closing(MetricWriter(folder, sys.stdout)) as metrics:
        training = train.prepare(folder, asked, time.monotonic(), _never)
        train.learn(training, metrics, _never)
        train.evaluate(training, metrics, dtype=torch.float32)
    told.send(training.scores["mAP_50"])


def _never() -> bool:
    return False


def search(strategy: str, objective: Objective, *, seed: int, trials: int, until: float = math.inf) -> list[float]:
    """The objectives of the trials in turn; no more once one reaches `until`."""
    asked = config.read(
        strategy=strategy,
        objective={"type": "Maximize", "metric_name": "validation:mAP_50"},
        searched=SPACE,
        random_seed=seed,
    )
    found: list[float] = []
    study = studies.Search(optuna.create_study(direction="maximize"), asked)
    for number in range(trials):
        at, values = study.ask(known=set(range(number)))
        value = objective(values, zlib.crc32(f"{strategy} {seed} {number}".encode()))
        study.tell(at, value, whole=True)
        found.append(value)
        if value >= until:
            break
    return found


def compare(part: str, objective: Objective, options: argparse.Namespace) -> dict[str, float]:
    """The figures of one part."""
    needed, best = [], []
    for seed in range(options.seeds):
        target = max(search("Random", objective, seed=seed, trials=options.trials))
        found = search("Bayesian", objective, seed=1000 + seed, trials=options.trials, until=target)
        # One that never gets there has needed more than all.
        needed.append(len(found) if max(found) >= target else 2 * options.trials)
        best.append(target)
        print(part, f"seed {seed}: random best {target:.4f}, reached after {needed[-1]}", flush=True)
    return {
        f"{part}_trials_ratio": float(np.median(needed)) / options.trials,
        f"{part}_trials_ratio_mean": float(np.mean(needed)) / options.trials,
        f"{part}_random_best": float(np.median(best)),
    }


def main() -> None:
    """Measure the parts asked for and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", default=["surrogate", "raccoon"], choices=["surrogate", "raccoon"])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--datasets", type=Path, default=DATASETS, help="the folder of the real sets")
    parser.add_argument("--images", type=int, default=60, help="of raccoon, to train on and to validate on")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--image-size", type=int, default=64)
    options = parser.parse_args()
    on = machine()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for part in options.parts:
            objective = surrogate if part == "surrogate" else raccoon(options, Path(scratch))
            figures |= compare(part, objective, options)
    figures["trials_ratio"] = max(figures[f"{part}_trials_ratio"] for part in options.parts)
    report("tuning", figures, on=on)


if __name__ == "__main__":
    main()
