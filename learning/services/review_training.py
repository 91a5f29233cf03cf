"""An incremental training on what people answered in human loops, as in AWS's object-detection notebook.

One call makes the data set of the answers and starts the training from the model that predicted. Knows no request.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from labeling.formats.manifest import SOURCE_REF
from labeling.models import Dataset, FlowDefinition
from labeling.services.review import retraining
from learning.contract import MODEL, TRAIN
from learning.models import Endpoint, Model, TrainingJob, Variant
from learning.services import registry, training
from learning.services.hosting import hosting
from marketplace.errors import Invalid
from marketplace.models import Account
from marketplace.names import free_name

HYPERPARAMETERS = {"learning_rate": 0.0001, "use_pretrained_model": 0}
"""Those of the notebook, unless others are given: small steps from the model in the channel `model`."""


@dataclass(frozen=True)
class Started:
    """The training, the data set that it learns from, and the loops that gave no line."""

    training: TrainingJob
    dataset: Dataset
    left_out: list[retraining.Left]


def start(
    *,
    flow: FlowDefinition,
    model: Model,
    by: str,
    name: str = "",
    dataset_name: str = "",
    hyperparameters: Mapping[str, Any] | None = None,
) -> Started:
    """Train `model` further on the answers to all completed loops of the flow definition.

    The classes are those of the model and, behind them, others that people used. Names that are left out are made of
    the flow definition's. Raises Invalid when no loop gives a line or a hyperparameter is wrong, NameTaken, and what
    `create_dataset` and `create_training` raise; then there is neither.
    """
    account = flow.account
    labels = list(registry.class_names(model).values())
    with transaction.atomic():
        dataset, found = retraining.make_dataset(
            flow=flow, name=dataset_name or _dataset_name(account, flow), by=by, labels=labels
        )
        job = training.train_on_channels(
            account=account,
            by=by,
            name=name or training.next_name(account, model.name),
            hyperparameters={
                "architecture": model.architecture,
                **HYPERPARAMETERS,
                "num_training_samples": len(found.lines),
                "class_map": {str(number): label for number, label in enumerate(found.labels)},
                **(hyperparameters or {}),
            },
            channels={
                TRAIN: {
                    "manifest_uri": dataset.source["uri"],
                    "attribute_names": [SOURCE_REF, retraining.ATTRIBUTE],
                },
                MODEL: {"name": model.name},
            },
        )
    return Started(job, dataset, found.left_out)


def model_of(endpoint: Endpoint) -> Model:
    """The model that an endpoint serves. Raises Invalid when it serves none, or several: then one is to be named."""
    rows = Variant.objects.filter(deployment=hosting.serving(endpoint)).select_related("model")
    models = {row.model for row in rows if row.model is not None}
    if len(models) != 1:
        names = ", ".join(sorted(model.name for model in models))
        how = f"serves {names}: name one of them as the model" if models else "serves no model"
        raise Invalid(f"the endpoint {endpoint.name} {how}", field="endpoint")
    return models.pop()


def _dataset_name(account: Account, flow: FlowDefinition) -> str:
    taken = set(Dataset.objects.filter(account=account).values_list("name", flat=True))
    return free_name(f"{flow.name[:50].rstrip('-')}-answers", taken)
