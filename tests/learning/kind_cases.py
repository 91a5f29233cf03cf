"""What the shared suite needs of each kind of program: a run of it, and an executor with a program that plays it."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from learning.models import EndpointReplica, Model
from learning.services import model_imports, registry, training, transforms
from learning.services.programs import kinds
from learning.services.programs.executor import Executor, LocalExecutor
from learning.services.programs.kinds.interface import ProgramKind
from marketplace import storage
from marketplace.models import Account
from tests.learning.hosting_stories import a_config, a_model, an_endpoint
from tests.learning.programs.executor import CountingExecutor, OracleExecutor, PingingExecutor
from tests.learning.programs.replica import Replica, ReplicaKind
from tests.learning.serving import foreign_models


@dataclass(frozen=True)
class Case:
    """`make(account, **hyperparameters)` is a waiting run; `brief(folder)` an executor whose program comes to an end,
    `lasting` one whose program goes on until it is stopped (and knows `_fail` and `_exit`)."""

    kind: ProgramKind[Any]
    make: Callable[..., Any]
    brief: Callable[[Path], Executor]
    lasting: Callable[[], Executor]


def a_manifest(account: Account) -> str:
    """One image, one box."""
    uri = storage.join(settings.STORE_URL, account.number, "bees.manifest")
    image = storage.join(settings.STORE_URL, account.number, "a.png")
    storage.write(image, b"picture")
    storage.write(uri, json.dumps({"source-ref": image, "waggle-object-id": 1}).encode() + b"\n")
    return uri


def a_training(account: Account, *, name: str = "bees", **hyperparameters: Any) -> Any:
    """A waiting training."""
    given = {"label_attribute_name": "bees", "class_map": {"0": "bee"}, "architecture": "compact", "_steps": 100_000}
    channels = {"train": {"manifest_uri": a_manifest(account)}}
    return training.create_training(
        account=account, name=name, hyperparameters=given | hyperparameters, channels=channels, by="user:1"
    )


def a_transform(account: Account, *, name: str = "bees", **hyperparameters: Any) -> Any:
    """A waiting prediction, with a model of three small files."""
    parts = storage.join(settings.STORE_URL, "models", account.number, f"model-{time.time_ns()}")
    for part in ("config.json", "model.onnx", "model.safetensors"):
        storage.write(storage.join(parts, part), b"{}")
    model, _ = Model.objects.get_or_create(
        account=account,
        name="a-model",
        defaults={
            "architecture": "compact",
            "labels": ["bee"],
            "parts_uri": parts,
            "artifact_uri": storage.join(parts, registry.ARCHIVE),
        },
    )
    return transforms.create_transform(
        account=account,
        name=name,
        model=model,
        manifest_uri=a_manifest(account),
        hyperparameters={"_steps": 100_000} | hyperparameters,
        by="user:1",
    )


def an_import(account: Account, *, name: str = "bees", **hyperparameters: Any) -> Any:
    """A waiting import of a tiny network."""
    uris = foreign_models.stored(storage.join(settings.STORE_URL, account.number, f"import-{time.time_ns()}"))
    run = model_imports.create_import(account=account, name=name, by="user:1", **uris)
    run.hyperparameters = {"_steps": "100000"} | {key: str(value) for key, value in hyperparameters.items()}
    run.save()
    return run


def a_replica(account: Account, *, name: str = "bees", **hyperparameters: Any) -> Replica:
    """A waiting replica."""
    given = {key: str(value) for key, value in hyperparameters.items()}
    return Replica.objects.create(account=account, name=name, hyperparameters=given)


def an_endpoint_replica(account: Account, *, name: str = "bees", **hyperparameters: Any) -> EndpointReplica:
    """The waiting replica of a new endpoint."""
    endpoint = an_endpoint(account, a_config(account, a_model(account, name), name=name), name=name, serving=False)
    replica = EndpointReplica.objects.get(variant__deployment__endpoint=endpoint)
    replica.hyperparameters = {key: str(value) for key, value in hyperparameters.items()}
    replica.save(update_fields=["hyperparameters"])
    return replica


def _oracle(folder: Path) -> Executor:
    truth = folder / "truth.json"
    image = {"id": 1, "file_name": "a.png", "width": 10, "height": 10}
    truth.write_text(json.dumps({"images": [image], "annotations": []}))
    return OracleExecutor(truth=truth, skill=1.0)


REPLICAS = ReplicaKind()
CASES = [
    Case(kinds.get("trainingjob"), a_training, _oracle, CountingExecutor),
    Case(kinds.get("transformjob"), a_transform, _oracle, CountingExecutor),
    Case(kinds.get("modelimport"), an_import, lambda folder: LocalExecutor(), CountingExecutor),
    Case(kinds.get("endpointreplica"), an_endpoint_replica, lambda folder: PingingExecutor(), PingingExecutor),
    Case(REPLICAS, a_replica, lambda folder: LocalExecutor(), LocalExecutor),
]
