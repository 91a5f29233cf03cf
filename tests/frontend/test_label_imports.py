"""Label imports over REST, from the upload to the report, and in the wizard of labeling jobs."""

import io
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from labeling.models import DataObject, Label, LabelImport, LabelingJob
from labeling.services.imports import advancing
from labeling.services.intake import datasets
from labeling.services.jobs import advancing as jobs
from labeling.services.jobs import creation
from tests import builders
from tests.frontend.test_wizard import TASK, people, step
from tests.labeling import label_files, stories

pytestmark = pytest.mark.django_db
JSON = {"content_type": "application/json"}


@pytest.fixture
def account():
    return builders.an_account()


@pytest.fixture
def client(account):
    client = Client()
    client.force_login(account.members.get())
    return client


def content():
    annotations = [{"bbox": [10, 10, 20, 20]}, {"bbox": [90, 10, 30, 20]}, {"bbox": [1, 1, 0, 0]}]
    members = {"i.json": label_files.coco(*annotations), "a.jpg": label_files.picture(), "b.jpg": label_files.picture()}
    return label_files.zipped(members)


def upload(client, data, name="set.zip"):
    answer = client.post("/api/v1/uploads", {"files": SimpleUploadedFile(name, data)})
    assert answer.status_code == 201
    return answer.json()["files"][0]["uri"]


def imported(client, **body):
    answer = client.post("/api/v1/label-imports", body, **JSON)
    assert answer.status_code == 201, answer.content
    assert (answer.json()["status"], answer.json()["report_urls"]) == ("Initializing", {})
    advancing.advance_import(answer.json()["id"])
    return client.get(f"/api/v1/label-imports/{answer.json()['id']}").json()


def test_a_program_imports_labels_and_reads_what_became_of_each(client):
    row = imported(client, uri=upload(client, content()), name="bees", label_attribute_name="truth")
    assert (row["status"], row["format"], row["labels"], row["progress"]) == ("Completed", "coco", ["bee"], 1)
    counts = {"imported": 1, "clipped": 1, "repaired": 0, "crowd": 0, "skipped": 1, "lines": 3}
    assert row["counts"] == {"images": 2, "labeled": 1, "parts": 2, **counts}
    assert client.get(f"/api/v1/datasets/{row['dataset']}").json()["name"] == "bees"
    lines = f"/api/v1/label-imports/{row['id']}/lines"
    first = client.get(f"{lines}?page_size=2").json()
    assert [line["outcome"] for line in first["results"]] == ["imported", "clipped"]
    assert [line["number"] for line in client.get(first["next"]).json()["results"]] == [3]
    (skipped,) = client.get(f"{lines}?outcome=skipped").json()["results"]
    assert skipped == {
        "number": 3,
        "place": "annotations[2] (a.jpg)",
        "outcome": "skipped",
        "reason": "the box has no area (0 x 0)",
    }
    read = {form: b"".join(client.get(url).streaming_content) for form, url in row["report_urls"].items()}
    assert len([json.loads(line) for line in io.BytesIO(read["jsonl"])]) == 3
    assert read["csv"].splitlines()[0] == b"number,place,outcome,reason"
    assert client.get(f"/api/v1/label-imports/{row['id']}/report/pdf").status_code == 404


def test_labels_are_matched_with_a_data_set_that_is_named(client, account):
    images = label_files.a_named_dataset(account, {"a.jpg": label_files.picture()})
    uri = upload(client, label_files.coco({"bbox": [10, 10, 20, 20]}), "labels.json")
    assert imported(client, uri=uri, name="bees", images=images.pk)["counts"]["labeled"] == 1
    other = builders.a_dataset(account=builders.an_account())
    answer = client.post("/api/v1/label-imports", {"uri": uri, "name": "more", "images": other.pk}, **JSON)
    assert answer.status_code == 404


