"""Endpoint configurations as SageMaker has them: which models are served, and what is captured of the requests."""

from datetime import datetime
from typing import Any

from frontend.aws import paging, references
from frontend.aws.hosted_models import LISTED
from frontend.aws.registry import Call, operation
from frontend.aws.tags import pairs
from learning import queries
from learning.models import EndpointConfig
from learning.services import named_models, scope
from learning.services.hosting import hosting
from marketplace.errors import Invalid
from marketplace.services import resource_requests, resources

_MACHINES = "It is kept and shown again; instances are processes on the machines of this installation."
_VARIANT_IGNORED = (
    "InstanceType", "VariantInstanceProvisionTimeoutInSeconds", "AcceleratorType", "ServerlessConfig", "VolumeSizeInGB",
    "ModelDataDownloadTimeoutInSeconds", "ContainerStartupHealthCheckTimeoutInSeconds", "EnableSSMAccess",
    "RoutingConfig", "InferenceAmiVersion", "CoreDumpConfig",
)  # fmt: skip
_VARIANT_REFUSED = (
    "InstancePools", "ManagedInstanceScaling", "CapacityReservationConfig", "AcceleratorPartitionLayouts",
)  # fmt: skip
_KEPT = (
    "ProductionVariants", "DataCaptureConfig", "KmsKeyId", "ExecutionRoleArn", "VpcConfig", "EnableNetworkIsolation",
    "MetricsConfig",
)  # fmt: skip
_MEMBERS = {
    "name": "VariantName",
    "model": "ModelName",
    "instance_count": "InitialInstanceCount",
    "weight": "InitialVariantWeight",
}
_FIELDS = {
    "name": "EndpointConfigName",
    "variants": "ProductionVariants",
    "capture_percent": "DataCaptureConfig.InitialSamplingPercentage",
    "capture_modes": "DataCaptureConfig.CaptureOptions",
    "capture_uri": "DataCaptureConfig.DestinationS3Uri",
    **{
        f"variants[{place}].{ours}": f"ProductionVariants[{place}].{theirs}"
        for place in range(hosting.VARIANTS.longest)
        for ours, theirs in _MEMBERS.items()
    },
}


@operation(
    "sagemaker",
    "CreateEndpointConfig",
    fields=_FIELDS,
    ignored={
        **{f"ProductionVariants[].{name}": _MACHINES for name in _VARIANT_IGNORED},
        "DataCaptureConfig.KmsKeyId": references.KMS,
        "DataCaptureConfig.CaptureContentTypeHeader": "Requests are kept in Base64, answers as JSON.",
        "KmsKeyId": references.KMS,
        "ExecutionRoleArn": references.ROLE,
        "VpcConfig": references.NETWORK,
        "EnableNetworkIsolation": references.NETWORK,
        "MetricsConfig": "It is kept and shown again; the portal and REST show the figures of endpoints.",
    },
    refused={
        **{f"ProductionVariants[].{name}": "The number of instances is fixed." for name in _VARIANT_REFUSED},
        "AsyncInferenceConfig": "Endpoints answer at once; CreateTransformJob predicts many images.",
        "ExplainerConfig": "Predictions are not explained.",
        "ShadowProductionVariants": "No requests are copied to other variants.",
        "CrossRegionTrafficConfig": "There is one region.",
    },
)
def create_endpoint_config(
    call: Call,
    *,
    EndpointConfigName: str,
    ProductionVariants: list[dict[str, Any]],
    DataCaptureConfig: dict[str, Any] | None = None,
    Tags: list[dict[str, str]] | None = None,
) -> dict[str, Any]:
    """Say which models an endpoint is to serve, and with how many instances."""
    variants = [
        _variant(call, given, f"ProductionVariants[{place}].ModelName")
        for place, given in enumerate(ProductionVariants)
    ]
    capture = _capture(DataCaptureConfig)
    made = resources.make(
        account=call.account,
        make=lambda: hosting.create_config(account=call.account, name=EndpointConfigName, variants=variants, **capture),
        arn=hosting.config_arn,
        tagged=pairs(Tags),
        said={name: call.members[name] for name in _KEPT if name in call.members},
    )
    return {"EndpointConfigArn": hosting.config_arn(made)}


@operation("sagemaker", "DescribeEndpointConfig")
def describe_endpoint_config(call: Call, *, EndpointConfigName: str) -> dict[str, Any]:
    """All of a configuration."""
    found = scope.endpoint_config(call.account, EndpointConfigName)
    return _usual(found) | resource_requests.of(call.account, hosting.config_arn(found)) | _listed(found)


@operation("sagemaker", "ListEndpointConfigs")
def list_endpoint_configs(
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
    """The account's configurations."""
    rows = paging.filtered(call, queries.endpoint_configs(call.account), LISTED)
    by = "name" if SortBy == "Name" else "created_at"
    page = paging.page(call, rows, by=by, descending=paging.descending(call, paging.DESCENDING))
    return page.members("EndpointConfigs", [_listed(row) for row in page.rows])


@operation("sagemaker", "DeleteEndpointConfig")
def delete_endpoint_config(call: Call, *, EndpointConfigName: str) -> None:
    """Delete a configuration; endpoints that have it go on as they are."""
    found = scope.endpoint_config(call.account, EndpointConfigName)
    resources.delete(
        account=call.account, arn=hosting.config_arn(found), delete=lambda: hosting.delete_config(config=found)
    )


def _variant(call: Call, given: dict[str, Any], place: str) -> dict[str, Any]:
    if "ModelName" not in given:
        raise Invalid("the name of a model expected", field=place)
    found = {
        "name": given["VariantName"],
        "model": named_models.model_of(call.account, given["ModelName"]).name,
        "instance_count": given.get("InitialInstanceCount"),
        "weight": given.get("InitialVariantWeight"),
    }
    return {name: value for name, value in found.items() if value is not None}


def _capture(given: dict[str, Any] | None) -> dict[str, Any]:
    if given is None or not given.get("EnableCapture", True):
        return {}
    modes = {one["CaptureMode"] for one in given["CaptureOptions"]}
    return {
        "capture_percent": given["InitialSamplingPercentage"],
        "capture_uri": given["DestinationS3Uri"],
        "capture_modes": hosting.CAPTURE_MODES if "InputAndOutput" in modes else sorted(modes),
    }


def _listed(found: EndpointConfig) -> dict[str, Any]:
    return {
        "EndpointConfigName": found.name,
        "EndpointConfigArn": hosting.config_arn(found),
        "CreationTime": found.created_at,
    }


def _usual(found: EndpointConfig) -> dict[str, Any]:
    """What is shown of a configuration that was made without the wire."""
    shown: dict[str, Any] = {
        "ProductionVariants": [{theirs: given[ours] for ours, theirs in _MEMBERS.items()} for given in found.variants]
    }
    if found.capture_percent:
        shown["DataCaptureConfig"] = {
            "EnableCapture": True,
            "InitialSamplingPercentage": found.capture_percent,
            "DestinationS3Uri": found.capture_uri,
            "CaptureOptions": [{"CaptureMode": mode} for mode in found.capture_modes],
        }
    return shown
