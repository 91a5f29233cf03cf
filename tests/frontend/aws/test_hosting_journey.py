"""From images to predictions by plain boto3 over HTTP, with a real training and a real endpoint. Slow."""

import json

import pytest

from learning.models import Endpoint, TrainingJob
from learning.services.hosting import deploying
from learning.services.programs.executor import LocalExecutor
from learning.services.programs.supervisor import Supervisor
from marketplace import storage
from tests import builders
from tests.frontend.aws.clients import Aws, code_of
from tests.frontend.aws.training_requests import IMAGE, a_channel, a_training
from tests.learning.hosting_stories import follow, status_is

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(900)]
QUICK = {
    "architecture": "compact",
    "weights": "none",
    "epochs": "2",
    "image_size": "64",
    "mini_batch_size": "4",
    "num_classes": "1",
}


def test_from_images_to_predictions(aws: Aws, tmp_path):
    client = aws.sagemaker
    learner = Supervisor(executor=LocalExecutor(), slots=1, root=tmp_path / "programs")
    try:
        artifact = _train(aws, client, learner)
        client.create_model(ModelName="bees", PrimaryContainer={"Image": IMAGE, "ModelDataUrl": artifact})
        variant = {"VariantName": "AllTraffic", "ModelName": "bees", "InitialInstanceCount": 1}
        client.create_endpoint_config(
            EndpointConfigName="bees", ProductionVariants=[variant | {"InstanceType": "ml.m4.xlarge"}]
        )
        client.create_endpoint(EndpointName="bees", EndpointConfigName="bees")
        endpoint = Endpoint.objects.get()
        follow(endpoint, learner, status_is(endpoint, "InService"))
        client.get_waiter("endpoint_in_service").wait(EndpointName="bees")
        image = builders.image_bytes(size=(48, 32))
        told = aws.client("sagemaker-runtime").invoke_endpoint(EndpointName="bees", Body=image, ContentType="image/png")
        for row in json.loads(told["Body"].read())["prediction"]:
            assert len(row) == 6 and row[0] == 0.0 and 0 <= row[1] <= 1
        client.delete_endpoint(EndpointName="bees")
        while Endpoint.objects.exists():
            learner.step()
            deploying.advance(endpoint_id=endpoint.pk)
        client.get_waiter("endpoint_deleted").wait(EndpointName="bees")
        client.delete_endpoint_config(EndpointConfigName="bees")
        client.delete_model(ModelName="bees")
        assert code_of(client.describe_model, ModelName="bees") == "ValidationException"
    finally:
        learner.shut_down()


def _train(aws: Aws, client, learner: Supervisor) -> str:
    """The address of the model that a training made."""
    channels = [a_channel(aws, images=12), a_channel(aws, "validation", images=4)]
    client.create_training_job(**a_training(aws, InputDataConfig=channels, HyperParameters=QUICK))
    while TrainingJob.objects.filter(status="InProgress").exists():
        learner.step()
    client.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName="bees-1")
    told = client.describe_training_job(TrainingJobName="bees-1")
    assert told["TrainingJobStatus"] == "Completed", told.get("FailureReason")
    assert "validation:mAP" in {one["MetricName"] for one in told["FinalMetricDataList"]}
    artifact = told["ModelArtifacts"]["S3ModelArtifacts"]
    assert artifact.endswith("/out/bees-1/output/model.tar.gz") and storage.size(artifact) > 10_000
    logs = aws.client("logs")
    group = "/aws/sagemaker/TrainingJobs"
    (stream,) = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix="bees-1/")["logStreams"]
    events = logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True)
    assert any("validation mAP" in event["message"] for event in events["events"])
    return str(artifact)
