"""Trainings and batch transforms for the walks over all routes: rows, requests, and pages with more rows."""

from collections.abc import Iterator
from typing import Any

from django.urls import reverse
from django.utils import timezone

from learning.contract import Metric
from learning.models import Endpoint, Model, TrainingJob, TransformJob
from learning.samples import FOLDER, INDEX, SampleImage, Samples
from learning.services import run_records
from learning.services.programs import kinds
from marketplace import storage
from marketplace.models import Account, User
from tests import builders
from tests.frontend.tuning_world import a_tuning

SECRETS = ("secret-training", "secret-transform", "secret-log", "secret-tuning")


def a_world(account: Account, model: Model) -> dict[str, Any]:
    """A training with all that its program leaves (a log, a sample), its tuning job, and a batch transform."""
    training = TrainingJob.objects.create(account=account, name="secret-training")
    TransformJob.objects.create(account=account, name="secret-transform", model=model)
    samples = Samples([SampleImage("0.jpg", 48, 32, [])]).to_json().encode()
    kept = {
        (run_records.TAIL,): b"secret-log",
        (run_records.LOG,): b"secret-log",
        (FOLDER, INDEX): samples,
        (FOLDER, "0.jpg"): builders.image_bytes(form="JPEG"),
    }
    for names, content in kept.items():
        storage.write(run_records.uri(training, *names), content)
    tuning = a_tuning(account, name="secret-tuning", training_job=training)
    ids = {"training_id": training.pk, "chart": "loss", "sample": 0}
    return ids | {"tuning_id": tuning.pk, "plot": "history"}


def forms(ids: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(address, fields) of the forms of trainings and batch transforms."""
    new = {
        "name": "made",
        "source": "dataset",
        "dataset": ids["dataset_id"],
        "validation": ids["dataset_id"],
        **dict.fromkeys(("manifest_uri", "validation_uri", "earlier"), ""),
        "content_type": "application/jsonlines",
        "input_mode": "Pipe",
        "label_attribute_name": "boxes",
        "architecture": "compact",
        "epochs": "3",
        "max_seconds": "60",
        "batch_size": "8",
        "learning_rate": "0.01",
        "image_size": "320",
        "more": "early_stopping = true",
    }
    yield reverse("requester:training-new"), new
    yield reverse("requester:training-stop", args=[ids["training_id"]]), {}
    yield reverse("requester:transform-stop", args=[ids["transform_id"]]), {}
    yield reverse("requester:training-delete", args=[ids["training_id"]]), {}
    yield reverse("requester:transform-delete", args=[ids["transform_id"]]), {}


def bodies(ids: dict[str, Any]) -> dict[str, Any]:
    """The bodies of REST requests about trainings, by operation."""
    return {
        "create_training_job": {
            "name": "made",
            "input_mode": "Pipe",
            "dataset": ids["dataset_id"],
            "validation": ids["dataset_id"],
            "model": ids["model_id"],
            "hyperparameters": {"label_attribute_name": "boxes"},
        }
    }


def grow(account: Account, model: Model) -> None:
    """Add a training with its model, and a point to the first training."""
    run = TrainingJob.objects.create(account=account, name=model.name, model=model, status="Completed")
    first = TrainingJob.objects.filter(account=account).order_by("pk")[0]
    kinds.of(first).store_metrics(first.pk, [Metric("train:loss", 1.0, run.pk, 1, timezone.now().isoformat())])


def pages(account: Account) -> dict[str, tuple[User, str]]:
    """The pages: name -> (user, path)."""
    owner = account.members.order_by("pk")[0]
    run = TrainingJob.objects.filter(account=account).order_by("pk")[0]
    transform = TransformJob.objects.filter(account=account).order_by("pk")[0]
    endpoint = Endpoint.objects.filter(account=account).order_by("pk")[0]
    return {
        "trainings": (owner, reverse("requester:trainings")),
        "training": (owner, reverse("requester:training", args=[run.pk])),
        "training_new": (owner, reverse("requester:training-new")),
        "endpoint_new": (owner, reverse("requester:endpoint-new")),
        "endpoint": (owner, reverse("requester:endpoint", args=[endpoint.name])),
        "endpoint_variants": (owner, reverse("requester:endpoint-variants", args=[endpoint.name])),
        "transforms": (owner, reverse("requester:transforms")),
        "transform": (owner, reverse("requester:transform", args=[transform.pk])),
    }
