"""What pages, REST and the AWS wire show of a tuning job. Reads rows; does not know Optuna."""

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from learning import transitions
from learning.models import HyperParameterTuningJob, Objective, TuningTrial
from learning.services.tuning import config, rules
from learning.services.tuning.config import TuningConfig


def trials(tuning: HyperParameterTuningJob) -> QuerySet[TuningTrial]:
    """Its trials in the order in which they were asked for, with their trainings loaded."""
    return tuning.trials.select_related("training_job__model").order_by("number")


def best(tuning: HyperParameterTuningJob) -> TuningTrial | None:
    """The trial with the best objective so far, the first of several; None while there is none."""
    return _best(trials(tuning), TuningConfig.load(tuning.config))


def overall_best(tuning: HyperParameterTuningJob) -> TuningTrial | None:
    """The best trial of this tuning job and of the parents that trained on the same data."""
    asked = TuningConfig.load(tuning.config)
    among = Q(tuning_job=tuning)
    if asked.warm_start == config.IDENTICAL:
        among |= Q(tuning_job__account=tuning.account_id, tuning_job__name__in=asked.parents)
    return _best(TuningTrial.objects.filter(among).select_related("training_job__model", "tuning_job"), asked)


def _best(rows: "QuerySet[TuningTrial]", asked: TuningConfig) -> TuningTrial | None:
    known = rows.filter(objective_status=Objective.SUCCEEDED)
    return known.order_by("-objective_value" if asked.maximizes else "objective_value", "pk").first()


def counters(tuning: HyperParameterTuningJob) -> dict[str, dict[str, int]]:
    """SageMaker's counters: {"training_jobs": {"Completed": n, ...}, "objectives": {"Succeeded": n, ...}}.

    A training that waits for its next attempt is a RetryableError; one that was deleted counts as Stopped.
    """
    live = Q(training_job__isnull=False) & ~Q(training_job__status__in=transitions.TRAINING_JOB.final)
    waits = Q(training_job__not_before__gt=timezone.now())
    counted = tuning.trials.aggregate(
        Completed=Count("pk", filter=Q(training_job__status="Completed")),
        InProgress=Count("pk", filter=live & ~waits),
        RetryableError=Count("pk", filter=live & waits),
        NonRetryableError=Count("pk", filter=Q(training_job__status="Failed")),
        Stopped=Count("pk", filter=Q(training_job__status="Stopped") | Q(training_job=None)),
        **{value: Count("pk", filter=Q(objective_status=value)) for value in Objective.values},
    )
    objectives = {value: counted.pop(value) for value in Objective.values}
    return {"training_jobs": counted, "objectives": objectives}


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
