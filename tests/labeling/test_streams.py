"""Streaming labeling jobs: a topic sends objects one by one, and they are labeled as they come, until the job stops."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest
from django.test import Client
from django.utils import timezone

from labeling import background
from labeling.formats import manifest
from labeling.models import BadLine, Batch, DataObject, JobTopics, LabelingJob, ObjectLine, StreamMessage
from labeling.services.jobs import creation
from labeling.services.output import manifests
from labeling.services.streams import topics
from marketplace import storage
from marketplace.errors import Invalid
from marketplace.models import EventDelivery
from marketplace.services import event_destinations
from tests import builders
from tests.labeling import stories
from tests.sns import TOPIC, Sns, sns_server

pytestmark = pytest.mark.django_db
LABELS = "arn:aws:sns:us-east-1:123456789012:labels"
STREAM: dict[str, Any] = {"input_manifest_uri": None, "input_topic_arn": TOPIC, "workers_per_object": 1}


@pytest.fixture(scope="module")
def server() -> Iterator[Sns]:
    with sns_server() as made:
        yield made


@pytest.fixture
def sns(server: Sns, settings) -> Sns:
    """The operator allows the server that stands in for Amazon's."""
    settings.EVENTS_ENDPOINT_URLS, settings.FETCH_ALLOWED_HOSTS = (server.url,), frozenset({server.host})
    server.renew()
    return server


def a_stream(sns: Sns, *, output: bool = False, **changes: Any) -> LabelingJob:
    """A streaming job that has begun, whose topic is of the server."""
    account = stories.an_account()
    if output:
        changes["output_topic_arn"] = a_destination(account, sns)
    team = builders.a_team(account=account, workers=stories.a_crowd(1))
    job = creation.create_job(**stories.a_design(account, team, **{**STREAM, **changes}))
    JobTopics.objects.filter(pk=job.pk).update(endpoint_url=sns.url)
    return advance(job)


def a_destination(account: Any, sns: Sns) -> str:
    keys = {"credentials": "keys", "access_key_id": "A" * 20, "secret_access_key": "a-secret"}
    made, _ = event_destinations.create(
        account=account,
        kind="sns",
        target=LABELS,
        endpoint_url=sns.url,
        by="user:1",
        detail_types=[topics.LABELS],
        **keys,
    )
    return made.target


def advance(job: LabelingJob) -> LabelingJob:
    background.advance_job(job.pk)
    job.refresh_from_db()
    return job


def post(job: LabelingJob, body: bytes) -> Any:
    return Client().post(urlsplit(topics.address(job)).path, body, content_type="text/plain; charset=UTF-8")


def pictures(job: LabelingJob, many: int) -> list[str]:
    return builders.tiny_images(many, account=job.account, size=stories.SIZE)


def lines(job: LabelingJob) -> list[dict[str, Any]]:
    rows = ObjectLine.objects.filter(data_object__job=job).order_by("data_object__index")
    return [orjson.loads(row.text) for row in rows]


