"""Predictions over a manifest as their owner sees them: create, stop and read. The supervisor does the work."""

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from labeling import task_types
from labeling.formats.attribute_names import validate_label_attribute_name
from labeling.models import Dataset
from learning import transitions
from learning.contract import PREDICT, BadInput, Prediction, read_predictions
from learning.hyperparameters import parse_predict, refuse_operators
from learning.models import Model, TransformJob
from learning.services.programs import kinds
from learning.services.training import wire
from marketplace import storage
from marketplace.errors import Invalid, NameTaken, WrongState
from marketplace.models import Account
from marketplace.names import check_name
from marketplace.ranges import Range
from marketplace.services import boundaries, quotas

DEFAULT_ATTRIBUTE = "predicted"
SCORES = Range(0, 1)
LEAST_SCORE = 0.3
"""Boxes of lower scores are more work to remove than to draw; whoever wants them asks for them."""


def create_transform(
    *,
    account: Account,
    name: str,
    model: Model,
    manifest_uri: str,
    hyperparameters: Mapping[str, Any] | None = None,
    label_attribute_name: str = "",
    dataset: Dataset | None = None,
    by: str,
) -> TransformJob:
    """A prediction of every image of a manifest, started by the next supervisor with a free slot; see `output_uri`.

    With a `label_attribute_name` the output has labels of that name, too (transform_outputs). Raises Invalid naming
    what is wrong, Forbidden for an address the account may not read, NameTaken, LimitExceeded.
    """
    check_name(name)
    if model.account_id != account.pk:
        raise Invalid(f"{model.name!r} is not a model of this account", field="model")
    boundaries.require_readable(account=account, uri=manifest_uri)
    if label_attribute_name:
        _check_attribute(label_attribute_name)
    as_text = {key: wire(value) for key, value in (hyperparameters or {}).items()}
    try:
        refuse_operators(as_text)
        parse_predict(as_text)
    except BadInput as error:
        raise Invalid(str(error), field="hyperparameters") from error
    try:
        with transaction.atomic():
            live = TransformJob.objects.filter(account=account).exclude(status__in=transitions.TRANSFORM_JOB.final)
            quotas.require(account=account, kind="transform-job", rows=live, by=by)
            made = TransformJob.objects.create(
                account=account,
                name=name,
                model=model,
                hyperparameters=as_text,
                channels={PREDICT: {"manifest_uri": manifest_uri}},
                label_attribute_name=label_attribute_name,
                dataset=dataset,
                output_uri=storage.join(settings.STORE_URL, "transforms", account.number, name, "predictions.jsonl"),
                created_by=by,
                status_changed_at=timezone.now(),
            )
            transitions.TRANSFORM_JOB.begin(made)
            return made
    except IntegrityError as error:
        raise NameTaken(f"there is a transform job {name!r} already", field="name") from error


def predict_dataset(
    *,
    account: Account,
    name: str,
    model: Model,
    dataset: Dataset,
    by: str,
    label_attribute_name: str = DEFAULT_ATTRIBUTE,
    hyperparameters: Mapping[str, Any] | None = None,
) -> TransformJob:
    """A prediction of every image of a data set, with labels, which replace those of that name in the output.

    Raises as create_transform does, and WrongState for a data set that is not Completed.
    """
    if dataset.status != "Completed":
        raise WrongState(f"the data set {dataset.name} is {dataset.status}", field="dataset")
    return create_transform(
        account=account,
        name=name,
        model=model,
        manifest_uri=dataset.manifest_uri,
        hyperparameters={"embedding": False, "score_threshold": LEAST_SCORE, **(hyperparameters or {})},
        label_attribute_name=label_attribute_name,
        dataset=dataset,
        by=by,
    )


def _check_attribute(name: str) -> None:
    try:
        validate_label_attribute_name(name, task_types.DEFAULT)
    except ValueError as error:
        raise Invalid(str(error), field="label_attribute_name") from error


def stop(*, transform_job: TransformJob, by: str) -> None:
    """End a prediction early; nothing of it is kept. Nothing happens when it is over or stopping already."""
    kinds.of(transform_job).stop(transform_job, by=by)


def predictions(transform: TransformJob) -> Iterator[Prediction]:
    """The predictions of a Completed transform, in the manifest's order, streamed. Raises WrongState before that."""
    if transform.status != "Completed":
        raise WrongState(f"the transform job is {transform.status}; its predictions are there once it is Completed")
    local = storage.local_path(transform.output_uri)
    if local is not None:
        yield from read_predictions(local)
        return
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / "predictions.jsonl"
        with storage.open(transform.output_uri) as stream, copy.open("wb") as target:
            while block := stream.read(1 << 20):
                target.write(block)
        yield from read_predictions(copy)
