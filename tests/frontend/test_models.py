"""The model registry over REST and on its pages."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from learning.models import Model, ModelImport, TransformJob
from learning.services import model_approval
from tests import builders
from tests.frontend import model_world
from tests.learning.serving.foreign_models import a_network, described

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


@pytest.fixture
def ids(account):
    dataset = builders.a_dataset(account=account)
    model = Model.objects.create(
        account=account, name="first", architecture="compact", labels=["bee"], parts_uri="file:///nowhere",
        artifact_uri="file:///nowhere/model.tar.gz", metrics={"mAP_50": 0.5, "AP_50:bee": 0.25},
    )  # fmt: skip
    return model_world.of_models(account, model, dataset) | {"model_id": model.pk, "dataset_id": dataset.pk}


def test_models_are_listed_by_group_and_approval_and_decided_on(client, ids):
    url = f"/api/v1/models/{ids['model_id']}"
    answer = client.post(f"{url}/approval", {"approval_status": "Approved", "comment": "good"}, **JSON)
    assert answer.status_code == 200, answer.content
    row = client.get(url).json()
    assert (row["approval_status"], row["approval_comment"], row["group"]) == ("Approved", "good", "secret-group")
    assert row["uses"] == [] and row["arn"].endswith(":model/first")

    def names(**filters):
        return [one["name"] for one in client.get("/api/v1/models", filters).json()["results"]]

    assert names(approval_status="Approved") == ["first"]
    assert names(group="secret-group") == ["secret-model-2", "first"]
    assert client.post(f"{url}/group", {"group": "others"}, **JSON).json()["version"] == 1
    assert names(group="others") == ["first"]
    groups = client.get("/api/v1/model-groups").json()["results"]
    assert [(one["name"], one["versions"]) for one in groups] == [("others", 1), ("secret-group", 1)]
    refused = client.post(f"{url}/approval", {"approval_status": "Fine"}, **JSON)
    assert refused.status_code == 400 and Model.objects.get(pk=ids["model_id"]).status == "Approved"


def test_a_used_model_is_not_deleted_over_rest_and_an_unused_one_is_gone(client, ids):
    url = f"/api/v1/models/{ids['model_id']}"
    TransformJob.objects.filter(pk=ids["transform_id"]).update(status="InProgress")
    answer = client.delete(url)
    assert answer.status_code == 409 and "the transform job on-first" in answer.json()["detail"]
    TransformJob.objects.filter(pk=ids["transform_id"]).update(status="Completed")
    assert client.delete(url).status_code == 204
    assert client.get(url).status_code == 404
    assert client.get(reverse("requester:model", args=[ids["model_id"]])).status_code == 404
    page = client.get(reverse("requester:transform-output", args=[ids["transform_id"]]))
    assert page.status_code == 200 and b"first" in page.content


def test_models_are_compared_over_rest_and_on_the_page(client, ids):
    url = f"/api/v1/models/{ids['left_id']}/comparison/{ids['right_id']}"
    plain = client.get(url).json()
    assert plain["differences"] is None and plain["same_validation"] is False
    assert plain["figures"][1] == {"name": "mAP_50", "left": 0.5, "right": None, "difference": None}
    found = client.get(url, {"dataset": ids["dataset_id"]}).json()["differences"]
    assert (found["images"], found["differ"], len(found["worst"])) == (2, 2, 2)
    assert client.get(url, {"dataset": "x"}).status_code == 400
    # Both have predicted it: nothing is started.
    assert client.post(url, {"dataset": ids["dataset_id"]}, **JSON).status_code == 201
    assert TransformJob.objects.count() == 2

    asked = {"left": ids["left_id"], "right": ids["right_id"], "dataset": ids["dataset_id"]}
    page = client.get(reverse("requester:model-comparison"), asked).content.decode()
    assert "They disagree about 2 of 2 images: 2 boxes" in page and page.count("<waggle-boxes-view") == 2
    place = [ids["left_id"], ids["right_id"], ids["dataset_id"]]
    image = client.get(reverse("requester:model-comparison-image", args=[*place, 0]))
    assert image.status_code == 200 and image["Content-Type"].startswith("image/")
    assert client.get(reverse("requester:model-comparison-image", args=[*place, 2])).status_code == 404


def test_a_detector_is_uploaded_and_its_import_begins(client, account, tmp_path):
    a_network(tmp_path / "model.onnx")
    files = [
        SimpleUploadedFile("model.onnx", (tmp_path / "model.onnx").read_bytes()),
        SimpleUploadedFile("config.json", json.dumps(described()).encode()),
    ]
    answer = client.post("/api/v1/uploads", {"files": files})
    by_name = {one["name"]: one["uri"] for one in answer.json()["files"]}
    body = {"name": "theirs", "onnx_uri": by_name["model.onnx"], "config_uri": by_name["config.json"]}
    made = client.post("/api/v1/model-imports", body, **JSON)
    assert made.status_code == 201 and made.json()["status"] == "InProgress"
    assert client.post("/api/v1/model-imports", body, **JSON).status_code == 409
    other = {**body, "name": "more", "config_uri": by_name["config.json"] + "x"}
    refused = client.post("/api/v1/model-imports", other, **JSON)
    assert refused.status_code == 404 and refused.json()["errors"][0]["field"] == "config_uri"
    stopped = client.post(f"/api/v1/model-imports/{made.json()['id']}/stop", {}, **JSON).json()
    assert stopped["status"] == "Stopped"
    # The name is free again.
    assert client.post("/api/v1/model-imports", body, **JSON).status_code == 201

    form = {"name": "by-form", "source": "upload", "folder": "", "group": ""}
    page = client.post(reverse("requester:model-import-new"), {**form, "files": files[:1]})
    assert page.status_code == 422 and "Two files are expected" in page.content.decode()
    for one in files:
        one.seek(0)
    done = client.post(reverse("requester:model-import-new"), {**form, "files": files})
    assert done.status_code == 302, done.context["form"].errors
    run = ModelImport.objects.get(name="by-form")
    assert run.channels["model"].keys() == {"onnx_uri", "config_uri"}
    page = client.get(done["Location"]).content.decode()
    assert "It waits for the learner." in page


def test_a_prediction_is_made_followed_and_its_labels_become_a_data_set(client, ids):
    body = {"name": "p", "model": ids["model_id"], "dataset": ids["dataset_id"]}
    made = client.post("/api/v1/transform-jobs", body, **JSON)
    assert made.status_code == 201, made.content
    assert (made.json()["label_attribute_name"], made.json()["parts"]) == ("predicted", {})
    assert made.json()["hyperparameters"]["score_threshold"] == "0.3"
    url = f"/api/v1/transform-jobs/{ids['transform_id']}"
    assert list(client.get(url).json()["parts"]) == ["predictions.jsonl", "output.manifest", "annotations.jsonl"]
    lines = b"".join(client.get(f"{url}/parts/predictions.jsonl").streaming_content).splitlines()
    assert len(lines) == 2
    assert client.get(f"{url}/parts/model.onnx").status_code == 404
    assert client.get(f"/api/v1/transform-jobs/{made.json()['id']}/parts/output.manifest").status_code == 404
    assert client.post(f"{url}/dataset", {"name": "labeled"}, **JSON).json()["name"] == "labeled"
    wrong = client.post("/api/v1/transform-jobs", {**body, "name": "q", "label_attribute_name": "-"}, **JSON)
    assert wrong.status_code == 400 and wrong.json()["errors"][0]["field"] == "label_attribute_name"


def test_the_pages_show_what_the_registry_knows(client, ids, account):
    model = Model.objects.get(pk=ids["model_id"])
    model_approval.decide(model=model, status="Rejected", comment="misses wasps", by="user:1")
    model.lineage = {
        "training_job": "run-7",
        "parent": "before",
        "code_version": "abc123def456",
        "channels": {"train": {"manifest_uri": "x", "sha256": "f" * 64, "lines": 12, "dataset": "d", "job": None}},
    }
    model.save()
    page = client.get(reverse("requester:model", args=[model.pk])).content.decode()
    for said in ("misses wasps", "run-7", "before (deleted)", "abc123def456", "data set d, 12 lines", "secret-model-2"):
        assert said in page, said
    listed = client.get(reverse("requester:models"), {"status": "Rejected"}).content.decode()
    assert "first" in listed and "secret-model-2" not in listed and "secret-import" in listed
    group = client.get(reverse("requester:models"), {"group": model.group_id}).content.decode()
    assert "secret-model-2" in group and "The versions of one model" in group
    forms = {
        "model-approval": {"status": "Approved", "comment": ""},
        "model-group": {"group": "no such name!"},
        "model-delete": {},
    }
    for name, given in forms.items():
        assert client.post(reverse(f"requester:{name}", args=[model.pk]), given).status_code == 302
    model.refresh_from_db()
    assert (model.status, model.group.name) == ("Approved", "secret-group") and model.deleted_at
