"""From hyperparameters to what one training run uses: recipe, optimizer, curve, precision, device.

It must not know data or files. A hyperparameter that was given overrides the recipe.
"""

import dataclasses
import re
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from learning.contract import BadInput
from learning.hyperparameters import TrainHyperparameters
from learning.vision import augment, recipe
from learning.vision.recipe import Recipe

MAX_LOADERS = 8
DEFAULT_EPOCHS = 30  # as AWS's object detection


@dataclass(frozen=True)
class StepCurve:
    """AWS's lr_scheduler_step: the rate is multiplied by a factor at given epochs. Same methods as recipe.Schedule."""

    recipe: Recipe
    total_steps: int
    max_seconds: float
    at_steps: tuple[int, ...]
    factor_each: float

    def progress(self, step: int, elapsed: float) -> float:
        return recipe.Schedule(self.recipe, self.total_steps, self.max_seconds).progress(step, elapsed)

    def factor(self, step: int, elapsed: float) -> float:
        warm = min(1.0, (step + 1) / max(1, self.recipe.warmup_steps))
        return warm * self.factor_each ** sum(step >= at for at in self.at_steps)

    def stretched(self, factor: float) -> "StepCurve":
        """The same curve over another number of steps, for batches of another size."""
        steps = tuple(round(at * factor) for at in self.at_steps)
        return dataclasses.replace(self, total_steps=round(self.total_steps * factor), at_steps=steps)

    def apply(self, optimizer: torch.optim.Optimizer, step: int, elapsed: float) -> None:
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * self.factor(step, elapsed)


def make_recipe(asked: TrainHyperparameters, *, from_random: bool) -> Recipe:
    """The architecture's recipe with what the requester gave. Random weights are never frozen.

    Raises BadInput for an augmentation that does not exist.
    """
    found = recipe.for_architecture(asked.architecture)
    changes: dict[str, Any] = {}
    if asked.batch_size:
        changes["batch_size"] = asked.batch_size
    if asked.learning_rate:
        changes["learning_rate"] = asked.learning_rate
    if asked.weight_decay >= 0:
        changes["weight_decay"] = asked.weight_decay
    if asked.augmentation not in ("auto", *augment.PRESETS):
        known = ", ".join(("auto", *augment.PRESETS))
        raise BadInput(f"hyperparameter 'augmentation' is {asked.augmentation!r}; allowed: {known}")
    if asked.augmentation != "auto":
        changes["augmentation"] = asked.augmentation
    if from_random:
        changes |= {"frozen_blocks": 0, "trunk_factor": 1.0, "freeze_norms": False}
    return dataclasses.replace(found, **changes)


def make_curve(asked: TrainHyperparameters, chosen: Recipe, *, steps_per_epoch: int) -> recipe.Schedule | StepCurve:
    """The learning-rate curve over the whole run; raises BadInput for an lr_scheduler_step that is no list."""
    epochs = asked.epochs or max(DEFAULT_EPOCHS, -(-chosen.least_steps // steps_per_epoch))
    total = epochs * steps_per_epoch
    # At most a tenth of the run is warm-up, however short the run is.
    chosen = dataclasses.replace(chosen, warmup_steps=min(chosen.warmup_steps, max(1, total // 10)))
    if not asked.lr_scheduler_step.strip():
        return recipe.Schedule(chosen, total, asked.max_seconds)
    try:
        at_epochs = [int(part) for part in asked.lr_scheduler_step.split(",")]
    except ValueError as error:
        found = asked.lr_scheduler_step
        raise BadInput(f"hyperparameter 'lr_scheduler_step' is {found!r}; expected epochs such as '8,12'") from error
    at_steps = tuple(epoch * steps_per_epoch for epoch in at_epochs)
    return StepCurve(chosen, total, asked.max_seconds, at_steps, asked.lr_scheduler_factor)


def freeze_matching(model: nn.Module, pattern: str) -> int:
    """Stop learning in parameters whose name matches; returns how many. Raises BadInput for a bad expression."""
    if not pattern:
        return 0
    try:
        matches = re.compile(pattern).search
    except re.error as error:
        raise BadInput(f"hyperparameter 'freeze_layer_pattern' is {pattern!r}: {error}") from error
    frozen = [parameter for name, parameter in model.named_parameters() if matches(name)]
    for parameter in frozen:
        parameter.requires_grad_(False)
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise BadInput(f"hyperparameter 'freeze_layer_pattern' {pattern!r} leaves nothing to learn")
    return len(frozen)


def make_optimizer(asked: TrainHyperparameters, model: nn.Module, chosen: Recipe) -> torch.optim.Optimizer:
    """One of AWS's four optimizers or AdamW, over the recipe's parameter groups; in one kernel where torch has it."""
    groups = recipe.parameter_groups(model, chosen)
    if asked.optimizer == "sgd":
        return torch.optim.SGD(groups, momentum=asked.momentum, nesterov=asked.momentum > 0, fused=True)
    if asked.optimizer == "rmsprop":
        return torch.optim.RMSprop(groups, momentum=asked.momentum)
    if asked.optimizer == "adadelta":
        return torch.optim.Adadelta(groups)
    return (torch.optim.Adam if asked.optimizer == "adam" else torch.optim.AdamW)(groups, fused=True)


def make_device(asked: str) -> torch.device:
    """The device asked for; raises BadInput when a GPU is asked for and there is none."""
    if asked == "cuda" and not torch.cuda.is_available():
        raise BadInput("hyperparameter 'device' is 'cuda', but torch sees no GPU")
    return torch.device("cuda" if asked != "cpu" and torch.cuda.is_available() else "cpu")


def make_dtype(asked: str, device: torch.device) -> torch.dtype:
    """float32, bfloat16, or what the hardware is best at."""
    if asked == "auto":
        return recipe.best_dtype(device)
    return torch.bfloat16 if asked == "bfloat16" else torch.float32


def loader_workers(asked: int, device: torch.device, cores: int) -> int:
    """Processes that prepare images: none on a CPU, where they would compete with the training for its cores."""
    if asked or device.type == "cpu":
        return asked
    return max(0, min(MAX_LOADERS, cores - 1))
