"""The model registry as SageMaker has it: groups of model packages, whose versions are models, with their approval."""

from datetime import datetime
from typing import Any

from frontend.aws import package_versions, paging, references
from frontend.aws.hosted_models import LISTED, NO_SOURCE, SAID_BY_ADDRESS, container, model_of_container
from frontend.aws.registry import Call, operation
from frontend.aws.tags import pairs
from learning import queries
from learning.models import Model, ModelGroup
from learning.services import model_approval, model_groups
from marketplace.errors import Invalid
from marketplace.services import resource_requests, resources

COMPLETED = "Completed"
"""The status of all of them: a model is complete when it is in the registry."""

_SHOWN = "It is kept and shown again."
_OF_CONTAINER = (
    "ContainerHostname", "ImageDigest", "ProductId", "Environment", "ModelInput", "Framework", "FrameworkVersion",
    "NearestModelName", "ModelDataETag", "Image", "IsCheckpoint", "BaseModel",
)  # fmt: skip
_OF_SPECIFICATION = (
    "SupportedTransformInstanceTypes", "SupportedRealtimeInferenceInstanceTypes", "SupportedContentTypes",
    "SupportedResponseMIMETypes",
)  # fmt: skip
_KEPT = (
    "ModelPackageDescription", "InferenceSpecification", "MetadataProperties", "ModelMetrics", "Domain", "Task",
    "SamplePayloadUrl", "CustomerMetadataProperties", "DriftCheckBaselines", "SkipModelValidation", "ModelCard",
    "ModelLifeCycle", "SourceUri", "CertifyForMarketplace",
)  # fmt: skip
_SOURCE = "InferenceSpecification.Containers[].ModelDataSource.S3DataSource"
_ALONE = "A version is a model of the account, found by the ModelDataUrl of InferenceSpecification."


@operation(
    "sagemaker",
    "CreateModelPackageGroup",
    fields={"name": "ModelPackageGroupName"},
    ignored={"ModelPackageGroupDescription": _SHOWN},
    refused={"ManagedConfiguration": "Packages are kept in one way only."},
)
def create_model_package_group(
    call: Call, *, ModelPackageGroupName: str, Tags: list[dict[str, str]] | None = None
) -> dict[str, Any]:
    """Make a group, which has no versions yet."""
    arn = references.arn(call.account, package_versions.GROUP, ModelPackageGroupName)
    resources.make(
        account=call.account,
        make=lambda: model_groups.create(account=call.account, name=ModelPackageGroupName, by=call.by),
        arn=lambda made: arn,
        tagged=pairs(Tags),
        said=_said(call, ("ModelPackageGroupDescription",)),
    )
    return {"ModelPackageGroupArn": arn}


@operation("sagemaker", "DescribeModelPackageGroup")
def describe_model_package_group(call: Call, *, ModelPackageGroupName: str) -> dict[str, Any]:
    """A group: of models of the account, however it was made."""
    found = package_versions.group(call, ModelPackageGroupName)
    return _groups(call, [found])[0] | {"CreatedBy": {}}


