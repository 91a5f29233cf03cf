"""Attributes of labels over REST and in the wizard with Django's test client: given, shown, kept by what follows."""

import json

import pytest
from django.test import Client
from django.urls import reverse

from labeling.models import DataObject, LabelingJob
from labeling.services.jobs import advancing
from marketplace import storage
from marketplace.models import Account
from marketplace.services import boundaries
from tests import builders
from tests.frontend.test_chained_wizard import follow, through
from tests.frontend.test_wizard import TASK, config_of, people, step
from tests.labeling import stories
from tests.labeling.test_label_attributes import CONFIG, KEY, a_box

pytestmark = pytest.mark.django_db
JOBS = "/api/v1/labeling-jobs"
WRITTEN = {name: value for name, value in CONFIG.items() if name != "instructions"}
COMMON = CONFIG["categoryGlobalAttributes"]
SHOWN = [
    {"label": "bee", "categoryAttributes": COMMON + CONFIG["labels"][0]["categoryAttributes"]},
    {"label": "wasp", "categoryAttributes": COMMON},
]


@pytest.fixture
def account(db) -> Account:
    return stories.an_account()


@pytest.fixture
def requester(account) -> Client:
    client = Client()
    client.force_login(account.members.get())
    return client


def a_body(account: Account, worker, **more) -> dict:
    (uri,) = builders.tiny_images(1, account=account, size=stories.SIZE)
    return {
        "name": "bees", "workteam": builders.a_team(account=account, workers=[worker]).pk, "title": "Bees",
        "description": "Box them", "price": "0.036", "workers_per_object": 1,
        "input_manifest_uri": builders.a_manifest(account, [{"source-ref": uri}]), **more,
    }  # fmt: skip


def post(client: Client, address: str, body: dict):
    return client.post(address, body, content_type="application/json")


def test_rest_takes_a_configuration_and_the_label_has_its_attributes(requester, account):
    worker = builders.a_worker()
    body = a_body(account, worker, label_category_config=CONFIG)
    made = post(requester, JOBS, body)
    assert made.status_code == 201, made.json()
    assert made.json()["label_category_config"] == WRITTEN and made.json()["labels"] == ["bee", "wasp"]
    job = LabelingJob.objects.get(pk=made.json()["id"])
    advancing.advance_job(job.pk)

    hand = Client()
    hand.force_login(worker.user)
    seat = post(hand, f"{JOBS}/{job.pk}/claim", {}).json()["assignment"]
    assert seat["labels"] == SHOWN and seat["instructions"]["short"] == "<p>Draw a box round each insect.</p>"
    answer = f"/api/v1/assignments/{seat['id']}/submit"
    refused = post(hand, answer, {"answer": a_box(age=3), "seconds": 3})
    assert refused.status_code == 400
    assert f"boundingBoxes[0].{KEY}.caste: is missing" in refused.json()["detail"]
    assert post(hand, answer, {"answer": a_box(caste="queen", age=3), "seconds": 3}).status_code == 200
    advancing.advance_job(job.pk)

    row = DataObject.objects.get(job=job)
    page = requester.get(reverse("requester:object", args=[job.pk, row.pk])).content.decode()
    assert "age: 3, caste: queen" in page and "caste queen (majority, 1 of 1)" in page
    assert "categoryAttributes" in page, "whoever decides the object is asked, too"

    # What goes on from it asks for the same attributes.
    job.refresh_from_db()
    assert job.status == "Completed"
    more = a_body(account, worker, name="again", input_job=job.pk, audit_label_attribute_name=job.label_attribute_name)
    del more["input_manifest_uri"]
    again = post(requester, JOBS, more | {"task_type": "AdjustmentBoundingBox"})
    assert again.status_code == 201, again.json()
    assert again.json()["label_category_config"] == WRITTEN
    adjusting = LabelingJob.objects.get(pk=again.json()["id"])
    advancing.advance_job(adjusting.pk)
    shown = post(hand, f"{JOBS}/{adjusting.pk}/claim", {}).json()["assignment"]
    assert shown["initial_value"][0][KEY] == {"age": 3, "caste": "queen"}
    assert follow(requester, job, "").status_code == 302
    task = requester.get(step("data")) and requester.session["job_suggested"]["task"]
    assert json.loads(task["label_category_config"]) == WRITTEN


def test_rest_takes_the_address_of_a_file(requester, account):
    uri = storage.join(boundaries.base_of(account), "labels.json")
    storage.write(uri, json.dumps(CONFIG).encode())
    body = a_body(account, builders.a_worker())
    made = post(requester, JOBS, body | {"label_category_config_uri": uri, "labels": ["wasp", "bee"]})
    assert made.status_code == 201, made.json()
    assert made.json()["labels"] == ["wasp", "bee"], "the order of the labels is that of the request"
    both = post(requester, JOBS, body | {"label_category_config_uri": uri, "label_category_config": CONFIG})
    assert both.status_code == 400 and "either the configuration or its address" in both.json()["detail"]
    elsewhere = boundaries.base_of(stories.an_account())
    refused = post(requester, JOBS, body | {"label_category_config_uri": storage.join(elsewhere, "labels.json")})
    assert refused.status_code == 400


