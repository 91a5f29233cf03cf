"""Tuning jobs over REST and in the requester's pages."""

import json
import re

import pytest
from django.test import Client
from django.urls import reverse

from frontend.requester import tuning_forms
from learning.models import HyperParameterTuningJob, TrainingJob
from learning.services.tuning import advancing, ranges
from tests import builders
from tests.frontend import tuning_world
from tests.frontend.hostile_tuning import OBJECTIVE, RATE
from tests.frontend.hostile_tuning import tuning_forms as forms_of
from tests.labeling import label_files
from tests.learning.tuning.stories import drive

pytestmark = pytest.mark.django_db
BODY = {"name": "hive", "strategy": "Random", "objective": OBJECTIVE, "ranges": [RATE], "limits": {"max_jobs": 2}}


@pytest.fixture
def account():
    return builders.an_account()


@pytest.fixture
def client(account):
    client = Client()
    client.force_login(account.members.get())
    return client


def a_labeled_dataset(account):
    """A data set whose labels were imported, so that label attribute and classes are known."""
    uri = builders.tiny_images(1, account=account)[0]
    box = {"class_id": 0, "left": 1, "top": 1, "width": 9, "height": 9}
    label = {"image_size": [{"width": 32, "height": 32, "depth": 3}], "annotations": [box]}
    metadata = {"class-map": {"0": "bee"}, "type": "groundtruth/object-detection"}
    line = json.dumps({"source-ref": uri, "boxes": label, "boxes-metadata": metadata})
    return label_files.an_import(account, line.encode()).dataset


def post(client, path, body=None):
    return client.post(f"/api/v1/{path}", body or {}, content_type="application/json")


@pytest.mark.django_db(transaction=True)
def test_a_search_over_rest_from_its_creation_to_its_best(account, client):
    dataset = a_labeled_dataset(account)
    made = post(client, "tuning-jobs", {**BODY, "dataset": dataset.pk, "hyperparameters": {"epochs": "9"}})
    assert made.status_code == 201, made.content
    row = made.json()
    assert (row["status"], row["strategy"], row["max_jobs"]) == ("InProgress", "Random", 2)
    assert row["hyperparameters"]["label_attribute_name"] == "labels"
    assert row["ranges"][0]["scaling_type"] == "Logarithmic"
    drive(HyperParameterTuningJob.objects.get(pk=row["id"]))
    row = client.get(f"/api/v1/tuning-jobs/{row['id']}").json()
    assert row["status"] == "Completed"
    assert row["training_jobs"]["Completed"] == row["objectives"]["Succeeded"] == 2
    trials = client.get(f"/api/v1/tuning-jobs/{row['id']}/training-jobs").json()["results"]
    assert row["best_value"] == max(trial["objective_value"] for trial in trials)
    assert row["best_training_job"] in trials
    (listed,) = client.get("/api/v1/tuning-jobs?status=Completed&name_contains=HIV").json()["results"]
    assert (listed["name"], listed["best_value"]) == ("hive", row["best_value"])
    assert client.get("/api/v1/tuning-jobs?status=Failed").json()["results"] == []


def test_what_is_wrong_is_named_by_its_place(account, client):
    dataset = a_labeled_dataset(account)
    for change, place in (
        ({"strategy": "Grid"}, "ranges.0.type"),
        ({"ranges": [RATE | {"max_value": 7.0}]}, "ranges.0"),
        ({"ranges": [RATE | {"name": "rate"}]}, "ranges.0"),
        ({"limits": {"max_jobs": 2, "max_runtime_seconds": 5}}, "limits.max_runtime_seconds"),
        ({"hyperparameters": {"epochs": "none"}}, "hyperparameters"),
    ):
        answer = post(client, "tuning-jobs", {**BODY, "dataset": dataset.pk} | change)
        assert answer.status_code in (400, 422), (change, answer.content)
        assert place in answer.content.decode(), (change, answer.content)
    foreign = a_labeled_dataset(builders.an_account())
    assert post(client, "tuning-jobs", {**BODY, "dataset": foreign.pk}).status_code == 404
    assert not HyperParameterTuningJob.objects.exists() and not TrainingJob.objects.exists()


def test_it_is_stopped_over_rest(account, client):
    tuning = tuning_world.a_tuning(account)
    assert post(client, f"tuning-jobs/{tuning.pk}/stop").json()["status"] == "Stopping"
    foreign = tuning_world.a_tuning(builders.an_account())
    assert post(client, f"tuning-jobs/{foreign.pk}/stop").status_code == 404