def test_objects_are_labeled_as_they_come_until_the_job_is_stopped(sns: Sns):
    job = a_stream(sns, output=True)
    assert (job.status, job.objects_total) == ("InProgress", 0)
    first, second, third = pictures(job, 3)
    answer = post(job, sns.message({"source-ref": first, "hive": "north"}, MessageId="m-1"))
    assert (answer.status_code, answer.content) == (200, b"1 new")
    advance(job)
    # The second is on offer beside the first, which nobody has answered yet.
    named = {"source-ref": second, "dataset-objectid-attribute-name": "hive-id", "hive-id": "7"}
    post(job, sns.message(named, version="1", Subject="a hive"))
    advance(job)
    assert Batch.objects.filter(queue=job.queue, status="InProgress").count() == 2
    worker = job.workteam.members.get()
    assert stories.work(worker, job) == 2
    advance(job)
    assert (job.status, job.objects_total) == ("InProgress", 2)
    assert not Batch.objects.filter(queue=job.queue, status="InProgress").exists()

    sent = [orjson.loads(body) for body in EventDelivery.objects.order_by("pk").values_list("body", flat=True)]
    name = job.label_attribute_name
    assert [one["source-ref"] for one in sent] == [first, second] and all(name in one for one in sent)
    assert sent[0][f"${name}-object-id"] == "m-1" and sent[0]["hive"] == "north"
    assert sent[0]["dataset-objectid-attribute-name"] == f"${name}-object-id"
    assert sent[1]["dataset-objectid-attribute-name"] == "hive-id" and f"${name}-object-id" not in sent[1]

    post(job, sns.message({"source-ref": third}))
    advance(job)
    creation.stop_job(job=job, by="user:1")
    assert advance(job).status == "Stopped"
    advance(job)
    written = storage.read(manifests.manifest_uri(job)).splitlines()
    assert [orjson.loads(line)["source-ref"] for line in written] == [first, second, third]
    assert EventDelivery.objects.count() == 2
    # Another job can go on from this output, whose lines have members that no user may give.
    read = list(manifest.parse(written, label_attribute_name=name))
    assert [isinstance(line, manifest.Line) and line.labeled for line in read] == [True, True, False]
    late = post(job, sns.message({"source-ref": third}))
    assert late.status_code == 410 and b"Stopped" in late.content


def test_what_was_sent_before_is_dropped(sns: Sns):
    job = a_stream(sns)
    uri, other = pictures(job, 2)
    named = {"source-ref": uri, "dataset-objectid-attribute-name": "id", "id": "a"}
    for body, says in (
        (sns.message({"source-ref": uri}, MessageId="m-1"), b"1 new"),
        (sns.message({"source-ref": uri}, MessageId="m-1"), b"0 new"),
        (sns.message({"source-ref": uri}, MessageId="m-2"), b"1 new"),
        (sns.message(named), b"1 new"),
        (sns.message({**named, "source-ref": other}), b"0 new"),
    ):
        assert post(job, body).content == says
    assert advance(job).objects_total == 3
    assert DataObject.objects.filter(job=job, state="PendingHuman").count() == 3
    post(job, sns.message(named))
    assert advance(job).objects_total == 3


def test_what_s3_tells_of_is_an_object_and_what_is_no_line_is_reported(sns: Sns):
    job = a_stream(sns)
    (uri,) = pictures(job, 1)
    record = {"bucket": {"name": "hives"}, "object": {"key": "a+b.png", "sequencer": "0055AED6"}}
    told = {"Records": [{"eventName": "ObjectCreated:Put", "s3": record}]}
    for content in (
        "no JSON",
        {"source": "a text, not an image"},
        {"source-ref": uri, "dataset-objectid-attribute-name": "id"},
        json.dumps({"source-ref": uri}, indent=1),
        {"Event": "s3:TestEvent"},
        told,
        told,
    ):
        assert post(job, sns.message(content)).status_code == 200, content
    advance(job)
    problems = dict(BadLine.objects.filter(job=job).values_list("number", "reason"))
    assert [number for number in problems] == [1, 2, 3, 5] and (job.objects_total, job.bad_lines) == (1, 4)
    assert "not valid JSON" in problems[1] and "'source-ref' is missing" in problems[2]
    assert "'id' must hold the object's id" in problems[3] and "hives" in problems[5]
    assert [line["source-ref"] for line in lines(job)] == [uri]
    assert "\n" not in ObjectLine.objects.get(data_object__job=job).text


def test_the_sequencer_of_s3_is_kept(sns: Sns, settings):
    settings.S3_INPUT_BUCKETS = ["hives"]
    job = a_stream(sns)
    record = {"bucket": {"name": "hives"}, "object": {"key": "a.png", "sequencer": "0055AED6"}}
    post(job, sns.message({"Records": [{"eventName": "ObjectCreated:Put", "s3": record}]}))
    message = StreamMessage.objects.get(job=job)
    assert orjson.loads(message.line) == {"source-ref": "s3://hives/a.png", "$sequencer": "0055AED6"}


