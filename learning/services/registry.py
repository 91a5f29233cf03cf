"""Trained models: kept in the store whole (model.tar.gz) and in parts. Knows files, not what trained them."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from learning import transitions
from learning.contract import FOREIGN, ModelConfig, files_of, model_files
from learning.models import Model
from learning.services import model_groups
from learning.serving.archive import pack_model
from marketplace import arns, storage
from marketplace.errors import Invalid, NameTaken, NotFound
from marketplace.models import Account

ARCHIVE = "model.tar.gz"
CONTENT_TYPES = {
    ARCHIVE: "application/gzip",
    "config.json": "application/json",
    "model.onnx": "application/octet-stream",
    "model.safetensors": "application/octet-stream",
}


def upload(*, account: Account, name: str, folder: Path) -> tuple[str, str]:
    """Put a model folder into the store; returns (artifact URI, parts prefix). Safe to repeat, and slow: no lock held.

    Raises contract.BadInput naming a file that is missing in the folder.
    """
    base = _base(account, name)
    with tempfile.TemporaryDirectory() as scratch:
        archive = Path(scratch) / ARCHIVE
        pack_model(folder, archive)
        for path in (*(folder / part for part in files_of(folder)), archive):
            with path.open("rb") as stream:
                storage.write(storage.join(base, path.name), stream, content_type=CONTENT_TYPES[path.name])
    return storage.join(base, ARCHIVE), base


def register(
    *,
    account: Account,
    name: str,
    config: ModelConfig,
    artifact_uri: str,
    parts_uri: str,
    group_name: str = "",
    parent: Model | None = None,
    lineage: Mapping[str, Any] | None = None,
) -> Model:
    """The registry's row for an uploaded model, made at the first call and the same at every further one.

    It becomes the next version of its group, which is named after the model unless `group_name` says otherwise;
    `lineage` as services/lineage.py makes it. Raises NameTaken when the name belongs to a model of other files.
    """
    with transaction.atomic():
        model, made = Model.objects.get_or_create(
            account=account,
            name=name,
            defaults={
                "architecture": config.architecture,
                "labels": list(config.class_map.values()),
                "metrics": config.metrics,
                "config": _as_json(config),
                "artifact_uri": artifact_uri,
                "parts_uri": parts_uri,
                "parent": parent,
                "lineage": dict(lineage or {}),
                "status_changed_at": timezone.now(),
            },
        )
        if not made and model.artifact_uri != artifact_uri:
            raise NameTaken(f"there is a model {name!r} already", field="name")
        if made:
            model_groups.add(model, group_name=group_name or model_groups.name_for(name))
            transitions.MODEL.begin(model)
    return model


def get(*, account: Account, name: str) -> Model:
    """The account's model of this name. Raises NotFound, also for one that was deleted."""
    found = Model.objects.filter(account=account, name=name, deleted_at=None).first()
    if found is None:
        raise NotFound(f"there is no model {name!r}", field="name")
    return found


def parts(model: Model) -> dict[str, str]:
    """File name -> URI of everything that can be downloaded of a model: the archive first, then its parts."""
    return {ARCHIVE: model.artifact_uri} | {
        part: storage.join(model.parts_uri, part) for part in model_files(model.architecture)
    }


def part_uri(model: Model, part: str) -> str:
    """The URI of one file of a model. Raises NotFound for a file models do not have."""
    there = parts(model)
    if part not in there:
        raise NotFound(f"the model has no part {part!r}; there are {', '.join(there)}")
    return there[part]


def class_names(model: Model) -> dict[int, str]:
    """The model's own number of each class -> its name."""
    given = model.config.get("class_map") or dict(enumerate(model.labels))
    return {int(number): name for number, name in given.items()}


def arn(model: Model) -> str:
    """The model's ARN."""
    return arns.build("model", model.account.number, model.name, region=settings.REGION)


def by_arn(*, account: Account, model_arn: str) -> Model:
    """The account's model behind an ARN, or behind a bare name. Raises Invalid for another kind, NotFound.

    The name is the model's own, or one that services/named_models.py has given it.
    """
    if not model_arn.startswith("arn:"):
        return _named(account, model_arn)
    try:
        parsed = arns.parse(model_arn)
    except ValueError as error:
        raise Invalid(str(error), field="model") from error
    if parsed.kind != "model" or parsed.account_number != account.number:
        raise Invalid(f"{model_arn!r} is not a model of this account", field="model")
    return _named(account, parsed.name)


def _named(account: Account, name: str) -> Model:
    rows = Model.objects.filter(account=account, deleted_at=None)
    found = rows.filter(name=name).first() or rows.filter(names__account=account, names__name=name).first()
    return found or get(account=account, name=name)


def trainable(*, account: Account, model_arn: str) -> Model:
    """As by_arn, of a model on which a training can go on. Raises Invalid for one that was trained elsewhere, too."""
    model = by_arn(account=account, model_arn=model_arn)
    if model.architecture == FOREIGN:
        raise Invalid(
            f"the model {model.name!r} was trained elsewhere and has no weights to train on; let it predict a data set "
            "and start from those labels",
            field="model",
        )
    return model


def archive_uri(account: Account, name: str) -> str:
    """Where the archive of a model of this name is put."""
    return storage.join(_base(account, name), ARCHIVE)


def _base(account: Account, name: str) -> str:
    return storage.join(settings.STORE_URL, "models", account.number, name)


def _as_json(config: ModelConfig) -> dict[str, object]:
    return {
        "image_size": config.image_size,
        "class_map": config.class_map,
        "preprocessing": config.preprocessing,
        "thresholds": config.thresholds,
        "hyperparameters": config.hyperparameters,
    } | {name: value for name, value in (("input", config.input), ("output", config.output)) if value is not None}
