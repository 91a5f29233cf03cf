"""Trainings whose limit of time has ended them too early, as on a busy computer: they go on from the model so far.

`train_seconds` says how long a training of a loop takes; LEAST_STEPS is how much a model has to learn in it. A model
that got fewer steps is trained on, for at most MOST_TIMES as long again, and what is still short is told.
"""

import math
from typing import Any

from django.db import transaction

from learning.contract import MODEL
from learning.models import LearningLoop, Round, TrainingJob
from learning.services import training

LEAST_STEPS = 300
"""Fewer steps make no usable detector: on 150 pictures of cards even 540 reached an mAP@0.5 of .63 only."""

MOST_TIMES = 3
BY = "learning"


def steps_of(run: TrainingJob) -> int | None:
    """The steps that a training with a limit of time has taken; None where there is no limit, or nothing is known."""
    point = run.newest.get("train:progress")
    limited = float(run.hyperparameters.get("max_seconds") or 0) > 0
    return int(point[1]) if limited and point and not run.hyperparameters.get("epochs") else None


def goes_on(loop: LearningLoop, current: Round) -> bool:
    """Train the model of the round on, once, where it got too few steps; returns whether it is."""
    run = current.training_job
    steps = steps_of(run)
    if steps is None or steps >= LEAST_STEPS or "longer" in current.figures or run.model is None:
        return False
    planned = float(run.hyperparameters["max_seconds"])
    times = min(MOST_TIMES, math.ceil((LEAST_STEPS - steps) / max(steps, 1)))
    with transaction.atomic():
        locked = Round.objects.select_for_update().get(pk=current.pk)
        if locked.training_job_id != run.pk or locked.status != "Training":
            return True
        locked.training_job = training.create_training(
            account=loop.job.account,
            name=f"{run.name}-longer"[:63],
            hyperparameters=run.hyperparameters | {"max_seconds": planned * times},
            channels={**run.channels, MODEL: {"name": run.model.name}},
            by=BY,
        )
        seconds = training.seconds(run)
        locked.figures |= {"longer": {"steps": steps, "seconds": seconds, "planned_seconds": planned * times}}
        locked.save(update_fields=["training_job", "figures"])
    return True


def figures(current: Round) -> dict[str, Any]:
    """What a round tells of its training: "steps", and "short_training" where they are still too few."""
    steps = steps_of(current.training_job)
    if steps is None:
        return {}
    before = current.figures.get("longer")
    steps += before["steps"] if before else 0
    told: dict[str, Any] = {"steps": steps}
    if before:
        told["training_seconds"] = (before["seconds"] or 0.0) + (training.seconds(current.training_job) or 0.0)
    if steps < LEAST_STEPS:
        longer = before["planned_seconds"] if before else 0.0
        told["short_training"] = {"steps": steps, "least": LEAST_STEPS, "longer_seconds": longer}
    return told