def test_only_what_sns_signed_for_the_topic_is_taken(sns: Sns, settings):
    job = a_stream(sns)
    good = {"source-ref": "s3://bees/1.png"}
    whole = orjson.loads(sns.message(good))
    elsewhere = {**whole, "SigningCertURL": "https://sns.us-east-1.amazonaws.com.example.org/a.pem"}
    with sns_server() as stranger:
        foreign = {**orjson.loads(stranger.message(good)), "SigningCertURL": whole["SigningCertURL"]}
    for body, status, says in (
        (b"{}", 400, "whose Type is one of"),
        (b"no JSON", 400, "no JSON"),
        (orjson.dumps(good), 400, "raw delivery"),
        (orjson.dumps({**whole, "MessageId": 1}), 400, "a text expected"),
        (sns.message(good, TopicArn=f"{TOPIC}-2"), 403, "is not that of the labeling job"),
        (orjson.dumps({**whole, "Message": "{}"}), 403, "signature of the message is wrong"),
        (orjson.dumps(foreign), 403, "signature of the message is wrong"),
        (orjson.dumps({**whole, "Signature": "?"}), 403, "no base64"),
        (orjson.dumps({**whole, "SignatureVersion": "3"}), 403, "SignatureVersion"),
        (sns.confirmation(SubscribeURL="http://127.0.0.1:1/x"), 403, "no address of SNS"),
    ):
        answer = post(job, body)
        assert answer.status_code == status and says in answer.content.decode(), (body, answer.content)
    assert Client().post("/streams/nobody/", b"{}", content_type="text/plain").status_code == 404
    assert Client().get(urlsplit(topics.address(job)).path).status_code == 405
    sns.renew(days=-1)
    assert b"not valid now" in post(job, sns.message(good)).content
    JobTopics.objects.update(endpoint_url="")
    assert b"is not where Amazon SNS has" in post(job, orjson.dumps(elsewhere)).content
    assert not StreamMessage.objects.exists()


def test_a_topic_is_told_to_send_later_while_too_much_waits(sns: Sns, settings):
    settings.STREAM_WAITING = 1
    job = a_stream(sns)
    assert post(job, sns.message({"source-ref": "s3://bees/1.png"})).status_code == 200
    answer = post(job, sns.message({"source-ref": "s3://bees/2.png"}))
    assert answer.status_code == 503 and StreamMessage.objects.count() == 1


def test_a_subscription_is_confirmed(sns: Sns):
    job = a_stream(sns)
    assert b"will be confirmed" in post(job, sns.confirmation()).content
    assert JobTopics.objects.get(job=job).confirmed_at is None
    background.advance_topics(job.pk)
    background.advance_topics(job.pk)
    found = JobTopics.objects.get(job=job)
    assert found.confirmed_at is not None and found.confirm_url == "" and found.problem == ""
    assert sns.confirmed == ["/?Action=ConfirmSubscription&Token=t0ken"]


def test_what_keeps_a_topic_is_shown(sns: Sns):
    job = a_stream(sns, output=True)
    # The server takes no subscriptions.
    background.advance_topics(job.pk)
    found = topics.shown(job)
    assert found is not None and found["problem"] and not found["subscribed_by_itself"]
    post(job, sns.message({"source-ref": "s3://bees/1.png"}))
    assert topics.shown(job)["problem"] is None


def test_a_job_to_which_nothing_comes_is_stopped(sns: Sns, settings):
    job = a_stream(sns)
    earlier = timezone.now() - timedelta(days=settings.STREAM_IDLE_DAYS)
    JobTopics.objects.filter(pk=job.pk).update(last_message_at=earlier + timedelta(hours=1))
    assert advance(job).status == "InProgress"
    JobTopics.objects.filter(pk=job.pk).update(last_message_at=earlier)
    assert advance(job).status == "Stopped"


