"""What SageMaker says of a search (strategy, objective, ranges, limits) in the words of our tuning jobs, and back."""

from collections.abc import Mapping
from typing import Any

from learning.builtin_algorithms import Algorithm
from learning.models import HyperParameterTuningJob
from learning.services.tuning import ranges
from learning.services.tuning.config import TuningConfig
from marketplace.errors import Invalid

_CONFIG = "HyperParameterTuningJobConfig"
_RANGES = f"{_CONFIG}.ParameterRanges"
_KINDS = {
    "IntegerParameterRanges": ranges.INTEGER,
    "ContinuousParameterRanges": ranges.CONTINUOUS,
    "CategoricalParameterRanges": ranges.CATEGORICAL,
}
FIELDS = {
    "name": "HyperParameterTuningJobName",
    "hyperparameters": "TrainingJobDefinition.StaticHyperParameters",
    "channels": "TrainingJobDefinition.InputDataConfig",
    "ranges": _RANGES,
    "strategy": f"{_CONFIG}.Strategy",
    "objective": f"{_CONFIG}.HyperParameterTuningJobObjective",
    "limits": f"{_CONFIG}.ResourceLimits",
    "early_stopping": f"{_CONFIG}.TrainingJobEarlyStoppingType",
    "completion": f"{_CONFIG}.TuningJobCompletionCriteria",
    "hyperband": f"{_CONFIG}.StrategyConfig.HyperbandStrategyConfig",
    "random_seed": f"{_CONFIG}.RandomSeed",
    "warm_start": "WarmStartConfig",
    "definitions": "TrainingJobDefinitions",
}
"""Inputs of the services -> members, for messages."""


def search_of(
    algorithm: Algorithm, config: Mapping[str, Any], definition: Mapping[str, Any], place: str
) -> dict[str, Any]:
    """What is searched with one definition of trainings, and for what: its own, else what the job says for all.

    Arguments of `creating.create_tuning`. Raises Invalid without an objective. `place`: the member that it is.
    """
    objective = definition.get("TuningObjective") or config.get("HyperParameterTuningJobObjective")
    if objective is None:
        several = place != "TrainingJobDefinition"
        field = f"{place}.TuningObjective" if several else f"{_CONFIG}.HyperParameterTuningJobObjective"
        raise Invalid("the metric to tune for expected", field=field)
    return {
        "objective": {
            "type": objective["Type"],
            "metric_name": algorithm.metrics.get(objective["MetricName"], objective["MetricName"]),
        },
        "searched": _searched(definition.get("HyperParameterRanges") or config.get("ParameterRanges", {})),
    }


def shared_of(config: Mapping[str, Any], warm_start: Mapping[str, Any] | None) -> dict[str, Any]:
    """The arguments of `creating.create_tuning` that all definitions of trainings share."""
    hyperband = config.get("StrategyConfig", {}).get("HyperbandStrategyConfig", {})
    criteria, limits = config.get("TuningJobCompletionCriteria", {}), config["ResourceLimits"]
    not_improving = criteria.get("BestObjectiveNotImproving", {}).get("MaxNumberOfTrainingJobsNotImproving")
    converges = criteria.get("ConvergenceDetected", {}).get("CompleteOnConvergence") == "Enabled"
    found: dict[str, Any] = {
        "strategy": config["Strategy"],
        "limits": {
            "max_jobs": limits.get("MaxNumberOfTrainingJobs"),
            "max_parallel_jobs": limits["MaxParallelTrainingJobs"],
            "max_runtime_seconds": limits.get("MaxRuntimeInSeconds"),
        },
        "early_stopping": config.get("TrainingJobEarlyStoppingType", "Off"),
        "completion": {
            "target_objective_value": criteria.get("TargetObjectiveMetricValue"),
            "max_jobs_not_improving": not_improving,
            "complete_on_convergence": converges,
        },
        "hyperband": {"min_resource": hyperband.get("MinResource"), "max_resource": hyperband.get("MaxResource")}
        if hyperband
        else None,
        "random_seed": config.get("RandomSeed"),
    }
    if warm_start is not None:
        parents = [one.get("HyperParameterTuningJobName", "") for one in warm_start["ParentHyperParameterTuningJobs"]]
        found["warm_start"] = {"type": warm_start["WarmStartType"], "parents": parents}
    return found


def config_of(job: HyperParameterTuningJob) -> dict[str, Any]:
    """The HyperParameterTuningJobConfig of a tuning job that was made without the wire."""
    asked = TuningConfig.load(job.config)
    shown: dict[str, list[dict[str, Any]]] = {}
    for member, kind in _KINDS.items():
        rows = [one for one in asked.searched if one.type == kind]
        if rows:
            shown[member] = [_range(one) for one in rows]
    return {
        "Strategy": asked.strategy,
        "HyperParameterTuningJobObjective": {"Type": asked.direction, "MetricName": asked.metric},
        "ResourceLimits": limits_of(asked),
        "ParameterRanges": shown,
        "TrainingJobEarlyStoppingType": asked.early_stopping,
        "RandomSeed": asked.seed,
    }


def limits_of(asked: TuningConfig) -> dict[str, Any]:
    """The ResourceLimits of a tuning job."""
    return {
        "MaxNumberOfTrainingJobs": asked.max_jobs,
        "MaxParallelTrainingJobs": asked.max_parallel,
        "MaxRuntimeInSeconds": asked.max_seconds,
    }


def _searched(given: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = []
    for member, kind in _KINDS.items():
        for one in given.get(member, []):
            numbers = {"min_value": one.get("MinValue"), "max_value": one.get("MaxValue")}
            numbers["scaling_type"] = one.get("ScalingType")
            found.append({"name": one["Name"], "type": kind, "values": one.get("Values"), **numbers})
    return found


def _range(one: ranges.Searched) -> dict[str, Any]:
    if one.values is not None:
        return {"Name": one.name, "Values": list(one.values)}
    assert one.low is not None and one.high is not None
    return {"Name": one.name, "MinValue": one.text(one.low), "MaxValue": one.text(one.high), "ScalingType": one.scaling}
