"""The rows of this room that belong to an account: what pages, REST and the AWS wire may show and change for it.

A row of another account is as unknown as one that does not exist. Knows nothing of roles.
"""

from typing import Any

from django.db.models import QuerySet

from learning import queries
from learning.models import (
    Endpoint,
    EndpointConfig,
    HyperParameterTuningJob,
    Model,
    ModelGroup,
    ModelImport,
    TrainingJob,
    TransformJob,
)
from marketplace.errors import NotFound
from marketplace.models import Account


def model(account: Account, model_id: int) -> Model:
    """A model of the account. Raises NotFound."""
    return _one(queries.models(account), f"the account has no model {model_id}", pk=model_id)


def training(account: Account, training_id: int) -> TrainingJob:
    """A training of the account, with its model loaded. Raises NotFound."""
    return _one(queries.trainings(account), f"the account has no training job {training_id}", pk=training_id)


def transform(account: Account, transform_id: int) -> TransformJob:
    """A prediction of the account over a manifest, with its model loaded. Raises NotFound."""
    return _one(queries.transforms(account), f"the account has no transform job {transform_id}", pk=transform_id)


def model_group(account: Account, group_id: int) -> ModelGroup:
    """A group of models of the account. Raises NotFound."""
    return _one(queries.model_groups(account), f"the account has no group of models {group_id}", pk=group_id)


def model_import(account: Account, import_id: int) -> ModelImport:
    """An import of a model of the account. Raises NotFound."""
    return _one(queries.model_imports(account), f"the account has no model import {import_id}", pk=import_id)


def endpoint(account: Account, name: str) -> Endpoint:
    """An endpoint of the account, by its name. Raises NotFound."""
    return _one(queries.endpoints(account), f"Endpoint {name} of account {account.number} not found.", name=name)


def endpoint_config(account: Account, name: str) -> EndpointConfig:
    """A configuration of the account's endpoints, by its name. Raises NotFound."""
    return _one(queries.endpoint_configs(account), f"the account has no endpoint configuration {name!r}", name=name)


def tuning(account: Account, tuning_id: int) -> HyperParameterTuningJob:
    """A tuning job of the account. Raises NotFound."""
    return _one(queries.tunings(account), f"the account has no tuning job {tuning_id}", pk=tuning_id)


def _one(rows: QuerySet[Any], otherwise: str, **named: int | str) -> Any:
    """The row of this name or number. Raises NotFound saying `otherwise`."""
    found = rows.filter(**named).first()
    if found is None:
        raise NotFound(otherwise)
    return found
