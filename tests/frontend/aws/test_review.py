"""Augmented AI by boto3 over HTTP: templates, flow definitions, human loops, their output and their errors."""

import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from labeling.background import advance_queue
from labeling.models import FlowDefinition
from labeling.services.queue import assignments
from marketplace import storage
from marketplace.services import boundaries, workteams
from tests import builders
from tests.frontend.aws.clients import Aws, code_of, refused
from tests.labeling.test_human_loops import ANSWER, CONTENT, TEMPLATE

pytestmark = pytest.mark.django_db(transaction=True)


def a_ui(aws: Aws, name: str = "boxes") -> str:
    return aws.sagemaker.create_human_task_ui(HumanTaskUiName=name, UiTemplate={"Content": TEMPLATE})["HumanTaskUiArn"]


def a_flow(aws: Aws, ui: str, name: str = "bees", **changed):
    team = builders.a_team(account=aws.account, workers=[builders.a_worker()], name=f"team-of-{name}")
    config = {
        "WorkteamArn": workteams.arn(team),
        "HumanTaskUiArn": ui,
        "TaskTitle": "Box the bees",
        "TaskDescription": "Every bee",
        "TaskCount": 1,
        "TaskKeywords": ["bees"],
        "PublicWorkforceTaskPrice": {"AmountInUsd": {"Dollars": 0, "Cents": 3, "TenthFractionsOfACent": 6}},
        **changed,
    }
    made = aws.sagemaker.create_flow_definition(
        FlowDefinitionName=name,
        HumanLoopConfig=config,
        OutputConfig={"S3OutputPath": f"{boundaries.base_of(aws.account)}/reviews"},
        RoleArn=f"arn:aws:iam::{aws.account.number}:role/reviews",
        Tags=[{"Key": "hive", "Value": "north"}],
    )
    return made["FlowDefinitionArn"], config


def answer(name: str) -> None:
    """Somebody of the team answers the loop that waits."""
    flow = FlowDefinition.objects.get(name=name)
    worker = flow.queue.workteam.members.get()
    seat = assignments.claim(worker=worker, queue=flow.queue)
    assignments.submit(assignment=seat, worker=worker, content=ANSWER, seconds=2, key=None)
    advance_queue(flow.queue_id)


def test_from_a_template_to_the_output_of_a_loop(aws: Aws):
    ui = a_ui(aws)
    assert ui == f"arn:aws:sagemaker:us-east-1:{aws.account.number}:human-task-ui/boxes"
    shown = aws.sagemaker.describe_human_task_ui(HumanTaskUiName="boxes")
    assert shown["UiTemplate"]["ContentSha256"] == hashlib.sha256(TEMPLATE.encode()).hexdigest()
    flow, config = a_flow(aws, ui)
    told = aws.sagemaker.describe_flow_definition(FlowDefinitionName="bees")
    assert told["FlowDefinitionStatus"] == "Active" and told["FlowDefinitionArn"] == flow
    assert {name: told["HumanLoopConfig"][name] for name in config} == config
    assert aws.sagemaker.list_tags(ResourceArn=flow)["Tags"] == [{"Key": "hive", "Value": "north"}]

    started = aws.a2i.start_human_loop(
        HumanLoopName="loop-1", FlowDefinitionArn=flow, HumanLoopInput={"InputContent": CONTENT}
    )
    assert started["HumanLoopArn"].endswith(":human-loop/loop-1")
    assert aws.a2i.describe_human_loop(HumanLoopName="loop-1")["HumanLoopStatus"] == "InProgress"
    answer("bees")
    ended = aws.a2i.describe_human_loop(HumanLoopName="loop-1")
    assert ended["HumanLoopStatus"] == "Completed" and "FailureReason" not in ended
    output = json.loads(storage.read(ended["HumanLoopOutput"]["OutputS3Uri"]))
    assert output["humanAnswers"][0]["answerContent"] == ANSWER
    aws.a2i.delete_human_loop(HumanLoopName="loop-1")
    assert code_of(aws.a2i.describe_human_loop, HumanLoopName="loop-1") == "ResourceNotFoundException"


def test_a_loop_that_is_stopped(aws: Aws):
    flow, _ = a_flow(aws, a_ui(aws))
    aws.a2i.start_human_loop(HumanLoopName="l", FlowDefinitionArn=flow, HumanLoopInput={"InputContent": "{}"})
    assert code_of(aws.a2i.delete_human_loop, HumanLoopName="l") == "ValidationException"
    aws.a2i.stop_human_loop(HumanLoopName="l")
    assert aws.a2i.describe_human_loop(HumanLoopName="l")["HumanLoopStatus"] in ("Stopping", "Stopped")
    other = {"HumanLoopName": "l", "FlowDefinitionArn": flow, "HumanLoopInput": {"InputContent": '{"x": 1}'}}
    error = refused(aws.a2i.start_human_loop, **other)
    assert (error["Code"], error["status"]) == ("ConflictException", 409)


