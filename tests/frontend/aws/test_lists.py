"""Every List operation by boto3: whatever its model says of pages, orders and filters holds of three rows."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from django.db.models import QuerySet

from frontend.aws.operations import OPERATIONS
from labeling.models import FlowDefinition, HumanLoop, HumanTaskUi, LabelingJob
from labeling.services.jobs import creation
from learning.models import (
    Endpoint,
    EndpointConfig,
    HyperParameterTuningJob,
    Model,
    ModelGroup,
    NamedModel,
    TrainingJob,
    TransformJob,
    TuningTrial,
)
from marketplace.models import Workteam
from marketplace.services import workteams
from tests import builders
from tests.frontend.aws.clients import Aws, refused
from tests.frontend.aws.test_review import a_flow, a_ui
from tests.frontend.tuning_world import a_trial, a_tuning
from tests.labeling import stories, vendor_stories
from tests.labeling.test_human_loops import TEMPLATE
from tests.learning.hosting_stories import a_model

NAMES = ("b-one", "c-two", "a-three")
"""In the order in which they are made, which is neither that of the names nor that of the statuses."""

STATUSES = ("Failed", "Completed", "Stopped")
FIRST = datetime(2026, 1, 2, 3, tzinfo=UTC)
HOUR = timedelta(hours=1)
ELSEWHERE = {
    "ListTags": "test_teams.py",
    "ListWorkforces": "test_teams.py: an account has one",
    "ListSubscribedWorkteams": "below: their names are the vendors'",
}


class Listed(NamedTuple):
    """`rows`: the list in the output; `name`: what in a row tells it. `make` fills the list and says what the call has
    to give beside filters, `columns` are set where the model has them.
    """

    rows: str
    name: str
    make: Callable[[Aws], tuple[QuerySet[Any], dict[str, Any]]]
    statuses: tuple[str, ...] = STATUSES


def jobs(aws: Aws) -> tuple[QuerySet[Any], dict[str, Any]]:
    team = builders.a_team(account=aws.account, workers=1)
    for name in NAMES:
        creation.create_job(**stories.a_design(aws.account, team, name=name))
    return LabelingJob.objects.all(), {}


def jobs_of_a_team(aws: Aws) -> tuple[QuerySet[Any], dict[str, Any]]:
    rows, _ = jobs(aws)
    return rows, {"WorkteamArn": workteams.arn(Workteam.objects.get(account=aws.account))}


def teams(aws: Aws) -> tuple[QuerySet[Any], dict[str, Any]]:
    for name in NAMES:
        builders.a_team(account=aws.account, workers=0, name=name)
    return Workteam.objects.filter(account=aws.account), {}


def uis(aws: Aws) -> tuple[QuerySet[Any], dict[str, Any]]:
    for name in NAMES:
        aws.sagemaker.create_human_task_ui(HumanTaskUiName=name, UiTemplate={"Content": TEMPLATE})
    return HumanTaskUi.objects.all(), {}


def flows(aws: Aws) -> tuple[QuerySet[Any], dict[str, Any]]:
    ui = a_ui(aws)
    for name in NAMES:
        a_flow(aws, ui, name)
    return FlowDefinition.objects.all(), {}


def loops(aws: Aws) -> tuple[QuerySet[Any], dict[str, Any]]:
    flow, _ = a_flow(aws, a_ui(aws))
    for name in NAMES:
        aws.a2i.start_human_loop(HumanLoopName=name, FlowDefinitionArn=flow, HumanLoopInput={"InputContent": "{}"})
    return HumanLoop.objects.all(), {"FlowDefinitionArn": flow}


def trainings(aws: Aws) -> tuple[QuerySet[Any], dict[str, Any]]:
    for name in NAMES:
        TrainingJob.objects.create(account=aws.account, name=name)
    return TrainingJob.objects.all(), {}


def transforms(aws: Aws) -> tuple[QuerySet[Any], dict[str, Any]]:
    model = a_model(aws.account)
    for name in NAMES:
        TransformJob.objects.create(account=aws.account, name=name, model=model)
    return TransformJob.objects.all(), {}


def tunings(aws: Aws) -> tuple[QuerySet[Any], dict[str, Any]]:
    for name in NAMES:
        a_tuning(aws.account, name=name)
    return HyperParameterTuningJob.objects.all(), {}


def trials(aws: Aws) -> tuple[QuerySet[Any], dict[str, Any]]:
    first, *others = (
        TrainingJob.objects.create(account=aws.account, name=name, status=status)
        for name, status in zip(NAMES, STATUSES, strict=True)
    )
    job = a_tuning(aws.account, name="hives", training_job=first)
    for value, run in zip((0.9, 0.1), others, strict=True):
        a_trial(job, value, training_job=run)
    return TuningTrial.objects.all(), {"HyperParameterTuningJobName": "hives"}


def models(aws: Aws) -> tuple[QuerySet[Any], dict[str, Any]]:
    model = a_model(aws.account)
    for name in NAMES:
        NamedModel.objects.create(account=aws.account, name=name, model=model)
    return NamedModel.objects.all(), {}


def groups(aws: Aws) -> tuple[QuerySet[Any], dict[str, Any]]:
    for name in NAMES:
        ModelGroup.objects.create(account=aws.account, name=name)
    return ModelGroup.objects.all(), {}


def packages(aws: Aws) -> tuple[QuerySet[Any], dict[str, Any]]:
    # Each is the first of a group of its own name.
    for name in NAMES:
        a_model(aws.account, name)
    return Model.objects.all(), {}


def configs(aws: Aws) -> tuple[QuerySet[Any], dict[str, Any]]:
    for name in NAMES:
        EndpointConfig.objects.create(account=aws.account, name=name, variants=[])
    return EndpointConfig.objects.all(), {}


def endpoints(aws: Aws) -> tuple[QuerySet[Any], dict[str, Any]]:
    config = EndpointConfig.objects.create(account=aws.account, name="one", variants=[])
    for name in NAMES:
        Endpoint.objects.create(account=aws.account, name=name, config=config)
    return Endpoint.objects.all(), {}


LISTS = {
    "ListEndpointConfigs": Listed("EndpointConfigs", "EndpointConfigName", configs),
    "ListEndpoints": Listed("Endpoints", "EndpointName", endpoints, ("InService", "Creating", "Updating")),
    "ListFlowDefinitions": Listed("FlowDefinitionSummaries", "FlowDefinitionName", flows),
    "ListHumanLoops": Listed("HumanLoopSummaries", "HumanLoopName", loops),
    "ListHumanTaskUis": Listed("HumanTaskUiSummaries", "HumanTaskUiName", uis),
    "ListHyperParameterTuningJobs": Listed("HyperParameterTuningJobSummaries", "HyperParameterTuningJobName", tunings),
    "ListLabelingJobs": Listed("LabelingJobSummaryList", "LabelingJobName", jobs),
    "ListLabelingJobsForWorkteam": Listed("LabelingJobSummaryList", "LabelingJobName", jobs_of_a_team),
    "ListModelPackageGroups": Listed("ModelPackageGroupSummaryList", "ModelPackageGroupName", groups),
    "ListModelPackages": Listed("ModelPackageSummaryList", "ModelPackageGroupName", packages),
    "ListModels": Listed("Models", "ModelName", models),
    "ListTrainingJobs": Listed("TrainingJobSummaries", "TrainingJobName", trainings),
    "ListTrainingJobsForHyperParameterTuningJob": Listed("TrainingJobSummaries", "TrainingJobName", trials),
    "ListTransformJobs": Listed("TransformJobSummaries", "TransformJobName", transforms),
    "ListWorkteams": Listed("Workteams", "WorkteamName", teams),
}
BY_NAME = ["a-three", "b-one", "c-two"]
SORTED = {
    "Name": BY_NAME,
    "CreationTime": list(NAMES),
    "CreateDate": list(NAMES),
    # Of the objectives .5, .9 and .1.
    "FinalObjectiveMetricValue": ["a-three", "b-one", "c-two"],
}
LATER = FIRST + HOUR
FILTERED: dict[str, tuple[Any, list[str]]] = {
    "NameContains": ("TWO", ["c-two"]),
    "CreationTimeAfter": (LATER, ["a-three"]),
    "CreationTimeBefore": (LATER, ["b-one"]),
    "LastModifiedTimeAfter": (LATER, ["a-three"]),
    "LastModifiedTimeBefore": (LATER, ["b-one"]),
}
"""Filter -> a value, and the rows that are left by it."""


def dated(rows: QuerySet[Any], statuses: tuple[str, ...]) -> None:
    """One an hour, each with its status."""
    columns = {field.name for field in rows.model._meta.fields}
    for place, row in enumerate(rows.order_by("pk")):
        moment = FIRST + place * HOUR
        wanted = {"created_at": moment, "status_changed_at": moment, "updated_at": moment, "status": statuses[place]}
        # The status of a version is its approval; of what people review another than that of jobs.
        kept = {"status"} if rows.model in (Model, FlowDefinition, HumanLoop) else set()
        rows.filter(pk=row.pk).update(**{name: wanted[name] for name in wanted.keys() & columns - kept})


def test_every_list_is_here():
    lists = {one.name for one in OPERATIONS.values() if one.name.startswith("List")}
    assert lists == LISTS.keys() | ELSEWHERE.keys()


@pytest.mark.parametrize("name", LISTS)
def test_pages_orders_and_filters(inside: Aws, name: str):
    listed = LISTS[name]
    rows, given = listed.make(inside)
    dated(rows, listed.statuses)
    (operation,) = (one for one in OPERATIONS.values() if one.name == name)
    client, members = inside.client(operation.service), operation.model.input_shape.members

    def asked(**more: Any) -> dict[str, Any]:
        found: dict[str, Any] = client._make_api_call(name, given | more)
        return found

    def names(**more: Any) -> list[str]:
        return [row[listed.name] for row in asked(**more)[listed.rows]]

    whole = names(SortOrder="Ascending")
    assert sorted(whole) == BY_NAME
    assert names(SortOrder="Descending") == whole[::-1]
    page, paged = asked(MaxResults=2), []
    paged += page[listed.rows]
    elsewhere = {"SortOrder": "Descending" if paged[0][listed.name] == whole[0] else "Ascending"}
    assert "NextToken" in refused(asked, NextToken=page["NextToken"], **elsewhere)["Message"]
    page = asked(MaxResults=2, NextToken=page["NextToken"])
    paged += page[listed.rows]
    assert "NextToken" not in page and [row[listed.name] for row in paged] == names()

    by_status = [one for _, one in sorted(zip(listed.statuses, NAMES, strict=True))]
    orders = SORTED | {"Status": by_status}
    for order in getattr(members.get("SortBy"), "enum", []):
        assert names(SortBy=order, SortOrder="Ascending") == orders[order], order
        assert names(SortBy=order, SortOrder="Descending") == orders[order][::-1], order
    filters = dict(FILTERED)
    if "StatusEquals" in members:
        filters["StatusEquals"] = listed.statuses[1], ["c-two"]
    for member in filters.keys() & members.keys():
        value, left = filters[member]
        assert names(**{member: value}) == left, member


def test_subscribed_teams_are_paged(inside: Aws):
    arns = {workteams.arn(vendor_stories.a_contract(requester=inside.account).workteam) for _ in range(3)}
    pages = inside.sagemaker.get_paginator("list_subscribed_workteams").paginate(PaginationConfig={"PageSize": 2})
    found = [[one["WorkteamArn"] for one in page["SubscribedWorkteams"]] for page in pages]
    assert [len(page) for page in found] == [2, 1] and {*found[0], *found[1]} == arns
