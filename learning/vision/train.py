"""Trains a detector in a job folder: python -m learning.vision.train FOLDER (see learning/contract.py).

The loop is `learn`; the other functions prepare, resume, measure and write. It must not know Django, the store or who
asked for the model.
"""

import copy
import dataclasses
import math
import os
import sys
import time
from contextlib import closing

import torch

from labeling.formats.images import Limits
from learning.contract import MODEL, TRAIN, VALIDATION, BadInput, JobFolder, MetricWriter, ModelConfig
from learning.hyperparameters import TrainHyperparameters, parse_train
from learning.program import Stop, log, run
from learning.serving.archive import opened_model
from learning.vision import augment, checkpoint, plan, recipe, starting
from learning.vision.data import Cache, ImageSet, batches, steps_per_epoch
from learning.vision.evaluate import Scores
from learning.vision.export import write_model
from learning.vision.inference import measure
from learning.vision.manifests import Labels, read_labels, resolve_class_map
from learning.vision.reporting import Due, Reporter, not_finite
from learning.vision.run_state import Training, resume, save_checkpoint
from learning.vision.ssd import build

LEAST_BATCH = 2  # a batch norm cannot learn from a single value
PREPROCESSING = {
    "input": "images: uint8 [N, S, S, 3], RGB; normalisation is inside the model",
    "orientation": "EXIF orientation applied",
    "resize": "stretched to S x S, bilinear",
}


def work(folder: JobFolder, stop: Stop) -> None:
    """The whole program."""
    began = time.monotonic()
    asked = parse_train(folder.read_hyperparameters())
    if asked.num_threads:
        torch.set_num_threads(asked.num_threads)
    torch.manual_seed(asked.seed)
    with closing(MetricWriter(folder, sys.stdout)) as metrics:
        training = prepare(folder, asked, began, stop)
        learn(training, metrics, stop)
        conclude(training, metrics, stop)


def prepare(folder: JobFolder, asked: TrainHyperparameters, began: float, stop: Stop) -> Training:
    """Read the channels, find the first weights or the last checkpoint, and set up the run."""
    labels, class_map = _read_channels(folder, asked)
    device = plan.make_device(asked.device)
    saved = checkpoint.load_latest(folder.checkpoints)
    found = None if saved else _first_weights(folder, asked)
    from_random = saved[1]["from_random"] if saved else found is None
    network = build(
        asked.architecture,
        num_classes=len(class_map),
        image_size=asked.image_size,
        from_random=from_random,
    )
    if found:
        names = starting.output_names(asked.architecture, list(class_map.values()))
        left = starting.adopt(network.model, found, classes=names)
        log(f"starting from {found.origin}; {len(left)} tensors start at random")
    train, validation = _image_sets(labels, class_map, network.image_size, asked, stop)
    chosen = plan.make_recipe(asked, from_random=from_random)
    chosen = dataclasses.replace(chosen, batch_size=max(LEAST_BATCH, chosen.batch_size))
    network.to(device)
    if asked.channels_last != "false":
        recipe.to_channels_last(network)
    recipe.prepare(network.model, chosen)
    plan.freeze_matching(network.model, asked.freeze_layer_pattern)
    training = Training(
        asked=asked,
        folder=folder,
        class_map=class_map,
        train=train,
        validation=validation,
        network=network,
        average=recipe.Ema(network, chosen),
        optimizer=plan.make_optimizer(asked, network.model, chosen),
        chosen=chosen,
        curve=plan.make_curve(
            asked,
            chosen,
            steps_per_epoch=steps_per_epoch(len(train), chosen.batch_size),
        ),
        device=device,
        dtype=plan.make_dtype(asked.precision, device),
        origin=found.origin if found else "random weights",
        from_random=from_random,
        began=began,
    )
    if saved:
        resume(training, *saved)
    return training


def learn(training: Training, metrics: MetricWriter, stop: Stop) -> None:
    """Train until the curve ends, time is up, early stopping applies, or a stop is asked for."""
    if stop() or training.progress >= 1:
        return
    asked, network = training.asked, training.network
    source = batches(
        training.train,
        augment=augment.train_transform(training.chosen.augmentation),
        batch_size=training.chosen.batch_size,
        seed=asked.seed,
        first_step=training.step,
        num_workers=plan.loader_workers(asked.num_workers, training.device, os.cpu_count() or 1),
    )
    reporter = Reporter(training, metrics)
    due = Due(training)
    saved = time.monotonic()
    recipe.set_train_mode(network, training.chosen)
    for images, targets in source:
        training.curve.apply(training.optimizer, training.step, training.clock)
        moved = [{k: v.to(training.device, non_blocking=True) for k, v in t.items()} for t in targets]
        with recipe.precision(training.device, training.dtype):
            losses = network.losses(images.to(training.device, non_blocking=True), moved)
        try:
            total = recipe.step(network, losses, training.optimizer, training.chosen)
        except FloatingPointError as error:
            raise BadInput(f"step {training.step + 1}: {not_finite(losses, training)}") from error
        training.average.update(network)
        training.step += 1
        reporter.step(total, losses, len(targets))
        due.stepped(len(targets))
        # The last evaluation is conclude's, unless the best of several is looked for.
        more = training.progress < 1 or asked.early_stopping
        if more and training.step % training.steps_per_epoch == 0 and due.evaluation():
            evaluate(training, metrics, dtype=training.dtype)
            due.evaluated()
        if stop() or training.progress >= 1 or _given_up(training):
            return
        if time.monotonic() - saved >= asked.checkpoint_seconds:
            save_checkpoint(training)
            saved = time.monotonic()


