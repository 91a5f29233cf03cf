"""How fast each architecture trains on this machine's card, and where the time goes; one table in a few minutes.

    python -m benchmarks.gpu                    (on a CPU: --small)

Rows: our program end to end and how busy the card is; torchvision's plain loop on the same pictures; the network with
our loss on fixed tensors, one operation after another and as a CUDA graph; the network alone, eagerly and compiled; the
loader alone; and how far the losses of ten steps as a graph differ from ten eager ones. What there is no time for
(--limit) is left out and said. The last line is the figures as JSON.
"""

import argparse
import copy
import itertools
import math
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from benchmarks import training_parts as parts
from benchmarks.report import machine, report
from learning.contract import ARCHITECTURES
from learning.vision import plan, recipe
from learning.vision.acceleration import Stepper
from learning.vision.run_state import Training
from learning.vision.ssd import CompactDetector

BATCH = {"compact": (64, 8, 32, 128)}  # the first is measured whole, the others with the loss on fixed tensors only
BATCHES = (32, 128)
COMPARED = 10  # steps of which the losses are compared

Row = tuple[str, Callable[[], dict[str, float]]]


def main() -> None:
    """Measure row by row until the time is over, and report."""
    options = _options()
    torch.backends.cudnn.benchmark = True
    setup = parts.Setup(
        torch.device("cuda" if torch.cuda.is_available() else "cpu"),
        options.seconds,
        image_size=96 if options.small else 0,
        workers=options.workers,
        generated=16 if options.small else 0,
    )
    on, began = machine(), time.monotonic()
    name = torch.cuda.get_device_name() if setup.device.type == "cuda" else "cpu"
    pictures = "bccd" if parts.BCCD.exists() and not setup.generated else "generated pictures"
    print(f"{name}, torch {torch.__version__}, {pictures}", flush=True)
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as scratch:
        plans = [_rows(kind, setup, Path(scratch), small=options.small) for kind in options.architectures]
        # The most important row of every architecture first.
        for title, row in (row for rank in itertools.zip_longest(*plans) for row in rank if row is not None):
            if time.monotonic() - began > options.limit:
                print(f"{title:58s} left out: the time is over", flush=True)
                continue
            found = {key: value for key, value in row().items() if not math.isnan(value)}
            figures |= found
            print(f"{title:58s} {'  '.join(f'{value:,.4g}' for value in found.values())}", flush=True)
    for kind in options.architectures:
        _compare(parts.SHORT[kind], figures)
    report("gpu", figures, on=on, device=name)


def _options() -> argparse.Namespace:
    known = [name for name in parts.SHORT if name in ARCHITECTURES]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--architectures", nargs="+", choices=known, default=known)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    parser.add_argument("--limit", type=float, default=200.0, help="seconds after which no row is begun")
    parser.add_argument("--workers", type=int, default=0, help="loader processes; 0: as the program chooses")
    parser.add_argument("--small", action="store_true", help="tiny pictures and batches, to see that it works")
    options = parser.parse_args()
    if options.small:
        options.architectures = [kind for kind in options.architectures if kind in ("compact", known[1])][:2]
        options.seconds = min(options.seconds, 0.2)
    return options


def _rows(kind: str, setup: parts.Setup, scratch: Path, *, small: bool) -> list[Row]:
    """What is measured of one architecture, most important first."""
    short = parts.SHORT[kind]
    whole, *others = (2, 3) if small else BATCH.get(kind, BATCHES)
    folder = parts.lay_out(scratch / short, kind, whole, setup)
    held: list[Training] = []

    def training() -> Training:
        if not held:
            held.append(parts.started(folder))
        return held[0]

    def ours() -> dict[str, float]:
        with parts.Busy(setup.device) as busy:
            speed = parts.program(folder)
        return {f"{short}_img_per_s": speed, f"{short}_gpu_busy": busy.share}

    def plain(name: str, dtype: torch.dtype) -> dict[str, float]:
        return {f"{short}_{name}_reference_img_per_s": parts.plain_loop(training(), dtype, setup.seconds)}

    def fixed(way: str, batch: int) -> dict[str, float]:
        return {f"{short}_with_loss_{way}_b{batch}_img_per_s": _with_loss(training(), way, batch, setup.seconds)}

    def alone(compiled: bool) -> dict[str, float]:
        word = "compiled" if compiled else "eager"
        return {f"{short}_network_{word}_img_per_s": _network_alone(training(), setup.seconds, compiled=compiled)}

    rows: list[Row] = [(f"{short}: our program, batch {whole}; share the card is busy", ours)]
    if kind.startswith("ssd"):
        rows.append((f"{short}: torchvision's plain loop, float32", lambda: plain("fp32", torch.float32)))

    def difference() -> dict[str, float]:
        return {f"{short}_graph_difference": _difference(training())}

    def loader() -> dict[str, float]:
        return {f"{short}_loader_img_per_s": parts.loader_alone(training(), setup.seconds)}

    graph = "graph" if setup.device.type == "cuda" else "eager"
    rows += [
        (f"{short}: with our loss, fixed tensors, {graph}", lambda: fixed(graph, whole)),
        (f"{short}: network alone, eager", lambda: alone(False)),
        (
            f"{short}: largest difference of the losses, graph and eager",
            lambda: {f"{short}_graph_difference": _difference(training())},
        ),
        (
            f"{short}: loader alone",
            lambda: {f"{short}_loader_img_per_s": parts.loader_alone(training(), setup.seconds)},
        ),
    ]
    rows += [(f"{short}: with our loss, {graph}, batch {n}", lambda n=n: fixed(graph, n)) for n in others]
    if kind.startswith("ssd"):
        rows.append((f"{short}: torchvision's plain loop, bfloat16", lambda: plain("bf16", torch.bfloat16)))
    if graph == "graph":
        rows.append((f"{short}: with our loss, fixed tensors, eager", lambda: fixed("eager", whole)))
    if not small:
        rows.append((f"{short}: network alone, torch.compile", lambda: alone(True)))
        rows.append((f"{short}: with our loss, graph and torch.compile", lambda: fixed("compile", whole)))
    return rows


