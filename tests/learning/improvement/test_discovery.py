"""How dropped images are found: once for each version, by reports and by a listing that goes on where it stopped."""

import orjson
import pytest

from learning.models import Detection
from learning.services.improvement import creating, discovery
from marketplace import storage, store_events
from marketplace.errors import Invalid, NotFound
from tests import builders
from tests.learning.improvement.stories import a_policy, drop
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
