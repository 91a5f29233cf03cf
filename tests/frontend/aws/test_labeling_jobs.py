"""Ground Truth by boto3 over HTTP: labeling jobs from their manifest to their output, their lists and their errors."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from frontend.aws import lambda_functions
from labeling import task_types
from labeling.background import advance_queue
from labeling.models import LabelingJob
from labeling.services.functions import choosing
from labeling.services.jobs import creation
from learning.services import registry
from marketplace import storage
from marketplace.services import boundaries, contracts, workteams
from tests import builders
from tests.frontend.aws.clients import Aws, code_of, refused
from tests.labeling import stories, vendor_stories
from tests.learning.hosting_stories import a_model

pytestmark = pytest.mark.django_db(transaction=True)
TEMPLATE = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form><crowd-bounding-box name="boundingBox" src="{{ task.input.taskObject | grant_read_access }}"
 header="Box every bee" labels="{{ task.input.labels | to_json | escape }}">
<full-instructions header="How"><p>Small ones, too.</p></full-instructions>
<short-instructions><p>Close to the bee.</p></short-instructions></crowd-bounding-box></crowd-form>"""
FAR = "arn:aws:lambda:eu-west-1:568282634449:function:"


def put(aws: Aws, name: str, content: str) -> str:
    uri = storage.join(boundaries.base_of(aws.account), name)
    storage.write(uri, content.encode(), content_type="text/plain")
    return uri


def a_request(aws: Aws, name: str = "Bees-1", *, kind: str = "BoundingBox", **config: Any) -> dict[str, Any]:
    """What AWS's own examples send, with functions of another region."""
    workers = [builders.a_worker()]
    team = builders.a_team(account=aws.account, workers=workers, name=f"team-of-{name}")
    uris = builders.tiny_images(2, account=aws.account, size=stories.SIZE)
    return {
        "LabelingJobName": name,
        "LabelAttributeName": name,
        "InputConfig": {
            "DataSource": {
                "S3DataSource": {
                    "ManifestS3Uri": builders.a_manifest(aws.account, [{"source-ref": uri} for uri in uris])
                }
            },
            "DataAttributes": {"ContentClassifiers": ["FreeOfAdultContent"]},
        },
        "OutputConfig": {"S3OutputPath": f"{boundaries.base_of(aws.account)}/labels", "KmsKeyId": "a-key"},
        "RoleArn": f"arn:aws:iam::{aws.account.number}:role/labeling",
        "LabelCategoryConfigS3Uri": put(
            aws,
            f"{name}.json",
            json.dumps({"document-version": "2018-11-28", "labels": [{"label": "bee"}, {"label": "wasp"}]}),
        ),
        "StoppingConditions": {"MaxPercentageOfInputDatasetLabeled": 100},
        "HumanTaskConfig": {
            "WorkteamArn": workteams.arn(team),
            "UiConfig": {"UiTemplateS3Uri": put(aws, f"{name}.liquid.html", TEMPLATE)},
            "PreHumanTaskLambdaArn": f"{FAR}PRE-{kind}",
            "AnnotationConsolidationConfig": {"AnnotationConsolidationLambdaArn": f"{FAR}ACS-{kind}"},
            "TaskKeywords": ["bees"],
            "TaskTitle": "Box the bees",
            "TaskDescription": "Every bee",
            "NumberOfHumanWorkersPerDataObject": 1,
            "TaskTimeLimitInSeconds": 600,
            "TaskAvailabilityLifetimeInSeconds": 3600,
            "MaxConcurrentTaskCount": 50,
            **config,
        },
        "Tags": [{"Key": "hive", "Value": "north"}],
    }


def without(request: dict[str, Any], *members: str) -> dict[str, Any]:
    return {name: value for name, value in request.items() if name not in members}