def test_rest_names_what_is_wrong(requester, account):
    body = a_body(account, builders.a_worker())
    bad = {"labels": [{"label": "bee", "categoryAttributes": [{"name": "caste", "type": "colour"}]}]}
    for given, field in (
        (bad, "label_category_config.labels[0].categoryAttributes[0].type"),
        ({"labels": [{"label": "bee"}], "frameAttributes": [{"name": "a"}]}, "label_category_config.frameAttributes"),
    ):
        found = post(requester, JOBS, body | {"label_category_config": given})
        assert found.status_code == 400 and field in json.dumps(found.json()), found.json()
    assert post(requester, JOBS, body | {"label_category_config": "bees"}).status_code == 400
    assert "labels" in json.dumps(post(requester, JOBS, body).json())
    assert not LabelingJob.objects.filter(account=account).exists()


def test_the_wizard_takes_a_configuration_from_its_field(requester, account):
    builders.a_dataset(account=account, name="clover")
    worker = builders.a_worker()
    team = builders.a_team(account=account, workers=[worker])
    requester.post(step("data"), {"name": "bees", "dataset": account.datasets.get().pk, "selection": "full"})
    given = TASK | {"labels": "", "task_type": "BoundingBox"}
    for text, said in (
        ("{", "JSON document is wrong"),
        ("[]", "a JSON object expected"),
        ('{"labels": [{"label": "bee", "categoryAttributes": [{}]}]}', "categoryAttributes[0].name"),
    ):
        found = requester.post(step("task"), given | {"label_category_config": text})
        assert found.status_code == 422 and said in found.content.decode()
    text = json.dumps(CONFIG)
    wrong = requester.post(step("task"), given | {"label_category_config": text, "labels": "wasp"})
    assert "not among the labels of the job" in wrong.content.decode()
    kinds = requester.post(step("task"), given | {"label_category_config": text, "task_type": "ImageMultiClass"})
    assert "have no attributes" in kinds.content.decode()

    assert requester.post(step("task"), given | {"label_category_config": text}).status_code == 302
    again = requester.get(step("task"))
    assert again.context["form"]["labels"].value() == "bee\nwasp"
    assert again.context["form"]["label_category_config"].value() == text
    requester.post(step("people"), people(team.pk))
    requester.post(step("automation"), {"enabled": "", "target_iou": 0.6, "architecture": "compact", "max_rounds": 3})
    review = requester.get(reverse("requester:job-review")).content.decode()
    assert "bee: note: text; caste: worker, queen (required); age: number at least 0" in review
    preview = config_of(requester.get(reverse("requester:job-new-preview")).content.decode())["assignment"]
    requester.post(reverse("requester:job-launch"))
    job = LabelingJob.objects.get(account=account, name="bees")
    advancing.advance_job(job.pk)
    hand = Client()
    hand.force_login(worker.user)
    assert preview["labels"] == SHOWN == post(hand, f"{JOBS}/{job.pk}/claim", {}).json()["assignment"]["labels"]


def test_a_copy_of_a_job_keeps_the_attributes(requester, account):
    (uri,) = builders.tiny_images(1, account=account, size=stories.SIZE)
    box = {"class_id": 0, "left": 5, "top": 4, "width": 10, "height": 12, KEY: {"caste": "queen"}}
    label = {"image_size": [{"width": 640, "height": 480, "depth": 3}], "annotations": [box]}
    about = {"objects": [{"confidence": 0.8}], "class-map": {"0": "bee"}, "human-annotated": "yes"}
    line = {"source-ref": uri, "boxes": label, "boxes-metadata": about}
    manifest = builders.a_manifest(account, [line])
    body = a_body(account, builders.a_worker(), input_manifest_uri=manifest, label_attribute_name="boxes")
    made = post(requester, JOBS, body | {"label_category_config": CONFIG})
    job = LabelingJob.objects.get(pk=made.json()["id"])
    advancing.advance_job(job.pk)
    job.refresh_from_db()
    assert job.status == "Completed", "its only object has a label already"
    assert DataObject.objects.get(job=job).label.value["boxes"][0][KEY] == {"caste": "queen"}
    follow(requester, job, "AdjustmentBoundingBox")
    copy = through(requester, job, task={"labels": "bee\nwasp\nfly"})
    assert copy.queue.label_category_config == job.queue.label_category_config and copy.labels[2] == "fly"
