"""A tuning job over trainings of one image, and trainings that end as a test says, in place of the learner."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from learning import transitions
from learning.contract import Metric
from learning.models import HyperParameterTuningJob, TrainingJob, TuningTrial
from learning.services.programs import kinds
from learning.services.tuning import advancing, creating
from marketplace.models import Account
from tests.learning.kind_cases import a_manifest

METRIC = "validation:mAP"
FIXED = {"label_attribute_name": "bees", "class_map": {"0": "bee"}, "architecture": "compact", "epochs": 9}
RATE = {"name": "learning_rate", "type": "Continuous", "min_value": "0.0001", "max_value": "0.1"}
BATCH = {"name": "batch_size", "type": "Integer", "min_value": 2, "max_value": 64}
OPTIMIZER = {"name": "optimizer", "type": "Categorical", "values": ["sgd", "adam"]}


def a_tuning(account: Account, *, name: str = "hive", **changes: Any) -> HyperParameterTuningJob:
    """A search for two hyperparameters with six trainings, two at a time."""
    given: dict[str, Any] = {
        "hyperparameters": FIXED,
        "strategy": "Bayesian",
        "objective": {"type": "Maximize", "metric_name": METRIC},
        "searched": [RATE, OPTIMIZER],
        "limits": {"max_jobs": 6, "max_parallel_jobs": 2},
        "random_seed": 1,
    }
    channels = changes.pop("channels", None) or {"train": {"manifest_uri": a_manifest(account)}}
    return creating.create_tuning(account=account, name=name, channels=channels, by="user:1", **(given | changes))


def quality(values: Mapping[str, str]) -> float:
    """What a training with these hyperparameters reaches."""
    return 0.9 - abs(float(values.get("learning_rate", 0)) - 0.02) - 0.1 * (values.get("optimizer") == "sgd")


def measure(run: TrainingJob, value: float, *, epoch: float) -> None:
    """The training measures its objective."""
    at = timezone.now().isoformat()
    kinds.of(run).store_metrics(run.pk, [Metric(name=METRIC, value=value, step=int(epoch), epoch=epoch, time=at)])


def end(run: TrainingJob, to: str = "Completed", **changes: Any) -> None:
    """The training ends, as the learner ends it."""
    kind = kinds.of(run)
    with transaction.atomic():
        kind.machine.advance(run, to, by="learner", claimed_by="", ended_at=timezone.now(), **changes)
        kind.after_end(run)


def running(tuning: HyperParameterTuningJob) -> list[TuningTrial]:
    """The trials whose trainings are not over."""
    rows = tuning.trials.exclude(training_job__status__in=transitions.TRAINING_JOB.final)
    return list(rows.select_related("training_job").order_by("number"))


def drive(
    tuning: HyperParameterTuningJob, reached: Callable[[Mapping[str, str]], float] = quality, *, most: int = 100
) -> None:
    """Steps and trainings take turns until the search is over, or so many trainings have ended."""
    for _ in range(most):
        advancing.advance(tuning_id=tuning.pk)
        rows = running(tuning)
        if not rows:
            break
        run = rows[0].training_job
        assert run is not None
        measure(run, reached(rows[0].hyperparameters), epoch=9)
        end(run)
    tuning.refresh_from_db()
