"""Automatic model tuning as SageMaker has it: create, describe, list, stop, and the trainings of a tuning job."""

from datetime import datetime
from functools import partial
from typing import Any

from frontend.aws import paging, program_runs, references, training_channels, training_jobs, tuning_design
from frontend.aws.registry import Call, operation
from frontend.aws.tags import pairs
from learning import queries
from learning.models import HyperParameterTuningJob, TuningTrial
from learning.services import asked_outputs
from learning.services.tuning import creating, definitions, describing
from learning.services.tuning.config import TuningConfig
from marketplace.errors import Invalid
from marketplace.services import resource_requests, resources

KIND = "hyper-parameter-tuning-job"
_ONE, _SEVERAL = "TrainingJobDefinition", "TrainingJobDefinitions"
_KEPT = ("HyperParameterTuningJobConfig", _ONE, _SEVERAL, "WarmStartConfig")
_RANGES = "Give the range of each hyperparameter."


def _of_definitions(declared: dict[str, str]) -> dict[str, str]:
    """What is declared of the members of a definition of trainings, wherever it stands."""
    return {f"{place}.{path}": why for place in (_ONE, f"{_SEVERAL}[]") for path, why in declared.items()}


@operation(
    "sagemaker",
    "CreateHyperParameterTuningJob",
    fields=tuning_design.FIELDS,
    ignored={
        **_of_definitions(training_jobs.IGNORED | {training_jobs.TUNING_MACHINES: training_jobs.MACHINES}),
        f"{_ONE}.DefinitionName": "It is kept and shown again.",
    },
    refused={
        **_of_definitions(training_jobs.SOURCES | {"HyperParameterRanges.AutoParameters": _RANGES}),
        "HyperParameterTuningJobConfig.ParameterRanges.AutoParameters": _RANGES,
        "Autotune": _RANGES,
    },
)
def create_hyper_parameter_tuning_job(
    call: Call,
    *,
    HyperParameterTuningJobName: str,
    HyperParameterTuningJobConfig: dict[str, Any],
    TrainingJobDefinition: dict[str, Any] | None = None,
    TrainingJobDefinitions: list[dict[str, Any]] | None = None,
    WarmStartConfig: dict[str, Any] | None = None,
    Tags: list[dict[str, str]] | None = None,
) -> dict[str, Any]:
    """Search for the hyperparameters with the best objective."""
    if (TrainingJobDefinition is None) == (TrainingJobDefinitions is None):
        raise Invalid("either what all trainings have in common, or several definitions expected", field=_ONE)
    config, account, name = HyperParameterTuningJobConfig, call.account, HyperParameterTuningJobName
    shared = tuning_design.shared_of(config, WarmStartConfig)
    arn = references.arn(account, KIND, name)
    if TrainingJobDefinition is not None:
        one = _definition(call, config, TrainingJobDefinition, _ONE)
        make = partial(creating.create_tuning, account=account, name=name, by=call.by, **one, **shared)
    else:
        several = [
            {**_definition(call, config, one, f"{_SEVERAL}[{place}]"), "name": one.get("DefinitionName", "")}
            for place, one in enumerate(TrainingJobDefinitions or [])
        ]
        make = partial(creating.create_several, account=account, name=name, definitions=several, by=call.by, **shared)
    resources.make(
        account=account,
        make=make,
        arn=lambda job: arn,
        tagged=pairs(Tags),
        said={name: call.members[name] for name in _KEPT if name in call.members},
    )
    return {"HyperParameterTuningJobArn": arn}


def _definition(call: Call, config: dict[str, Any], definition: dict[str, Any], place: str) -> dict[str, Any]:
    """A definition of trainings, in the arguments of `creating.create_tuning`. `place`: the member that it is."""
    specification = definition["AlgorithmSpecification"]
    algorithm = training_channels.algorithm_of(specification, field=f"{place}.AlgorithmSpecification")
    asked_outputs.check(call.account, definition["OutputDataConfig"]["S3OutputPath"])
    return {
        **tuning_design.search_of(algorithm, config, definition, place),
        "hyperparameters": training_channels.hyperparameters_of(
            algorithm,
            definition.get("StaticHyperParameters", {}),
            definition["StoppingCondition"],
            field=f"{place}.StaticHyperParameters",
        ),
        "channels": training_channels.channels_of(
            call.account,
            algorithm,
            definition.get("InputDataConfig"),
            specification["TrainingInputMode"],
            field=f"{place}.InputDataConfig",
        ),
    }


