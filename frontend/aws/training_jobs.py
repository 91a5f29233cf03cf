"""Training jobs as SageMaker has them: create, describe, list, stop."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from frontend.aws import package_versions, program_runs, references, training_channels
from frontend.aws.registry import Call, operation
from frontend.aws.tags import pairs
from learning import families, queries, transitions
from learning.builtin_algorithms import of_family
from learning.contract import MODEL
from learning.models import TrainingJob
from learning.services import artifacts, asked_outputs, training
from marketplace.errors import Invalid
from marketplace.services import resource_requests, resources

METRICS = 40
"""Metrics that a description shows."""

MACHINES = "It is kept and shown again; the learner of this installation trains on the machines that it has."
_DEBUGGING = "It is kept and shown again; the portal shows curves, sample predictions, and the use of the machine."
_CONTAINER = "Programs of this installation train; they take no settings of containers."
SHARDS = "A training reads its whole channel."
SHUFFLED = "Every epoch is shuffled, by the hyperparameter `seed`."
FIXED_METRICS = "Trainings measure the metrics that docs/training.md names, as built-in algorithms do."
CHECKPOINTS = "A training goes on from its last checkpoint by itself; where checkpoints are kept is not chosen."
IGNORED = {
    "AlgorithmSpecification.MetricDefinitions": FIXED_METRICS,
    "InputDataConfig[].DataSource.S3DataSource.S3DataDistributionType": SHARDS,
    "InputDataConfig[].DataSource.S3DataSource.InstanceGroupNames": SHARDS,
    "InputDataConfig[].ShuffleConfig": SHUFFLED,
    "OutputDataConfig.KmsKeyId": references.KMS,
    "OutputDataConfig.CompressionType": "Models are compressed archives, model.tar.gz.",
    "ResourceConfig": MACHINES,
    "VpcConfig": references.NETWORK,
    "EnableNetworkIsolation": references.NETWORK,
    "EnableInterContainerTrafficEncryption": references.NETWORK,
    "EnableManagedSpotTraining": MACHINES,
    "CheckpointConfig": CHECKPOINTS,
    "Environment": _CONTAINER,
    "RetryStrategy": "A training whose process ends is started again by the rules of the installation.",
    "RoleArn": references.ROLE,
    "StoppingCondition.MaxWaitTimeInSeconds": MACHINES,
    "StoppingCondition.MaxPendingTimeInSeconds": MACHINES,
}
"""Of what a training and the definition of a tuning job's trainings have in common."""

_REMOTE = {
    "AlgorithmSpecification.EnableSageMakerMetricsTimeSeries": FIXED_METRICS,
    **dict.fromkeys(
        ("DebugHookConfig", "DebugRuleConfigurations", "TensorBoardOutputConfig", "ExperimentConfig", "ProfilerConfig",
         "ProfilerRuleConfigurations", "RemoteDebugConfig", "InfraCheckConfig"), _DEBUGGING,
    ),
}  # fmt: skip
SOURCES = {
    "InputDataConfig[].DataSource.FileSystemDataSource": "Channels are read from S3, or from the store.",
    "InputDataConfig[].DataSource.DatasetSource": "Channels are read from S3, or from the store.",
    "InputDataConfig[].DataSource.S3DataSource.ModelAccessConfig": "Models are those of the account.",
    "InputDataConfig[].DataSource.S3DataSource.HubAccessConfig": "Models are those of the account.",
    "AlgorithmSpecification.AlgorithmName": "Give the TrainingImage of a built-in algorithm.",
}
"""Refused in trainings and in the definition of a tuning job's trainings."""

_FOREIGN = "Foreign containers are not run."
_REFUSED = {
    **SOURCES,
    "AlgorithmSpecification.ContainerEntrypoint": _FOREIGN,
    "AlgorithmSpecification.ContainerArguments": _FOREIGN,
    "AlgorithmSpecification.TrainingImageConfig": _FOREIGN,
    "SessionChainingConfig": "Sessions are not chained.",
    "ServerlessJobConfig": "Foundation models are not trained.",
    "MlflowConfig": "Trainings are not written to MLflow.",
}
# What DescribeTrainingJob shows again, as far as it was given.
KEPT = (
    "HyperParameters", "AlgorithmSpecification", "RoleArn", "InputDataConfig", "OutputDataConfig", "ResourceConfig",
    "VpcConfig", "StoppingCondition", "EnableNetworkIsolation", "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining", "CheckpointConfig", "DebugHookConfig", "ExperimentConfig", "DebugRuleConfigurations",
    "TensorBoardOutputConfig", "ProfilerConfig", "ProfilerRuleConfigurations", "Environment", "RetryStrategy",
    "RemoteDebugConfig", "InfraCheckConfig", "ModelPackageConfig",
)  # fmt: skip


