"""How dropped images are found: once for each version, by reports and by a listing that goes on where it stopped."""

import secrets

import orjson
import pytest

from learning.models import Detection
from learning.services.improvement import advancing, creating, discovery, queue_reports
from marketplace import storage, store_events
from marketplace.errors import Invalid, NotFound, WrongState
from tests import builders
from tests.aws_server import KEY_ID, NUMBER, SECRET, aws  # noqa: F401
from tests.learning.improvement.stories import BLUE, RED, a_labeled_set, a_policy, drop
from tests.object_stores import make_bucket, s3_servers  # noqa: F401

pytestmark = pytest.mark.django_db


def poll(policy):
    type(policy).objects.filter(pk=policy.pk).update(listed_at=None)
    policy.refresh_from_db()
    while discovery.poll(policy):
        policy.refresh_from_db()
    return policy.detections.count()


def record(uri, name="ObjectCreated:Put"):
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return {"eventName": name, "s3": {"bucket": {"name": bucket}, "object": {"key": key.replace(" ", "+")}}}


def test_a_listing_goes_on_where_it_stopped_and_finds_nothing_twice(monkeypatch):
    policy = a_policy()
    assert poll(policy) == 0
    drop(policy, *(f"{number}.png" for number in range(5)))
    storage.write(storage.join(policy.location, "other.png"), b"elsewhere")
    monkeypatch.setattr(discovery, "LISTED_AT_ONCE", 2)
    type(policy).objects.filter(pk=policy.pk).update(listed_at=None)
    seen = []
    for _ in range(3):
        policy.refresh_from_db()
        more = discovery.poll(policy)
        seen.append((policy.detections.count(), more))
    assert seen == [(2, True), (4, True), (5, False)]
    policy.refresh_from_db()
    assert not discovery.poll(policy), "the next listing begins a minute later"
    assert poll(policy) == 5
    drop(policy, "0.png", content=builders.image_bytes(size=(9, 9)))
    assert poll(policy) == 6, "another version is another image"


@pytest.mark.parametrize("server", ["moto", "rclone"])
def test_versions_of_buckets(server, make_bucket, s3_servers, settings, monkeypatch):  # noqa: F811
    """moto lists versions and rclone cannot: its objects have an ETag only."""
    base = make_bucket(s3_servers[server])
    policy = a_policy()
    bucket = base.removeprefix("s3://")
    settings.S3_INPUT_BUCKETS = frozenset({f"{bucket}={policy.account.number}"})
    type(policy).objects.filter(pk=policy.pk).update(location=f"{base}/hive")
    policy.refresh_from_db()
    if server == "moto":
        storage._client().put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    first, second, third = drop(policy, "a b.png", "b.png", "c.png")
    drop(policy, "a b.png", content=builders.image_bytes(size=(9, 9)))
    report = orjson.dumps({"Records": [record(first), record(second), record(f"{base}/hive/other.png")]})
    assert discovery.report(policy=policy, body=report) == 2
    assert discovery.report(policy=policy, body=report) == 0, "a report that comes again"
    monkeypatch.setattr(discovery, "LISTED_AT_ONCE", 2)
    assert poll(policy) == 3, "the listing finds the third only"
    versions = dict(policy.detections.values_list("uri", "version"))
    assert versions[third] == storage.version(third).version
    drop(policy, "c.png", content=builders.image_bytes(size=(8, 8)))
    assert poll(policy) == 4
    assert set(policy.detections.values_list("found_by", "uri")) == {
        ("event", first),
        ("event", second),
        ("poll", third),
    }
    if server == "rclone":
        return
    storage.delete(third)
    assert discovery.report(policy=policy, body=orjson.dumps({"Records": [record(third)]})) == 0
    assert poll(policy) == 4, "what was deleted is not found again"


def test_a_report_has_one_of_three_forms():
    plain = {"Records": [record("s3://b/in dir/x.png"), record("s3://b/y.png", "ObjectRemoved:Delete")]}
    bridged = {"detail-type": "Object Created", "detail": {"bucket": {"name": "b"}, "object": {"key": "x y.png"}}}
    told = {"Type": "Notification", "Message": orjson.dumps(plain).decode()}
    assert store_events.addresses(orjson.dumps(plain)) == ["s3://b/in dir/x.png"]
    assert store_events.addresses(orjson.dumps(told)) == ["s3://b/in dir/x.png"]
    assert store_events.addresses(orjson.dumps(bridged)) == ["s3://b/x y.png"]
    assert store_events.addresses(orjson.dumps({**bridged, "detail-type": "Object Deleted"})) == []
    assert store_events.addresses(b'{"Event":"s3:TestEvent"}') == []
    minio = {"EventName": "s3:ObjectCreated:Put", "Records": [record("s3://b/z.png", "s3:ObjectCreated:Put")]}
    assert store_events.addresses(orjson.dumps(minio)) == ["s3://b/z.png"]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"{", "no JSON"),
        (b"[]", "no JSON object"),
        (b"{}", "neither 'Records'"),
        (b'{"Records":[{"s3":{}}]}', "'s3' with a 'bucket'"),
        (b'{"detail-type":"Object Created","detail":{}}', "'bucket' and 'object' expected"),
    ],
)
def test_what_is_no_report_is_refused(body, problem):
    with pytest.raises(Invalid, match=problem):
        store_events.addresses(body)


