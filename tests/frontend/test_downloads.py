"""Downloads over real HTTP: whole files, ranges, resuming; and the address of a job's output manifest."""

import io
import json
import zipfile

import pytest
import urllib3

from labeling.models import DataObject
from labeling.services.output import exports, manifests
from marketplace import storage
from tests.frontend.callers import Caller
from tests.labeling import stories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def job():
    return stories.a_funded_job(objects=5, name="meadow")[0]


@pytest.fixture
def caller(live_server, job):
    return Caller(live_server.url, job.account.members.get(), job.account)


@pytest.fixture
def download(caller, job):
    """The path of a finished export's download; before it is finished there is none."""
    status, made, _ = caller.call("POST", f"labeling-jobs/{job.pk}/exports", {"kind": "manifest"})
    assert (status, made["download_url"]) == (201, None)
    refused, problem, _ = caller.call("GET", f"exports/{made['id']}/download")
    assert (refused, problem["type"]) == (409, "urn:waggle:problem:wrong-state")
    exports.run_export(made["id"])
    _, made, _ = caller.call("GET", f"exports/{made['id']}")
    assert (made["status"], made["progress"], made["objects_done"]) == ("Completed", 1.0, 5)
    return made["download_url"].removeprefix("/api/v1/")


def fetch(caller, address, **headers):
    whole = {"Authorization": f"Bearer {caller.secret}", **headers}
    return urllib3.request("GET", f"{caller.url}/api/v1/{address}", headers=whole)


def test_an_interrupted_download_can_be_resumed(caller, download):
    whole = fetch(caller, download)
    assert whole.status == 200
    assert whole.headers["Accept-Ranges"] == "bytes"
    assert whole.headers["Content-Disposition"] == 'attachment; filename="meadow-all-manifest.manifest"'
    assert len(whole.data.splitlines()) == 5
    tag = whole.headers["ETag"]
    rest = fetch(caller, download, Range="bytes=40-", **{"If-Range": tag})
    assert (rest.status, rest.data) == (206, whole.data[40:])
    assert rest.headers["Content-Range"] == f"bytes 40-{len(whole.data) - 1}/{len(whole.data)}"
    assert rest.headers["ETag"] == tag
    other = fetch(caller, download, Range="bytes=40-", **{"If-Range": '"another file"'})
    assert (other.status, other.data) == (200, whole.data)


@pytest.mark.parametrize(
    ("asked", "part"),
    [("bytes=0-0", slice(0, 1)), ("bytes=-7", slice(-7, None)), ("bytes=3-999999", slice(3, None))],
)
def test_a_range_request_returns_that_part_of_the_file(caller, download, asked, part):
    whole = fetch(caller, download).data
    answer = fetch(caller, download, Range=asked)
    assert (answer.status, answer.data) == (206, whole[part])


@pytest.mark.parametrize("asked", ["bytes=5-2", "bytes=a-b", "bytes=-", "lines=1-2", "bytes=0-1,4-5"])
def test_an_invalid_range_is_ignored(caller, download, asked):
    assert fetch(caller, download, Range=asked).data == fetch(caller, download).data


@pytest.mark.parametrize("asked", ["bytes=999999-", "bytes=-0"])
def test_a_range_outside_the_file_is_refused(caller, download, asked):
    answer = fetch(caller, download, Range=asked)
    assert answer.status == 416
    assert answer.headers["Content-Range"].startswith("bytes */")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:waggle:problem:range-not-satisfiable"


def test_a_job_gives_the_uri_of_its_output_manifest(caller, job):
    manifests.refresh_output(job.pk)
    _, found, _ = caller.call("GET", f"labeling-jobs/{job.pk}")
    assert found["output_manifest_uri"] == f"{job.output_uri}/meadow/manifests/output/output.manifest"
    lines = storage.read(found["output_manifest_uri"]).splitlines()
    refs = list(DataObject.objects.filter(job=job).order_by("index").values_list("source_ref", flat=True))
    assert [json.loads(line)["source-ref"] for line in lines] == refs


def test_an_export_with_images_is_a_zip_and_says_so(caller, job):
    stories.open_pictures(job)
    path = f"labeling-jobs/{job.pk}/exports"
    status, made, _ = caller.call("POST", path, {"kind": "manifest", "images": True})
    assert (status, made["images"]) == (201, True)
    exports.run_export(made["id"])
    found = fetch(caller, f"exports/{made['id']}/download")
    assert found.headers["Content-Disposition"] == 'attachment; filename="meadow-all-manifest-images.zip"'
    names = zipfile.ZipFile(io.BytesIO(found.data)).namelist()
    assert "meadow.manifest" in names and sum(name.startswith("images/") for name in names) == 5
    status, problem, _ = caller.call("POST", path, {"kind": "worker-answers", "images": True})
    assert (status, [error["field"] for error in problem["errors"]]) == (400, ["images"])
    status, problem, _ = caller.call("POST", path, {"kind": "manifest", "images": "perhaps"})
    assert (status, [error["field"] for error in problem["errors"]]) == (400, ["images"])
