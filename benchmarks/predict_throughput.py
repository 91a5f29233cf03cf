"""Images a second of a prediction over a manifest, end to end, against the bare engine, with two processes each.

    make bench NAME=predict_throughput            or: python -m benchmarks.predict_throughput --seconds 5

End to end is what learning.serving.predict does for each image: read, decode, resize, network, suppression, a line of
output. The bare engine is the network alone on pixels in memory. Both are measured in the same processes, in turns,
with one thread of the network each, so that a busy moment of the machine affects both alike; the median of the rounds
is reported. JPEGs of 640 x 480, made here.
"""

import argparse
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import machine, report
from labeling.formats.images import Limits
from learning.contract import ModelConfig
from learning.hyperparameters import PredictHyperparameters
from learning.serving.detector import read_pictures
from learning.serving.images import keep_memory
from learning.serving.items import read_items
from learning.serving.opening import open_model
from learning.serving.pipeline import READERS, predicted
from learning.serving.predict import BATCH

PROCESSES = 2
IMAGES = 256
CLASSES = {str(number): f"class {number}" for number in range(5)}
NAMES = {"compact": "compact", "ssdlite320_mobilenet_v3_large": "ssdlite", "ssd300_vgg16": "ssd300"}


def make_model(architecture: str, folder: Path) -> None:
    """A detector of our own with its starting weights. Torch is loaded here alone: the measured processes have none."""
    import torch

    from learning.vision import starting
    from learning.vision.export import write_model
    from learning.vision.ssd import build

    torch.manual_seed(0)
    network = build(architecture, num_classes=len(CLASSES)).eval()
    start = starting.find(architecture, weights="auto", weights_dir="", earlier=None, log=print)
    if start is not None:
        names = starting.output_names(architecture, list(CLASSES.values()))
        starting.adopt(network.model, start, classes=names)
    thresholds = {"score": 0.02, "nms": 0.45}
    write_model(network, folder, ModelConfig(architecture, CLASSES, network.image_size, {}, thresholds, {}, {}))


def make_images(folder: Path) -> Path:
    """A manifest of JPEGs."""
    from benchmarks.detector_speed import photos

    for number, content in enumerate(photos(IMAGES)):
        (folder / f"{number:03d}.jpg").write_bytes(content)
    manifest = folder / "manifest.jsonl"
    manifest.write_text("".join(f'{{"source-ref": "{number:03d}.jpg"}}\n' for number in range(IMAGES)))
    return manifest


def measured(root: Path, seconds: float, rounds: int, meet: Any, answers: Any) -> None:
    """One process: the engine and the whole way in turns, each for `seconds`, at the same time as the others."""
    keep_memory()
    session, config = open_model(root / "model", num_threads=1)
    items = list(read_items(root / "images/manifest.jsonl"))
    pictures = read_pictures([item.path for item in items[:BATCH]], size=config.image_size, limits=Limits())
    pixels = np.stack([picture.pixels for picture in pictures])
    # As a transform of a data set has it. The networks are untrained: below this score they find objects everywhere.
    asked = PredictHyperparameters(score_threshold=0.3, embedding=False)
    with ThreadPoolExecutor(min(READERS, 2)) as pool, (root / f"{time.time_ns()}.jsonl").open("w") as out:

        def engine() -> int:
            session.run(pixels)
            return len(pixels)

        batches = predicted(cycle(items), session.run, config, asked, batch=BATCH, pool=pool)

        def whole() -> int:
            found = next(batches)
            out.writelines(one.to_line() for one in found)
            out.flush()
            return len(found)

        for once in (engine, whole):
            once()
        for _ in range(rounds):
            for name, once in (("engine", engine), ("whole", whole)):
                meet.wait()
                answers.put((name, rate(once, seconds)))
        assert "torch" not in sys.modules
        batches.close()


def rate(once: Callable[[], int], seconds: float) -> float:
    """Images a second over at least `seconds`."""
    began, images = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - began) < seconds:
        images += once()
    return images / elapsed


def measure(architecture: str, seconds: float, rounds: int) -> dict[str, float]:
    """The figures of one architecture."""
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        for name in ("model", "images"):
            (root / name).mkdir()
        maker = context.Process(target=make_model, args=(architecture, root / "model"))
        maker.start()
        maker.join()
        maker = context.Process(target=make_images, args=(root / "images",))
        maker.start()
        maker.join()
        meet, answers = context.Barrier(PROCESSES), context.Queue()
        given = (root, seconds, rounds, meet, answers)
        children = [context.Process(target=measured, args=given) for _ in range(PROCESSES)]
        for child in children:
            child.start()
        found: dict[str, list[float]] = {"engine": [], "whole": []}
        for _ in range(2 * rounds):
            # The barrier keeps the processes in step: what comes together belongs together.
            pair = [answers.get(timeout=600) for _ in range(PROCESSES)]
            assert len({name for name, _ in pair}) == 1
            found[pair[0][0]].append(sum(value for _, value in pair))
        for child in children:
            child.join()
    short = NAMES[architecture]
    ratios = [whole / engine for whole, engine in zip(found["whole"], found["engine"], strict=True)]
    return {
        f"{short}_engine_img_per_s": statistics.median(found["engine"]),
        f"{short}_img_per_s": statistics.median(found["whole"]),
        f"{short}_ratio_to_engine": statistics.median(ratios),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--architectures", nargs="+", choices=list(NAMES), default=list(NAMES)[1:])
    arguments = parser.parse_args()
    before, figures = machine(), {}
    for architecture in arguments.architectures:
        figures |= measure(architecture, arguments.seconds, arguments.rounds)
    # The smallest: the faster a network, the more the rest of the way counts.
    figures["ratio_to_engine"] = min(value for name, value in figures.items() if name.endswith("_ratio_to_engine"))
    report("predict_throughput", figures, on=before)


if __name__ == "__main__":
    main()
