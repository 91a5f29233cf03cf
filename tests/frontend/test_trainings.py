"""Trainings and batch transforms on pages and over REST: what is shown, started, stopped, and refused."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from learning.contract import Metric
from learning.models import Model, TrainingJob, TransformJob
from learning.samples import (
    CLASSES,
    FOLDER,
    INDEX,
    MASKS,
    Evaluation,
    SampleBox,
    SampleClass,
    SampleImage,
    SampleMask,
    Samples,
)
from learning.services import run_records
from learning.services.programs import kinds
from marketplace import storage
from tests import builders
from tests.frontend.tuning_world import a_tuning
from tests.labeling import label_files, stories

pytestmark = pytest.mark.django_db
HOSTILE = "<img src=x onerror=alert(1)>"
JSON = {"content_type": "application/json"}


@pytest.fixture
def account(db):
    return stories.an_account()


@pytest.fixture
def client(account):
    client = Client()
    client.force_login(account.members.get())
    return client


@pytest.fixture
def run(account):
    """A training that works, with metrics, a log and samples; what a program can write holds HTML."""
    run = TrainingJob.objects.create(
        account=account,
        name="bees",
        progress=0.25,
        started_at=timezone.now(),
        hyperparameters={"architecture": "compact", "label_attribute_name": "boxes", "class_map": '{"0": "bee"}'},
        channels={"train": {"manifest_uri": "s3://bees/train.manifest"}},
    )
    values = {
        "train:loss": 2.5,
        "train:images_per_second": 81.25,
        "train:progress": 0.25,
        "validation:mAP": 0.4,
        "validation:mAP_50": 0.61,
        f"validation:AP_50:{HOSTILE}": 0.7,
        "usage:cpu": 0.85,
        "usage:memory_bytes": 3 << 30,
    }
    at = timezone.now().isoformat()
    points = [Metric(name, value, step, 1, at) for name, value in values.items() for step in (10, 20)]
    kinds.of(run).store_metrics(run.pk, points)
    run.refresh_from_db()
    storage.write(run_records.uri(run, run_records.TAIL), f"epoch 1 {HOSTILE}\n".encode())
    show(run, 10, 20)
    return run


def show(run, *steps):
    """Samples of so many evaluations."""
    box = (10.0, 10.0, 30.0, 20.0)
    samples = Samples([SampleImage("0.jpg", 80, 60, [SampleBox(HOSTILE, *box)])])
    for step in steps:
        samples.add(Evaluation(step, 1, [[SampleBox("bee", *box, score=0.75)]]))
    storage.write(run_records.uri(run, FOLDER, INDEX), samples.to_json().encode())
    storage.write(run_records.uri(run, FOLDER, "0.jpg"), builders.image_bytes(size=(80, 60), form="JPEG"))


def page(client, route, *args, code=200, **query):
    response = client.get(reverse(f"requester:{route}", args=args), query)
    assert response.status_code == code
    return response.content.decode()


def test_the_page_of_a_training_shows_what_is_known_of_it(client, run):
    shown = page(client, "training", run.pk)
    for text in (
        "40.0 %",
        "61.0 % at IoU 0.5",
        "2.500",
        "81.2",
        "85 %",
        "3.0",
        "GB",
        "70.0 %",
        "25 %",
        "after 20 steps",
    ):
        assert text in shown, text
    assert HOSTILE not in shown
    assert "every 3s" in shown and reverse("requester:training-stop", args=[run.pk]) in shown
    assert page(client, "training", run.pk, step=10).count(" selected>after 10 steps") == 1


def test_what_changes_is_fetched_while_a_training_works(client, run):
    assert "25 %" in page(client, "training-progress", run.pk)
    assert "epoch 1 &lt;img" in page(client, "training-log", run.pk)
    assert "after 20 steps" in page(client, "training-samples", run.pk, newer=10)
    page(client, "training-samples", run.pk, newer=20, code=204)
    chart = client.get(reverse("requester:training-chart", args=[run.pk, "quality"])).json()
    assert {series["name"] for series in chart["series"]} == {"mAP at IoU 0.5 to 0.95", "mAP at IoU 0.5"}
    assert chart["series"][0]["points"] == [[10, 0.4], [20, 0.4]]
    assert client.get(reverse("requester:training-chart", args=[run.pk, "tea"])).status_code == 404


def test_a_training_that_has_ended_is_shown_as_a_whole(client, run):
    TrainingJob.objects.filter(pk=run.pk).update(status="Failed", failure_reason=f"line 3: {HOSTILE}")
    storage.write(run_records.uri(run, run_records.LOG), b"all of it\n")
    shown = page(client, "training", run.pk)
    assert "line 3: &lt;img" in shown
    assert "hx-get" not in shown.partition("<main")[2] and "waggle-chart>" in shown
    response = client.get(reverse("requester:training-progress", args=[run.pk]))
    assert response["HX-Refresh"] == "true"
    whole = client.get(f"/api/v1/training-jobs/{run.pk}/log/file")
    assert b"".join(whole.streaming_content) == b"all of it\n"


def test_a_training_without_anything_yet_is_shown(client, account):
    run = TrainingJob.objects.create(account=account, name="new")
    shown = page(client, "training", run.pk)
    assert "Waiting for a free learner" in shown and "Nothing yet." in shown
    page(client, "training-samples", run.pk, newer="", code=204)
    storage.write(run_records.uri(run, FOLDER, INDEX), b"{}")
    assert "cannot be read" in page(client, "training", run.pk)


def test_the_list_is_filtered_by_status_and_name(client, account, run):
    TrainingJob.objects.create(account=account, name="wasps", status="Completed", progress=1)
    assert "40.0 %" in page(client, "trainings")
    for query, there in (({"status": "Completed"}, {"wasps"}), ({"name": "BEE"}, {"bees"}), ({"name": "x"}, set())):
        shown = page(client, "trainings", **query)
        assert {name for name in ("bees", "wasps") if f">{name}</a>" in shown} == there


def test_a_training_is_stopped_on_its_page(client, run):
    client.post(reverse("requester:training-stop", args=[run.pk]))
    run.refresh_from_db()
    assert run.status == "Stopped"


@pytest.fixture
def dataset(account):
    return builders.a_dataset(account=account, name="hives")


def a_form(**changes):
    return {"source": "dataset", "architecture": "compact", "label_attribute_name": "boxes"} | changes


def test_a_training_on_a_data_set_is_started_from_the_form(client, account, dataset):
    model = Model.objects.create(account=account, name="earlier", architecture="compact", labels=["bee"])
    more = "early_stopping = true\n\nlr_scheduler_step = 8,12\n"
    form = a_form(dataset=dataset.pk, validation=dataset.pk, earlier=model.pk, epochs="3", more=more)
    response = client.post(reverse("requester:training-new"), form)
    run = TrainingJob.objects.get()
    assert response.url == reverse("requester:training", args=[run.pk])
    assert run.name == "hives-detector"
    assert run.channels.keys() == {"train", "validation", "model"}
    wanted = {"epochs": "3", "early_stopping": "true", "lr_scheduler_step": "8,12", "label_attribute_name": "boxes"}
    assert run.hyperparameters == wanted | {"architecture": "compact"}
    assert run.created_by == f"user:{account.members.get().pk}"


def test_train_again_fills_in_the_form_as_it_was(client, account, dataset):
    form = a_form(dataset=dataset.pk, name="bees", epochs="3", more="early_stopping = true")
    client.post(reverse("requester:training-new"), form)
    first = TrainingJob.objects.get()
    again = client.get(reverse("requester:training-new"), {"again": first.pk}).context["form"]
    filled = {field.name: field.value() for field in again}
    assert (filled["name"], filled["epochs"], filled["more"]) == ("bees-2", "3", "early_stopping = true")
    assert (filled["source"], filled["dataset"], filled["validation"]) == ("dataset", dataset.pk, None)
    client.post(reverse("requester:training-new"), form | {"name": filled["name"]})
    assert TrainingJob.objects.filter(name="bees-2", hyperparameters=first.hyperparameters).exists()


def test_a_training_on_a_manifest_is_started_and_repeated(client, account):
    uri = label_files.stored(account, b"{}\n", "in.manifest")
    response = client.post(reverse("requester:training-new"), a_form(source="store", name="bees", manifest_uri=uri))
    run = TrainingJob.objects.get()
    assert response.status_code == 302 and run.channels == {"train": {"manifest_uri": uri}}
    again = client.get(reverse("requester:training-new"), {"again": run.pk}).context["form"]
    assert (again["source"].value(), again["manifest_uri"].value()) == ("store", uri)


def test_content_type_and_input_mode_are_chosen_in_the_form_and_shown(client, account):
    uri = label_files.stored(account, b"", "in.rec")
    given = {"content_type": "application/x-recordio", "input_mode": "Pipe", "label_attribute_name": ""}
    form = a_form(source="store", name="bees", manifest_uri=uri, validation_uri=uri, **given)
    client.post(reverse("requester:training-new"), form)
    run = TrainingJob.objects.get()
    channel = {"uri": uri, "content_type": "application/x-recordio", "input_mode": "Pipe"}
    assert run.channels == {"train": channel, "validation": channel}
    assert client.get(f"/api/v1/training-jobs/{run.pk}").json()["channels"]["validation"] == channel
    shown = page(client, "training", run.pk)
    assert uri in shown and '>input mode</span> <span class="mono small">Pipe<' in shown
    again = client.get(reverse("requester:training-new"), {"again": run.pk}).context["form"]
    names = ("source", "manifest_uri", "validation_uri", "content_type", "input_mode")
    assert [again[name].value() for name in names] == ["store", uri, uri, "application/x-recordio", "Pipe"]


def test_a_training_on_a_data_set_may_read_it_while_it_runs(client, dataset):
    client.post(reverse("requester:training-new"), a_form(dataset=dataset.pk, input_mode="Pipe"))
    assert TrainingJob.objects.get().channels["train"]["input_mode"] == "Pipe"


@pytest.mark.parametrize(
    ("kind", "truth", "found", "layer"),
    [
        (
            CLASSES,
            [SampleClass(HOSTILE)],
            [SampleClass("bee", 0.75)],
            {"choices": [{"label": "bee", "confidence": 0.75}]},
        ),
        (
            MASKS,
            [SampleMask(HOSTILE, "04")],
            [SampleMask("bee", "13")],
            {"masks": {"width": 2, "height": 2, "segments": [{"label": "bee", "counts": "13"}]}},
        ),
    ],
)
def test_samples_of_classes_and_masks_are_shown(client, run, kind, truth, found, layer):
    samples = Samples([SampleImage("0.jpg", 2, 2, truth)], [Evaluation(30, 1, [found])], kind)
    storage.write(run_records.uri(run, FOLDER, INDEX), samples.to_json().encode())
    response = client.get(reverse("requester:training", args=[run.pk]))
    (sample,) = response.context["samples"]
    assert sample["layers"]["layers"][1] == {"name": "Model", "kind": "machine", **layer}
    assert HOSTILE not in response.content.decode()
    given = client.get(f"/api/v1/training-jobs/{run.pk}/samples").json()
    assert given["kind"] == kind and given["images"][0]["truth"][0]["label"] == HOSTILE


def test_a_training_is_deleted_on_its_page_once_it_has_ended(client, run):
    address = reverse("requester:training-delete", args=[run.pk])
    kept = client.post(address, follow=True)
    assert "only what has ended is deleted" in kept.content.decode() and TrainingJob.objects.exists()
    assert address not in page(client, "training", run.pk)
    TrainingJob.objects.update(status="Stopped")
    assert address in page(client, "training", run.pk)
    gone = client.post(address, follow=True)
    assert "bees is deleted." in gone.content.decode() and not TrainingJob.objects.exists()


def test_a_program_deletes_what_has_ended(client, account, run):
    model = Model.objects.create(account=account, name="earlier", architecture="compact", labels=["bee"])
    transform = TransformJob.objects.create(account=account, name="wasps", model=model, status="Failed")
    tuning = a_tuning(account, status="Completed")
    paths = [f"/api/v1/{one}" for one in (f"transform-jobs/{transform.pk}", f"tuning-jobs/{tuning.pk}")]
    assert client.delete(f"/api/v1/training-jobs/{run.pk}").status_code == 409
    assert client.get(paths[1]).json()["channels"] == {}
    assert [client.delete(path).status_code for path in paths] == [204, 204]
    assert [client.delete(path).status_code for path in paths] == [404, 404]
    assert TrainingJob.objects.count() == 2 and Model.objects.get() == model


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"dataset": ""}, "dataset", "required"),
        ({"source": "store"}, "manifest_uri", "required"),
        ({"more": "epochs"}, "more", "Line 1: 'epochs' is not of the form name = value"),
        ({"more": "a = 1\na = 2"}, "more", "Line 2: a is there twice"),
        ({"more": "epoch = 3"}, "more", "did you mean 'epochs'"),
        ({"epochs": "-1"}, "epochs", "'epochs' is -1; allowed: 1 to"),
        ({"more": "weights_dir = /etc"}, "more", "the operator's settings say it"),
        ({"name": "no spaces"}, "name", ""),
        ({"label_attribute_name": ""}, "label_attribute_name", "the manifest key of the boxes"),
    ],
)
def test_a_form_that_does_not_fit_is_refused_at_its_field(client, dataset, changes, field, said):
    response = client.post(reverse("requester:training-new"), a_form(dataset=dataset.pk) | changes)
    assert response.status_code == 422
    errors = response.context["form"].errors
    assert list(errors) == [field] or field in errors and field == "manifest_uri"
    assert said in str(response.context["form"].errors.as_data()[field])
    assert not TrainingJob.objects.exists()


def test_a_program_reads_all_of_a_training(client, run):
    base = f"/api/v1/training-jobs/{run.pk}"
    found = client.get(base).json()
    assert (found["objective"], found["newest"]["train:loss"], found["progress"]) == (0.4, 2.5, 0.25)
    assert found["channels"]["train"]["manifest_uri"] == "s3://bees/train.manifest"
    assert client.get(f"{base}/log").content.decode() == f"epoch 1 {HOSTILE}\n"
    assert client.get(f"{base}/log")["Content-Type"].startswith("text/plain")
    assert client.get(f"{base}/log/file").status_code == 404
    curves = client.get(f"{base}/metrics", {"name": "train:loss"}).json()["metrics"]
    assert [(point["step"], point["value"]) for point in curves["train:loss"]] == [(10, 2.5), (20, 2.5)]
    assert len(client.get(f"{base}/metrics", {"points": 1}).json()["metrics"]["train:loss"]) == 1
    for query in ({"points": 0}, {"points": "x"}, {"points": 5001}, {"pints": 1}):
        assert client.get(f"{base}/metrics", query).status_code == 400
    samples = client.get(f"{base}/samples").json()
    assert samples["images"][0]["truth"][0]["label"] == HOSTILE
    assert [one["step"] for one in samples["evaluations"]] == [10, 20]
    picture = client.get(samples["images"][0]["image_url"])
    assert picture["Content-Type"] == "image/jpeg" and picture.content[:2] == b"\xff\xd8"
    assert client.get(f"{base}/samples/1/image").status_code == 404


def test_a_program_starts_a_training_from_an_earlier_model(client, account, dataset):
    model = Model.objects.create(account=account, name="earlier", architecture="compact", labels=["bee"])
    given = {"dataset": dataset.pk, "hyperparameters": {"label_attribute_name": "boxes"}}
    made = client.post("/api/v1/training-jobs", given | {"model": model.pk}, **JSON)
    assert made.status_code == 201, made.content
    assert TrainingJob.objects.get().channels["model"] == {"name": "earlier"}
    assert client.post("/api/v1/training-jobs", given | {"model": model.pk + 1}, **JSON).status_code == 404


def test_a_batch_transform_is_listed_shown_and_stopped(client, account):
    model = Model.objects.create(account=account, name="m", architecture="compact", labels=["bee"])
    run = TransformJob.objects.create(
        account=account, name="hives", model=model, progress=0.5, channels={"predict": {"manifest_uri": "s3://bees/a"}}
    )
    storage.write(run_records.uri(run, run_records.TAIL), b"predicting\n")
    assert "hives" in page(client, "transforms")
    shown = page(client, "transform", run.pk)
    assert "50 %" in shown and "predicting" in shown and "s3://bees/a" in shown
    assert "50 %" in page(client, "transform-progress", run.pk)
    assert "predicting" in page(client, "transform-log", run.pk)
    client.post(reverse("requester:transform-stop", args=[run.pk]))
    run.refresh_from_db()
    assert run.status == "Stopped"
    assert client.get(reverse("requester:transform-progress", args=[run.pk]))["HX-Refresh"] == "true"


def test_runs_of_another_account_are_not_there(run):
    stranger = Client()
    stranger.force_login(stories.an_account().members.get())
    for name in ("training", "training-progress", "training-log", "training-samples"):
        page(stranger, name, run.pk, code=404)
    for part in ("", "/log", "/log/file", "/metrics", "/samples", "/samples/0/image"):
        assert stranger.get(f"/api/v1/training-jobs/{run.pk}{part}").status_code == 404
    assert stranger.get(reverse("requester:training-new"), {"again": run.pk}).status_code == 404
