"""SageMaker's batch transform and CloudWatch's logs of trainings by boto3."""

from datetime import timedelta

from django.utils import timezone

from learning.contract import JobFolder, PredictedBox, Prediction
from learning.models import TrainingJob, TransformJob
from learning.services import run_records
from learning.services.programs import kinds
from marketplace import storage
from marketplace.services import boundaries
from tests import builders
from tests.frontend.aws.clients import Aws, code_of, refused
from tests.learning.hosting_stories import a_model

GROUP = "/aws/sagemaker/TrainingJobs"


def a_request(aws: Aws, name: str = "all-bees", kind: str = "AugmentedManifestFile"):
    uri = builders.a_manifest(
        aws.account, [{"source-ref": one} for one in builders.tiny_images(2, account=aws.account)]
    )
    return {
        "TransformJobName": name,
        "ModelName": "quadrants",
        "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": kind, "S3Uri": uri}}, "SplitType": "Line"},
        "TransformOutput": {"S3OutputPath": f"{boundaries.base_of(aws.account)}/out", "AssembleWith": "Line"},
        "TransformResources": {"InstanceType": "ml.m4.xlarge", "InstanceCount": 2},
    }


def test_a_transform_job_from_its_request_to_its_output(inside: Aws, tmp_path):
    client = inside.sagemaker
    a_model(inside.account)
    request = a_request(inside)
    arn = client.create_transform_job(**request)["TransformJobArn"]
    assert arn.endswith(":transform-job/all-bees")
    told = client.describe_transform_job(TransformJobName="all-bees")
    for member in ("ModelName", "TransformInput", "TransformOutput", "TransformResources"):
        assert told[member] == request[member], member
    assert told["TransformJobStatus"] == "InProgress"
    assert code_of(client.create_transform_job, **request) == "ResourceInUse"

    run = TransformJob.objects.select_related("account", "model").get()
    uri = request["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"]
    folder = JobFolder(tmp_path)
    size = {"width": 48, "height": 32, "depth": 3}
    lines = [
        Prediction(number, None, "s3://b/x.png", size, [PredictedBox(3, 1, 1, 20, 20, 0.9)], []).to_line()
        for number in range(2)
    ]
    folder.predictions.parent.mkdir(parents=True, exist_ok=True)
    folder.predictions.write_text("".join(lines))
    kinds.of(run).keep_result(run, folder)()
    name = uri.rpartition("/")[2]
    written = storage.read(f"{request['TransformOutput']['S3OutputPath']}/{name}.out").splitlines()
    assert len(written) == 2 and b'"score"' in written[0]

    client.stop_transform_job(TransformJobName="all-bees")
    TransformJob.objects.update(status="Stopped")
    client.get_waiter("transform_job_completed_or_stopped").wait(TransformJobName="all-bees")
    listed = client.list_transform_jobs(NameContains="BEES")["TransformJobSummaries"]
    assert [(one["TransformJobName"], one["TransformJobArn"]) for one in listed] == [("all-bees", arn)]


def test_transform_jobs_that_cannot_be_are_refused(inside: Aws):
    client = inside.sagemaker
    error = refused(client.create_transform_job, **a_request(inside))
    assert error["Code"] == "ResourceNotFound" and "quadrants" in error["Message"]
    a_model(inside.account)
    error = refused(client.create_transform_job, **a_request(inside, kind="S3Prefix"))
    assert error["Code"] == "ValidationException" and "S3DataSource.S3DataType" in error["Message"]
    assert code_of(client.describe_transform_job, TransformJobName="none") == "ResourceNotFound"
    assert code_of(client.stop_transform_job, TransformJobName="none") == "ResourceNotFound"
    assert client.list_transform_jobs()["TransformJobSummaries"] == []


def test_the_log_of_a_training_is_read_as_sagemakers_sdk_does(inside: Aws):
    logs = inside.client("logs")
    began = timezone.now()
    run = TrainingJob.objects.create(account=inside.account, name="bees-1", started_at=began)
    TrainingJob.objects.create(account=inside.account, name="bees-2", started_at=began + timedelta(seconds=9))
    TrainingJob.objects.create(account=inside.account, name="bees-3")
    storage.write(run_records.uri(run, run_records.LOG), b'reading\n{"name": "train:loss"}\ntraining\ndone\n')
    found = logs.describe_log_streams(
        logGroupName=GROUP, logStreamNamePrefix="bees-1/", orderBy="LogStreamName", limit=1
    )["logStreams"]
    stream = found[0]["logStreamName"]
    assert [one["logStreamName"] for one in found] == [stream] and stream.startswith("bees-1/algo-1-")
    first = logs.describe_log_streams(logGroupName=GROUP, limit=1)
    second = logs.describe_log_streams(logGroupName=GROUP, limit=1, nextToken=first["nextToken"])
    assert second["logStreams"][0]["logStreamName"].startswith("bees-2/") and "nextToken" not in second

    def read(**more):
        told = logs.get_log_events(logGroupName=GROUP, logStreamName=stream, **more)
        return [event["message"] for event in told["events"]], told

    lines, told = read(startFromHead=True, limit=2)
    assert lines == ["reading", "training"]
    lines, told = read(startFromHead=True, nextToken=told["nextForwardToken"])
    assert lines == ["done"]
    # At the end the same token comes again, which tells clients to stop.
    lines, again = read(startFromHead=True, nextToken=told["nextForwardToken"])
    assert lines == [] and again["nextForwardToken"] == told["nextForwardToken"]
    lines, told = read(limit=1)
    assert lines == ["done"]
    assert read(nextToken=told["nextBackwardToken"])[0] == ["reading", "training"]
    assert read(startTime=int(began.timestamp() * 1000) + 1000)[0] == []
    other = logs.get_log_events
    assert code_of(other, logGroupName=GROUP, logStreamName="bees-1/other") == "ResourceNotFoundException"
    assert code_of(other, logGroupName="/other", logStreamName=stream) == "ResourceNotFoundException"
    asked = {"logGroupName": GROUP, "logStreamName": stream, "nextToken": "x/1"}
    assert code_of(other, **asked) == "InvalidParameterException"
    assert code_of(logs.describe_log_streams, logGroupName="/other") == "ResourceNotFoundException"
