"""The state of one training run, and how it is saved and restored. It must not know the loop that changes it."""

import math
import time
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from learning.contract import BadInput, JobFolder
from learning.hyperparameters import TrainHyperparameters
from learning.program import log
from learning.vision import checkpoint, plan, recipe
from learning.vision.data import ImageSet, steps_per_epoch
from learning.vision.ssd import Network

FINISH_SECONDS, FINISH_SHARE = 4.0, 0.3  # what the end of a run takes beside evaluating, and its limit


@dataclass
class Training:
    """Everything one run is made of; what changes while learning comes last."""

    asked: TrainHyperparameters
    folder: JobFolder
    class_map: dict[str, str]
    train: ImageSet
    validation: ImageSet | None
    network: Network
    average: recipe.Ema[Network]
    optimizer: torch.optim.Optimizer
    chosen: recipe.Recipe
    curve: recipe.Schedule | plan.StepCurve
    device: torch.device
    dtype: torch.dtype
    origin: str
    from_random: bool
    began: float  # time.monotonic() less what earlier starts of this run have used
    step: int = 0
    scores: dict[str, float] = field(default_factory=dict)
    best: float = -math.inf
    best_state: dict[str, Tensor] = field(default_factory=dict)
    evaluation_seconds: float = 0.0  # what one evaluation takes, guessed until one was made
    stale: int = 0  # evaluations since the best one
    evaluated_at: int = -1
    reported: float = 0.0  # the progress last written to the metrics

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    @property
    def epoch(self) -> int:
        return self.step // self.steps_per_epoch

    @property
    def steps_per_epoch(self) -> int:
        return steps_per_epoch(len(self.train), self.chosen.batch_size)

    @property
    def clock(self) -> float:
        """Seconds as the curve counts them: it must end early enough for the last evaluation and the export."""
        budget = self.asked.max_seconds
        finish = min(FINISH_SECONDS + self.evaluation_seconds, FINISH_SHARE * budget)
        return self.seconds * budget / (budget - finish) if budget else self.seconds

    @property
    def progress(self) -> float:
        return self.curve.progress(self.step, self.clock)

    @property
    def identity(self) -> dict[str, Any]:
        """What a checkpoint must agree on to be continued."""
        return {
            "architecture": self.asked.architecture,
            "image_size": self.network.image_size,
            "class_map": self.class_map,
            "optimizer": self.asked.optimizer,
            "frozen": self.asked.freeze_layer_pattern,
        }


def save_checkpoint(training: Training) -> None:
    """Everything that `resume` needs."""
    tensors = {f"model/{name}": value for name, value in training.network.state_dict().items()}
    tensors |= {f"average/{name}": value for name, value in training.average.model.state_dict().items()}
    tensors |= {f"best/{name}": value for name, value in training.best_state.items()}
    tensors["rng"] = torch.get_rng_state()
    optimizer, plain = checkpoint.pack("optimizer", training.optimizer.state_dict()["state"])
    state = {
        "identity": training.identity,
        "from_random": training.from_random,
        "origin": training.origin,
        "seconds": training.seconds,
        "step": training.step,
        "average_updates": training.average.updates,
        "scores": {name: value for name, value in training.scores.items() if math.isfinite(value)},
        "best": training.best if math.isfinite(training.best) else None,
        "stale": training.stale,
        "evaluated_at": training.evaluated_at,
        "optimizer": plain,
    }
    checkpoint.save(training.folder.checkpoints, step=training.step, tensors=tensors | optimizer, state=state)


def resume(training: Training, tensors: dict[str, Tensor], state: dict[str, Any]) -> None:
    """Go on where a checkpoint ends; raises BadInput when it is of another training."""
    for key, value in training.identity.items():
        if state["identity"][key] != value:
            was = state["identity"][key]
            raise BadInput(f"the checkpoint is of another training: {key} was {was!r} and is {value!r}")
    training.network.load_state_dict(checkpoint.take("model", tensors))
    training.average.model.load_state_dict(checkpoint.take("average", tensors))
    training.average.updates = state["average_updates"]
    training.best_state = checkpoint.take("best", tensors)
    checkpoint.restore_optimizer(training.optimizer, tensors, state["optimizer"])
    torch.set_rng_state(tensors["rng"])
    training.best = -math.inf if state["best"] is None else state["best"]
    for name in ("step", "stale", "evaluated_at", "scores", "origin"):
        setattr(training, name, state[name])
    training.began -= state["seconds"]
    log(f"resumed at step {training.step}, {training.seconds:.0f} s into the run")
