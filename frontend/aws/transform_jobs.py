"""Batch transform as SageMaker has it: a model predicts every image of a manifest."""

from datetime import datetime
from typing import Any

from frontend.aws import paging, program_runs, references
from frontend.aws.registry import Call, operation
from frontend.aws.tags import pairs
from frontend.aws.training_jobs import MACHINES
from learning import queries
from learning.models import TransformJob
from learning.services import asked_outputs, named_models, transforms
from marketplace.errors import Invalid
from marketplace.services import resource_requests, resources

_SOURCE = "TransformInput.DataSource.S3DataSource"
_PACKING = "The program reads the manifest itself, and as many images at a time as the machine can use."
_KEPT = (
    "ModelName", "MaxConcurrentTransforms", "ModelClientConfig", "MaxPayloadInMB", "BatchStrategy", "Environment",
    "TransformInput", "TransformOutput", "TransformResources", "ExperimentConfig",
)  # fmt: skip
_WRITTEN = "Each line is JSON of the form of application/json;annotation=1, in the order of the manifest."
_REQUIRED = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1}
"""What is shown of the machines of a job that was made without the wire; the answer has to have it."""


@operation(
    "sagemaker",
    "CreateTransformJob",
    fields={
        "name": "TransformJobName",
        "model": "ModelName",
        "manifest_uri": f"{_SOURCE}.S3Uri",
        "output": "TransformOutput.S3OutputPath",
    },
    ignored={
        "MaxConcurrentTransforms": _PACKING,
        "ModelClientConfig": _PACKING,
        "MaxPayloadInMB": _PACKING,
        "BatchStrategy": _PACKING,
        "Environment": "Programs of this installation predict; they take no settings of containers.",
        "TransformInput.ContentType": _PACKING,
        "TransformInput.SplitType": _PACKING,
        "TransformOutput.Accept": _WRITTEN,
        "TransformOutput.AssembleWith": _WRITTEN,
        "TransformOutput.KmsKeyId": references.KMS,
        "TransformResources": MACHINES,
        "ExperimentConfig": "It is kept and shown again.",
    },
    refused={
        "DataCaptureConfig": "The input and the output are files already.",
        "DataProcessing": "The input is an augmented manifest; nothing is filtered or joined.",
    },
)
def create_transform_job(
    call: Call,
    *,
    TransformJobName: str,
    ModelName: str,
    TransformInput: dict[str, Any],
    TransformOutput: dict[str, Any],
    Tags: list[dict[str, str]] | None = None,
) -> dict[str, Any]:
    """Let a model predict every image of an augmented manifest."""
    source = TransformInput["DataSource"]["S3DataSource"]
    if source["S3DataType"] != "AugmentedManifestFile":
        raise Invalid(
            f"{source['S3DataType']!r} found, AugmentedManifestFile expected: a JSON line with 'source-ref' an image",
            field=f"{_SOURCE}.S3DataType",
        )
    if TransformInput.get("CompressionType") == "Gzip":
        raise Invalid("Gzip found; manifests are not compressed here", field="TransformInput.CompressionType")
    asked_outputs.check(call.account, TransformOutput["S3OutputPath"])
    model = named_models.model_of(call.account, ModelName)
    arn = asked_outputs.arn(call.account, asked_outputs.TRANSFORM, TransformJobName)
    resources.make(
        account=call.account,
        make=lambda: transforms.create_transform(
            account=call.account,
            name=TransformJobName,
            model=model,
            manifest_uri=source["S3Uri"],
            label_attribute_name=transforms.DEFAULT_ATTRIBUTE,
            by=call.by,
        ),
        arn=lambda run: arn,
        tagged=pairs(Tags),
        said={name: call.members[name] for name in _KEPT if name in call.members},
    )
    return {"TransformJobArn": arn}


@operation("sagemaker", "DescribeTransformJob")
def describe_transform_job(call: Call, *, TransformJobName: str) -> dict[str, Any]:
    """Everything about a transform job."""
    run = _named(call, TransformJobName)
    said = resource_requests.of(call.account, asked_outputs.arn(call.account, asked_outputs.TRANSFORM, run.name))
    shown = _summary(call, run)
    del shown["LastModifiedTime"]
    return {**_usual(run), **said, **shown, "TransformStartTime": run.started_at}


@operation("sagemaker", "ListTransformJobs")
def list_transform_jobs(
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
    """The account's transform jobs."""
    page = program_runs.page(call, queries.transforms(call.account), order=paging.DESCENDING)
    return page.members("TransformJobSummaries", [_summary(call, run) for run in page.rows])


@operation("sagemaker", "StopTransformJob")
def stop_transform_job(call: Call, *, TransformJobName: str) -> None:
    """End a prediction early; nothing of it is kept."""
    transforms.stop(transform_job=_named(call, TransformJobName), by=call.by)


def _named(call: Call, name: str) -> TransformJob:
    found: TransformJob = program_runs.named(queries.transforms(call.account), name, noun="transform")
    return found


def _summary(call: Call, run: TransformJob) -> dict[str, Any]:
    return {
        "TransformJobName": run.name,
        "TransformJobArn": asked_outputs.arn(call.account, asked_outputs.TRANSFORM, run.name),
        "CreationTime": run.created_at,
        "TransformEndTime": run.ended_at,
        "LastModifiedTime": run.status_changed_at or run.created_at,
        "TransformJobStatus": run.status,
        "FailureReason": run.failure_reason or None,
    }


def _usual(run: TransformJob) -> dict[str, Any]:
    """What is shown of a job that was made without the wire."""
    manifest = run.channels.get("predict", {}).get("manifest_uri", "")
    return {
        "ModelName": run.model.name,
        "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "AugmentedManifestFile", "S3Uri": manifest}}},
        "TransformOutput": {"S3OutputPath": run.output_uri.rpartition("/")[0]},
        "TransformResources": _REQUIRED,
    }
