"""The events of this room: changes of trainings, searches, predictions, models and endpoints, in AWS's words.

The details are those of https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html, as
far as there is such a thing here. Moments are milliseconds since 1970, but of models ISO 8601.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings

from learning import subjects, transitions
from learning.contract import PREDICT
from learning.models import (
    Endpoint,
    HyperParameterTuningJob,
    ImprovementPolicy,
    Model,
    PolicyRun,
    TrainingJob,
    TransformJob,
)
from learning.services.hosting import hosting
from learning.services.tuning import describing
from marketplace import arns
from marketplace.event_kinds import EventKind, iso, milliseconds
from marketplace.services.events import follow

_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")


def register() -> None:
    """Say of which changes there are events."""
    ours = "Waggle Improvement"
    tuning = "SageMaker HyperParameter Tuning Job"
    for machine, subject, noun, arn, detail in (
        (transitions.TRAINING_JOB, subjects.TRAINING_JOB, "SageMaker Training Job", _named("training-job"), _training),
        (
            transitions.TRANSFORM_JOB,
            subjects.TRANSFORM_JOB,
            "SageMaker Transform Job",
            _named("transform-job"),
            _transform,
        ),
        (transitions.TUNING_JOB, subjects.TUNING_JOB, tuning, _named("hyper-parameter-tuning-job"), _tuning),
        (transitions.ENDPOINT, subjects.ENDPOINT, "SageMaker Endpoint", hosting.arn, _endpoint),
        (transitions.MODEL, subjects.MODEL, "SageMaker Model Package", _model_package_arn, _model_package),
        (transitions.IMPROVEMENT_POLICY, subjects.IMPROVEMENT_POLICY, f"{ours} Policy", _policy_arn, _policy),
        (transitions.POLICY_RUN, subjects.IMPROVEMENT_RUN, f"{ours} Run", _run_arn, _run),
    ):
        follow(machine, EventKind(subject, f"{noun} State Change", arn, detail))


def _named(kind: str) -> Callable[[Any], str]:
    return lambda row: arns.build(kind, row.account.number, row.name, region=settings.REGION)


def _model_package_arn(model: Model) -> str:
    name = model.name if model.group is None else f"{model.group.name}/{model.version}"
    return arns.build("model-package", model.account.number, name, region=settings.REGION)


def _training(job: TrainingJob, status: str) -> dict[str, Any]:
    running = "Training" if job.started_at is not None else "Starting"
    detail = {
        "TrainingJobName": job.name,
        "TrainingJobArn": _named("training-job")(job),
        "TrainingJobStatus": status,
        "SecondaryStatus": running if status == "InProgress" else status,
        "HyperParameters": job.hyperparameters,
        "InputDataConfig": _channels(job.channels),
        "CreationTime": milliseconds(job.created_at),
        "TrainingStartTime": milliseconds(job.started_at),
        "TrainingEndTime": milliseconds(job.ended_at),
        "LastModifiedTime": milliseconds(job.status_changed_at),
        "Tags": {},
    }
    if job.model is not None:
        detail["ModelArtifacts"] = {"S3ModelArtifacts": job.model.artifact_uri}
    return detail | _failure(job)


def _channels(channels: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for name, channel in channels.items():
        source: dict[str, Any] = {"ChannelName": name}
        if uri := channel.get("manifest_uri") or channel.get("uri"):
            kind = "AugmentedManifestFile" if "manifest_uri" in channel else "S3Prefix"
            source["DataSource"] = {"S3DataSource": {"S3DataType": kind, "S3Uri": uri}}
        if content_type := channel.get("content_type"):
            source["ContentType"] = content_type
        found.append(source)
    return found


def _transform(job: TransformJob, status: str) -> dict[str, Any]:
    source = {"S3DataType": "AugmentedManifestFile", "S3Uri": job.channels.get(PREDICT, {}).get("manifest_uri")}
    return {
        "TransformJobName": job.name,
        "TransformJobArn": _named("transform-job")(job),
        "TransformJobStatus": status,
        "ModelName": job.model.name,
        "TransformInput": {"DataSource": {"S3DataSource": source}},
        "TransformOutput": {"S3OutputPath": job.output_uri},
        "CreationTime": milliseconds(job.created_at),
        "TransformStartTime": milliseconds(job.started_at),
        "TransformEndTime": milliseconds(job.ended_at),
        "Tags": {},
    } | _failure(job)


def _tuning(tuning: HyperParameterTuningJob, status: str) -> dict[str, Any]:
    counted = describing.with_counts(HyperParameterTuningJob.objects.filter(pk=tuning.pk)).get()
    counters, best = describing.counters(counted), describing.best(tuning)
    detail = {
        "HyperParameterTuningJobName": tuning.name,
        "HyperParameterTuningJobArn": _named("hyper-parameter-tuning-job")(tuning),
        "HyperParameterTuningJobConfig": {"Strategy": tuning.config["strategy"]},
        "TrainingJobDefinition": {
            "StaticHyperParameters": tuning.hyperparameters,
            "InputDataConfig": _channels(tuning.channels),
        },
        "HyperParameterTuningJobStatus": status,
        "CreationTime": milliseconds(tuning.created_at),
        "HyperParameterTuningEndTime": milliseconds(tuning.ended_at),
        "LastModifiedTime": milliseconds(tuning.status_changed_at),
        "TrainingJobStatusCounters": counters["training_jobs"],
        "ObjectiveStatusCounters": counters["objectives"],
        "Tags": {},
    }
    if best is not None:
        objective = {"MetricName": tuning.config["metric"], "Value": best.objective_value}
        detail["BestTrainingJob"] = {
            "TrainingJobName": best.name,
            "FinalHyperParameterTuningJobObjectiveMetric": objective,
        }
    return detail | _failure(tuning)


def _endpoint(endpoint: Endpoint, status: str) -> dict[str, Any]:
    variants = [
        {
            "VariantName": variant["name"],
            "DesiredWeight": float(variant["weight"]),
            "DesiredInstanceCount": variant["instance_count"],
        }
        for variant in endpoint.config.variants
    ]
    return {
        "EndpointName": endpoint.name,
        "EndpointArn": hosting.arn(endpoint),
        "EndpointConfigName": endpoint.config.name,
        "ProductionVariants": variants,
        # Here alone AWS writes IN_SERVICE for what its API calls InService.
        "EndpointStatus": _WORD.sub("_", status).upper(),
        "CreationTime": milliseconds(endpoint.created_at),
        "LastModifiedTime": milliseconds(endpoint.status_changed_at),
        "Tags": {},
    } | _failure(endpoint)


def _failure(row: TrainingJob | TransformJob | HyperParameterTuningJob | Endpoint) -> dict[str, str]:
    return {"FailureReason": row.failure_reason} if row.failure_reason else {}


def _policy_arn(policy: ImprovementPolicy) -> str:
    return _named("improvement-policy")(policy)


def _policy(policy: ImprovementPolicy, status: str) -> dict[str, Any]:
    return {
        "PolicyName": policy.name,
        "PolicyArn": _policy_arn(policy),
        "PolicyStatus": status,
        "EndpointName": policy.endpoint.name if policy.endpoint is not None else None,
        "CreationTime": milliseconds(policy.created_at),
        "LastModifiedTime": milliseconds(policy.status_changed_at),
    }


def _run_arn(run: PolicyRun) -> str:
    return _policy_arn(run.policy)


def _run(run: PolicyRun, status: str) -> dict[str, Any]:
    return {
        "PolicyName": run.policy.name,
        "PolicyArn": _policy_arn(run.policy),
        "RunNumber": run.number,
        "RunStatus": status,
        "Reason": run.reason or None,
        "TrainingJobName": run.training_job.name if run.training_job is not None else None,
        "ModelName": run.model.name if run.model is not None else None,
        "Images": run.images,
        "CreationTime": milliseconds(run.created_at),
        "LastModifiedTime": milliseconds(run.status_changed_at),
    }


def _model_package(model: Model, status: str) -> dict[str, Any]:
    detail: dict[str, Any] = {
        "ModelPackageGroupName": model.group.name if model.group is not None else None,
        "ModelPackageVersion": model.version,
        "ModelPackageArn": _model_package_arn(model),
        "CreationTime": iso(model.created_at),
        "InferenceSpecification": {"Containers": [{"ModelDataUrl": model.artifact_uri}]},
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
        "CertifyForMarketplace": False,
        "ModelApprovalStatus": status,
        "LastModifiedTime": iso(model.status_changed_at or model.created_at),
    }
    if model.decided_by:
        detail |= {"ApprovalDescription": model.comment, "UpdatedModelPackageFields": ["ModelApprovalStatus"]}
    return detail