def test_golds_come_over_rest(client, account):
    images = label_files.a_named_dataset(account, {"a.jpg": label_files.picture()})
    design = stories.a_design(account, builders.a_team(account=account, workers=[]), dataset=images)
    job = creation.create_job(**design | {"input_manifest_uri": None})
    jobs.advance_job(job.pk)
    uri = upload(client, label_files.coco({"bbox": [10, 10, 20, 20]}), "labels.json")
    assert imported(client, uri=uri, purpose="golds", job=job.pk)["status"] == "Completed"
    assert Label.objects.get(data_object__job=job).source == "adjudicated"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": "a", "job": 1}, None),
        ({"name": "a", "format": "csv"}, "format"),
        ({"purpose": "golds"}, "job"),
        ({"name": "a", "label_attribute_name": "a-metadata"}, "label_attribute_name"),
        ({"name": "a", "uri": "file:///etc/passwd"}, "uri"),
    ],
)
def test_a_wrong_request_names_its_field(client, body, field):
    uri = upload(client, content())
    answer = client.post("/api/v1/label-imports", {"uri": uri, **body}, **JSON)
    assert answer.status_code in (403, 404, 422, 400), answer.content
    assert field is None or [error["field"] for error in answer.json()["errors"]] == [field]
    assert not LabelImport.objects.exists()


def test_a_running_import_is_stopped(client):
    answer = client.post("/api/v1/label-imports", {"uri": upload(client, content()), "name": "bees"}, **JSON)
    stop = f"/api/v1/label-imports/{answer.json()['id']}/stop"
    assert client.post(stop, {}, **JSON).json()["status"] == "Stopped"
    advancing.advance_import(answer.json()["id"])
    assert client.get(f"/api/v1/label-imports/{answer.json()['id']}").json()["dataset"] is None
    assert client.get(f"/api/v1/label-imports/{answer.json()['id']}/report/csv").status_code == 409


def test_the_wizard_makes_a_job_that_takes_the_labels_over(client, account):
    """The attribute and the classes, in their order, are filled in; the object with a label is done at once."""
    row = imported(client, uri=upload(client, content()), name="bees")
    datasets.advance_dataset(row["dataset"])
    team = builders.a_team(account=account, workers=1)
    first = client.get(f"{reverse('requester:job-new')}?dataset={row['dataset']}")
    assert first.context["form"]["label_attribute_name"].value() == "labels"
    data = {"name": "rest", "dataset": row["dataset"], "selection": "full", "label_attribute_name": "labels"}
    client.post(reverse("requester:job-new"), data)
    second = client.get(step("task"))
    assert second.context["form"]["labels"].value() == "bee"
    automation = {"enabled": "", "target_iou": 0.6, "architecture": "compact", "max_rounds": 3}
    given = {"task": TASK, "people": people(team.pk, workers_per_object=1), "automation": automation}
    for name, fields in given.items():
        assert client.post(step(name), fields).status_code == 302, name
    client.post(reverse("requester:job-launch"))
    job = LabelingJob.objects.get(name="rest")
    jobs.advance_job(job.pk)
    states = dict(DataObject.objects.filter(job=job).values_list("source_name", "state"))
    assert states == {"a.jpg": "HumanLabeled", "b.jpg": "PendingHuman"}


def test_hostile_texts_of_a_file_are_text_on_the_page(client, account):
    """Names of classes and images are anybody's; the page shows them as they are and runs nothing."""
    hostile = "<img src=x onerror=alert(1)>"
    categories = [{"id": 1, "name": hostile}]
    images = [{"id": 1, "file_name": f"{hostile}.jpg", "width": 100, "height": 50}, {"id": 2, "file_name": hostile}]
    members = {
        "i.json": label_files.coco({"bbox": [10, 10, 20, 20]}, categories=categories, images=images),
        f"{hostile}.jpg": label_files.picture(),
    }
    row = label_files.of_zip(account, members)
    assert row.labels == [hostile]
    for path in (
        reverse("requester:dataset-import", args=[row.pk]),
        reverse("requester:dataset", args=[row.dataset.pk]),
    ):
        html = client.get(path).content.decode()
        assert "<img src=x" not in html and "&lt;img src=x onerror=alert(1)&gt;" in html
    assert client.get(reverse("requester:dataset-import", args=[row.pk]) + "?outcome=skipped").status_code == 200
