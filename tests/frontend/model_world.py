"""Models, imports, predictions and comparisons for the walks over all routes, and right requests to them."""

import json
from collections.abc import Iterator
from typing import Any

from django.utils import timezone

from labeling.models import Dataset
from learning.contract import PREDICT, PredictedBox, Prediction
from learning.models import Model, ModelGroup, ModelImport, TransformJob
from learning.services import model_groups, transform_outputs
from marketplace import storage
from marketplace.models import Account
from marketplace.services import boundaries
from tests import builders


def of_models(account: Account, model: Model, dataset: Dataset) -> dict[str, Any]:
    """A second version beside the model, an import, and a prediction of both models over the data set; by their ids."""
    other = a_version(account, "secret-model-2", parts_uri=model.parts_uri, artifact_uri=model.artifact_uri)
    model_groups.add(model, group_name="secret-group")
    runs = [a_prediction(one, dataset, score) for one, score in ((model, 0.9), (other, 0.1))]
    run = ModelImport.objects.create(account=account, name="secret-import", status="Failed", failure_reason="secret")
    return {
        "other_id": other.pk,
        "left_id": model.pk,
        "right_id": other.pk,
        "place": 0,
        "model_import_id": run.pk,
        "transform_id": runs[0].pk,
        "output": transform_outputs.MANIFEST,
    }


def a_version(account: Account, name: str, **more: Any) -> Model:
    """A model of the group "secret-group"."""
    more = {"parts_uri": "file:///nowhere", "artifact_uri": "file:///nowhere/model.tar.gz"} | more
    model = Model.objects.create(
        account=account, name=name, architecture="compact", labels=["bee"], metrics={"mAP": 0.5}, **more
    )
    model_groups.add(model, group_name="secret-group")
    return model


def a_prediction(model: Model, dataset: Dataset, score: float) -> TransformJob:
    """A Completed prediction with its files: one box in each image."""
    base = storage.join(boundaries.base_of(dataset.account), "transforms", model.name)
    run = TransformJob.objects.create(
        account=model.account,
        name=f"on-{model.name}",
        model=model,
        dataset=dataset,
        status="Completed",
        label_attribute_name="predicted",
        channels={PREDICT: {"manifest_uri": dataset.manifest_uri}},
        output_uri=storage.join(base, transform_outputs.PREDICTIONS),
        started_at=timezone.now(),
    )
    rows = storage.read(dataset.manifest_uri).splitlines()
    found = [
        Prediction(
            index=number,
            object_id=None,
            source_ref=json.loads(row)["source-ref"],
            image_size={"width": 48, "height": 32, "depth": 3},
            boxes=[PredictedBox(0, 1, 1, 20, 20, score)],
            embedding=[],
        ).to_line()
        for number, row in enumerate(rows)
    ]
    for part in (transform_outputs.PREDICTIONS, transform_outputs.MANIFEST, transform_outputs.ANNOTATIONS):
        storage.write(storage.join(base, part), "".join(found).encode())
    return run


def add(account: Account, name: str) -> Model:
    """A model of a group of its own, which has been imported and has predicted something."""
    model = a_version(account, name)
    model.group = ModelGroup.objects.create(account=account, name=f"{name}-group")
    model.save(update_fields=["group"])
    ModelImport.objects.create(account=account, name=name, status="Failed", failure_reason="no network")
    TransformJob.objects.create(account=account, name=name, model=model)
    return model


def _files(account: Account) -> dict[str, str]:
    uri = builders.a_manifest(account, [{"source-ref": "s3://bees/0.png"}])
    return {"onnx_uri": uri, "config_uri": uri}


def forms(account: Account, ids: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(address, fields) of the pages' forms, with values that they take."""
    model = f"/models/{ids['model_id']}/"
    compared = {"left": ids["left_id"], "right": ids["right_id"], "dataset": ids["dataset_id"]}
    yield from [
        (f"{model}approval/", {"status": "Approved", "comment": "good"}),
        (f"{model}group/", {"group": "others"}),
        (f"{model}delete/", {}),
        ("/models/import/", {"name": "theirs", "source": "store", "folder": "", "group": "others", **_files(account)}),
        (f"/models/imports/{ids['model_import_id']}/stop/", {}),
        ("/models/compare/start/", compared),
        (
            "/transforms/new/",
            {
                "name": "made",
                "model": ids["model_id"],
                "dataset": ids["dataset_id"],
                "label_attribute_name": "predicted",
                "score_threshold": "0.5",
            },
        ),
        (f"/transforms/{ids['transform_id']}/dataset/", {"name": "made"}),
    ]


def bodies(account: Account, ids: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """A JSON body that each operation accepts."""
    return {
        "decide_on_model": {"approval_status": "Approved", "comment": "good"},
        "move_model": {"group": "others"},
        "create_model_import": {"name": "theirs", "group": "others", **_files(account)},
        "start_model_comparison": {"dataset": ids["dataset_id"]},
        "create_transform_job": {
            "name": "made",
            "model": ids["model_id"],
            "dataset": ids["dataset_id"],
            "hyperparameters": {"score_threshold": "0.5"},
        },
        "create_dataset_of_transform_job": {"name": "made-of-labels"},
    }


def sent(account: Account, ids: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(operation, body) in an order in which each finds what it needs."""
    yield from bodies(account, ids).items()
    yield from (("stop_model_import", {}), ("stop_transform_job", {}))
