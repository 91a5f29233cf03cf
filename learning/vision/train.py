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
from collections.abc import Iterator
from contextlib import closing, nullcontext

import torch

from learning.contract import MODEL, TRAIN, VALIDATION, BadInput, JobFolder, MetricWriter, ModelConfig
from learning.hyperparameters import EARLIER, TrainHyperparameters, parse_train
from learning.program import Stop, log, run
from learning.serving.archive import opened_model
from learning.vision import (
    augment,
    checkpoint,
    distributed,
    memory,
    plan,
    preset,
    recipe,
    sources,
    split,
    starting,
    together,
    usage,
)
from learning.vision.acceleration import Stepper
from learning.vision.album import Album
from learning.vision.data import ImageSet, steps_per_epoch
from learning.vision.evaluate import Scores
from learning.vision.export import write_model
from learning.vision.inference import measure
from learning.vision.loading import Batch, batches
from learning.vision.manifests import Labels, read_labels, resolve_class_map
from learning.vision.reporting import Due, Reporter
from learning.vision.run_state import Training, resume, save_checkpoint
from learning.vision.ssd import build

LEAST_BATCH = together.LEAST_SHARE
PREPROCESSING = {
    "input": "images: uint8 [N, S, S, 3], RGB; normalisation is inside the model",
    "orientation": "EXIF orientation applied",
    "resize": "stretched to S x S, bilinear",
}


def work(folder: JobFolder, stop: Stop) -> None:
    """The whole program."""
    began = time.monotonic()
    asked = parse_train(folder.read_hyperparameters())
    if together.is_to_start(count := _processes(asked)):
        together.train("learning.vision.train", folder, count)
        return
    memory.keep_freed()
    if asked.num_threads:
        torch.set_num_threads(asked.num_threads)
    torch.manual_seed(asked.seed)
    with closing(MetricWriter(folder, sys.stdout)) as metrics:
        training = prepare(folder, asked, began, stop)
        watched = (
            usage.watched(metrics, device=training.device, place=lambda: (training.step, training.epoch))
            if distributed.rank() == 0
            else nullcontext()
        )
        with watched:
            learn(training, metrics, stop)
            if distributed.rank() == 0:
                conclude(training, metrics, stop)
        distributed.end()


def prepare(folder: JobFolder, asked: TrainHyperparameters, began: float, stop: Stop) -> Training:
    """Read the channels, find the first weights or the last checkpoint, and set up the run."""
    labels, class_map = _read_channels(folder, asked)
    asked, reason = preset.decide(asked, labels[TRAIN].items, earlier_size=_earlier_size(folder, asked))
    for said in (reason, preset.check_samples(asked, len(labels[TRAIN].items))):
        if said:
            log(said)
    device = plan.make_device(asked.device)
    distributed.begin(device)
    # All batches have one shape, so it pays to try which kernels are fastest for it (of depthwise convolutions in
    # bfloat16 some that are chosen without trying take seconds).
    torch.backends.cudnn.benchmark = True
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
    train, validation = _image_sets(folder, labels, class_map, network.image_size, asked, stop)
    chosen = plan.make_recipe(asked, from_random=from_random)
    chosen = dataclasses.replace(chosen, batch_size=_batch_size(chosen.batch_size))
    network.to(device)
    if asked.channels_last != "false":
        recipe.to_channels_last(network)
    recipe.prepare(network.model, chosen)
    distributed.join_norms(network, frozen=chosen.freeze_norms)
    if frozen := plan.freeze_matching(network.model, asked):
        log(f"freeze_layer_pattern: {frozen} tensors do not learn")
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
        curve=plan.make_curve(asked, chosen, steps_per_epoch=steps_per_epoch(len(train), chosen.batch_size)),
        device=device,
        dtype=plan.make_dtype(asked.precision, device),
        origin=found.origin if found else "random weights",
        from_random=from_random,
        began=began,
    )
    if saved:
        resume(training, *saved)
    if distributed.agreed(lambda: [training.step]) != [training.step]:
        raise RuntimeError(f"this process goes on from step {training.step}, the first one from another")
    return training


def learn(training: Training, metrics: MetricWriter, stop: Stop) -> None:
    """Train until the curve ends, time is up, early stopping applies, or a stop is asked for.

    Where the memory is not enough for a batch, goes on with batches of half the size. Raises BadInput when that does
    not help either, and for a loss that is not finite.
    """
    training.tick(stop)
    while not (training.stopping or training.progress >= 1):
        try:
            _learn(training, metrics, stop)
        except (RuntimeError, MemoryError) as error:
            if not memory.is_exhausted(error):
                raise
            said = str(error).strip().splitlines()[0][:200]
        else:
            return
        # Outside of `except`, where the error would still hold the tensors of the step that failed.
        _halve_batches(training, said)


def _learn(training: Training, metrics: MetricWriter, stop: Stop) -> None:
    asked, network = training.asked, training.network
    stepper = Stepper(
        network, training.optimizer, clip_norm=training.chosen.clip_norm, dtype=training.dtype, way=asked.acceleration
    )
    reporter, due = Reporter(training, metrics), Due(training)
    saved = training.seconds

    def end() -> bool:
        return stop() or _given_up(training)

    recipe.set_train_mode(network, training.chosen)
    for images, targets in _batches(training):
        training.curve.apply(training.optimizer, training.step, training.clock)
        stepper.step(images, targets)
        training.average.update(network)
        training.step += 1
        training.tick(end)
        assert stepper.tally is not None
        count = len(images) * distributed.processes()
        reporter.stepped(stepper.tally, count)
        due.stepped(count)
        # The last evaluation is conclude's, unless the best of several is looked for.
        more = training.progress < 1 or asked.early_stopping
        if more and training.step % training.steps_per_epoch == 0 and _agreed(due):
            reporter.report(stepper.tally)
            began = time.monotonic()
            if distributed.rank() == 0:
                evaluate(training, metrics, dtype=training.dtype)
            due.evaluated(time.monotonic() - began)
            training.tick(end)
        if training.stopping or training.progress >= 1:
            reporter.report(stepper.tally)
            return
        if training.seconds - saved >= asked.checkpoint_seconds:
            reporter.report(stepper.tally)  # a step that was not finite must not get into a checkpoint
            if distributed.rank() == 0:
                save_checkpoint(training)
            saved = training.seconds


