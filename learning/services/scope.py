"""The rows of this room that belong to an account: what pages, REST and the AWS wire may show and change for it.

A row of another account is as unknown as one that does not exist. Knows nothing of roles.
"""

from learning import queries
from learning.models import HyperParameterTuningJob, Model, TrainingJob
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


def tuning(account: Account, tuning_id: int) -> HyperParameterTuningJob:
    """A tuning job of the account. Raises NotFound."""
    found = queries.tunings(account).filter(pk=tuning_id).first()
    if found is None:
        raise NotFound(f"the account has no tuning job {tuning_id}")
    return found
