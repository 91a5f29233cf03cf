"""Images a second of an exported detector on the CPU (OpenVINO, ONNX Runtime) against eager torch.

    make bench NAME=detector_speed            or: python -m benchmarks.detector_speed --seconds 5

Measured on JPEG bytes in memory: the whole path (decode, network, suppression) and the network alone. The runtimes take
turns for several rounds and the median round is reported, so that a busy moment of the machine affects all alike.
"""

import argparse
import io
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from benchmarks.report import machine, report
from labeling.formats.images import Limits
from learning.contract import ModelConfig
from learning.serving.detector import Choice, detect_pictures, read_pictures
from learning.serving.session import ON_THE_CPU, Session, open_session
from learning.vision import starting
from learning.vision.export import write_model
from learning.vision.inference import TorchSession
from learning.vision.ssd import Network, build

NAMES = {
    "compact": "compact",
    "ssdlite320_mobilenet_v3_large": "ssdlite",
    "ssd300_vgg16": "ssd300",
    "ssd300_resnet50": "ssd300_resnet50",
}
CHOICE = Choice(score_threshold=0.02, nms_threshold=0.45)
CLASSES = {str(number): f"class {number}" for number in range(5)}
BATCH = 8


def photos(count: int) -> list[bytes]:
    """Photo-like JPEGs of 640 x 480: smooth colour with grain."""
    rng = np.random.default_rng(0)
    photos = []
    for _ in range(count):
        coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8))
        smooth = np.asarray(coarse.resize((640, 480), Image.Resampling.BICUBIC), dtype=np.int16)
        grain = np.clip(smooth + rng.normal(0, 8, smooth.shape), 0, 255).astype(np.uint8)
        stream = io.BytesIO()
        Image.fromarray(grain).save(stream, "JPEG", quality=90)
        photos.append(stream.getvalue())
    return photos


def rate(once: Callable[[], None], images: int, seconds: float) -> float:
    """Images a second over at least `seconds`."""
    began, rounds = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - began) < seconds or not rounds:
        once()
        rounds += 1
    return images * rounds / elapsed


def export(architecture: str, folder: Path) -> tuple[Network, ModelConfig]:
    """Write a model of five classes with the starting weights that can be had, not trained further."""
    torch.manual_seed(0)
    network = build(architecture, num_classes=len(CLASSES)).eval()
    start = starting.find(architecture, weights="auto", weights_dir="", earlier=None, log=print)
    if start is not None:
        names = starting.output_names(architecture, list(CLASSES.values()))
        starting.adopt(network.model, start, classes=names)
    config = ModelConfig(architecture, CLASSES, network.image_size, {}, {"score": 0.02, "nms": 0.45}, {}, {})
    write_model(network, folder, config)
    return network, config


def measure(architecture: str, seconds: float, rounds: int) -> dict[str, float]:
    """The figures of one architecture."""
    with tempfile.TemporaryDirectory() as folder:
        network, config = export(architecture, Path(folder))
        sessions: dict[str, Session] = {"torch": TorchSession(network)}
        sessions |= {name: open_session(Path(folder) / "model.onnx", backend=name) for name in ON_THE_CPU}
    data = photos(BATCH)
    pixels = np.stack([p.pixels for p in read_pictures(data, size=network.image_size, limits=Limits())])
    figures: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name, session in sessions.items():

            def whole(run: Callable[..., object] = session.run) -> None:
                pictures = read_pictures(data, size=network.image_size, limits=Limits())
                detect_pictures(pictures, run, config, CHOICE)

            session.run(pixels)
            figures.setdefault(f"{name}_network", []).append(rate(lambda s=session: s.run(pixels), BATCH, seconds))
            figures.setdefault(f"{name}_whole", []).append(rate(whole, BATCH, seconds))
    short = NAMES[architecture]
    medians = {f"{short}_{name}_img_per_s": statistics.median(values) for name, values in figures.items()}
    for kind in ("network", "whole"):
        best = max(statistics.median(figures[f"{name}_{kind}"]) for name in ON_THE_CPU)
        medians[f"{short}_speedup_{kind}"] = best / statistics.median(figures[f"torch_{kind}"])
    return medians


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--architectures", nargs="+", choices=list(NAMES), default=list(NAMES))
    arguments = parser.parse_args()
    before, figures = machine(), {}
    for architecture in arguments.architectures:
        figures |= measure(architecture, arguments.seconds, arguments.rounds)
    report("detector_speed", figures, on=before)


if __name__ == "__main__":
    main()