@operation("sagemaker", "DescribeHyperParameterTuningJob")
def describe_hyper_parameter_tuning_job(call: Call, *, HyperParameterTuningJobName: str) -> dict[str, Any]:
    """How far a search is, and what is best so far."""
    job = _named(call, HyperParameterTuningJobName)
    said = resource_requests.of(call.account, references.arn(call.account, KIND, job.name))
    best = describing.best(job)
    # It differs from the best one only where there are parents.
    overall = describing.overall_best(job) if job.config["parents"] else None
    shown = _summary(call, job)
    del shown["Strategy"], shown["ResourceLimits"]
    details = {
        "NumberOfTrainingJobsObjectiveNotImproving": describing.not_improving(job),
        "ConvergenceDetectedTime": job.converged_at,
    }
    return {
        "HyperParameterTuningJobConfig": tuning_design.config_of(job),
        **said,
        **shown,
        "BestTrainingJob": _trial(call, best, job) if best else None,
        "OverallBestTrainingJob": _trial(call, overall, overall.tuning_job)
        if overall and job.config["parents"]
        else None,
        "FailureReason": job.failure_reason or None,
        "TuningJobCompletionDetails": details,
        "ConsumedResources": {"RuntimeInSeconds": int(describing.seconds(job))},
    }


@operation("sagemaker", "ListHyperParameterTuningJobs")
def list_hyper_parameter_tuning_jobs(
    call: Call,
    *,
    CreationTimeAfter: datetime | None = None,
    CreationTimeBefore: datetime | None = None,
    LastModifiedTimeAfter: datetime | None = None,
    LastModifiedTimeBefore: datetime | None = None,
    NameContains: str | None = None,
    StatusEquals: str | None = None,
    SortBy: str | None = None,
    SortOrder: str | None = None,
    MaxResults: int | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """The account's tuning jobs."""
    page = program_runs.page(call, _rows(call), by="Name")
    return page.members("HyperParameterTuningJobSummaries", [_summary(call, job) for job in page.rows])


@operation("sagemaker", "ListTrainingJobsForHyperParameterTuningJob")
def list_training_jobs_for_hyper_parameter_tuning_job(
    call: Call,
    *,
    HyperParameterTuningJobName: str,
    StatusEquals: str | None = None,
    SortBy: str | None = None,
    SortOrder: str | None = None,
    MaxResults: int | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """The trainings of a tuning job; by FinalObjectiveMetricValue those that have one."""
    job = _named(call, HyperParameterTuningJobName)
    columns = {
        "CreationTime": "created_at",
        "Status": "training_job__status",
        "FinalObjectiveMetricValue": "objective_value",
    }
    by = columns.get(SortBy or "", "name")
    rows = describing.trials(job).exclude(**{f"{by}__isnull": True})
    found = paging.filtered(call, rows, {"StatusEquals": "training_job__status"})
    page = paging.page(call, found, by=by, descending=paging.descending(call, paging.ASCENDING))
    return page.members("TrainingJobSummaries", [_trial(call, trial, job) for trial in page.rows])


@operation("sagemaker", "StopHyperParameterTuningJob")
def stop_hyper_parameter_tuning_job(call: Call, *, HyperParameterTuningJobName: str) -> None:
    """Start no further training and end those that run."""
    creating.stop(tuning_job=_named(call, HyperParameterTuningJobName), by=call.by)


def _rows(call: Call) -> Any:
    return describing.with_counts(queries.tunings(call.account).select_related("account"))


def _named(call: Call, name: str) -> HyperParameterTuningJob:
    found: HyperParameterTuningJob = program_runs.named(_rows(call), name, noun="tuning")
    return found


def _summary(call: Call, job: HyperParameterTuningJob) -> dict[str, Any]:
    counted, asked = describing.counters(job), TuningConfig.load(job.config)
    return {
        "HyperParameterTuningJobName": job.name,
        "HyperParameterTuningJobArn": references.arn(call.account, KIND, job.name),
        "HyperParameterTuningJobStatus": job.status,
        "Strategy": asked.strategy,
        "CreationTime": job.created_at,
        "HyperParameterTuningEndTime": job.ended_at,
        "LastModifiedTime": job.status_changed_at or job.created_at,
        "TrainingJobStatusCounters": counted["training_jobs"],
        "ObjectiveStatusCounters": counted["objectives"],
        "ResourceLimits": tuning_design.limits_of(asked),
    }


def _trial(call: Call, trial: TuningTrial, job: HyperParameterTuningJob) -> dict[str, Any]:
    run, part = trial.training_job, definitions.of(job)[trial.definition]
    asked, objective = part.asked, None
    if trial.objective_value is not None:
        objective = {"Type": asked.direction, "MetricName": asked.metric, "Value": trial.objective_value}
    return {
        "TrainingJobDefinitionName": part.name or None,
        "TrainingJobName": trial.name,
        "TrainingJobArn": asked_outputs.arn(call.account, asked_outputs.TRAINING, trial.name),
        "TuningJobName": job.name,
        "CreationTime": trial.created_at,
        "TrainingStartTime": run.started_at if run else None,
        "TrainingEndTime": run.ended_at if run else None,
        # One that was deleted counts as stopped, as in the counters.
        "TrainingJobStatus": run.status if run else "Stopped",
        "TunedHyperParameters": trial.hyperparameters,
        "FailureReason": (run.failure_reason if run else "") or None,
        "FinalHyperParameterTuningJobObjectiveMetric": objective,
        "ObjectiveStatus": trial.objective_status,
    }