@operation(
    "sagemaker", "ListModelPackageGroups", ignored={"CrossAccountFilterOption": "Groups are those of the account."}
)
def list_model_package_groups(
    call: Call,
    *,
    CreationTimeAfter: datetime | None = None,
    CreationTimeBefore: datetime | None = None,
    NameContains: str | None = None,
    SortBy: str | None = None,
    SortOrder: str | None = None,
    MaxResults: int | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """The account's groups."""
    rows = paging.filtered(call, queries.model_groups(call.account), LISTED)
    by = "name" if SortBy == "Name" else "created_at"
    page = paging.page(call, rows, by=by, descending=paging.descending(call, paging.ASCENDING))
    return page.members("ModelPackageGroupSummaryList", _groups(call, page.rows))


@operation("sagemaker", "DeleteModelPackageGroup")
def delete_model_package_group(call: Call, *, ModelPackageGroupName: str) -> None:
    """Delete a group without versions."""
    found = package_versions.group(call, ModelPackageGroupName)
    resources.delete(
        account=call.account,
        arn=references.arn(call.account, package_versions.GROUP, found.name),
        delete=lambda: model_groups.delete(group=found, by=call.by),
    )


@operation(
    "sagemaker",
    "CreateModelPackage",
    fields={"approval_status": "ModelApprovalStatus"},
    ignored={
        **{f"InferenceSpecification.Containers[].{name}": _SHOWN for name in _OF_CONTAINER},
        **{f"{_SOURCE}.{name}": _SHOWN for name in SAID_BY_ADDRESS},
        **{f"InferenceSpecification.{name}": _SHOWN for name in _OF_SPECIFICATION},
        **{name: _SHOWN for name in _KEPT if name != "InferenceSpecification"},
        "ClientToken": "The same model in the same group is the same version.",
        "ModelPackageRegistrationType": "Every version is registered.",
    },
    refused={
        "ModelPackageName": "Packages are versions of a group: give ModelPackageGroupName.",
        "ValidationSpecification": _ALONE,
        "SourceAlgorithmSpecification": _ALONE,
        "AdditionalInferenceSpecifications": _ALONE,
        **{f"{_SOURCE}.{name}": _ALONE for name in NO_SOURCE},
        "InferenceSpecification.Containers[].AdditionalModelDataSources": _ALONE,
        "InferenceSpecification.Containers[].AdditionalS3DataSource": _ALONE,
        "SecurityConfig": _ALONE,
        "ManagedStorageType": _ALONE,
    },
)
def create_model_package(
    call: Call,
    *,
    ModelPackageGroupName: str | None = None,
    InferenceSpecification: dict[str, Any] | None = None,
    ModelApprovalStatus: str | None = None,
    Tags: list[dict[str, str]] | None = None,
) -> dict[str, Any]:
    """Make a model of the account the newest version of a group."""
    if ModelPackageGroupName is None:
        raise Invalid("the group whose version it is expected", field="ModelPackageGroupName")
    group = package_versions.group(call, ModelPackageGroupName)
    containers = (InferenceSpecification or {}).get("Containers", [])
    place = "InferenceSpecification.Containers"
    if len(containers) != 1:
        raise Invalid(f"{len(containers)} found, one expected", field=place)
    found = model_of_container(call, containers[0], f"{place}[0]")

    def make() -> Model:
        model_groups.move(model=found, group_name=group.name, by=call.by)
        if ModelApprovalStatus is not None:
            model_approval.decide(model=found, status=ModelApprovalStatus, by=call.by)
        return found

    resources.make(
        account=call.account,
        make=make,
        arn=lambda made: package_versions.arn_of(call, made),
        tagged=pairs(Tags),
        said=_said(call, _KEPT),
    )
    return {"ModelPackageArn": package_versions.arn_of(call, found)}


@operation("sagemaker", "DescribeModelPackage", ignored={"IncludedData": "All is told."})
def describe_model_package(call: Call, *, ModelPackageName: str) -> dict[str, Any]:
    """A version of a group, by its ARN."""
    found = package_versions.package(call, ModelPackageName)
    said = resource_requests.of(call.account, package_versions.arn_of(call, found))
    model = {**container(call, found)}
    del model["Mode"]
    return {
        "InferenceSpecification": {"Containers": [model]},
        **said,
        **_packages(call, [found])[0],
        "ModelPackageName": found.name,
        "ModelPackageStatusDetails": {"ValidationStatuses": []},
        "LastModifiedTime": found.status_changed_at or found.created_at,
        "ApprovalDescription": found.comment or None,
    }


@operation(
    "sagemaker",
    "UpdateModelPackage",
    fields={"approval_status": "ModelApprovalStatus", "comment": "ApprovalDescription"},
    ignored={"ClientToken": "Saying the same again changes nothing.", "ModelPackageRegistrationType": _SHOWN},
    refused={
        name: "Only the approval of a version is changed."
        for name in (
            "CustomerMetadataProperties", "CustomerMetadataPropertiesToRemove",
            "AdditionalInferenceSpecificationsToAdd", "InferenceSpecification", "SourceUri", "ModelCard",
            "ModelLifeCycle",
        )
    },
)  # fmt: skip
def update_model_package(
    call: Call, *, ModelPackageArn: str, ModelApprovalStatus: str | None = None, ApprovalDescription: str | None = None
) -> dict[str, Any]:
    """Approve or reject a version."""
    found = package_versions.package(call, ModelPackageArn)
    comment = found.comment if ApprovalDescription is None else ApprovalDescription
    model_approval.decide(model=found, status=ModelApprovalStatus or found.status, by=call.by, comment=comment)
    return {"ModelPackageArn": package_versions.arn_of(call, found)}


@operation("sagemaker", "ListModelPackages", ignored={"ModelPackageType": "All packages are versions of groups."})
def list_model_packages(
    call: Call,
    *,
    ModelPackageGroupName: str | None = None,
    ModelApprovalStatus: str | None = None,
    CreationTimeAfter: datetime | None = None,
    CreationTimeBefore: datetime | None = None,
    NameContains: str | None = None,
    SortBy: str | None = None,
    SortOrder: str | None = None,
    MaxResults: int | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """The versions of a group, or of all groups."""
    rows = queries.models(call.account).exclude(group=None)
    if ModelPackageGroupName is not None:
        rows = rows.filter(group=package_versions.group(call, ModelPackageGroupName))
    found = paging.filtered(call, rows, LISTED | {"ModelApprovalStatus": "status"})
    by = "name" if SortBy == "Name" else "created_at"
    page = paging.page(call, found, by=by, descending=paging.descending(call, paging.ASCENDING))
    return page.members("ModelPackageSummaryList", _packages(call, page.rows))


@operation("sagemaker", "DeleteModelPackage")
def delete_model_package(call: Call, *, ModelPackageName: str) -> None:
    """Delete a version, with the model that it is; the copy where a training was asked to put it stays."""
    found = package_versions.package(call, ModelPackageName)
    resources.delete(
        account=call.account,
        arn=package_versions.arn_of(call, found),
        delete=lambda: model_approval.delete(model=found, by=call.by),
    )


def _said(call: Call, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: call.members[name] for name in names if name in call.members}


def _groups(call: Call, rows: list[ModelGroup]) -> list[dict[str, Any]]:
    arns = [references.arn(call.account, package_versions.GROUP, row.name) for row in rows]
    said = resource_requests.of_many(call.account, arns)
    return [
        {
            "ModelPackageGroupName": row.name,
            "ModelPackageGroupArn": arn,
            "CreationTime": row.created_at,
            "ModelPackageGroupStatus": COMPLETED,
            **said.get(arn, {}),
        }
        for row, arn in zip(rows, arns, strict=True)
    ]


def _packages(call: Call, rows: list[Model]) -> list[dict[str, Any]]:
    arns = [package_versions.arn_of(call, row) for row in rows]
    said = resource_requests.of_many(call.account, arns)
    return [
        {
            "ModelPackageGroupName": row.group.name if row.group else None,
            "ModelPackageVersion": row.version,
            "ModelPackageArn": arn,
            "ModelPackageDescription": said.get(arn, {}).get("ModelPackageDescription"),
            "CreationTime": row.created_at,
            "ModelPackageStatus": COMPLETED,
            "ModelApprovalStatus": row.status,
        }
        for row, arn in zip(rows, arns, strict=True)
    ]