def test_from_a_manifest_to_the_labels(aws: Aws):
    request = a_request(aws)
    arn = aws.sagemaker.create_labeling_job(**request)["LabelingJobArn"]
    assert arn == f"arn:aws:sagemaker:us-east-1:{aws.account.number}:labeling-job/Bees-1"
    told = aws.sagemaker.describe_labeling_job(LabelingJobName="bees-1")
    assert told["LabelingJobStatus"] == "Initializing" and told["LabelCounters"]["TotalLabeled"] == 0
    for member in ("LabelAttributeName", "InputConfig", "RoleArn", "LabelCategoryConfigS3Uri", "StoppingConditions"):
        assert told[member] == request[member], member
    assert told["HumanTaskConfig"] == request["HumanTaskConfig"]
    assert told["OutputConfig"] == request["OutputConfig"] and told["Tags"] == request["Tags"]

    job = LabelingJob.objects.get()
    assert (job.task_type, job.labels) == ("BoundingBox", ["bee", "wasp"])
    assert job.instructions["short"] == "<p>Box every bee</p><p>Close to the bee.</p>"
    assert job.instructions["full"] == "<p>Small ones, too.</p>"
    for _ in range(4):
        advance_queue(job.queue_id)
    worker = job.workteam.members.get()
    assert stories.work(worker, job, stories.boxes((1, 1, 3, 3))) == 2
    for _ in range(4):
        advance_queue(job.queue_id)
    ended = aws.sagemaker.describe_labeling_job(LabelingJobName="Bees-1")
    assert ended["LabelingJobStatus"] == "Completed", ended
    assert ended["LabelCounters"] == {
        "TotalLabeled": 2,
        "HumanLabeled": 2,
        "MachineLabeled": 0,
        "FailedNonRetryableError": 0,
        "Unlabeled": 0,
    }
    lines = storage.read(ended["LabelingJobOutput"]["OutputDatasetS3Uri"]).splitlines()
    assert all(json.loads(line)["Bees-1"]["annotations"] for line in lines) and len(lines) == 2


def test_every_task_type_is_selected_by_its_functions():
    for name in task_types.names():
        selected = lambda_functions.PASS_THROUGH if name == task_types.FORM else name
        assert lambda_functions.task_type(f"{FAR}PRE-{selected}", f"{FAR}ACS-{selected}", None) == name
        pre = lambda_functions.arn_of(name, lambda_functions.PRE, "us-west-2")
        assert pre == f"arn:aws:lambda:us-west-2:081040173940:function:PRE-{selected}"


def test_functions_of_ones_own_are_python_functions_of_the_same_name(aws: Aws, settings):
    settings.FUNCTIONS = ["bees.prepare_hive", "bees.merge"]
    own = "arn:aws:lambda:us-east-1:111122223333:function:"
    request = a_request(
        aws,
        PreHumanTaskLambdaArn=f"{own}prepare-hive",
        AnnotationConsolidationConfig={"AnnotationConsolidationLambdaArn": f"{own}Merge:7"},
    )
    aws.sagemaker.create_labeling_job(**without(request, "LabelCategoryConfigS3Uri"))
    job = LabelingJob.objects.get()
    assert job.task_type == task_types.FORM and "crowd-bounding-box" in job.queue.template.text
    assert list(choosing.of_job(job).values()) == settings.FUNCTIONS
    settings.FUNCTIONS = []
    error = refused(aws.sagemaker.create_labeling_job, **{**request, "LabelingJobName": "other"})
    assert error["Code"] == "ValidationException" and "WAGGLE_FUNCTIONS" in error["Message"]


def test_what_cannot_be_is_refused_with_its_member(aws: Aws):
    request = a_request(aws)
    create = aws.sagemaker.create_labeling_job
    create(**request)
    assert code_of(create, **{**request, "LabelingJobName": "BEES-1"}) == "ResourceInUse"
    config = request["HumanTaskConfig"]
    nowhere = f"{boundaries.base_of(aws.account)}/none"
    for changed, says in (
        ({"LabelAttributeName": "bees-metadata"}, "LabelAttributeName"),
        ({"LabelCategoryConfigS3Uri": nowhere}, "LabelCategoryConfigS3Uri"),
        ({"HumanTaskConfig": config | {"UiConfig": {"UiTemplateS3Uri": nowhere}}}, "UiConfig.UiTemplateS3Uri"),
        ({"HumanTaskConfig": config | {"PreHumanTaskLambdaArn": f"{FAR}PRE-ImageMultiClass"}}, "different task types"),
        ({"InputConfig": {"DataSource": {"S3DataSource": {"ManifestS3Uri": nowhere}}}}, "ManifestS3Uri"),
        ({"OutputConfig": {"S3OutputPath": "s3://somebody-elses/x"}}, "S3OutputPath"),
        (
            {"InputConfig": {"DataSource": {"SnsDataSource": {"SnsTopicArn": "arn:aws:sns:us-east-1:1:t"}}}},
            "snsTopicArn",
        ),
        ({"InputConfig": {"DataSource": {}}}, "InputConfig.DataSource: an S3DataSource or an SnsDataSource expected"),
        (
            {"LabelingJobAlgorithmsConfig": {"LabelingJobAlgorithmSpecificationArn": "arn:x/text-classification"}},
            "ends with object-detection",
        ),
    ):
        error = refused(create, **{**request, "LabelingJobName": "other", **changed})
        assert error["Code"] == "ValidationException" and says in error["Message"], (changed, error)
    assert LabelingJob.objects.count() == 1
    for name, call in (("describe", aws.sagemaker.describe_labeling_job), ("stop", aws.sagemaker.stop_labeling_job)):
        assert code_of(call, LabelingJobName="none") == "ResourceNotFound", name
    video = a_request(aws, "video", kind="VideoObjectTracking")
    assert "video and 3D point clouds" in refused(create, **video)["Message"]