@operation(
    "sagemaker",
    "CreateTrainingJob",
    ignored=IGNORED | _REMOTE,
    refused=_REFUSED,
    fields={"name": "TrainingJobName", "hyperparameters": "HyperParameters", "channels": "InputDataConfig"},
)
def create_training_job(
    call: Call,
    *,
    TrainingJobName: str,
    OutputDataConfig: dict[str, Any],
    AlgorithmSpecification: dict[str, Any] | None = None,
    HyperParameters: dict[str, str] | None = None,
    InputDataConfig: list[dict[str, Any]] | None = None,
    StoppingCondition: dict[str, Any] | None = None,
    ModelPackageConfig: dict[str, Any] | None = None,
    Tags: list[dict[str, str]] | None = None,
) -> dict[str, Any]:
    """Train with a built-in algorithm; the learner starts it as soon as it has a free slot."""
    specification = AlgorithmSpecification or {}
    algorithm = training_channels.algorithm_of(specification)
    hyperparameters = training_channels.hyperparameters_of(algorithm, HyperParameters or {}, StoppingCondition or {})
    mode = specification["TrainingInputMode"]
    channels = training_channels.channels_of(call.account, algorithm, InputDataConfig, mode)
    if ModelPackageConfig is not None:
        channels |= _from_package(call, ModelPackageConfig, channels)
    asked_outputs.check(call.account, OutputDataConfig["S3OutputPath"])
    arn = asked_outputs.arn(call.account, asked_outputs.TRAINING, TrainingJobName)
    resources.make(
        account=call.account,
        make=lambda: training.create_training(
            account=call.account, name=TrainingJobName, hyperparameters=hyperparameters, channels=channels, by=call.by
        ),
        arn=lambda run: arn,
        tagged=pairs(Tags),
        said={name: call.members[name] for name in KEPT if name in call.members},
    )
    return {"TrainingJobArn": arn}


