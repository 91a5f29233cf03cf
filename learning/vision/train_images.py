"""Trains an image classifier or a segmenter in a job folder: python -m learning.vision.train_images FOLDER.

The contract is in learning/contract.py. The loop is `learn`; the other functions prepare, measure and write. It must
not know Django, the store or who asked for the model.
"""

import dataclasses
import math
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from labeling.formats.images import Limits
from learning.class_manifests import Labels, read_class_labels, read_mask_labels, resolve_class_map
from learning.class_scores import mask_scores, scores
from learning.contract import MODEL, SEGMENTERS, TRAIN, VALIDATION, BadInput, JobFolder, MetricWriter, ModelConfig
from learning.family_hyperparameters import ImageHyperparameters, parse_images
from learning.program import Stop, log, run
from learning.serving.archive import opened_model
from learning.vision import checkpoint, memory
from learning.vision.album import ImageAlbum
from learning.vision.data import steps_per_epoch
from learning.vision.image_data import LabeledImages, batches, whole
from learning.vision.image_export import write_model
from learning.vision.image_networks import ImageNetwork, adopt, pretrained
from learning.vision.plan import make_device, make_dtype

BATCH = {"classifier": 32, "segmenter": 8}
RATE_PRETRAINED, RATE_RANDOM = 3e-4, 1e-3
EPOCHS, LEAST_STEPS = 30, 400
WARM_UP, FINAL = 0.05, 0.02
CLIP = 5.0
DECAY = 0.99  # of the moving average of the weights
LEAST_BATCH = 2  # a batch norm cannot learn from a single value
CALIBRATION_BATCHES = 30
REPORT_SECONDS = 1.0
PREPROCESSING = {
    "input": "images: uint8 [N, S, S, 3], RGB; normalisation is inside the model",
    "orientation": "EXIF orientation applied",
    "resize": "stretched to S x S, bilinear",
}


@dataclass
class Run:
    """Everything one training is made of; what changes while it learns comes last."""

    asked: ImageHyperparameters
    folder: JobFolder
    class_map: dict[str, str]
    train: LabeledImages
    validation: LabeledImages | None
    network: ImageNetwork
    average: AveragedModel
    optimizer: torch.optim.Optimizer
    device: torch.device
    dtype: torch.dtype
    origin: str
    began: float  # time.monotonic() less what earlier starts of this run have used
    step: int = 0

    @property
    def names(self) -> list[str]:
        return list(self.class_map.values())

    @property
    def batch_size(self) -> int:
        kind = "segmenter" if self.network.segments else "classifier"
        return max(LEAST_BATCH, self.asked.batch_size or min(BATCH[kind], len(self.train)))

    @property
    def per_epoch(self) -> int:
        return steps_per_epoch(len(self.train), self.batch_size)

    @property
    def steps(self) -> int:
        return (self.asked.epochs or max(EPOCHS, -(-LEAST_STEPS // self.per_epoch))) * self.per_epoch

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    @property
    def progress(self) -> float:
        by_time = self.seconds / (0.9 * self.asked.max_seconds) if self.asked.max_seconds else 0.0
        return min(1.0, max(self.step / self.steps, by_time))


def work(folder: JobFolder, stop: Stop) -> None:
    """The whole program."""
    began = time.monotonic()
    asked = parse_images(folder.read_hyperparameters())
    memory.keep_freed()
    if asked.num_threads:
        torch.set_num_threads(asked.num_threads)
    torch.manual_seed(asked.seed)
    with closing(MetricWriter(folder, sys.stdout)) as metrics:
        training = prepare(folder, asked, began, stop)
        learn(training, metrics, stop)
        conclude(training, metrics, stop)


def prepare(folder: JobFolder, asked: ImageHyperparameters, began: float, stop: Stop) -> Run:
    """Read the channels, find the first weights or the last checkpoint, and set up the run."""
    labels = _read_channels(folder, asked)
    class_map = resolve_class_map(asked.class_map, asked.num_classes, labels)
    network = ImageNetwork(
        asked.architecture, classes=len(class_map), several=asked.multi_label, image_size=asked.image_size
    )
    saved = checkpoint.load_latest(folder.checkpoints)
    origin = saved[1]["origin"] if saved else _start(folder, asked, network, list(class_map.values()))
    sets = _image_sets(labels, list(class_map.values()), asked, network, stop)
    device = make_device(asked.device)
    network.to(device)
    rate = asked.learning_rate or (RATE_RANDOM if origin == "random weights" else RATE_PRETRAINED)
    training = Run(
        asked=asked,
        folder=folder,
        class_map=class_map,
        train=sets[TRAIN],
        validation=sets.get(VALIDATION),
        network=network,
        average=AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(DECAY), use_buffers=False),
        optimizer=torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=asked.weight_decay),
        device=device,
        dtype=make_dtype(asked.precision, device),
        origin=origin,
        began=began,
    )
    if saved:
        _resume(training, *saved)
    return training


def learn(training: Run, metrics: MetricWriter, stop: Stop) -> None:
    """Train until the curve ends, time is up, or a stop is asked for."""
    if stop() or training.progress >= 1:
        return
    asked, network, peak = training.asked, training.network, training.optimizer.defaults["lr"]
    source = batches(
        training.train,
        preset="standard" if asked.augmentation == "auto" else asked.augmentation,
        batch_size=training.batch_size,
        seed=asked.seed,
        first_step=training.step,
    )
    saved = reported = time.monotonic()
    losses: list[Tensor] = []
    network.train()
    for pixels, target in source:
        for group in training.optimizer.param_groups:
            group["lr"] = peak * _curve(training.progress)
        with torch.autocast(training.device.type, training.dtype, enabled=training.dtype != torch.float32):
            loss = network.loss(pixels.to(training.device), target.to(training.device), smoothing=asked.label_smoothing)
        training.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), CLIP)
        training.optimizer.step()
        training.average.update_parameters(network)
        training.step += 1
        losses.append(loss.detach())
        now = time.monotonic()
        if now - reported >= REPORT_SECONDS or training.step == 1 or training.progress >= 1:
            _report(training, metrics, losses, now - reported)
            losses, reported = [], now
        if stop() or training.progress >= 1:
            return
        if now - saved >= asked.checkpoint_seconds:
            _save(training)
            saved = now