def test_automated_labeling_is_on_when_an_algorithm_is_named(aws: Aws):
    algorithm = "arn:aws:sagemaker:us-east-1:027400017018:labeling-job-algorithm-specification/object-detection"
    # The model with which its loop begins; tests/learning/test_loop.py shows what a loop does with it.
    model = registry.arn(a_model(aws.account))
    said = {"LabelingJobAlgorithmSpecificationArn": algorithm, "InitialActiveLearningModelArn": model}
    request = a_request(aws)
    gone = said | {"InitialActiveLearningModelArn": f"{model}-2"}
    error = refused(aws.sagemaker.create_labeling_job, **request, LabelingJobAlgorithmsConfig=gone)
    assert error["Code"] == "ValidationException"
    assert "LabelingJobAlgorithmsConfig.InitialActiveLearningModelArn: there is no model" in error["Message"]
    aws.sagemaker.create_labeling_job(**request, LabelingJobAlgorithmsConfig=said)
    assert LabelingJob.objects.get().automated_labeling["initial_model"] == model
    told = aws.sagemaker.describe_labeling_job(LabelingJobName="Bees-1")
    assert told["LabelingJobAlgorithmsConfig"] == said


def test_a_job_ends_at_the_number_of_objects_that_it_was_to_label(aws: Aws):
    request = a_request(aws, MaxConcurrentTaskCount=1)
    request["StoppingConditions"] = {"MaxHumanLabeledObjectCount": 1}
    aws.sagemaker.create_labeling_job(**request)
    job = LabelingJob.objects.get()
    advance_queue(job.queue_id)
    assert stories.work(job.workteam.members.get(), job, stories.boxes((1, 1, 3, 3))) == 1
    advance_queue(job.queue_id)
    ended = aws.sagemaker.describe_labeling_job(LabelingJobName="Bees-1")
    assert ended["LabelingJobStatus"] == "Completed" and ended["StoppingConditions"] == request["StoppingConditions"]
    assert (ended["LabelCounters"]["HumanLabeled"], ended["LabelCounters"]["Unlabeled"]) == (1, 1)


def test_the_public_crowd_and_vendors_are_given_work_by_their_arns(aws: Aws):
    contract = vendor_stories.a_contract(requester=aws.account)
    public = workteams.arn(workteams.public_pool()).replace("us-east-1", "eu-west-1")
    assert public == "arn:aws:sagemaker:eu-west-1:394669845002:workteam/public-crowd/default"
    price = {"AmountInUsd": {"Dollars": 0, "Cents": 3, "TenthFractionsOfACent": 6}}
    of_crowd = {"WorkteamArn": public, "PublicWorkforceTaskPrice": price, "TaskAvailabilityLifetimeInSeconds": 21600}
    for name, config in (("public", of_crowd), ("vendor", {"WorkteamArn": contracts.team_arn(contract)})):
        request = a_request(aws, name, **config)
        request["InputConfig"]["DataAttributes"]["ContentClassifiers"] = [
            "FreeOfAdultContent",
            "FreeOfPersonallyIdentifiableInformation",
        ]
        aws.sagemaker.create_labeling_job(**request)
        told = aws.sagemaker.describe_labeling_job(LabelingJobName=name)["HumanTaskConfig"]
        here = config | {"WorkteamArn": config["WorkteamArn"].replace("eu-west-1", "us-east-1")}
        assert {member: told[member] for member in config} == here
    assert LabelingJob.objects.get(name="public").workteam.public
    assert LabelingJob.objects.get(name="vendor").workteam == contract.workteam
    listed = aws.sagemaker.list_labeling_jobs_for_workteam(WorkteamArn=public)["LabelingJobSummaryList"]
    assert [one["LabelingJobName"] for one in listed] == ["public"]