def _agreed(due: Due) -> bool:
    """Whether an evaluation is due: process 0 alone knows when it has made one, and how long that took."""
    return bool(distributed.agreed(lambda: [float(due.evaluation())])[0])


def _processes(asked: TrainHyperparameters) -> int:
    """How many processes are to train this, one for each card unless somebody says otherwise."""
    return together.wanted(
        asked=asked.num_processes,
        most=asked.max_processes,
        batch_size=asked.batch_size or recipe.for_architecture(asked.architecture).batch_size,
        device=plan.make_device(asked.device),
        cores=os.cpu_count() or 1,
    )


def _batch_size(asked: int) -> int:
    """Equal shares for all processes, none too small."""
    share = -(-asked // distributed.processes())
    return max(LEAST_BATCH, share) * distributed.processes()


def _batches(training: Training) -> Iterator[Batch]:
    asked = training.asked
    return batches(
        training.train,
        augment=augment.train_transform(training.chosen.augmentation),
        batch_size=training.chosen.batch_size,
        seed=asked.seed,
        first_step=training.step,
        num_workers=plan.loader_workers(asked.num_workers, training.device, os.cpu_count() or 1),
        device=training.device,
    )


def _halve_batches(training: Training, said: str) -> None:
    size = training.chosen.batch_size
    if size // 2 < LEAST_BATCH or distributed.processes() > 1:
        advice = "lower image_size" if size // 2 < LEAST_BATCH else "lower batch_size"
        raise BadInput(f"the memory is not enough for batches of {size} images ({said}); {advice}")
    training.optimizer.zero_grad(set_to_none=True)
    memory.release()
    training.use_batches_of(size // 2)
    log(f"the memory is not enough for batches of {size} images ({said}); going on with batches of {size // 2}")


def evaluate(training: Training, metrics: MetricWriter, *, dtype: torch.dtype) -> None:
    """Score the averaged weights on the validation channel and remember the best."""
    assert training.validation is not None
    album = Album(training.folder, class_map=training.class_map, length=len(training.validation))
    scores = measure(
        training.average.model,
        training.validation,
        class_map=training.class_map,
        nms_threshold=training.asked.nms_threshold,
        overlap_threshold=training.asked.overlap_threshold,
        dtype=dtype,
        seen=album.look,
    )
    since = training.epoch - max(0, training.evaluated_at) // training.steps_per_epoch  # the last evaluation
    album.keep(step=training.step, epoch=training.epoch)
    training.evaluated_at = training.step
    named = _named(scores, training.asked.overlap_threshold)
    for name, value in named.items():
        metrics.write(f"validation:{name}", value, step=training.step, epoch=training.epoch)
    # The line that AWS's object detection writes and its metric definitions look for.
    log(f"#quality_metric: epoch={training.epoch}, validation mAP <score>=({scores.at_overlap})")
    gain = scores.mean - training.best
    # As AWS has it: epochs without an improvement of more than the tolerance, relative to the best so far.
    enough = gain > training.asked.early_stopping_tolerance * max(0.0, training.best)
    training.stale = 0 if enough else training.stale + since
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
        hyperparameters=dataclasses.asdict(training.asked)
        | {"started_from": training.origin, "recipe": dataclasses.asdict(training.chosen)},
        metrics={name: value for name, value in training.scores.items() if math.isfinite(value)}
        | {"steps": training.step, "seconds": round(time.monotonic() - training.began, 1)},
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
        for note in sources.notes(folder, name):
            log(f"{name}: {note}")
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


def _earlier_size(folder: JobFolder, asked: TrainHyperparameters) -> int:
    """The image size of the model that is handed to the job, 0 when the training does not go on from it."""
    if asked.weights not in ("auto", EARLIER) or not folder.channel(MODEL).exists():
        return 0
    earlier = opened_model(folder.channel(MODEL))
    config = ModelConfig.read(earlier) if (earlier / "config.json").exists() else None
    return config.image_size if config and config.architecture == asked.architecture else 0


def _image_sets(
    folder: JobFolder,
    labels: dict[str, Labels],
    class_map: dict[str, str],
    size: int,
    asked: TrainHyperparameters,
    stop: Stop,
) -> tuple[ImageSet, ImageSet | None]:
    pictures = sources.open_sources(folder, labels, size, asked)
    sets = {}
    for name, found in labels.items():
        sets[name] = ImageSet(found.items, class_map=class_map, image_size=size, cache=pictures[name])
        for refused in sets[name].preload(stop=stop):
            log(f"{name} channel, line {refused.number}: left out: {refused.reason}")
        if not len(sets[name]):
            raise BadInput(f"{name} channel: not one image can be read (the log names the reason for each)")
    if VALIDATION in sets or not asked.validation_share:
        return sets[TRAIN], sets.get(VALIDATION)
    divided = split.divide(
        folder,
        sets[TRAIN],
        share=asked.validation_share,
        seed=asked.seed,
        looked_at=not folder.addresses(TRAIN).exists(),
        log=log,
    )
    train, validation = (
        ImageSet(items, class_map=class_map, image_size=size, cache=pictures[TRAIN]) for items in divided
    )
    return train, validation if len(validation) else None


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
