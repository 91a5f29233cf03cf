"""Human review as Augmented AI has it: worker templates (human task UIs), flow definitions and human loops."""

from typing import Any

import orjson
from django.conf import settings
from django.urls import reverse

from frontend.aws import paging, references
from frontend.aws.registry import Call, operation
from frontend.aws.tags import pairs
from labeling.models import FlowDefinition, HumanLoop, HumanTaskUi
from labeling.services.review import flows, loops, output, task_uis
from marketplace.errors import Invalid
from marketplace.services import resources, workteams

_CREATED = {"CreationTimeAfter": "created_at__gt", "CreationTimeBefore": "created_at__lt"}
_DOCUMENTED = {
    "task_ui": "HumanLoopConfig.HumanTaskUiArn",
    "workteam": "HumanLoopConfig.WorkteamArn",
    "title": "HumanLoopConfig.TaskTitle",
    "description": "HumanLoopConfig.TaskDescription",
    "task_count": "HumanLoopConfig.TaskCount",
    "price": "HumanLoopConfig.PublicWorkforceTaskPrice",
    "keywords": "HumanLoopConfig.TaskKeywords",
    "task_time_limit_seconds": "HumanLoopConfig.TaskTimeLimitInSeconds",
    "task_availability_seconds": "HumanLoopConfig.TaskAvailabilityLifetimeInSeconds",
    "output_uri": "OutputConfig.S3OutputPath",
    "name": "FlowDefinitionName",
}


@operation("sagemaker", "CreateHumanTaskUi", fields={"name": "HumanTaskUiName", "content": "UiTemplate.Content"})
def create_human_task_ui(
    call: Call, *, HumanTaskUiName: str, UiTemplate: dict[str, Any], Tags: list[dict[str, str]] | None = None
) -> dict[str, Any]:
    """Keep a worker template for human loops."""
    made = resources.make(
        account=call.account,
        make=lambda: task_uis.create_task_ui(
            account=call.account, name=HumanTaskUiName, content=UiTemplate["Content"], by=call.by
        ),
        arn=task_uis.arn,
        tagged=pairs(Tags),
    )
    return {"HumanTaskUiArn": task_uis.arn(made)}


@operation("sagemaker", "DescribeHumanTaskUi")
def describe_human_task_ui(call: Call, *, HumanTaskUiName: str) -> dict[str, Any]:
    """One worker template: where it is shown, and the hash of its text."""
    found = task_uis.task_ui(call.account, HumanTaskUiName)
    shown = settings.PUBLIC_URL.rstrip("/") + reverse("requester:human-review")
    return _ui(found) | {
        "HumanTaskUiStatus": "Active",
        "UiTemplate": {"Url": shown, "ContentSha256": task_uis.content_hash(found)},
    }


@operation("sagemaker", "DeleteHumanTaskUi")
def delete_human_task_ui(call: Call, *, HumanTaskUiName: str) -> None:
    """Delete a worker template; flow definitions that use it keep their copy."""
    found = task_uis.task_ui(call.account, HumanTaskUiName)
    resources.delete(
        account=call.account,
        arn=task_uis.arn(found),
        delete=lambda: task_uis.delete_task_ui(task_ui=found, by=call.by),
    )