def test_jobs_are_listed_stopped_and_shown_however_they_were_made(aws: Aws):
    team = builders.a_team(account=aws.account, workers=1)
    for name in ("b-one", "a-two", "c-three"):
        creation.create_job(**stories.a_design(aws.account, team, name=name))
    aws.sagemaker.stop_labeling_job(LabelingJobName="a-two")
    pages = aws.sagemaker.get_paginator("list_labeling_jobs").paginate(
        SortBy="Name", SortOrder="Descending", PaginationConfig={"PageSize": 2}
    )
    assert [[one["LabelingJobName"] for one in page["LabelingJobSummaryList"]] for page in pages] == [
        ["c-three", "b-one"],
        ["a-two"],
    ]
    listed = aws.sagemaker.list_labeling_jobs
    names = lambda **given: [one["LabelingJobName"] for one in listed(**given)["LabelingJobSummaryList"]]  # noqa: E731
    assert names(NameContains="one") == ["b-one"] and names(StatusEquals="Stopping") == ["a-two"]
    assert names(SortBy="Status", SortOrder="Descending")[0] == "a-two"
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert names(LastModifiedTimeAfter=tomorrow) == names(CreationTimeAfter=tomorrow) == []
    assert len(names(LastModifiedTimeBefore=tomorrow, CreationTimeBefore=tomorrow)) == 3
    arn = workteams.arn(team)
    of_team = aws.sagemaker.list_labeling_jobs_for_workteam(WorkteamArn=arn, MaxResults=2)
    assert len(of_team["LabelingJobSummaryList"]) == 2
    first = of_team["LabelingJobSummaryList"][0]
    assert first["WorkRequesterAccountId"] == aws.account.number and first["NumberOfHumanWorkersPerDataObject"] == 3
    rest = aws.sagemaker.list_labeling_jobs_for_workteam(WorkteamArn=arn, NextToken=of_team["NextToken"])
    assert [one["LabelingJobName"] for one in rest["LabelingJobSummaryList"]] == ["c-three"]
    only = aws.sagemaker.list_labeling_jobs_for_workteam(
        WorkteamArn=arn, JobReferenceCodeContains=first["JobReferenceCode"]
    )
    assert len(only["LabelingJobSummaryList"]) == 1
    assert code_of(aws.sagemaker.list_labeling_jobs_for_workteam, WorkteamArn=arn[:-1] + "x") == "ResourceNotFound"
    told = aws.sagemaker.describe_labeling_job(LabelingJobName="b-one")
    assert told["HumanTaskConfig"]["PreHumanTaskLambdaArn"].endswith(":function:PRE-BoundingBox")
    assert told["HumanTaskConfig"]["PublicWorkforceTaskPrice"]["AmountInUsd"] == {
        "Dollars": 0,
        "Cents": 3,
        "TenthFractionsOfACent": 6,
    }


def test_a_template_is_tried_on_a_task(aws: Aws):
    role = f"arn:aws:iam::{aws.account.number}:role/labeling"
    task = {"Input": json.dumps({"taskObject": "s3://bees/1.png", "labels": ["bee"]})}
    shown = aws.sagemaker.render_ui_template(UiTemplate={"Content": TEMPLATE}, Task=task, RoleArn=role)
    assert shown["Errors"] == [] or "RenderedContent" in shown
    text = "<crowd-form>{{ task.input.taskObject }}</crowd-form>"
    ui = aws.sagemaker.create_human_task_ui(HumanTaskUiName="ui", UiTemplate={"Content": TEMPLATE})["HumanTaskUiArn"]
    made = aws.sagemaker.render_ui_template(UiTemplate={"Content": text}, Task=task, RoleArn=role)
    assert "s3://bees/1.png" in made["RenderedContent"]
    assert aws.sagemaker.render_ui_template(HumanTaskUiArn=ui, Task=task, RoleArn=role)["RenderedContent"]
    broken = aws.sagemaker.render_ui_template(UiTemplate={"Content": "{% if %}"}, Task=task, RoleArn=role)
    assert broken["Errors"] and broken["Errors"][0]["Message"]
    assert code_of(aws.sagemaker.render_ui_template, Task=task, RoleArn=role) == "ValidationException"
    missing = ui.replace("/ui", "/none")
    assert code_of(aws.sagemaker.render_ui_template, HumanTaskUiArn=missing, Task=task, RoleArn=role) == (
        "ResourceNotFound"
    )
