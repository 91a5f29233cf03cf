"""Endpoints as SageMaker has them: create, describe, list, update, weights and capacities, delete."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from frontend.aws import paging
from frontend.aws.hosted_models import LISTED
from frontend.aws.registry import Call, operation
from frontend.aws.tags import pairs
from learning import queries
from learning.models import Endpoint
from learning.services import scope
from learning.services.hosting import endpoint_view, hosting, strategies
from marketplace.errors import Invalid
from marketplace.services import resource_requests, resources

_ROUTING = "BlueGreenUpdatePolicy.TrafficRoutingConfiguration"
_PLACE = f"DeploymentConfig.{_ROUTING}"
_TYPES = {"ALL_AT_ONCE": strategies.ALL_AT_ONCE, "CANARY": strategies.CANARY, "LINEAR": strategies.LINEAR}
_SIZES = {"CANARY": "CanarySize", "LINEAR": "LinearStepSize"}
_IGNORED = {
    "DeploymentConfig.AutoRollbackConfiguration": (
        "An update is rolled back when more than 5 percent of the requests to the new instances fail, or they do not "
        "start."
    )
}
_REFUSED = {"DeploymentConfig.RollingUpdatePolicy": "Instances of both configurations run while requests go over."}
_FIELDS = {"name": "EndpointName", "strategy": "DeploymentConfig", "status": "EndpointName"}


@operation("sagemaker", "CreateEndpoint", fields=_FIELDS, ignored=_IGNORED, refused=_REFUSED)
def create_endpoint(
    call: Call,
    *,
    EndpointName: str,
    EndpointConfigName: str,
    DeploymentConfig: dict[str, Any] | None = None,
    Tags: list[dict[str, str]] | None = None,
) -> dict[str, Any]:
    """Serve a configuration; the endpoint is InService once all of its instances answer."""
    strategy_of(DeploymentConfig)
    config = scope.endpoint_config(call.account, EndpointConfigName)
    made = resources.make(
        account=call.account,
        make=lambda: hosting.create(account=call.account, name=EndpointName, config=config, by=call.by),
        arn=hosting.arn,
        tagged=pairs(Tags),
        said=_said(DeploymentConfig),
    )
    return {"EndpointArn": hosting.arn(made)}


@operation("sagemaker", "DescribeEndpoint")
def describe_endpoint(call: Call, *, EndpointName: str) -> dict[str, Any]:
    """What an endpoint serves, and how an update goes."""
    found = scope.endpoint(call.account, EndpointName)
    view = endpoint_view.endpoint_view(found)
    said = resource_requests.of(call.account, hosting.arn(found))
    update = view["update"]
    pending = None
    if update is not None and update["config"]:
        pending = {"EndpointConfigName": update["config"], "ProductionVariants": _variants(update["variants"])}
    config = found.config
    capture = {
        "EnableCapture": True,
        "CaptureStatus": "Started",
        "CurrentSamplingPercentage": config.capture_percent,
        "DestinationS3Uri": config.capture_uri,
        # Required in the answer; the store encrypts by its own keys.
        "KmsKeyId": "",
    }
    return _listed(found) | {
        "EndpointConfigName": config.name,
        "FailureReason": found.failure_reason or None,
        "ProductionVariants": _variants(view["variants"]) or None,
        "DataCaptureConfig": capture if config.capture_percent else None,
        "LastDeploymentConfig": said.get("DeploymentConfig"),
        "PendingDeploymentSummary": pending,
    }


@operation(
    "sagemaker",
    "UpdateEndpoint",
    fields=_FIELDS,
    ignored=_IGNORED,
    refused={**_REFUSED, "ExcludeRetainedVariantProperties": "The properties of variants are not retained."},
)
def update_endpoint(
    call: Call,
    *,
    EndpointName: str,
    EndpointConfigName: str,
    RetainAllVariantProperties: bool | None = None,
    DeploymentConfig: dict[str, Any] | None = None,
    RetainDeploymentConfig: bool | None = None,
) -> dict[str, Any]:
    """Serve another configuration; what is served now goes on until the new instances have proved good."""
    if RetainAllVariantProperties:
        raise Invalid(
            "weights and numbers of instances are those of the configuration; UpdateEndpointWeightsAndCapacities "
            "changes them",
            field="RetainAllVariantProperties",
        )
    if RetainDeploymentConfig and DeploymentConfig is not None:
        raise Invalid("either DeploymentConfig or RetainDeploymentConfig expected", field="RetainDeploymentConfig")
    found = scope.endpoint(call.account, EndpointName)
    arn = hosting.arn(found)
    said = resource_requests.of(call.account, arn)
    wanted = said.get("DeploymentConfig") if RetainDeploymentConfig else DeploymentConfig
    config = scope.endpoint_config(call.account, EndpointConfigName)
    strategy = strategy_of(wanted)
    resources.change(
        account=call.account,
        arn=arn,
        change=lambda: hosting.update(endpoint=found, config=config, by=call.by, strategy=strategy),
        said=_said(DeploymentConfig),
    )
    return {"EndpointArn": arn}


@operation(
    "sagemaker",
    "UpdateEndpointWeightsAndCapacities",
    ignored={"DesiredWeightsAndCapacities[].ServerlessUpdateConfig": "Instances are processes of this installation."},
    fields={"variants": "DesiredWeightsAndCapacities", "status": "EndpointName"},
)
def update_endpoint_weights_and_capacities(
    call: Call, *, EndpointName: str, DesiredWeightsAndCapacities: list[dict[str, Any]]
) -> dict[str, Any]:
    """Other weights, which hold at once, and other numbers of instances."""
    found = scope.endpoint(call.account, EndpointName)
    changes = [
        {
            "variant": one["VariantName"],
            "weight": one.get("DesiredWeight"),
            "instance_count": one.get("DesiredInstanceCount"),
        }
        for one in DesiredWeightsAndCapacities
    ]
    hosting.set_weights_and_capacities(endpoint=found, changes=changes, by=call.by)
    return {"EndpointArn": hosting.arn(found)}


@operation("sagemaker", "DeleteEndpoint")
def delete_endpoint(call: Call, *, EndpointName: str) -> None:
    """Stop serving; the endpoint is gone once its instances have ended."""
    found = scope.endpoint(call.account, EndpointName)
    resources.delete(
        account=call.account, arn=hosting.arn(found), delete=lambda: hosting.delete(endpoint=found, by=call.by)
    )


@operation("sagemaker", "ListEndpoints")
def list_endpoints(
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
    """The account's endpoints."""
    filters = LISTED | {
        "LastModifiedTimeAfter": "updated_at__gt",
        "LastModifiedTimeBefore": "updated_at__lt",
        "StatusEquals": "status",
    }
    rows = paging.filtered(call, queries.endpoints(call.account), filters)
    by = {"Name": "name", "Status": "status"}.get(SortBy or "", "created_at")
    page = paging.page(call, rows, by=by, descending=paging.descending(call, paging.DESCENDING))
    return page.members("Endpoints", [_listed(row) for row in page.rows])