def _report(training: Run, metrics: MetricWriter, losses: list[Tensor], seconds: float) -> None:
    """Write the mean loss, speed and progress. Raises BadInput for a loss that is not finite."""
    mean = float(torch.stack(losses).mean())
    if not math.isfinite(mean):
        rate = training.optimizer.defaults["lr"]
        raise BadInput(f"step {training.step}: the loss became {mean}; lower learning_rate (it is {rate:g})")
    values = {
        "loss": mean,
        "learning_rate": training.optimizer.param_groups[0]["lr"],
        "images_per_second": len(losses) * training.batch_size / max(seconds, 1e-9),
        "progress": min(training.progress, 0.99),
    }
    for name, value in values.items():
        metrics.write(f"train:{name}", value, step=training.step, epoch=training.step // training.per_epoch)


def _curve(progress: float) -> float:
    """The share of the highest rate: a short rise, then a cosine down to FINAL."""
    if progress < WARM_UP:
        return (progress + 0.1 * WARM_UP) / (1.1 * WARM_UP)
    return FINAL + (1 - FINAL) * 0.5 * (1 + math.cos(math.pi * progress))


def conclude(training: Run, metrics: MetricWriter, stop: Stop) -> None:
    """Checkpoint, evaluation (not when stopped, since somebody waits for the end), and the model's files."""
    _save(training)
    network = training.average.module
    assert isinstance(network, ImageNetwork)  # it averages the weights of one
    _calibrate(network, training)
    finished = not stop()
    figures = _measure(network, training) if finished and training.validation is not None else {}
    epoch = training.step // training.per_epoch
    for name, value in figures.items():
        metrics.write(f"validation:{name}", value, step=training.step, epoch=epoch)
    config = ModelConfig(
        architecture=training.asked.architecture,
        class_map=training.class_map,
        image_size=network.image_size,
        preprocessing=PREPROCESSING,
        thresholds={},
        hyperparameters=dataclasses.asdict(training.asked) | {"started_from": training.origin},
        metrics=figures | {"steps": training.step, "seconds": round(training.seconds, 1)},
    )
    differences = write_model(network, training.folder.model, config)
    log(f"model written after {training.step} steps; onnx against torch: {differences}")
    if finished:
        metrics.write("train:progress", 1.0, step=training.step, epoch=epoch)
    else:
        training.folder.write_stopped(step=training.step, epoch=epoch)


@torch.no_grad()
def _calibrate(network: ImageNetwork, training: Run) -> None:
    """Find the statistics of batch norms anew: those of the averaged weights are not the average of statistics."""
    norms = [part for part in network.modules() if isinstance(part, torch.nn.BatchNorm2d)]
    for part in norms:
        part.reset_running_stats()
        part.momentum = None  # the mean over all batches
    network.train()
    for number, (pixels, _) in enumerate(whole(training.train, batch_size=training.batch_size)):
        if len(pixels) >= LEAST_BATCH and number < CALIBRATION_BATCHES:
            network(pixels.to(training.device))
    network.eval()


@torch.no_grad()
def _measure(network: ImageNetwork, training: Run) -> dict[str, float]:
    images = training.validation
    assert images is not None  # the caller has looked
    found, truths = [], []
    for pixels, target in whole(images, batch_size=training.batch_size):
        chances = network.scores(pixels.to(training.device))[0].float().cpu().numpy()
        found += list(chances.argmax(axis=1)) if network.segments else list(chances)
        truths += list(target.numpy())
    _keep_samples(network, training, found, truths)
    if network.segments:
        return mask_scores(found, truths, training.names)
    return scores(np.array(found, dtype=np.float64), images.truth(), training.names, several=network.several)


def _keep_samples(network: ImageNetwork, training: Run, found: list[Any], truths: list[Any]) -> None:
    """Pictures of the validation channel with what was found on them, for whoever looks at the training."""
    images = training.validation
    assert images is not None  # they were measured
    album = ImageAlbum(training.folder, names=training.names, masks=network.segments, length=len(images))
    for place in sorted(album.places & set(range(len(images)))):
        item = images.items[place]
        picture = images.picture(item)
        if network.segments:
            album.painted(picture, truths[place], found[place])
        else:
            album.classified(picture, item.classes, found[place], several=network.several)
    album.keep(step=training.step, epoch=training.step // training.per_epoch)


# --- preparation ---------------------------------------------------------------------------------------------------


def _read_channels(folder: JobFolder, asked: ImageHyperparameters) -> dict[str, Labels]:
    labels = {}
    for name in (TRAIN, VALIDATION):
        if name == TRAIN or folder.manifest(name).exists():
            labels[name] = (
                read_mask_labels(folder.manifest(name), asked.label_attribute_name)
                if asked.architecture in SEGMENTERS
                else read_class_labels(
                    folder.manifest(name), asked.label_attribute_name, several=asked.multi_label, of_texts=False
                )
            )
            found = labels[name]
            log(f"{name}: {len(found.items)} labeled images, {found.unlabeled} lines without a label left out")
    return labels


def _image_sets(
    labels: dict[str, Labels], names: list[str], asked: ImageHyperparameters, network: ImageNetwork, stop: Stop
) -> dict[str, LabeledImages]:
    limits = Limits(asked.image_max_bytes, asked.image_max_pixels)
    sets = {}
    for channel, found in labels.items():
        sets[channel] = LabeledImages(
            found.items,
            names=names,
            several=asked.multi_label,
            masks=network.segments,
            size=network.image_size,
            limits=limits,
        )
        for number, reason in sets[channel].preload(stop=stop):
            log(f"{channel} channel, line {number}: left out: {reason}")
        if not len(sets[channel]):
            raise BadInput(f"{channel} channel: not one image can be read (the log names the reason for each)")
    return sets


def _start(folder: JobFolder, asked: ImageHyperparameters, network: ImageNetwork, names: list[str]) -> str:
    """Give the network its first weights; returns where they are from."""
    earlier = folder.channel(MODEL)
    if asked.weights == "none":
        return "random weights"
    if earlier.exists():
        config = ModelConfig.read(opened_model(earlier))
        if config.architecture != asked.architecture:
            raise BadInput(f"the model to start from is a {config.architecture}, not a {asked.architecture}")
        state, known, origin = (
            load_file(earlier / "model.safetensors"),
            list(config.class_map.values()),
            "channel model",
        )
    else:
        found = pretrained(asked.architecture, asked.weights_dir, log)
        if found is None:
            return "random weights"
        state, known, origin = found, [], "torchvision"
    left = adopt(network, state, found=known, wanted=names)
    log(f"starting from {origin}; {left} tensors start at random")
    return origin


def _save(training: Run) -> None:
    tensors = {f"model/{name}": value for name, value in training.network.state_dict().items()}
    tensors |= {f"average/{name}": value for name, value in training.average.state_dict().items()}
    tensors["rng"] = torch.get_rng_state()
    optimizer, plain = checkpoint.pack("optimizer", training.optimizer.state_dict()["state"])
    state: dict[str, Any] = {"origin": training.origin, "seconds": training.seconds, "step": training.step}
    state |= {"optimizer": plain, "identity": _identity(training)}
    checkpoint.save(training.folder.checkpoints, step=training.step, tensors=tensors | optimizer, state=state)


def _resume(training: Run, tensors: dict[str, Tensor], state: dict[str, Any]) -> None:
    if state["identity"] != _identity(training):
        raise BadInput(f"the checkpoint is of another training: {state['identity']}, not {_identity(training)}")
    training.network.load_state_dict(checkpoint.take("model", tensors))
    training.average.load_state_dict(checkpoint.take("average", tensors))
    checkpoint.restore_optimizer(training.optimizer, tensors, state["optimizer"])
    torch.set_rng_state(tensors["rng"])
    training.step, training.began = state["step"], training.began - state["seconds"]
    log(f"resumed at step {training.step}, {training.seconds:.0f} s into the run")


def _identity(training: Run) -> dict[str, Any]:
    """What a checkpoint must agree on to be continued."""
    asked = training.asked
    return {
        "architecture": asked.architecture,
        "image_size": training.network.image_size,
        "class_map": training.class_map,
        "multi_label": asked.multi_label,
    }


if __name__ == "__main__":
    sys.exit(run(work, about="Train an image classifier or a segmenter in a job folder."))
