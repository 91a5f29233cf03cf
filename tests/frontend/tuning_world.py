"""Tuning jobs for tests of pages and of the API, made row by row."""

from dataclasses import replace

from django.utils import timezone

from learning.models import HyperParameterTuningJob, Objective, TrainingJob, TuningTrial
from learning.services.tuning import config, definitions
from marketplace.models import Account

RANGES = [
    {"name": "learning_rate", "type": "Continuous", "min_value": 0.0001, "max_value": 0.1},
    {"name": "optimizer", "type": "Categorical", "values": ["sgd", "adam"]},
]


def a_tuning(
    account: Account, *, name: str = "hive", training_job: TrainingJob | None = None, status: str = "InProgress"
) -> HyperParameterTuningJob:
    """A tuning job with one trial: of `training_job`, or of a training of its own."""
    asked = config.read(
        strategy="Bayesian",
        objective={"type": "Maximize", "metric_name": "validation:mAP"},
        searched=RANGES,
        random_seed=1,
    )
    tuning = HyperParameterTuningJob.objects.create(
        account=account, name=name, config=asked.stored(), study_name=f"study-{account.pk}-{name}", status=status,
        hyperparameters={"epochs": "9"}, importance={"learning_rate": 0.8, "optimizer": 0.2},
    )  # fmt: skip
    a_trial(tuning, 0.5, training_job=training_job)
    return tuning


def a_trial(
    tuning: HyperParameterTuningJob, value: float, *, training_job: TrainingJob | None = None, optimizer: str = "sgd"
) -> TuningTrial:
    """A further trial, which has reached `value`."""
    number = tuning.trials.count()
    run = training_job or TrainingJob.objects.create(
        account=tuning.account, name=f"{tuning.name}-{number + 1:03d}", status="Completed", ended_at=timezone.now()
    )
    return TuningTrial.objects.create(
        tuning_job=tuning, number=number, name=run.name, training_job=run, objective_status=Objective.SUCCEEDED,
        objective_value=value, hyperparameters={"learning_rate": "0.01", "optimizer": optimizer},
    )  # fmt: skip


def several(account: Account, *, name: str = "hives") -> HyperParameterTuningJob:
    """A tuning job with two definitions, usual and small, and a trial of each, of which the small one's is better."""
    tuning = a_tuning(account, name=name)
    parts = [replace(one, name="usual") for one in definitions.of(tuning)]
    asked = config.read(
        strategy="Bayesian",
        objective={"type": "Maximize", "metric_name": "validation:mAP_50"},
        searched=[{"name": "mini_batch_size", "type": "Integer", "min_value": 1, "max_value": 8}],
        random_seed=1,
    )
    parts.append(replace(parts[0], index=1, name="small", asked=asked, hyperparameters={"architecture": "compact"}))
    tuning.definitions = definitions.stored(parts)
    tuning.config = definitions.shared(parts, asked_jobs=None).stored()
    tuning.save(update_fields=["definitions", "config"])
    trial = a_trial(tuning, 0.75)
    TuningTrial.objects.filter(pk=trial.pk).update(definition=1, hyperparameters={"mini_batch_size": "4"})
    return tuning


def first(account: Account) -> HyperParameterTuningJob:
    """The account's first tuning job."""
    return HyperParameterTuningJob.objects.filter(account=account).earliest("pk")


def one_more(account: Account) -> None:
    """One more tuning job, and one more trial of the account's first."""
    a_tuning(account, name=f"search-{HyperParameterTuningJob.objects.count()}")
    a_trial(first(account), 0.6)