def strategy_of(given: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A DeploymentConfig as hosting/strategies.py has it. Raises Invalid for a step that is no share of them."""
    policy = (given or {}).get("BlueGreenUpdatePolicy")
    if policy is None:
        return None
    routing = policy["TrafficRoutingConfiguration"]
    kind, bake = routing["Type"], routing["WaitIntervalInSeconds"]
    found = {"type": _TYPES[kind], "bake_seconds": bake}
    if kind in _SIZES:
        size = routing.get(_SIZES[kind])
        if size is None or size["Type"] != "CAPACITY_PERCENT":
            raise Invalid("a size of the Type CAPACITY_PERCENT expected", field=f"{_PLACE}.{_SIZES[kind]}")
        found["step_percent"] = size["Value"]
    else:
        # With one step, both are the time for which the old instances are kept.
        found["bake_seconds"] = max(bake, policy.get("TerminationWaitInSeconds", 0))
    if "MaximumExecutionTimeoutInSeconds" in policy:
        found["start_seconds"] = policy["MaximumExecutionTimeoutInSeconds"]
    return strategies.parse(found)


def _said(deployment: dict[str, Any] | None) -> dict[str, Any]:
    return {} if deployment is None else {"DeploymentConfig": deployment}


def _listed(found: Endpoint) -> dict[str, Any]:
    return {
        "EndpointName": found.name,
        "EndpointArn": hosting.arn(found),
        "CreationTime": found.created_at,
        "LastModifiedTime": found.updated_at,
        "EndpointStatus": found.status,
    }


def _variants(shown: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "VariantName": one["name"],
            "CurrentWeight": one["weight"],
            "DesiredWeight": one["weight"],
            "CurrentInstanceCount": one["ready"],
            "DesiredInstanceCount": one["instance_count"],
        }
        for one in shown
    ]
