"""The wizard begins from a job that is over: its output is the input, and what looks at its labels is filled in."""

import json

import pytest
from django.test import Client
from django.urls import reverse

from labeling.models import DataObject, LabelingJob
from labeling.services.jobs import advancing, creation
from tests import builders
from tests.frontend.test_wizard import config_of, people, step
from tests.labeling import stories

pytestmark = pytest.mark.django_db
BOXES = {
    "boxes": {
        "image_size": [{"width": 48, "height": 32, "depth": 3}],
        "annotations": [{"class_id": 0, "left": 5, "top": 4, "width": 10, "height": 12}],
    },
    "boxes-metadata": {"objects": [{"confidence": 0.8}], "class-map": {"0": "bee"}, "human-annotated": "yes"},
}


@pytest.fixture
def account(db):
    return stories.an_account()


@pytest.fixture
def requester(account) -> Client:
    client = Client()
    client.force_login(account.members.get())
    return client


@pytest.fixture
def over(account) -> LabelingJob:
    """A job of two objects that had their labels, and so was over at once."""
    lines = [{"source-ref": uri, **BOXES} for uri in builders.tiny_images(2, account=account)]
    design = stories.a_design(account, builders.a_team(account=account, workers=1), name="bees", labels=["bee"])
    design |= {"label_attribute_name": "boxes", "input_manifest_uri": builders.a_manifest(account, lines)}
    job = creation.create_job(**design)
    advancing.advance_job(job.pk)
    job.refresh_from_db()
    assert job.status == "Completed"
    return job


def follow(client: Client, job: LabelingJob, task_type: str):
    return client.post(reverse("requester:job-next", args=[job.pk]), {"task_type": task_type})


def through(client: Client, job: LabelingJob, **changes) -> LabelingJob:
    """Every step as it is filled in, then the launch."""
    for name in ("data", "task"):
        shown = client.get(step(name)).context["form"]
        given = {field.name: field.value() for field in shown if field.value() not in (None, "")}
        assert client.post(step(name), given | changes.get(name, {})).status_code == 302, name
    client.post(step("people"), people(job.workteam_id))
    client.post(step("automation"), {"enabled": "", "target_iou": 0.6, "architecture": "compact", "max_rounds": 3})
    client.post(reverse("requester:job-launch"))
    made = LabelingJob.objects.latest("pk")
    advancing.advance_job(made.pk)
    made.refresh_from_db()
    return made


def test_a_job_that_is_over_offers_what_may_follow(requester, over):
    page = requester.get(reverse("requester:job", args=[over.pk])).content.decode()
    assert (
        "Verify bounding boxes" in page and "Adjust bounding boxes" in page and ">Chain<" in page.replace("</svg>", ">")
    )
    assert follow(requester, over, "AdjustmentBoundingBox")["Location"] == step("data")
    LabelingJob.objects.filter(pk=over.pk).update(status="InProgress")
    page = requester.get(reverse("requester:job", args=[over.pk])).content.decode()
    assert "Verify bounding boxes" not in page
    assert follow(requester, over, "").status_code == 409
    LabelingJob.objects.filter(pk=over.pk).update(status="Completed")
    assert follow(requester, over, "ImageMultiClass").status_code == 409


def test_its_labels_are_verified(requester, over):
    follow(requester, over, "VerificationBoundingBox")
    form = requester.get(step("data")).context["form"]
    assert form["name"].value() == "bees-2" and form["chained_job"].value() == over.pk
    made = through(requester, over)
    assert (made.task_type, made.labels) == ("VerificationBoundingBox", ["good", "bad"])
    assert (made.label_attribute_name, made.audit_label_attribute_name) == ("bees-2", "boxes")
    assert made.dataset is None and made.input_manifest_uri.endswith("bees/manifests/output/output.manifest")
    assert [row.state for row in DataObject.objects.filter(job=made)] == ["PendingHuman"] * 2
    page = requester.get(reverse("requester:job", args=[made.pk])).content.decode()
    assert "Labels looked at" in page
    seen = config_of(requester.get(reverse("requester:job-preview", args=[made.pk])).content.decode())["assignment"]
    assert json.loads(seen["element"]["attributes"]["overlay"])["boundingBox"]["value"] == [
        {"label": "bee", "left": 5, "top": 4, "width": 10, "height": 12}
    ]


