"""Data sets over S3: a prefix, an archive in a bucket, and a store that is a bucket as well."""

import io
import json
import zipfile

import pytest

from labeling.models import DataObject, Dataset
from labeling.services.intake import inspection, loading
from labeling.services.jobs import creation
from marketplace import storage
from marketplace.errors import Forbidden
from marketplace.services import boundaries
from tests import builders
from tests.labeling import stories
from tests.object_stores import make_bucket, s3_servers  # noqa: F401

pytestmark = pytest.mark.django_db


@pytest.fixture
def bucket(make_bucket, s3_servers, settings):  # noqa: F811
    """A bucket of the AWS-like server, which also holds the store."""
    address = make_bucket(s3_servers["moto"])
    settings.STORE_URL = f"{address}/waggle"
    return address


def refs(dataset):
    return [json.loads(line)["source-ref"] for line in storage.read(dataset.manifest_uri).splitlines()]


def test_a_prefix_becomes_a_job_with_inspected_images(bucket):
    account = builders.an_account()
    uris = builders.tiny_images(5, account=account, folder=f"{bucket}/raw/bees")
    storage.write(f"{bucket}/raw/bees/turned.jpg", builders.image_bytes(form="JPEG", orientation=8))
    storage.write(f"{bucket}/raw/bees/readme.md", b"x")
    storage.write(f"{bucket}/raw/other.png", builders.image_bytes())
    dataset = builders.a_dataset(account=account, kind="prefix", uri=f"{bucket}/raw/bees")
    assert (dataset.status, dataset.bad_lines) == ("Completed", 1)
    assert refs(dataset) == [*uris, f"{bucket}/raw/bees/turned.jpg"]
    team = builders.a_team(account=account, workers=0)
    job = creation.create_job(**stories.a_design(account, team, dataset=dataset, input_manifest_uri=None))
    loading.load_objects(job)
    rows = DataObject.objects.filter(job=job).order_by("index")
    assert inspection.inspect_objects(rows.values_list("pk", flat=True)) == {}
    turned = rows.last()
    assert (turned.width, turned.height) == (32, 48)
    assert turned.upright_uri.startswith(boundaries.base_of(account))
    assert storage.size(turned.upright_uri) > 0


def test_an_archive_in_a_bucket_is_unpacked_into_the_store(bucket):
    account = builders.an_account()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(3):
            archive.writestr(f"a/{number}.png", builders.image_bytes(number=number))
    storage.write(f"{bucket}/in/pictures.zip", buffer.getvalue())
    dataset = builders.a_dataset(account=account, kind="zip", uri=f"{bucket}/in/pictures.zip")
    assert (dataset.status, dataset.objects_total) == ("Completed", 3)
    assert [storage.read(uri) for uri in refs(dataset)] == [builders.image_bytes(number=n) for n in range(3)]


def test_a_prefix_above_the_store_is_refused_although_the_bucket_is_granted(bucket):
    account, other = builders.an_account(), builders.an_account()
    builders.tiny_images(1, account=other)
    for uri in (bucket, f"{bucket}/", f"{bucket}/w", f"{bucket}/waggle", f"{bucket}/waggle/accounts/"):
        with pytest.raises(Forbidden):
            builders.a_dataset(account=account, kind="prefix", uri=uri, made=False)
    assert not Dataset.objects.exists()


def test_buckets_that_are_not_allowed_and_folders_of_others_are_refused(bucket, settings):
    account, other = builders.an_account(), builders.an_account()
    settings.S3_INPUT_BUCKETS = frozenset({"open"})
    for uri in (f"{bucket}/raw/", "s3://secret/x", boundaries.base_of(other) + "/uploads", settings.STORE_URL):
        with pytest.raises(Forbidden):
            builders.a_dataset(account=account, kind="prefix", uri=uri, made=False)
    builders.a_dataset(account=account, kind="prefix", uri="s3://open/x", made=False)
    builders.a_dataset(account=account, kind="prefix", uri=boundaries.base_of(account) + "/uploads", made=False)


def test_keys_that_begin_with_a_slash_become_objects_and_reach_no_other_account(bucket):
    account, other = builders.an_account(), builders.an_account()
    uris = builders.tiny_images(2, account=account, folder=f"{bucket}//raw/bees")
    dataset = builders.a_dataset(account=account, kind="prefix", uri=f"{bucket}//raw/bees/")
    assert (dataset.status, refs(dataset)) == ("Completed", uris)
    theirs = boundaries.base_of(other)
    assert theirs.startswith(f"{bucket}/waggle/accounts/")
    for uri in (theirs, theirs.replace("/waggle", "//waggle"), theirs.replace("/accounts", "///accounts")):
        with pytest.raises(Forbidden):
            builders.a_dataset(account=account, kind="prefix", uri=f"{uri}/uploads", made=False)
