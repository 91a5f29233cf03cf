"""Classes of a job renamed and merged over REST and on its page."""

import json

import pytest
from django.test import Client
from django.urls import reverse

from labeling.models import DataObject
from labeling.services.jobs import advancing
from tests.labeling import stories

pytestmark = pytest.mark.django_db


@pytest.fixture
def labeled():
    """A job with one labeled object of the class wasp, and its requester's client."""
    job, workers = stories.a_funded_job(
        task_type="ImageMultiClass", labels=["bee", "wasp", "fly"], workers=2, workers_per_object=2, objects=1
    )
    advancing.advance_job(job.pk)
    for worker in workers:
        stories.work(worker, job, {"crowd-image-classifier": {"label": "wasp"}})
    advancing.advance_job(job.pk)
    client = Client()
    client.force_login(job.account.members.get())
    return job, client


def post(client, path, body):
    return client.post(path, data=json.dumps(body), content_type="application/json")


def test_classes_over_rest(labeled):
    job, client = labeled
    base = f"/api/v1/labeling-jobs/{job.pk}/classes"
    told = client.get(base).json()
    assert told["classes"][1] == {"index": 1, "label": "wasp", "earlier": []}
    assert (told["refusal"], told["changes"]) == (None, [])
    told = post(client, f"{base}/rename", {"label": "wasp", "name": "hornet"}).json()
    assert told["classes"][1] == {"index": 1, "label": "hornet", "earlier": ["wasp"]}
    assert told["changes"][0] | {"changed_at": ""} == {
        "kind": "renamed", "old_name": "wasp", "new_name": "hornet", "labels": 1, "settled": False,
        "changed_by": f"user:{job.account.members.get().pk}", "changed_at": "",
    }  # fmt: skip
    for path, body, field in (
        ("rename", {"label": "wasp", "name": "x"}, "label"),
        ("rename", {"label": "bee", "name": "fly"}, "name"),
        ("rename", {"label": "bee", "name": ""}, "name"),
        ("merge", {"label": "bee", "into": "cow"}, "into"),
    ):
        refused = post(client, f"{base}/{path}", body)
        assert refused.status_code == 400, (path, body)
        assert field in refused.content.decode()
    told = post(client, f"{base}/merge", {"label": "hornet", "into": "bee"}).json()
    assert told["classes"] == [
        {"index": 0, "label": "bee", "earlier": ["hornet", "wasp"]},
        {"index": 1, "label": "fly", "earlier": []},
    ]
    row = DataObject.objects.get(job=job)
    shown = client.get(f"/api/v1/labeling-jobs/{job.pk}/objects/{row.pk}").json()
    assert [label["value"]["choice"] for label in shown["labels"][:3]] == ["bee", "hornet", "wasp"]
    assert {one["content"]["crowd-image-classifier"]["label"] for one in shown["answers"]} == {"bee"}


def test_the_page_of_classes(labeled):
    job, client = labeled
    page = reverse("requester:job-classes", args=[job.pk])
    assert "Names it had" in client.get(page).content.decode()
    found = client.post(page + "rename/", {"label": "wasp", "name": "hornet"}, follow=True).content.decode()
    assert "wasp is called hornet now. 1 label named it." in found
    assert client.get(reverse("requester:job-gallery", args=[job.pk])).content.decode().count("hornet")
    row = DataObject.objects.get(job=job)
    story = client.get(reverse("requester:object", args=[job.pk, row.pk])).content.decode()
    assert "Classes have changed since: wasp renamed to hornet" in story
    found = client.post(page + "rename/", {"label": "cow", "name": "ox"}, follow=True).content.decode()
    assert "the job has no class &#x27;cow&#x27;" in found
    found = client.post(page + "merge/", {"label": "hornet", "into": "bee"}, follow=True).content.decode()
    assert "hornet is a part of bee now" in found and "merged into" in found
    assert "hornet, wasp" in found
    assert "&#x27;wasp&#x27; renamed" in client.get(reverse("requester:audit")).content.decode()


def test_a_job_by_template_says_why_not(labeled):
    job, client = labeled
    type(job.queue).objects.filter(pk=job.queue_id).update(task_type="Custom")
    base = f"/api/v1/labeling-jobs/{job.pk}/classes"
    assert "template" in client.get(base).json()["refusal"]
    assert post(client, f"{base}/rename", {"label": "wasp", "name": "x"}).status_code == 409
    shown = client.get(reverse("requester:job-classes", args=[job.pk])).content.decode()
    assert "only its template knows" in shown and "Rename a class" not in shown
