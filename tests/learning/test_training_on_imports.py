"""A detector is trained on imported labels, also on those of two jobs that numbered their classes differently."""

import json
import time

import pytest
from django.test import Client

from learning.contract import TRAIN, BadInput, JobFolder
from learning.models import TrainingJob
from learning.services import training
from learning.services.programs import kinds
from learning.services.programs.executor import LocalExecutor
from learning.services.programs.supervisor import Supervisor
from learning.vision.manifests import read_labels, resolve_class_map
from marketplace.errors import Invalid, NameTaken, WrongState
from tests import builders
from tests.labeling import label_files

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def account():
    return builders.an_account()


def two_jobs(account) -> bytes:
    """The manifests of two jobs in one file: the first has dog as class 0, the second as class 3."""
    lines = []
    uris = builders.tiny_images(8, account=account, size=(96, 64))
    for number, uri in enumerate(uris):
        classes = {"0": "dog", "5": "x"} if number % 2 else {"0": "cat", "3": "dog"}
        box = {"class_id": int(list(classes)[-1]), "left": 5 + number, "top": 4, "width": 30, "height": 20}
        label = {"image_size": [{"width": 96, "height": 64, "depth": 3}], "annotations": [box]}
        metadata = {"class-map": classes, "type": "groundtruth/object-detection"}
        lines.append(json.dumps({"source-ref": uri, "boxes": label, "boxes-metadata": metadata}))
    return "\n".join(lines).encode()


def staged(run: TrainingJob, folder: JobFolder):
    kinds.of(run).stage(run, folder)
    return read_labels(folder.manifest(TRAIN), run.hyperparameters["label_attribute_name"])


def test_manifests_that_number_classes_differently_are_named_by_line_and_imported(account, tmp_path):
    """As they are, the line says what to do; imported, every class has one id and the training can read them."""
    content = two_jobs(account)
    as_they_are = builders.a_dataset(
        account=account, kind="manifest", uri=label_files.stored(account, content, "in.manifest")
    )
    run = training.train_on_dataset(
        account=account, dataset=as_they_are, hyperparameters={"label_attribute_name": "boxes"}, by="user:1"
    )
    with pytest.raises(BadInput, match="train channel, line 2: .*'cat' in an earlier line; .*importing them"):
        staged(run, JobFolder(tmp_path / "a"))

    row = label_files.an_import(account, content)
    assert row.labels == ["cat", "dog", "x"]
    run = training.train_on_dataset(account=account, dataset=row.dataset, by="user:1")
    assert (run.name, run.hyperparameters["label_attribute_name"]) == (f"{row.name}-detector", "labels")
    labels = staged(run, JobFolder(tmp_path / "b"))
    classes = json.loads(run.hyperparameters["class_map"])
    assert resolve_class_map(classes, 0, {TRAIN: labels}) == {"0": "cat", "1": "dog", "2": "x"}
    assert [item.class_ids for item in labels.items] == [(1,), (2,)] * 4
    assert all(item.path.is_file() for item in labels.items)


def test_names_are_made_and_what_cannot_be_trained_on_is_refused(account):
    row = label_files.an_import(account, two_jobs(account))
    names = [training.train_on_dataset(account=account, dataset=row.dataset, by="user:1").name for _ in range(2)]
    assert names == [f"{row.name}-detector", f"{row.name}-detector-2"]
    with pytest.raises(NameTaken):
        training.train_on_dataset(account=account, dataset=row.dataset, name=names[0], by="user:1")
    with pytest.raises(WrongState):
        training.train_on_dataset(account=account, dataset=builders.a_dataset(account=account, made=False), by="user:1")
    with pytest.raises(Invalid, match="label_attribute_name"):
        training.train_on_dataset(account=account, dataset=builders.a_dataset(account=account), by="user:1")


def test_a_training_is_created_over_rest(account):
    row = label_files.an_import(account, two_jobs(account))
    client = Client()
    client.force_login(account.members.get())
    body = {"name": "cats", "dataset": row.dataset.pk, "hyperparameters": {"epochs": "2", "image_size": "64"}}
    answer = client.post("/api/v1/training-jobs", body, content_type="application/json")
    assert answer.status_code == 201, answer.content
    assert answer.json()["hyperparameters"]["label_attribute_name"] == "labels"
    other = builders.a_dataset(account=builders.an_account())
    answer = client.post("/api/v1/training-jobs", {"dataset": other.pk}, content_type="application/json")
    assert answer.status_code == 404


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_real_detector_learns_from_imported_labels(account, tmp_path):
    row = label_files.an_import(account, two_jobs(account))
    quick = {"image_size": 64, "epochs": 2, "batch_size": 4, "weights": "none"}
    run = training.train_on_dataset(account=account, dataset=row.dataset, hyperparameters=quick, by="user:1")
    supervisor = Supervisor(executor=LocalExecutor(), slots=1, root=tmp_path / "programs")
    try:
        while TrainingJob.objects.get(pk=run.pk).status not in ("Completed", "Failed", "Stopped"):
            supervisor.step()
            time.sleep(0.05)
    finally:
        supervisor.shut_down()
    run.refresh_from_db()
    assert run.status == "Completed", run.failure_reason
    assert run.model is not None and run.model.labels == row.labels