def _with_loss(training: Training, way: str, batch: int, seconds: float) -> float:
    """Images a second of whole steps on one batch that lies on the device."""
    images, targets = _repeated(parts.one_batch(training), batch)
    stepper = _stepper(training, way)

    def learn(_: object) -> int:
        stepper.step(images, targets)
        training.average.update(training.network)
        return len(images)

    return parts.rate(learn, itertools.repeat(None), seconds, training.device)


def _network_alone(training: Training, seconds: float, *, compiled: bool) -> float:
    """Images a second of forward pass, backward pass of a sum, and step: no loss of a detector."""
    network, device = training.network, training.device
    images, _ = parts.one_batch(training)

    def outputs(images: torch.Tensor) -> torch.Tensor:
        found = (
            network.model._outputs(images.float() / 255)
            if isinstance(network, CompactDetector)
            else network.raw(images)
        )
        return found[0].mean() + found[1].mean()

    run = torch.compile(outputs, dynamic=False) if compiled else outputs

    def learn(_: object) -> int:
        training.optimizer.zero_grad(set_to_none=True)
        with recipe.precision(device, training.dtype):
            total = run(images)
        total.backward()
        training.optimizer.step()
        return len(images)

    return parts.rate(learn, itertools.repeat(None), seconds, device)


def _difference(training: Training) -> float:
    """The largest relative difference of a term's mean over a few steps, as a graph and eagerly, from equal weights."""
    images, targets = parts.one_batch(training)
    weights = copy.deepcopy(training.network.state_dict())
    means = []
    for way in ("eager", "auto"):
        training.network.load_state_dict(weights)
        # Plain SGD: an average of squares would make of a last bit a whole step.
        training.optimizer = torch.optim.SGD(
            [p for p in training.network.parameters() if p.requires_grad], lr=1e-4, fused=True
        )
        stepper = _stepper(training, way)
        for _ in range(COMPARED):
            stepper.step(images, targets)
        assert stepper.tally is not None
        means.append(stepper.tally.read().means)
    training.optimizer = plan.make_optimizer(training.asked, training.network.model, training.chosen)
    return max(abs(means[1][name] - value) / max(abs(value), 1e-6) for name, value in means[0].items())


def _stepper(training: Training, way: str) -> Stepper:
    recipe.set_train_mode(training.network, training.chosen)
    return Stepper(
        training.network, training.optimizer, clip_norm=training.chosen.clip_norm, dtype=training.dtype, way=way
    )


def _repeated(batch: tuple[torch.Tensor, torch.Tensor], size: int) -> Iterator[torch.Tensor]:
    """The batch made as large as asked for, laid out as before."""
    places = torch.arange(size, device=batch[0].device) % len(batch[0])
    return (
        tensor[places].contiguous(memory_format=torch.channels_last) if tensor.dim() == 4 else tensor[places]
        for tensor in batch
    )


def _compare(short: str, figures: dict[str, float]) -> None:
    for name in ("fp32", "bf16"):
        reference = figures.get(f"{short}_{name}_reference_img_per_s")
        if reference and f"{short}_img_per_s" in figures:
            figures[f"{short}_over_{name}_reference"] = figures[f"{short}_img_per_s"] / reference


if __name__ == "__main__":
    main()