def test_objects_that_people_cannot_be_asked_about_expire(sns: Sns, settings):
    settings.S3_INPUT_BUCKETS = frozenset({"hives"})
    job = a_stream(sns, output=True, max_concurrent_tasks=1)
    uris = pictures(job, 5)
    named = {"source-ref": uris[1], "dataset-objectid-attribute-name": "hive-id", "hive-id": "7"}
    record = {"bucket": {"name": "hives"}, "object": {"key": "a.png", "sequencer": "0055AED6"}}
    event = {"Records": [{"eventName": "ObjectCreated:Put", "s3": record}]}
    for content in ({"source-ref": uris[0]}, named, {"source-ref": uris[2]}, event, {"source-ref": uris[3]}):
        post(job, sns.message(content))
    advance(job)
    # The first is open, the others wait; all but the last came too long ago.
    late = timezone.now() - timedelta(days=settings.STREAM_EXPIRY_DAYS, hours=1)
    last = StreamMessage.objects.filter(job=job).latest("pk")
    LabelingJob.objects.filter(pk=job.pk).update(created_at=late)
    StreamMessage.objects.filter(job=job).exclude(pk=last.pk).update(received_at=late)
    advance(job)
    states = list(DataObject.objects.filter(job=job).order_by("index").values_list("state", flat=True))
    assert states == ["PendingHuman", "Failed", "Failed", "Failed", "Unlabeled"]
    failed = DataObject.objects.filter(job=job, state="Failed").first()
    assert failed is not None and failed.failure_reason == "expired: it was not open to people within 14 days"
    # Whoever waits for labels is told.
    advance(job)
    sent = [orjson.loads(body) for body in EventDelivery.objects.order_by("pk").values_list("body", flat=True)]
    assert [one["source-ref"] for one in sent] == [uris[1], uris[2], "s3://hives/a.png"]
    assert "expired" in sent[0][f"{job.label_attribute_name}-metadata"]["failure-reason"]
    StreamMessage.objects.filter(pk=last.pk).update(received_at=late)
    advance(job)
    assert DataObject.objects.filter(job=job, state="Unlabeled").count() == 0


def test_as_many_as_are_wanted_are_labeled(sns: Sns):
    job = a_stream(sns, max_human_labeled_objects=2, max_concurrent_tasks=1)
    for uri in pictures(job, 3):
        post(job, sns.message({"source-ref": uri}))
    worker = job.workteam.members.get()
    advance(job)
    assert stories.work(worker, job) == 1
    advance(job)
    assert stories.work(worker, job) == 1
    assert advance(job).status == "Completed"
    assert DataObject.objects.filter(job=job, state="Unlabeled").count() == 1


def test_what_a_stream_cannot_have_is_refused(sns: Sns):
    account = stories.an_account()
    team = builders.a_team(account=account, workers=1)
    wrong = {
        "automated_labeling": {"enabled": True},
        "max_percentage_labeled": 50,
        "golds": {"rate": 10},
        "selection": {"kind": "random", "percent": 50},
        "output_topic_arn": LABELS,
    }
    with pytest.raises(Invalid) as caught:
        creation.create_job(**stories.a_design(account, team, **STREAM, **wrong))
    fields = [field for field, _ in caught.value.errors]
    assert set(fields) == {
        "automated_labeling.enabled",
        "max_percentage_labeled",
        "golds.rate",
        "selection.kind",
        "output_topic_arn",
    }
    for arn, says in (("arn:aws:sqs:us-east-1:123456789012:q", "an ARN such as"), (f"{TOPIC}.fifo", "standard topic")):
        with pytest.raises(Invalid) as caught:
            creation.create_job(**stories.a_design(account, team, **{**STREAM, "input_topic_arn": arn}))
        assert says in dict(caught.value.errors)["input_topic_arn"]
