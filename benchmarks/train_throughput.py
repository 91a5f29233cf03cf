"""Images a second of training on the CPU, end to end, beside torchvision's plain loop in float32 in the same run.

    make bench NAME=train_throughput           or: python -m benchmarks.train_throughput --seconds 60

Both read the same pictures through the same loader and augmentation (`bccd` where it lies beside the project, else
generated ones), in turns for several rounds, of which the median is reported. No round begins after the architecture's
share of `--budget`, so that a whole result is printed in under six minutes also on a busy machine.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import torch

from benchmarks import training_parts as parts
from benchmarks.report import machine, report

BATCH = {"ssdlite320_mobilenet_v3_large": 8, "ssd300_vgg16": 4, "compact": 8}
NAMES = {"ssdlite320_mobilenet_v3_large": "ssdlite", "ssd300_vgg16": "vgg16", "compact": "compact"}


def main() -> None:
    """Measure each architecture in turn and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--architectures", nargs="+", choices=list(BATCH), default=list(BATCH))
    parser.add_argument("--seconds", type=float, default=15.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3, help="at most")
    parser.add_argument("--budget", type=float, default=240.0, help="seconds after which no further round begins")
    parser.add_argument("--image-size", type=int, default=0, help="0: each architecture's own")
    options = parser.parse_args()
    setup = parts.Setup(torch.device("cpu"), options.seconds, options.image_size, workers=0)
    on, figures = machine(), {}
    for kind in options.architectures:
        figures |= measure(kind, setup, options.rounds, options.budget / len(options.architectures))
    report("train_throughput", figures, on=on)


def measure(kind: str, setup: parts.Setup, rounds: int, budget: float) -> dict[str, float]:
    """The figures of one architecture; our own has no plain loop to compare with."""
    ours, plain, began = [], [], time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        for turn in range(rounds):
            if turn and time.monotonic() - began > budget * turn / (turn + 1):
                break  # another round of the same length would be too much
            folder = parts.lay_out(Path(scratch) / str(turn), kind, BATCH[kind], setup)
            ours.append(parts.program(folder))
            if kind != "compact":
                plain.append(parts.plain_loop(parts.started(folder), torch.float32, setup.seconds))
    short = NAMES[kind]
    figures = {f"{short}_img_per_s": statistics.median(ours), f"{short}_rounds": len(ours)}
    if plain:
        figures[f"{short}_plain_img_per_s"] = statistics.median(plain)
        figures[f"{short}_ratio"] = statistics.median(ours) / statistics.median(plain)
    print(kind, {name: round(value, 3) for name, value in figures.items()}, flush=True)
    return figures


if __name__ == "__main__":
    main()
