"""A streaming labeling job by boto3: topics of a real server (moto) send its objects and are sent its labels."""

import json
from collections.abc import Iterator

import pytest

from labeling import background
from labeling.models import DataObject, JobTopics, LabelingJob
from marketplace import background as deliveries
from marketplace.models import EventDelivery
from marketplace.services import event_destinations
from tests import builders
from tests.aws_server import KEY_ID, SECRET, AwsServer
from tests.aws_server import aws as moto
from tests.frontend.aws.clients import Aws, refused
from tests.frontend.aws.test_labeling_jobs import a_request, without
from tests.labeling import stories
from tests.sns import with_certificates

__all__ = ["moto"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sns(moto: AwsServer, settings, live_server) -> Iterator[AwsServer]:
    """The server, allowed by the operator; it reaches this installation, and has certificates."""
    with with_certificates(moto.url) as url:
        server = AwsServer(url)
        settings.EVENTS_ENDPOINT_URLS, settings.FETCH_ALLOWED_HOSTS = (url,), frozenset({server.host})
        settings.PUBLIC_URL = live_server.url
        yield server


def test_objects_come_and_labels_go_by_topics(aws: Aws, sns: AwsServer):
    labels = sns.queue("labels")
    arrive, leave = sns.client("sns").create_topic(Name="arrive")["TopicArn"], sns.topic("leave", labels)
    request = without(a_request(aws), "StoppingConditions")
    request["InputConfig"] = {"DataSource": {"SnsDataSource": {"SnsTopicArn": arrive}}}
    request["OutputConfig"] = {"S3OutputPath": request["OutputConfig"]["S3OutputPath"], "SnsTopicArn": leave}
    create = aws.sagemaker.create_labeling_job
    assert (
        "OutputConfig.SnsTopicArn: the account has no active event destination"
        in (refused(create, **request)["Message"])
    )
    keys = {"credentials": "keys", "access_key_id": KEY_ID, "secret_access_key": SECRET}
    event_destinations.create(
        account=aws.account, kind="sns", target=leave, endpoint_url=sns.url, by="user:1", statuses=["Failed"], **keys
    )
    half = {"MaxPercentageOfInputDatasetLabeled": 50}
    error = refused(create, **request, StoppingConditions=half)
    assert "StoppingConditions.MaxPercentageOfInputDatasetLabeled: not in a streaming job" in error["Message"]

    create(**request)
    job = LabelingJob.objects.get()
    for step in (background.advance_queue, lambda _: background.advance_topics(job.pk)):
        step(job.queue_id)
    assert JobTopics.objects.get().subscription_arn.startswith(arrive)
    (uri,) = builders.tiny_images(1, account=aws.account, size=stories.SIZE)
    line = {"source-ref": uri, "dataset-objectid-attribute-name": "hive", "hive": "north-7"}
    for _ in range(2):
        sns.client("sns").publish(TopicArn=arrive, Message=json.dumps(line))
    background.advance_queue(job.queue_id)
    assert DataObject.objects.get(job=job).source_ref == uri
    assert stories.work(job.workteam.members.get(), job) == 1
    background.advance_queue(job.queue_id)
    for delivery in EventDelivery.objects.order_by("pk"):
        deliveries.deliver_event(delivery.pk)
    (sent,) = [json.loads(json.loads(message["Body"])["Message"]) for message in sns.received(labels)]
    assert sent | line == sent and sent["Bees-1"]["annotations"]

    told = aws.sagemaker.describe_labeling_job(LabelingJobName="Bees-1")
    assert told["LabelingJobStatus"] == "InProgress" and told["LabelCounters"]["HumanLabeled"] == 1
    for member in ("InputConfig", "OutputConfig"):
        assert told[member] == request[member]
    (listed,) = aws.sagemaker.list_labeling_jobs()["LabelingJobSummaryList"]
    assert listed["InputConfig"] == request["InputConfig"]
    aws.sagemaker.stop_labeling_job(LabelingJobName="Bees-1")
    background.advance_queue(job.queue_id)
    background.advance_topics(job.pk)
    assert aws.sagemaker.describe_labeling_job(LabelingJobName="Bees-1")["LabelingJobStatus"] == "Stopped"
    subscribed = sns.client("sns").list_subscriptions_by_topic(TopicArn=arrive)["Subscriptions"]
    assert subscribed == []
