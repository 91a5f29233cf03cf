"""The shapes of answers about tuning jobs, see schemas.py."""

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers as s

from frontend.rest.schemas_trainings import Channel

RUNS = ("Completed", "InProgress", "RetryableError", "NonRetryableError", "Stopped")
OBJECTIVES = ("Succeeded", "Pending", "Failed")


class Tuning(s.Serializer):
    """A search over trainings; `best_value` is the best objective so far."""

    id = s.IntegerField()
    name = s.CharField()
    status = s.CharField()
    failure_reason = s.CharField(allow_null=True)
    strategy = s.CharField()
    objective = inline_serializer("TuningObjective", {"type": s.CharField(), "metric_name": s.CharField()})
    max_jobs = s.IntegerField()
    training_jobs = inline_serializer("TuningRuns", {name: s.IntegerField() for name in RUNS})
    objectives = inline_serializer("TuningObjectives", {name: s.IntegerField() for name in OBJECTIVES})
    best_value = s.FloatField(allow_null=True)
    created_at = s.DateTimeField()
    ended_at = s.DateTimeField(allow_null=True)


class TuningTrial(s.Serializer):
    """A training of a tuning job; `training_job` is null when it was deleted."""

    id = s.IntegerField()
    name = s.CharField()
    training_job = s.IntegerField(allow_null=True)
    status = s.CharField()
    failure_reason = s.CharField(allow_null=True)
    model = s.IntegerField(allow_null=True)
    definition = s.IntegerField(help_text="the place of what was searched, in a tuning job of several definitions")
    tuned_hyperparameters = s.DictField(child=s.CharField())
    objective_status = s.CharField()
    objective_value = s.FloatField(allow_null=True)
    stopped_early = s.BooleanField()
    created_at = s.DateTimeField()
    started_at = s.DateTimeField(allow_null=True)
    ended_at = s.DateTimeField(allow_null=True)


class TuningRange(s.Serializer):
    """A searched hyperparameter; the scaling is the one that is used."""

    name = s.CharField()
    type = s.CharField()
    min_value = s.FloatField(allow_null=True)
    max_value = s.FloatField(allow_null=True)
    scaling_type = s.CharField(allow_null=True)
    values = s.ListField(child=s.CharField(), allow_null=True)


class TuningDetail(Tuning):
    """A tuning job with its configuration and its best training. `importance`: shares by hyperparameter."""

    attention = s.CharField(allow_null=True)
    hyperparameters = s.DictField(child=s.CharField())
    channels = s.DictField(child=Channel())
    ranges = TuningRange(many=True)
    definitions = s.ListField(child=s.CharField(), help_text="names of what is searched, where it is several")
    max_parallel_jobs = s.IntegerField()
    max_runtime_seconds = s.IntegerField(allow_null=True)
    early_stopping = s.CharField()
    random_seed = s.IntegerField()
    completion = inline_serializer(
        "TuningCompletion",
        {
            "target_objective_value": s.FloatField(allow_null=True),
            "max_jobs_not_improving": s.IntegerField(allow_null=True),
            "complete_on_convergence": s.BooleanField(),
        },
    )
    hyperband = inline_serializer(
        "TuningHyperband",
        {"min_resource": s.IntegerField(allow_null=True), "max_resource": s.IntegerField(allow_null=True)},
    )
    warm_start = inline_serializer(
        "TuningWarmStart", {"type": s.CharField(), "parents": s.ListField(child=s.CharField())}, allow_null=True
    )
    ending = s.CharField(allow_null=True)
    jobs_not_improving = s.IntegerField()
    converged_at = s.DateTimeField(allow_null=True)
    importance = s.DictField(child=s.FloatField())
    best_training_job = TuningTrial(allow_null=True)
    overall_best_training_job = TuningTrial(allow_null=True)
    runtime_seconds = s.FloatField()
