"""The quality that each architecture reaches on real data, on the suggested split of each set, with its time.

    make bench NAME=detector_quality      or: python -m benchmarks.detector_quality --architectures compact --seconds 60

Each training is `python -m learning.vision.train` in a job folder, as in production, on the whole training split; mean
average precision is measured by the program on the whole test split. `wall_s` is that of the whole program: start,
decoding, training, evaluation and the export to ONNX. Without --image-size the preset `auto` chooses it, and the
report says what it chose.
"""

import argparse
import itertools
import tempfile
import time
from pathlib import Path

from benchmarks.fine_tuning import count_lines, lay_out, train
from benchmarks.options import datasets
from benchmarks.report import machine, report
from learning.contract import ARCHITECTURES, TRAIN, ModelConfig

SHORT = {
    "compact": "compact", "ssdlite320_mobilenet_v3_large": "ssdlite", "ssd300_vgg16": "ssd300_vgg16",
    "ssd300_resnet50": "ssd300_resnet50",
}  # fmt: skip
EVERY_IMAGE = 1_000_000


def main() -> None:
    """Train every architecture on every set in turn and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=["bccd", "cards", "raccoon"])
    parser.add_argument("--datasets", type=Path, default=None, help="the folder of the sets")
    parser.add_argument("--architectures", nargs="+", choices=ARCHITECTURES, default=list(ARCHITECTURES))
    parser.add_argument(
        "--seconds", type=float, default=300, help="of each training, start and evaluation included; 0: no limit"
    )
    parser.add_argument("--epochs", type=int, default=100_000, help="at most: for a busy machine, with --seconds 0")
    parser.add_argument("--images", type=int, default=EVERY_IMAGE, help="of the training split, at most")
    parser.add_argument("--image-size", type=int, default=0)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--weights", default="auto")
    options = parser.parse_args()
    on = machine()
    figures: dict[str, float] = {}
    source = options.datasets or datasets()
    with tempfile.TemporaryDirectory() as scratch:
        for architecture, name in itertools.product(options.architectures, options.sets):
            options.architecture = architecture
            folder = lay_out(Path(scratch) / f"{architecture}-{name}", source / name, options)
            began = time.monotonic()
            metrics = train(folder)
            measured = {
                "mAP_50": metrics["mAP_50"],
                "mAP_50_95": metrics["mAP"],
                "wall_s": time.monotonic() - began,
                "steps": metrics["steps"],
                "images": count_lines(folder.manifest(TRAIN)),
                "image_size": ModelConfig.read(folder.model).image_size,
            }
            print(architecture, name, {key: round(value, 3) for key, value in measured.items()}, flush=True)
            figures |= {f"{SHORT[architecture]}_{name}_{key}": value for key, value in measured.items()}
    report("detector_quality", figures, on=on)


if __name__ == "__main__":
    main()