def test_lists_are_paged_filtered_and_ordered(aws: Aws):
    flow, _ = a_flow(aws, a_ui(aws))
    names = [f"loop-{number}" for number in range(5)]
    for name in names:
        aws.a2i.start_human_loop(HumanLoopName=name, FlowDefinitionArn=flow, HumanLoopInput={"InputContent": "{}"})
        aws.sagemaker.create_human_task_ui(HumanTaskUiName=f"ui-{name}", UiTemplate={"Content": TEMPLATE})
    pages = aws.a2i.get_paginator("list_human_loops").paginate(
        FlowDefinitionArn=flow, SortOrder="Descending", PaginationConfig={"PageSize": 2}
    )
    listed = [[loop["HumanLoopName"] for loop in page["HumanLoopSummaries"]] for page in pages]
    assert listed == [["loop-4", "loop-3"], ["loop-2", "loop-1"], ["loop-0"]]
    uis = aws.sagemaker.list_human_task_uis(MaxResults=4)
    assert [ui["HumanTaskUiName"] for ui in uis["HumanTaskUiSummaries"]][:2] == ["boxes", "ui-loop-0"]
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert aws.sagemaker.list_human_task_uis(CreationTimeAfter=tomorrow)["HumanTaskUiSummaries"] == []
    assert len(aws.sagemaker.list_flow_definitions(CreationTimeBefore=tomorrow)["FlowDefinitionSummaries"]) == 1
    assert aws.a2i.list_human_loops(FlowDefinitionArn=flow, CreationTimeAfter=tomorrow)["HumanLoopSummaries"] == []
    # The token of another list, or of the same with other filters, is none of this one.
    for call, given in (
        (aws.sagemaker.list_flow_definitions, {}),
        (aws.sagemaker.list_human_task_uis, {"SortOrder": "Descending"}),
    ):
        assert "NextToken" in refused(call, NextToken=uis["NextToken"], **given)["Message"]


def test_what_is_wrong_is_named_by_its_member(aws: Aws):
    ui = a_ui(aws)
    assert code_of(a_ui, aws) == "ResourceInUse"
    flow, config = a_flow(aws, ui)
    assert code_of(aws.sagemaker.describe_flow_definition, FlowDefinitionName="none") == "ResourceNotFound"
    assert code_of(aws.sagemaker.describe_human_task_ui, HumanTaskUiName="none") == "ResourceNotFound"
    team = config["WorkteamArn"].replace("team-of-bees", "none")
    error = refused(a_flow, aws, ui, "wasps", WorkteamArn=team)
    assert error["Code"] == "ValidationException" and "HumanLoopConfig.WorkteamArn" in error["Message"]
    error = refused(a_flow, aws, ui, "hornets", TaskCount=7, TaskTitle="t" * 129)
    assert error["Message"].startswith("2 validation errors detected: ")
    told = "Value '7' at 'humanLoopConfig.taskCount' failed to satisfy constraint: Member must have value less than or"
    assert told in error["Message"] and "humanLoopConfig.taskTitle" in error["Message"]
    error = refused(
        aws.a2i.start_human_loop, HumanLoopName="l", FlowDefinitionArn=flow, HumanLoopInput={"InputContent": "[]"}
    )
    assert (error["Code"], error["status"]) == ("ValidationException", 400)
    assert "HumanLoopInput.InputContent: a JSON object expected" in error["Message"]
    with pytest.raises(ClientError, match="ResourceNotFound"):
        aws.sagemaker.delete_human_task_ui(HumanTaskUiName="none")


def test_deleted_definitions_are_gone_with_their_tags(aws: Aws):
    ui = a_ui(aws)
    flow, _ = a_flow(aws, ui)
    aws.sagemaker.delete_flow_definition(FlowDefinitionName="bees")
    aws.sagemaker.delete_human_task_ui(HumanTaskUiName="boxes")
    assert aws.sagemaker.list_flow_definitions()["FlowDefinitionSummaries"] == []
    assert aws.sagemaker.list_human_task_uis()["HumanTaskUiSummaries"] == []
    assert aws.sagemaker.list_tags(ResourceArn=flow)["Tags"] == []