@operation("sagemaker", "ListHumanTaskUis")
def list_human_task_uis(
    call: Call,
    *,
    CreationTimeAfter: Any = None,
    CreationTimeBefore: Any = None,
    SortOrder: str | None = None,
    MaxResults: int | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """Worker templates by the time they were made."""
    rows = paging.filtered(call, task_uis.task_uis(call.account), _CREATED)
    page = paging.page(call, rows, descending=paging.descending(call, paging.ASCENDING))
    return page.members("HumanTaskUiSummaries", [_ui(row) for row in page.rows])


def _ui(found: HumanTaskUi) -> dict[str, Any]:
    return {
        "HumanTaskUiName": found.name,
        "HumanTaskUiArn": task_uis.arn(found),
        "CreationTime": found.created_at,
    }


@operation("sagemaker", "CreateFlowDefinition", ignored={"OutputConfig.KmsKeyId": references.KMS}, fields=_DOCUMENTED)
def create_flow_definition(
    call: Call,
    *,
    FlowDefinitionName: str,
    OutputConfig: dict[str, Any],
    RoleArn: str,
    HumanLoopConfig: dict[str, Any] | None = None,
    HumanLoopRequestSource: dict[str, Any] | None = None,
    HumanLoopActivationConfig: dict[str, Any] | None = None,
    Tags: list[dict[str, str]] | None = None,
) -> dict[str, Any]:
    """Say who reviews what, for which price and on which conditions."""
    if HumanLoopConfig is None:
        raise Invalid("without it nobody would review anything", field="HumanLoopConfig")
    activation = (HumanLoopActivationConfig or {}).get("HumanLoopActivationConditionsConfig", {})
    ui = references.named(call, HumanLoopConfig["HumanTaskUiArn"], "human-task-ui")
    given = {
        "task_time_limit_seconds": HumanLoopConfig.get("TaskTimeLimitInSeconds"),
        "task_availability_seconds": HumanLoopConfig.get("TaskAvailabilityLifetimeInSeconds"),
        "price_micros": references.price_micros(HumanLoopConfig.get("PublicWorkforceTaskPrice")),
        "keywords": HumanLoopConfig.get("TaskKeywords"),
    }
    design = {
        "name": FlowDefinitionName,
        "workteam": references.workteam(call, HumanLoopConfig["WorkteamArn"]),
        "task_ui": task_uis.task_ui(call.account, ui),
        "title": HumanLoopConfig["TaskTitle"],
        "description": HumanLoopConfig["TaskDescription"],
        "task_count": HumanLoopConfig["TaskCount"],
        "request_source": (HumanLoopRequestSource or {}).get("AwsManagedHumanLoopRequestSource", ""),
        "conditions": activation.get("HumanLoopActivationConditions", ""),
        "output_uri": OutputConfig["S3OutputPath"],
        "role_arn": RoleArn,
        **{name: value for name, value in given.items() if value is not None},
    }
    made = resources.make(
        account=call.account,
        make=lambda: flows.create_flow(account=call.account, by=call.by, **design),
        arn=output.flow_arn,
        tagged=pairs(Tags),
    )
    return {"FlowDefinitionArn": output.flow_arn(made)}


@operation("sagemaker", "DescribeFlowDefinition")
def describe_flow_definition(call: Call, *, FlowDefinitionName: str) -> dict[str, Any]:
    """All of a flow definition."""
    found = flows.flow(call.account, FlowDefinitionName)
    queue = found.queue
    shown: dict[str, Any] = _flow(found) | {
        "HumanLoopConfig": {
            "WorkteamArn": workteams.arn(queue.workteam),
            "HumanTaskUiArn": references.arn(call.account, "human-task-ui", found.human_task_ui_name),
            "TaskTitle": queue.title,
            "TaskDescription": queue.description,
            "TaskCount": queue.max_seats,
            "TaskAvailabilityLifetimeInSeconds": queue.task_availability_seconds,
            "TaskTimeLimitInSeconds": queue.task_time_limit_seconds,
            "TaskKeywords": queue.keywords or None,
            "PublicWorkforceTaskPrice": references.price(queue.price_micros),
        },
        "OutputConfig": {"S3OutputPath": found.output_uri},
        # Of one that was made without the wire, which needs none.
        "RoleArn": found.role_arn or references.arn(call.account, "role", "waggle"),
    }
    if found.request_source:
        shown["HumanLoopRequestSource"] = {"AwsManagedHumanLoopRequestSource": found.request_source}
    if found.conditions:
        text = orjson.dumps(found.conditions).decode()
        told = {"HumanLoopActivationConditions": text}
        shown["HumanLoopActivationConfig"] = {"HumanLoopActivationConditionsConfig": told}
    return shown


@operation("sagemaker", "DeleteFlowDefinition")
def delete_flow_definition(call: Call, *, FlowDefinitionName: str) -> None:
    """No new loops start; those that run are finished."""
    found = flows.flow(call.account, FlowDefinitionName)
    resources.delete(
        account=call.account,
        arn=output.flow_arn(found),
        delete=lambda: flows.delete_flow(flow=found, by=call.by),
    )


@operation("sagemaker", "ListFlowDefinitions")
def list_flow_definitions(
    call: Call,
    *,
    CreationTimeAfter: Any = None,
    CreationTimeBefore: Any = None,
    SortOrder: str | None = None,
    MaxResults: int | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """Flow definitions by the time they were made."""
    rows = paging.filtered(call, flows.flows(call.account), _CREATED)
    page = paging.page(call, rows, descending=paging.descending(call, paging.ASCENDING))
    return page.members("FlowDefinitionSummaries", [_flow(row) for row in page.rows])


def _flow(found: FlowDefinition) -> dict[str, Any]:
    return {
        "FlowDefinitionName": found.name,
        "FlowDefinitionArn": output.flow_arn(found),
        "FlowDefinitionStatus": found.status,
        "CreationTime": found.created_at,
        "FailureReason": found.failure_reason or None,
    }


@operation(
    "sagemaker-a2i-runtime",
    "StartHumanLoop",
    fields={
        "name": "HumanLoopName",
        "input_content": "HumanLoopInput.InputContent",
        "content_classifiers": "DataAttributes.ContentClassifiers",
        "flow_definition": "FlowDefinitionArn",
    },
)
def start_human_loop(
    call: Call,
    *,
    HumanLoopName: str,
    FlowDefinitionArn: str,
    HumanLoopInput: dict[str, Any],
    DataAttributes: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Ask people to look at something."""
    made = loops.start_loop(
        flow=flows.flow(call.account, references.named(call, FlowDefinitionArn, "flow-definition")),
        name=HumanLoopName,
        content=HumanLoopInput["InputContent"],
        content_classifiers=(DataAttributes or {}).get("ContentClassifiers", ()),
        by=call.by,
    )
    return {"HumanLoopArn": output.loop_arn(made)}


@operation("sagemaker-a2i-runtime", "DescribeHumanLoop")
def describe_human_loop(call: Call, *, HumanLoopName: str) -> dict[str, Any]:
    """How far a human loop is, and where its output lies."""
    found = loops.loop(call.account, HumanLoopName)
    return _loop(call, found) | {
        "HumanLoopArn": output.loop_arn(found),
        "FailureCode": found.failure_code or None,
        "HumanLoopOutput": {"OutputS3Uri": found.output_uri} if found.output_uri else None,
    }


@operation("sagemaker-a2i-runtime", "ListHumanLoops")
def list_human_loops(
    call: Call,
    *,
    FlowDefinitionArn: str,
    CreationTimeAfter: Any = None,
    CreationTimeBefore: Any = None,
    SortOrder: str | None = None,
    MaxResults: int | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    """The human loops of a flow definition by the time they were started."""
    flow = flows.flow(call.account, references.named(call, FlowDefinitionArn, "flow-definition"))
    rows = paging.filtered(call, loops.loops(call.account).filter(flow=flow), _CREATED)
    page = paging.page(call, rows, descending=paging.descending(call, paging.ASCENDING))
    return page.members("HumanLoopSummaries", [_loop(call, row) for row in page.rows])


@operation("sagemaker-a2i-runtime", "StopHumanLoop")
def stop_human_loop(call: Call, *, HumanLoopName: str) -> None:
    """Nobody is given it any more; those who have begun may finish."""
    loops.stop_loop(loop=loops.loop(call.account, HumanLoopName), by=call.by)


@operation("sagemaker-a2i-runtime", "DeleteHumanLoop")
def delete_human_loop(call: Call, *, HumanLoopName: str) -> None:
    """Forget a human loop that is over; its output stays."""
    loops.delete_loop(loop=loops.loop(call.account, HumanLoopName), by=call.by)


def _loop(call: Call, found: HumanLoop) -> dict[str, Any]:
    return {
        "HumanLoopName": found.name,
        "HumanLoopStatus": found.status,
        "CreationTime": found.created_at,
        "FailureReason": found.failure_reason or None,
        "FlowDefinitionArn": references.arn(call.account, "flow-definition", found.flow.name),
    }
