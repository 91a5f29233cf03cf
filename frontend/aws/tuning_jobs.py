"""Automatic model tuning as SageMaker has it: create, describe, list, stop, and the trainings of a tuning job."""

from datetime import datetime
from typing import Any

from django.db.models.functions import Coalesce

from frontend.aws import paging, references, training_channels, training_jobs, tuning_design
from frontend.aws.registry import Call, operation
from frontend.aws.tags import pairs
from learning import queries
from learning.models import HyperParameterTuningJob, TuningTrial
from learning.services import asked_outputs
from learning.services.tuning import creating, describing
from learning.services.tuning.config import TuningConfig
from marketplace.errors import Invalid, NotFound
from marketplace.services import resource_requests, resources

KIND = "hyper-parameter-tuning-job"
_DEFINITION = "TrainingJobDefinition"
_ONE = "One definition of trainings is searched: give TrainingJobDefinition."
_KEPT = ("HyperParameterTuningJobConfig", _DEFINITION, "WarmStartConfig")


def _of_definition(declared: dict[str, str]) -> dict[str, str]:
    """What is declared of the members that the definition of trainings has in common with a training."""
    return {f"{_DEFINITION}.{path}": why for path, why in declared.items()}


@operation(
    "sagemaker",
    "CreateHyperParameterTuningJob",
    fields=tuning_design.FIELDS,
    ignored={
        **_of_definition(training_jobs.IGNORED),
        f"{_DEFINITION}.DefinitionName": "It is kept and shown again.",
        f"{_DEFINITION}.{training_jobs.TUNING_MACHINES}": training_jobs.MACHINES,
    },
    refused={
        **_of_definition(training_jobs.SOURCES),
        f"{_DEFINITION}.TuningObjective": _ONE,
        f"{_DEFINITION}.HyperParameterRanges": _ONE,
        "TrainingJobDefinitions": _ONE,
        "HyperParameterTuningJobConfig.ParameterRanges.AutoParameters": "Give the range of each hyperparameter.",
        "Autotune": "Give the range of each hyperparameter.",
    },
)
def create_hyper_parameter_tuning_job(
    call: Call,
    *,
    HyperParameterTuningJobName: str,
    HyperParameterTuningJobConfig: dict[str, Any],
    TrainingJobDefinition: dict[str, Any] | None = None,
    WarmStartConfig: dict[str, Any] | None = None,
    Tags: list[dict[str, str]] | None = None,
) -> dict[str, Any]:
    """Search for the hyperparameters with the best objective."""
    if TrainingJobDefinition is None:
        raise Invalid("what trainings have in common expected", field=_DEFINITION)
    definition = TrainingJobDefinition
    specification = definition["AlgorithmSpecification"]
    algorithm = training_channels.algorithm_of(specification, field=f"{_DEFINITION}.AlgorithmSpecification")
    static = definition.get("StaticHyperParameters", {})
    asked = tuning_design.design_of(algorithm, HyperParameterTuningJobConfig, WarmStartConfig)
    asked["hyperparameters"] = training_channels.hyperparameters_of(
        algorithm, static, definition["StoppingCondition"], field=f"{_DEFINITION}.StaticHyperParameters"
    )
    asked["channels"] = training_channels.channels_of(
        call.account,
        algorithm,
        definition.get("InputDataConfig"),
        specification["TrainingInputMode"],
        field=f"{_DEFINITION}.InputDataConfig",
    )
    asked_outputs.check(call.account, definition["OutputDataConfig"]["S3OutputPath"])
    arn = references.arn(call.account, KIND, HyperParameterTuningJobName)
    resources.make(
        account=call.account,
        make=lambda: creating.create_tuning(
            account=call.account, name=HyperParameterTuningJobName, by=call.by, **asked
        ),
        arn=lambda job: arn,
        tagged=pairs(Tags),
        said={name: call.members[name] for name in _KEPT if name in call.members},
    )
    return {"HyperParameterTuningJobArn": arn}


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
    rows = _rows(call).annotate(modified=Coalesce("status_changed_at", "created_at"))
    by = {"CreationTime": "created_at", "Status": "status"}.get(SortBy or "", "name")
    found = paging.filtered(call, rows, training_jobs.MODIFIED)
    page = paging.page(call, found, by=by, descending=paging.descending(call, paging.ASCENDING))
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
    found: HyperParameterTuningJob | None = _rows(call).filter(name=name).first()
    if found is None:
        raise NotFound(f"Could not find the tuning job {name!r}")
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
    run, asked = trial.training_job, TuningConfig.load(job.config)
    objective = None
    if trial.objective_value is not None:
        objective = {"Type": asked.direction, "MetricName": asked.metric, "Value": trial.objective_value}
    return {
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