def test_the_preview_of_a_draft_shows_the_earlier_label(requester, over):
    follow(requester, over, "AdjustmentBoundingBox")
    for name in ("data", "task"):
        shown = requester.get(step(name)).context["form"]
        requester.post(step(name), {f.name: f.value() for f in shown if f.value() not in (None, "")})
    assert requester.get(step("people")).status_code == 200
    seen = config_of(requester.get(reverse("requester:job-new-preview")).content.decode())["assignment"]
    assert seen["initial_value"] == [{"label": "bee", "left": 5, "top": 4, "width": 10, "height": 12}]
    assert requester.get(seen["image_url"]).status_code == 200
    assert seen["image_size"] == {"width": 48, "height": 32}


def test_a_chained_job_goes_on_with_the_same_questions(requester, over):
    follow(requester, over, "")
    form = requester.get(step("data")).context["form"]
    assert not form["label_attribute_name"].value(), "everything has a label: all is asked anew under another name"
    DataObject.objects.filter(job=over, index=0).update(label=None)
    follow(requester, over, "")
    form = requester.get(step("data")).context["form"]
    assert form["label_attribute_name"].value() == "boxes", "people are asked for the rest"
    made = through(requester, over)
    assert (made.task_type, made.labels, made.label_attribute_name) == ("BoundingBox", ["bee"], "boxes")
    assert made.status == "Completed", "the output has a label of every object"


def test_what_looks_at_labels_needs_to_know_which(requester, over):
    follow(requester, over, "VerificationBoundingBox")
    shown = requester.get(step("data")).context["form"]
    requester.post(step("data"), {f.name: f.value() for f in shown if f.value() not in (None, "")})
    given = {"task_type": "VerificationBoundingBox", "labels": "good\nbad", "title": "Check", "description": "Look"}
    response = requester.post(step("task"), given)
    assert response.status_code == 422 and "audit_label_attribute_name" in response.context["form"].errors
    assert requester.post(step("task"), given | {"audit_label_attribute_name": "boxes"}).status_code == 302


def test_a_data_set_or_a_job_is_needed(requester, account, over):
    response = requester.post(step("data"), {"name": "none", "selection": "full"})
    assert response.status_code == 422 and "dataset" in response.context["form"].errors
    other = stories.an_account()
    LabelingJob.objects.filter(pk=over.pk).update(account=other)
    response = requester.post(step("data"), {"name": "none", "selection": "full", "chained_job": over.pk})
    assert response.status_code == 422 and "chained_job" in response.context["form"].errors


def test_the_object_shows_the_earlier_label_and_is_decided_against_it(requester, over):
    follow(requester, over, "AdjustmentBoundingBox")
    made = through(requester, over)
    LabelingJob.objects.filter(pk=made.pk).update(status="InProgress")
    row = DataObject.objects.filter(job=made).order_by("index").first()
    DataObject.objects.filter(job=made).update(state="Unlabeled")
    page = requester.get(reverse("requester:object", args=[made.pk, row.pk]))
    layers = page.context["card"]["layers"]["layers"]
    assert [(one["name"], len(one["boxes"])) for one in layers] == [("Earlier", 1)]
    assert page.context["initial"] == [{"label": "bee", "left": 5, "top": 4, "width": 10, "height": 12}]
    for left, adjusted in ((6, True), (6, True), (5, False)):
        box = {"label": "bee", "left": left, "top": 4, "width": 10, "height": 12}
        # The element compares with what it began with, which is the newest label.
        answer = {"boundingBox": {"boundingBoxes": [box], "initialValueModified": False}}
        requester.post(reverse("requester:object-adjudicate", args=[made.pk, row.pk]), {"answer": json.dumps(answer)})
        row.refresh_from_db()
        assert row.label.value["adjusted"] is adjusted
    gallery = requester.get(reverse("requester:job-gallery", args=[made.pk]))
    (card,) = gallery.context["cards"]
    assert [one["name"] for one in card["layers"]["layers"]] == ["Yours", "Earlier"]


def test_the_verdict_is_given_over_the_earlier_boxes(requester, over):
    follow(requester, over, "VerificationBoundingBox")
    made = through(requester, over)
    DataObject.objects.filter(job=made).update(state="Unlabeled")
    row = DataObject.objects.filter(job=made).order_by("index").first()
    page = requester.get(reverse("requester:object", args=[made.pk, row.pk])).content.decode()
    assert "overlay=" in page and "<worker-comment" in page
    answer = {"crowd-image-classifier": {"label": "bad", "workerComment": "too wide"}}
    requester.post(reverse("requester:object-adjudicate", args=[made.pk, row.pk]), {"answer": json.dumps(answer)})
    row.refresh_from_db()
    assert row.label.value == {"choice": "bad", "confidence": 1.0, "comments": ["too wide"]}
