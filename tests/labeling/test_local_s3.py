"""The S3 server of a laptop: a real rclone over the local store, reached by boto3 as a notebook does it."""

import io
import json
import os
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command

from labeling.models import DataObject
from labeling.services.jobs.batches import open_batch
from labeling.services.output import exports
from labeling.services.queue import batches
from marketplace import local_s3, settings_checks, storage
from marketplace.errors import Forbidden, Invalid
from marketplace.management.commands import doctor
from marketplace.models import Account
from marketplace.services import boundaries
from marketplace.storage_files import FileStore
from tests import builders
from tests.labeling import stories
from tests.object_stores import free_port

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A folder, a port and keys, served by the command of the Procfile."""
    var, port = tmp_path_factory.mktemp("local s3"), free_port()
    environment = {
        **os.environ,
        "WAGGLE_VAR": str(var),
        "WAGGLE_LOCAL_S3": "1",
        "WAGGLE_LOCAL_S3_PORT": str(port),
        "WAGGLE_STORE_URL": "",
        "WAGGLE_S3_ENDPOINT_URL": "",
    }
    command = [sys.executable, "manage.py", "local_s3", "--serve"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while socket.socket().connect_ex(("127.0.0.1", port)):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        yield var, port
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def local(served, settings):
    """This process with the settings of that installation; returns its boto3 client."""
    var, port = served
    keys = local_s3.keys(var)
    settings.LOCAL_S3, settings.LOCAL_S3_PORT, settings.LOCAL_S3_KEYS = True, port, keys
    settings.STORE_URL = (var / "store").as_uri()
    settings.S3_ENDPOINT_URL = local_s3.endpoint(port)
    settings.S3_ACCESS_KEY_ID, settings.S3_SECRET_ACCESS_KEY = keys
    settings.S3_ADDRESSING_STYLE, settings.S3_PRESIGN = "path", False
    settings.S3_INPUT_BUCKETS = frozenset()
    return client(**local_s3.exports(port=port, region="us-east-1", given=keys))


def client(**variables):
    """A plain client, with what a notebook reads from these variables and nothing else."""
    return boto3.session.Session().client(
        "s3",
        endpoint_url=variables["AWS_ENDPOINT_URL_S3"],
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        region_name=variables["AWS_DEFAULT_REGION"],
    )


def bucket_of(account) -> str:
    return local_s3.default_bucket(account.number, "us-east-1")


def soon(read):
    """What `read` returns, once rclone has listed the folder anew: within a second after somebody else wrote there."""
    deadline = time.monotonic() + 30
    while True:
        try:
            return read()
        except ClientError:
            assert time.monotonic() < deadline
            time.sleep(0.1)


@pytest.mark.django_db
def test_what_boto3_puts_becomes_a_data_set_and_its_manifest_is_read_by_boto3(local):
    account = builders.an_account()
    bucket = bucket_of(account)
    local.create_bucket(Bucket=bucket)
    for number in range(3):
        local.upload_fileobj(io.BytesIO(builders.image_bytes(number=number)), bucket, f"images/{number}.png")

    dataset = builders.a_dataset(account=account, uri=f"s3://{bucket}/images")

    assert (dataset.status, dataset.objects_total) == ("Completed", 3)
    key = dataset.manifest_uri.removeprefix(f"{storage.join(django_settings.STORE_URL, 'accounts')}/")
    written = soon(lambda: local.get_object(Bucket="accounts", Key=key)["Body"].read())
    lines = [json.loads(line) for line in written.splitlines()]
    assert [line["source-ref"] for line in lines] == [f"s3://{bucket}/images/{number}.png" for number in range(3)]
    storage.delete(f"s3://{bucket}/images/0.png")
    assert not (FileStore.key_path(django_settings.STORE_URL) / bucket / "images" / "0.png").exists()


@pytest.mark.django_db
def test_an_export_is_read_by_boto3(local):
    job, (worker, *_) = stories.a_funded_job(workers=1, workers_per_object=1, objects=1)
    batch = open_batch(job=job, object_ids=[DataObject.objects.get(job=job).pk], by="system")
    stories.work(worker, job)
    batches.stop_batch(batch=batch, by="system")
    export = exports.create_export(job=job, kind="manifest", by="test")
    exports.run_export(export.pk)
    export.refresh_from_db()
    key = export.uri.removeprefix(f"{storage.join(django_settings.STORE_URL, 'accounts')}/")
    line = json.loads(soon(lambda: local.get_object(Bucket="accounts", Key=key)["Body"].read()))
    assert line[f"{job.label_attribute_name}-metadata"]["human-annotated"] == "yes"


def test_large_uploads_go_up_in_parts(local):
    data = os.urandom(20 * 1024 * 1024)
    local.create_bucket(Bucket="parts")
    local.upload_fileobj(io.BytesIO(data), "parts", "large.bin")
    assert storage.read("s3://parts/large.bin") == data


def test_other_keys_are_refused(local, served):
    variables = local_s3.exports(port=served[1], region="us-east-1", given=local_s3.Keys("WAGGLE0", "guessed"))
    with pytest.raises(ClientError):
        client(**variables).list_buckets()


def test_a_key_that_is_admitted_is_accepted_until_it_is_dismissed(served, local):
    var, port = served
    more = local_s3.Keys("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    theirs = client(**local_s3.exports(port=port, region="us-east-1", given=more))
    local_s3.admit(var, more)
    theirs.create_bucket(Bucket="theirs")
    theirs.put_object(Bucket="theirs", Key="x", Body=b"x")
    # Each key has its own listing in rclone, which may be as old as local_s3.FRESH.
    assert soon(lambda: local.get_object(Bucket="theirs", Key="x")["Body"].read()) == b"x"
    assert stat.S_IMODE((var / local_s3.ADMITTED_FILE).stat().st_mode) == 0o600
    assert local_s3.dismiss(var, more.access_key_id) and not local_s3.dismiss(var, more.access_key_id)
    assert local_s3.secret_of(var, more.access_key_id) is None
    with pytest.raises(ValueError, match="an access key ID of 16"):
        local_s3.admit(var, local_s3.Keys("short", "x" * 40))


def test_the_keys_are_made_once_and_nobody_else_reads_them(tmp_path):
    first = local_s3.keys(tmp_path)
    path = tmp_path / local_s3.KEYS_FILE
    assert local_s3.keys(tmp_path) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
    assert not any(first.secret_access_key in part for part in local_s3.command(port=1, var=tmp_path))
    path.write_text("{}")
    with pytest.raises(ValueError, match=r"local_s3\.json: does not hold a pair of keys"):
        local_s3.keys(tmp_path)


@pytest.mark.django_db
def test_the_command_prints_what_a_shell_needs(local, served):
    account, out, json_out = builders.an_account(), io.StringIO(), io.StringIO()
    call_command("local_s3", stdout=out)
    call_command("local_s3", "--json", stdout=json_out)
    assert f"export AWS_ENDPOINT_URL_S3=http://127.0.0.1:{served[1]}\n" in out.getvalue()
    told = json.loads(json_out.getvalue())
    assert told["environment"]["AWS_ACCESS_KEY_ID"] == local_s3.keys(served[0]).access_key_id
    assert told["buckets"][account.number] == f"sagemaker-us-east-1-{account.number}"
    assert doctor.own_s3().works


@pytest.mark.django_db
def test_a_server_that_is_off_is_not_printed(settings):
    settings.LOCAL_S3 = False
    with pytest.raises(CommandError, match="set WAGGLE_LOCAL_S3=1"):
        call_command("local_s3")


MINE, OTHERS = "111111111111", "222222222222"


@pytest.mark.parametrize(
    ("uri", "readable", "writable"),
    [
        (f"s3://sagemaker-us-east-1-{MINE}/out", True, True),
        (f"s3://bees-{MINE}", True, True),
        (f"s3://accounts/{MINE}/exports/1", True, True),
        ("s3://granted/x", True, True),
        ("s3://shared/x", True, False),
        (f"s3://sagemaker-us-east-1-{OTHERS}/out", False, False),
        (f"s3://accounts/{OTHERS}/exports", False, False),
        ("s3://accounts", False, False),
        ("s3://accounts/", False, False),
        ("s3://bees/x", False, False),
        (f"s3://bees{MINE}/x", False, False),
        (f"s3://{OTHERS}/accounts", False, False),
        (f"s3://bees-{MINE}/../accounts/{OTHERS}", False, False),
        (f"s3://bees-{MINE}/linked/{OTHERS}", False, False),
    ],
)
def test_an_account_uses_buckets_that_end_in_its_number_and_those_it_was_granted(
    uri, readable, writable, settings, tmp_path
):
    settings.LOCAL_S3, settings.STORE_URL = True, (tmp_path / "store").as_uri()
    settings.S3_INPUT_BUCKETS = frozenset({"shared", f"granted={MINE}"})
    (tmp_path / "store" / f"bees-{MINE}").mkdir(parents=True)
    (tmp_path / "store" / f"bees-{MINE}" / "linked").symlink_to(tmp_path / "store" / "accounts")
    account = Account(name="Mine", number=MINE)
    for check, expected in ((boundaries.require_readable, readable), (boundaries.require_writable, writable)):
        if expected:
            check(account=account, uri=uri)
        else:
            with pytest.raises((Forbidden, Invalid)):
                check(account=account, uri=uri)


def test_two_s3_servers_at_once_stop_the_start():
    on = {"WAGGLE_LOCAL_S3": "1"}
    assert settings_checks.complaints(on) == []
    for name, value in (("WAGGLE_S3_ENDPOINT_URL", "http://127.0.0.1:9000"), ("WAGGLE_STORE_URL", "s3://bees")):
        assert name in settings_checks.complaints({**on, name: value})[0]
