"""The rows of this room that belong to an account: what pages, REST and the AWS wire may show and change for it.

A row of another account is as unknown as one that does not exist. Knows nothing of roles.
"""

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
    found = queries.models(account).filter(pk=model_id).first()
    if found is None:
        raise NotFound(f"the account has no model {model_id}")
    return found


def training(account: Account, training_id: int) -> TrainingJob:
    """A training of the account, with its model loaded. Raises NotFound."""
    found = queries.trainings(account).filter(pk=training_id).first()
    if found is None:
        raise NotFound(f"the account has no training job {training_id}")
    return found


def transform(account: Account, transform_id: int) -> TransformJob:
    """A prediction of the account over a manifest, with its model loaded. Raises NotFound."""
    found = queries.transforms(account).filter(pk=transform_id).first()
    if found is None:
        raise NotFound(f"the account has no transform job {transform_id}")
    return found


def model_group(account: Account, group_id: int) -> ModelGroup:
    """A group of models of the account. Raises NotFound."""
    found = queries.model_groups(account).filter(pk=group_id).first()
    if found is None:
        raise NotFound(f"the account has no group of models {group_id}")
    return found


def model_import(account: Account, import_id: int) -> ModelImport:
    """An import of a model of the account. Raises NotFound."""
    found = queries.model_imports(account).filter(pk=import_id).first()
    if found is None:
        raise NotFound(f"the account has no model import {import_id}")
    return found


def endpoint(account: Account, name: str) -> Endpoint:
    """An endpoint of the account, by its name. Raises NotFound."""
    found = queries.endpoints(account).filter(name=name).first()
    if found is None:
        raise NotFound(f"Endpoint {name} of account {account.number} not found.")
    return found


def endpoint_config(account: Account, name: str) -> EndpointConfig:
    """A configuration of the account's endpoints, by its name. Raises NotFound."""
    found = queries.endpoint_configs(account).filter(name=name).first()
    if found is None:
        raise NotFound(f"the account has no endpoint configuration {name!r}")
    return found


def tuning(account: Account, tuning_id: int) -> HyperParameterTuningJob:
    """A tuning job of the account. Raises NotFound."""
    found = queries.tunings(account).filter(pk=tuning_id).first()
    if found is None:
        raise NotFound(f"the account has no tuning job {tuning_id}")
    return found