def evaluate(training: Training, metrics: MetricWriter, *, dtype: torch.dtype) -> None:
    """Score the averaged weights on the validation channel and remember the best."""
    assert training.validation is not None
    scores = measure(
        training.average.model,
        training.validation,
        class_map=training.class_map,
        nms_threshold=training.asked.nms_threshold,
        overlap_threshold=training.asked.overlap_threshold,
        dtype=dtype,
    )
    training.evaluated_at = training.step
    named = _named(scores, training.asked.overlap_threshold)
    for name, value in named.items():
        metrics.write(f"validation:{name}", value, step=training.step, epoch=training.epoch)
    # The line that AWS's object detection writes and its metric definitions look for.
    log(f"#quality_metric: epoch={training.epoch}, validation mAP <score>=({scores.mean_50})")
    gain = scores.mean - training.best
    training.stale = 0 if gain > training.asked.early_stopping_tolerance else training.stale + 1
    if gain > 0 or not training.asked.early_stopping:
        training.scores = named  # of the weights that will be kept
    if gain > 0:
        training.best = scores.mean
        if training.asked.early_stopping:
            training.best_state = copy.deepcopy(training.average.model.state_dict())


def conclude(training: Training, metrics: MetricWriter, stop: Stop) -> None:
    """Checkpoint, last evaluation (not when stopped, since somebody waits for the end), and the model's files."""
    save_checkpoint(training)
    finished = not stop()
    if finished and training.validation is not None and not training.best_state:
        evaluate(training, metrics, dtype=torch.float32)  # as the model will be used
    network = training.average.model
    if training.best_state:
        network.load_state_dict(training.best_state)
    network.finish()
    config = ModelConfig(
        architecture=training.asked.architecture,
        class_map=training.class_map,
        image_size=network.image_size,
        preprocessing=PREPROCESSING,
        thresholds={"score": 0.02, "nms": training.asked.nms_threshold},
        hyperparameters=dataclasses.asdict(training.asked) | {"started_from": training.origin},
        metrics={name: value for name, value in training.scores.items() if math.isfinite(value)}
        | {"steps": training.step, "seconds": round(training.seconds, 1)},
    )
    differences = write_model(network, training.folder.model, config)
    log(f"model written after {training.step} steps; onnx against torch: {differences}")
    if finished and training.reported < 1:
        metrics.write("train:progress", 1.0, step=training.step, epoch=training.epoch)
    if not finished:
        training.folder.write_stopped(step=training.step, epoch=training.epoch)


def _read_channels(folder: JobFolder, asked: TrainHyperparameters) -> tuple[dict[str, Labels], dict[str, str]]:
    labels = {TRAIN: read_labels(folder.manifest(TRAIN), asked.label_attribute_name)}
    if folder.manifest(VALIDATION).exists():
        labels[VALIDATION] = read_labels(folder.manifest(VALIDATION), asked.label_attribute_name)
    for name, found in labels.items():
        log(f"{name}: {len(found.items)} labeled images, {found.unlabeled} lines without a label left out")
    return labels, resolve_class_map(asked.class_map, asked.num_classes, labels)


def _first_weights(folder: JobFolder, asked: TrainHyperparameters) -> starting.Start | None:
    earlier = folder.channel(MODEL)
    return starting.find(
        asked.architecture,
        weights=asked.weights,
        weights_dir=asked.weights_dir,
        earlier=opened_model(earlier) if earlier.exists() else None,
        log=log,
    )


def _image_sets(
    labels: dict[str, Labels], class_map: dict[str, str], size: int, asked: TrainHyperparameters, stop: Stop
) -> tuple[ImageSet, ImageSet | None]:
    cache = Cache(asked.cache_bytes, Limits(asked.image_max_bytes, asked.image_max_pixels))
    sets = {}
    for name, found in labels.items():
        sets[name] = ImageSet(found.items, class_map=class_map, image_size=size, cache=cache)
        for refused in sets[name].preload(stop=stop):
            log(f"{name} channel, line {refused.number}: left out: {refused.reason}")
        if not len(sets[name]):
            raise BadInput(f"{name} channel: not one image can be read (the log names the reason for each)")
    return sets[TRAIN], sets.get(VALIDATION)


def _given_up(training: Training) -> bool:
    asked = training.asked
    patient = training.stale < asked.early_stopping_patience or training.epoch < asked.early_stopping_min_epochs
    return asked.early_stopping and not patient


def _named(scores: Scores, overlap_threshold: float) -> dict[str, float]:
    named = {"mAP": scores.mean, "mAP_50": scores.mean_50}
    if round(overlap_threshold, 4) != 0.5:
        named[f"mAP_{overlap_threshold * 100:g}"] = scores.at_overlap
    return named | {f"AP_50:{name}": value for name, value in scores.by_class_50.items()}


if __name__ == "__main__":
    sys.exit(run(work, about="Train a detector in a job folder."))