def test_the_address_for_reports_is_a_secret_that_can_be_renewed():
    policy = a_policy()
    token = creating.renew_token(policy=policy, by="user:1")
    assert creating.by_token(token) == policy and token not in str(vars(policy))
    assert creating.by_token(creating.renew_token(policy=policy, by="user:1")) == policy
    with pytest.raises(NotFound):
        creating.by_token(token)
    body = orjson.dumps({"Type": "SubscriptionConfirmation", "SubscribeURL": "https://sns.example/confirm"})
    assert discovery.report(policy=policy, body=body) == 0
    policy.refresh_from_db()
    assert policy.confirm_address == "https://sns.example/confirm" and not Detection.objects.exists()


@pytest.fixture
def queue(aws, settings):  # noqa: F811
    """The ARN of a real SQS queue that this installation may read, and its server."""
    settings.EVENTS_ENDPOINT_URLS, settings.FETCH_ALLOWED_HOSTS = (aws.url,), frozenset({aws.host})
    settings.EVENTS_OWN_CREDENTIALS = frozenset({"*"})
    settings.EVENTS_ACCESS_KEY_ID, settings.EVENTS_SECRET_ACCESS_KEY = KEY_ID, SECRET
    return aws, aws.queue(f"images-{secrets.token_hex(4)}")


def put(server, arn, *bodies):
    url = f"{server.url}/{NUMBER}/{arn.rpartition(':')[2]}"
    for body in bodies:
        server.client("sqs").send_message(QueueUrl=url, MessageBody=orjson.dumps(body).decode())


@pytest.mark.parametrize("role", ["", f"arn:aws:iam::{NUMBER}:role/reads"])
def test_a_message_of_a_queue_goes_when_its_images_are_noted(role, queue, make_bucket, s3_servers, settings):  # noqa: F811
    server, arn = queue
    policy = a_policy(settings={"queue": {"arn": arn, "role_arn": role, "endpoint_url": f"{server.url}/"}})
    base = make_bucket(s3_servers["moto"])
    settings.S3_INPUT_BUCKETS = frozenset({f"{base.removeprefix('s3://')}={policy.account.number}"})
    policy.location = f"{base}/hive"
    policy.save()
    assert not discovery.read_queue(policy), "an empty queue"
    uris = drop(policy, *(f"{number}.png" for number in range(11)))
    put(server, arn, *({"Records": [record(uri)]} for uri in uris))
    assert discovery.read_queue(policy), "as many as come at once: there may be more"
    assert not discovery.read_queue(policy)
    assert set(policy.detections.values_list("uri", "found_by")) == {(uri, "event") for uri in uris}
    assert server.received(arn) == []
    put(server, arn, {"some": "thing"}, {"Records": [record(uris[0])]})
    with pytest.raises(Invalid, match=f"a message of the queue {arn} is no report of new images, and stays there"):
        discovery.read_queue(policy)
    left = server.client("sqs").get_queue_attributes(
        QueueUrl=f"{server.url}/{NUMBER}/{arn.rpartition(':')[2]}", AttributeNames=["All"]
    )["Attributes"]
    assert int(left["ApproximateNumberOfMessagesNotVisible"]) == 1 and policy.detections.count() == 11


def test_a_queue_that_cannot_be_read_is_told_and_the_folder_is_listed_anyway(queue):
    server, arn = queue
    policy = a_policy(settings={"queue": {"arn": f"{arn}-gone", "endpoint_url": server.url}})
    drop(policy, "0.png")
    advancing.advance(policy_id=policy.pk)
    policy.refresh_from_db()
    assert f"the queue {arn}-gone cannot be read: AWS.SimpleQueueService.NonExistentQueue" in policy.attention
    assert policy.detections.count() == 1


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"arn": "images"}, "queue.arn"),
        ({"role_arn": f"arn:aws:iam::{NUMBER}:role/reads"}, "queue.arn"),
        ({"arn": f"arn:aws:sqs:us-east-1:{NUMBER}:images"}, "queue.role_arn"),
        ({"arn": f"arn:aws:sqs:us-east-1:{NUMBER}:images", "role_arn": "reads"}, "queue.role_arn"),
        ({"name": "images"}, "queue"),
        (
            {
                "arn": f"arn:aws:sqs:us-east-1:{NUMBER}:images",
                "role_arn": f"arn:aws:iam::{NUMBER}:role/reads",
                "endpoint_url": "http://10.0.0.1",
            },
            "queue.endpoint_url",
        ),
    ],
)
def test_a_queue_that_may_not_be_read_is_refused_when_it_is_named(given, field):
    with pytest.raises(Invalid) as refused:
        queue_reports.parse(builders.an_account(), given)
    assert refused.value.errors[0][0] == field


def test_one_active_policy_improves_an_endpoint():
    first = a_policy()
    same = {"account": first.account, "endpoint": first.endpoint, "flow": first.flow, "location": first.location}
    dataset = a_labeled_set(first.account, [[RED], [BLUE]])
    options = same | {"test_dataset": dataset, "test_attribute": "boxes", "by": "user:1"}
    with pytest.raises(WrongState, match="the policy improve improves the endpoint bees already"):
        creating.create(name="second", **options)
    creating.stop(policy=first, by="user:1")
    second, _ = creating.create(name="second", **options)
    with pytest.raises(WrongState, match="the policy second improves"):
        creating.start(policy=first, by="user:1")
    creating.stop(policy=second, by="user:1")
    creating.start(policy=first, by="user:1")
    assert first.status == "Active"