def test_a_search_is_started_with_the_form(account, client):
    dataset = a_labeled_dataset(account)
    page = client.get(reverse("requester:tuning-new"))
    text = page.content.decode()
    # It proposes ranges that are allowed, with room for more.
    assert 'value="learning_rate"' in text and f'name="range-{tuning_forms.ROWS - 1}-name"' in text
    assert ranges.read([row.given() for row in _proposed(page)])
    (_, fields), *_ = forms_of({"dataset_id": dataset.pk, "tuning_id": 0})
    answer = client.post(reverse("requester:tuning-new"), fields | {"fixed": "epochs = 20\n\nbatch_size=4"})
    assert answer.status_code == 302, answer.content.decode()
    tuning = HyperParameterTuningJob.objects.get()
    assert tuning.hyperparameters.items() >= {"epochs": "20", "batch_size": "4", "architecture": "compact"}.items()
    assert (tuning.config["max_jobs"], tuning.config["max_seconds"], tuning.config["target"]) == (3, 540, 0.9)
    assert answer["Location"] == reverse("requester:tuning", args=[tuning.pk])


def _proposed(page):
    rows = tuning_forms.RangeRows(
        {
            "form-TOTAL_FORMS": len(tuning_forms.FIRST),
            "form-INITIAL_FORMS": 0,
            **{f"form-{at}-{key}": value for at, row in enumerate(tuning_forms.FIRST) for key, value in row.items()},
        }
    )
    assert rows.is_valid()
    return list(rows)[: len(tuning_forms.FIRST)]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"fixed": "epochs"}, "name = value expected"),
        ({"name": "no name"}, "Letters, digits and hyphens"),
        ({"range-0-high": "7"}, "learning_rate = 7"),
        ({"range-0-low": ""}, "a number expected"),
        ({"range-0-name": ""}, "ranges found"),
        ({"warm_start": "TransferLearning"}, "tuning jobs expected"),
        ({"strategy": "Hyperband", "early_stopping": "Auto", "min_resource": "9", "max_resource": "9"}, "not below"),
        ({"strategy": "Grid"}, "Categorical ranges only"),
    ],
)
def test_the_form_says_what_is_wrong(account, client, changes, said):
    (_, fields), *_ = forms_of({"dataset_id": a_labeled_dataset(account).pk, "tuning_id": 0})
    answer = client.post(reverse("requester:tuning-new"), fields | changes)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not HyperParameterTuningJob.objects.exists()


def test_pages_show_the_searches_of_several_definitions(account, client):
    tuning = tuning_world.several(account)
    page = client.get(reverse("requester:tuning", args=[tuning.pk])).content.decode()
    for shown in ("the objectives of 2 searches", "<dt>Search</dt><dd>small</dd>", "compact", "validation:mAP_50"):
        assert shown in page, shown
    # What a definition does not search is no empty cell.
    assert page.count('data-label="mini_batch_size">\N{EN DASH}</td>') == 1
    charts = {
        name: client.get(reverse("requester:tuning-chart", args=[tuning.pk, name])).json()
        for name in ("parallel-0", "parallel-1")
    }
    assert [len(chart["lines"]) for chart in charts.values()] == [1, 1]
    assert [axis["label"] for axis in charts["parallel-1"]["axes"]] == ["mini_batch_size", "validation:mAP_50"]
    assert client.get(reverse("requester:tuning-chart", args=[tuning.pk, "parallel"])).status_code == 404


def test_pages_show_a_search(account, client):
    tuning = tuning_world.a_tuning(account)
    best = tuning_world.a_trial(tuning, 0.75, optimizer="adam")
    listed = client.get(reverse("requester:tunings")).content.decode()
    assert "hive" in listed and "2 of 20" in listed and "0.75" in listed
    page = client.get(reverse("requester:tuning", args=[tuning.pk])).content.decode()
    assert best.name in page and "every 3s" in page
    assert len(re.findall("<waggle-(?:chart|parallel) src=", page)) == 3
    charts = {
        name: client.get(reverse("requester:tuning-chart", args=[tuning.pk, name])).json()
        for name in ("history", "importance", "parallel")
    }
    assert charts["history"]["series"][0]["points"] == [[1, 0.5], [2, 0.75]]
    assert charts["importance"]["series"][0]["points"] == [["learning_rate", 0.8], ["optimizer", 0.2]]
    assert [line["values"] for line in charts["parallel"]["lines"]] == [[0.01, "sgd", 0.5], [0.01, "adam", 0.75]]
    assert client.get(reverse("requester:tuning-chart", args=[tuning.pk, "pie"])).status_code == 404
    # The part that is fetched again tells the page when it is over.
    part = reverse("requester:tuning-progress", args=[tuning.pk])
    assert "HX-Refresh" not in client.get(part)
    assert client.post(reverse("requester:tuning-stop", args=[tuning.pk])).status_code == 302
    advancing._end(HyperParameterTuningJob.objects.get(pk=tuning.pk))
    assert client.get(part)["HX-Refresh"] == "true"
    page = client.get(reverse("requester:tuning", args=[tuning.pk])).content.decode()
    assert "every 3s" not in page and "src=" not in re.findall("<waggle-parallel[^>]*>", page)[0]