def _from_package(call: Call, config: dict[str, Any], channels: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The channel with the version of a group that the training goes on from. Raises Invalid, NotFound."""
    package_versions.group(call, config["ModelPackageGroupArn"])
    source = config.get("SourceModelPackageArn")
    if source is None:
        return {}
    if MODEL in channels:
        raise Invalid("there is a channel 'model' as well", field="ModelPackageConfig.SourceModelPackageArn")
    return {MODEL: {"name": package_versions.package(call, source).name}}


@operation("sagemaker", "DescribeTrainingJob")
def describe_training_job(call: Call, *, TrainingJobName: str) -> dict[str, Any]:
    """Everything about a training."""
    run = named(call, TrainingJobName)
    tuned, labeled = queries.askers(run)
    said = resource_requests.of(call.account, asked_outputs.arn(call.account, asked_outputs.TRAINING, run.name))
    if tuned and not said:
        said = _of_tuning(call, run, tuned)
    if "OutputDataConfig" in said:
        # As in SageMaker: its SDK reads the key of every training to which it attaches.
        said["OutputDataConfig"] = {"KmsKeyId": "", **said["OutputDataConfig"]}
    seconds = training.seconds(run)
    lasted = {"TrainingTimeInSeconds": int(seconds), "BillableTimeInSeconds": int(seconds)} if seconds else {}
    return {
        **_usual(call, run),
        **said,
        **{name: value for name, value in summary(call, run).items() if name in _DESCRIBED},
        **lasted,
        "TuningJobArn": references.arn(call.account, "hyper-parameter-tuning-job", tuned) if tuned else None,
        "LabelingJobArn": references.arn(call.account, "labeling-job", labeled) if labeled else None,
        "ModelArtifacts": {"S3ModelArtifacts": artifacts.artifact_uri(run)},
        "OutputModelPackageArn": _package_arn(call, run) if asked_outputs.PACKAGE in said else None,
        "FailureReason": run.failure_reason or None,
        "TrainingStartTime": run.started_at,
        "SecondaryStatusTransitions": _transitions(run),
        "FinalMetricDataList": _metrics(run) if run.status in transitions.TRAINING_JOB.final else None,
    }


@operation(
    "sagemaker",
    "ListTrainingJobs",
    refused={"WarmPoolStatusEquals": "There are no warm pools.", "TrainingPlanArnEquals": "There are no plans."},
)
def list_training_jobs(
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
    """The account's trainings, also those of tuning jobs and of labeling jobs with automated labeling."""
    page = program_runs.page(call, queries.trainings(call.account))
    return page.members("TrainingJobSummaries", [summary(call, run) for run in page.rows])


@operation("sagemaker", "StopTrainingJob")
def stop_training_job(call: Call, *, TrainingJobName: str) -> None:
    """End a training early: what it has learned is kept. Nothing happens to one that is over."""
    training.stop(training_job=named(call, TrainingJobName), by=call.by)


def named(call: Call, name: str) -> TrainingJob:
    """The account's training of this name. Raises NotFound."""
    found: TrainingJob = program_runs.named(queries.trainings(call.account), name, noun="training")
    return found


def _package_arn(call: Call, run: TrainingJob) -> str | None:
    """Of the version that a training's model has become; None before it has one, and once it is deleted."""
    kept = run.model is not None and run.model.deleted_at is None and run.model.group is not None
    return package_versions.arn_of(call, run.model) if kept else None


_DESCRIBED = (
    "TrainingJobName", "TrainingJobArn", "CreationTime", "TrainingEndTime", "LastModifiedTime", "TrainingJobStatus",
    "SecondaryStatus",
)  # fmt: skip


def summary(call: Call, run: TrainingJob) -> dict[str, Any]:
    """What lists show of a training."""
    return {
        "TrainingJobName": run.name,
        "TrainingJobArn": asked_outputs.arn(call.account, asked_outputs.TRAINING, run.name),
        "CreationTime": run.created_at,
        "TrainingEndTime": run.ended_at,
        "LastModifiedTime": run.status_changed_at or run.created_at,
        "TrainingJobStatus": run.status,
        "SecondaryStatus": secondary(run),
    }


def secondary(run: TrainingJob) -> str:
    """What a training is at, in SageMaker's words."""
    if run.status != "InProgress":
        return run.status
    if run.started_at is None:
        return "Starting"
    return "Restarting" if run.not_before is not None else "Training"


_SAID = {
    "Starting": "Waiting for a free slot of the learner",
    "Training": "Training is under way",
    "Completed": "Training job completed",
    "Stopped": "Training job stopped",
    "Stopping": "Stopping the training job",
}


def _transitions(run: TrainingJob) -> list[dict[str, Any]]:
    """The steps so far, each with the time at which the next began."""
    steps = [("Starting", run.created_at)]
    if run.started_at is not None:
        steps.append(("Training", run.started_at))
    if run.status != "InProgress":
        steps.append((run.status, run.ended_at or run.status_changed_at or run.created_at))
    ends: list[datetime | None] = [time for _, time in steps[1:]]
    ends.append(run.ended_at)
    return [
        {"Status": status, "StartTime": began, "EndTime": ended, "StatusMessage": _SAID.get(status, run.failure_reason)}
        for (status, began), ended in zip(steps, ends, strict=True)
    ]


def _metrics(run: TrainingJob) -> list[dict[str, Any]]:
    """The last value of each metric, those of validation first."""
    names = sorted((name for name in run.newest if ":" in name), key=lambda name: (name[:1] != "v", name))
    return [
        {
            "MetricName": name,
            "Value": run.newest[name][0],
            "Timestamp": datetime.fromisoformat(run.newest[name][2]),
        }
        for name in names[:METRICS]
    ]


TUNING_MACHINES = "HyperParameterTuningResourceConfig"
"""The member of a tuning job's definition that says the same as ResourceConfig of a training."""

_MACHINE = ("InstanceType", "InstanceCount", "VolumeSizeInGB", "VolumeKmsKeyId")


def _of_tuning(call: Call, run: TrainingJob, tuned: str) -> dict[str, Any]:
    """What a tuning job's definition of its trainings says of one of them."""
    arn = references.arn(call.account, "hyper-parameter-tuning-job", tuned)
    definition = asked_outputs.definition(resource_requests.of(call.account, arn), run)
    kept = {name: definition[name] for name in KEPT if name in definition}
    machines = definition.get(TUNING_MACHINES)
    if machines and "ResourceConfig" not in kept:
        # Of several kinds of machines the first is preferred.
        several = machines.get("InstanceConfigs", [{}])
        single = {name: value for name, value in machines.items() if name in _MACHINE}
        kept["ResourceConfig"] = several[0] | single
    return kept | {"HyperParameters": run.hyperparameters} if kept else {}


def _usual(call: Call, run: TrainingJob) -> dict[str, Any]:
    """What is shown of a training that was made without the wire."""
    algorithm = of_family(families.of_training(run.hyperparameters))
    return {
        "AlgorithmSpecification": {
            "TrainingImage": algorithm.image(call.region) if algorithm else None,
            "TrainingInputMode": _mode(run.channels),
        },
        "RoleArn": references.arn(call.account, "role", "waggle"),
        "HyperParameters": run.hyperparameters,
        "StoppingCondition": {},
    }


def _mode(channels: Mapping[str, Mapping[str, Any]]) -> str:
    return str(next((one["input_mode"] for one in channels.values() if "input_mode" in one), "File"))
