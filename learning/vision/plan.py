"""From hyperparameters to what one training run uses: recipe, optimizer, curve, precision, device.

It must not know data or files. A hyperparameter that was given overrides the recipe.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from learning.contract import BadInput
from learning.hyperparameters import BUILTIN, TrainHyperparameters, freezes, scheduled_epochs
from learning.vision import recipe
from learning.vision.layer_names import names_of_aws
from learning.vision.recipe import Recipe

MAX_LOADERS = 8
DEFAULT_EPOCHS = 30  # as AWS's object detection
# Rates for the optimizers that are not the recipe's; Adadelta scales its own step by it.
OPTIMIZER_RATES = {"sgd": 2e-3, "rmsprop": 3e-4, "adadelta": 1.0}
# What makes a recipe ours, undone: AWS's algorithm trains every layer at one constant rate and keeps the last weights.
BUILTIN_RECIPE: dict[str, Any] = {
    "trunk_factor": 1.0, "class_factor": 1.0, "warmup_steps": 0, "final_factor": 1.0, "ema_decay": 0.0,
    "frozen_blocks": 0, "augmentation": "strong",
}  # fmt: skip


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
    """The architecture's recipe with what the requester gave. Random weights are never frozen."""
    changes: dict[str, Any] = {}
    if asked.preset == BUILTIN:
        changes |= BUILTIN_RECIPE
    if asked.batch_size:
        changes["batch_size"] = asked.batch_size
    if asked.learning_rate:
        changes["learning_rate"] = asked.learning_rate
    elif asked.optimizer in OPTIMIZER_RATES:
        changes["learning_rate"] = OPTIMIZER_RATES[asked.optimizer]
    if asked.weight_decay >= 0:
        changes["weight_decay"] = asked.weight_decay
    if asked.augmentation != "auto":
        changes["augmentation"] = asked.augmentation
    if from_random:
        changes |= {"frozen_blocks": 0, "trunk_factor": 1.0, "freeze_norms": False}
    return dataclasses.replace(recipe.for_architecture(asked.architecture), **changes)


def make_curve(asked: TrainHyperparameters, chosen: Recipe, *, steps_per_epoch: int) -> recipe.Schedule | StepCurve:
    """The learning-rate curve over the whole run."""
    epochs = asked.epochs or max(DEFAULT_EPOCHS, -(-chosen.least_steps // steps_per_epoch))
    total = epochs * steps_per_epoch
    # At most a tenth of the run is warm-up, however short the run is.
    chosen = dataclasses.replace(chosen, warmup_steps=min(chosen.warmup_steps, max(1, total // 10)))
    at_epochs = scheduled_epochs(asked)
    if not at_epochs:
        return recipe.Schedule(chosen, total, asked.max_seconds)
    at_steps = tuple(epoch * steps_per_epoch for epoch in at_epochs)
    return StepCurve(chosen, total, asked.max_seconds, at_steps, asked.lr_scheduler_factor)


def freeze_matching(model: nn.Module, asked: TrainHyperparameters) -> int:
    """Stop learning in parameters whose name, or whose name in AWS's networks, matches freeze_layer_pattern.

    Returns how many. Raises BadInput when none matches, or nothing is left to learn.
    """
    pattern = freezes(asked)
    if pattern is None:
        return 0
    said = f"hyperparameter 'freeze_layer_pattern' {asked.freeze_layer_pattern!r}"
    theirs = names_of_aws(asked.architecture, [name for name, _ in model.named_parameters()])
    found = 0
    for name, parameter in model.named_parameters():
        if pattern.search(name) or (name in theirs and pattern.search(theirs[name])):
            parameter.requires_grad_(False)
            found += 1
    if not found:
        names = [name for name, _ in model.named_parameters()]
        raise BadInput(f"{said} matches no layer; names are such as {', '.join([names[0], *theirs.values()][:2])}")
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise BadInput(f"{said} leaves nothing to learn")
    return found


def make_optimizer(asked: TrainHyperparameters, model: nn.Module, chosen: Recipe) -> torch.optim.Optimizer:
    """One of AWS's four optimizers or AdamW, over the recipe's parameter groups; in one kernel where torch has it.

    As with AWS momentum is sgd's alone, and Adam and Adadelta have no weight decay: it would be scaled as their
    gradients are.
    """
    if asked.optimizer in ("adam", "adadelta"):
        chosen = dataclasses.replace(chosen, weight_decay=0.0)
    groups = recipe.parameter_groups(model, chosen)
    if asked.optimizer == "sgd":
        return torch.optim.SGD(groups, momentum=asked.momentum, fused=True)
    if asked.optimizer == "rmsprop":
        return torch.optim.RMSprop(groups)
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
