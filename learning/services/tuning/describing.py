"""What pages, REST and the AWS wire show of a tuning job. Reads rows; does not know Optuna."""

from typing import Any

from django.db.models import Case, Count, Max, Min, Q, QuerySet, When
from django.utils import timezone

from learning import transitions
from learning.models import HyperParameterTuningJob, Objective, TuningTrial
from learning.services.tuning import config, rules
from learning.services.tuning.config import TuningConfig

RUNS = ("Completed", "InProgress", "RetryableError", "NonRetryableError", "Stopped")
"""SageMaker's states of the trainings of a tuning job."""


def trials(tuning: HyperParameterTuningJob) -> QuerySet[TuningTrial]:
    """Its trials in the order in which they were asked for, with their trainings loaded."""
    return tuning.trials.select_related("training_job__model").order_by("pk")


def best(tuning: HyperParameterTuningJob) -> TuningTrial | None:
    """The trial with the best objective so far, the first of several; None while there is none."""
    return _best(trials(tuning), TuningConfig.load(tuning.config))


def overall_best(tuning: HyperParameterTuningJob) -> TuningTrial | None:
    """The best trial of this tuning job and of the parents that trained on the same data."""
    asked = TuningConfig.load(tuning.config)
    among = Q(tuning_job=tuning)
    if asked.warm_start == config.IDENTICAL:
        # A later one may have the name of a parent that was deleted.
        parents = Q(tuning_job__account=tuning.account_id, tuning_job__name__in=asked.parents)
        among |= parents & Q(tuning_job__lt=tuning.pk)
    return _best(TuningTrial.objects.filter(among).select_related("training_job__model", "tuning_job"), asked)


def _best(rows: "QuerySet[TuningTrial]", asked: TuningConfig) -> TuningTrial | None:
    known = rows.filter(objective_status=Objective.SUCCEEDED)
    return known.order_by("-objective_value" if asked.maximizes else "objective_value", "pk").first()


def with_counts(rows: "QuerySet[HyperParameterTuningJob]") -> "QuerySet[HyperParameterTuningJob]":
    """The rows with what `counters` and `best_value` read, all in one query."""
    live = Q(trials__training_job__isnull=False) & ~Q(trials__training_job__status__in=transitions.TRAINING_JOB.final)
    waits = Q(trials__training_job__not_before__gt=timezone.now())
    gone = Q(trials__isnull=False, trials__training_job=None)
    found = {
        "Completed": Q(trials__training_job__status="Completed"),
        "InProgress": live & ~waits,
        "RetryableError": live & waits,
        "NonRetryableError": Q(trials__training_job__status="Failed"),
        "Stopped": Q(trials__training_job__status="Stopped") | gone,
    }
    return rows.annotate(
        **{f"runs_{name}": Count("trials", filter=which) for name, which in found.items()},
        **{
            f"objectives_{value}": Count("trials", filter=Q(trials__objective_status=value))
            for value in Objective.values
        },
        best_value=Case(
            When(config__direction=config.MAXIMIZE, then=Max("trials__objective_value")),
            default=Min("trials__objective_value"),
        ),
    )


def counters(tuning: Any) -> dict[str, dict[str, int]]:
    """SageMaker's counters: {"training_jobs": {"Completed": n, ...}, "objectives": {"Succeeded": n, ...}}.

    A training that waits for its next attempt is a RetryableError; one that was deleted counts as Stopped. `tuning` is
    a row of `with_counts`.
    """
    return {
        "training_jobs": {name: getattr(tuning, f"runs_{name}") for name in RUNS},
        "objectives": {value: getattr(tuning, f"objectives_{value}") for value in Objective.values},
    }


def not_improving(tuning: HyperParameterTuningJob) -> int:
    """How many trainings have ended since the best one did."""
    values = [value for _, value in history(tuning)]
    return rules.since_best(values, maximize=TuningConfig.load(tuning.config).maximizes)


def history(tuning: HyperParameterTuningJob) -> list[tuple[int, float]]:
    """The objectives in the order in which trials were asked for: (which one, counted from 1; objective)."""
    values = trials(tuning).values_list("objective_value", flat=True)
    return [(at, value) for at, value in enumerate(values, start=1) if value is not None]


def seconds(tuning: HyperParameterTuningJob) -> float:
    """How long it has run, or ran."""
    return ((tuning.ended_at or timezone.now()) - tuning.created_at).total_seconds()
