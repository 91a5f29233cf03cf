"""Hyperparameter tuning: a search over trainings, and the trainings that it has asked for."""

from django.db import models

from learning import transitions
from learning.models.advanced import Advanced
from learning.models.training import LIVE, TrainingJob
from marketplace.addresses import AddressesField
from marketplace.models import Account


class HyperParameterTuningJob(Advanced):
    """A search for the hyperparameters with the best objective.

    `config`: what is searched and when the search ends, see services/tuning/config.py. `hyperparameters` and `channels`
    are those of every training; what is searched comes on top. `study_name` names the search in Optuna's tables.
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="+")
    name = models.CharField(max_length=32)
    status = models.CharField(max_length=20, choices=transitions.TUNING_JOB.choices(), default="InProgress")
    status_changed_at = models.DateTimeField(null=True)
    failure_reason = models.CharField(max_length=1024, blank=True)
    config = models.JSONField()
    hyperparameters = models.JSONField(default=dict)
    channels = AddressesField(default=dict)
    # Several searches with their own data, ranges and objectives (services/tuning/definitions.py); the first one's are
    # above, too. Empty for the one search that there usually is.
    definitions = AddressesField(default=list, db_default=models.Value([], models.JSONField()))
    study_name = models.CharField(max_length=64, unique=True)
    # Why no further training is started, before the limits are reached; empty while there is no such reason.
    ending = models.CharField(max_length=40, blank=True)
    converged_at = models.DateTimeField(null=True)
    # What the last steps found wrong, while they are tried again.
    attention = models.CharField(max_length=500, blank=True)
    # {"learning_rate": 0.7}: each searched hyperparameter's share in the differences of the objective.
    importance = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "name"], name="tuning_job_name_once")]
        indexes = [models.Index(fields=["id"], name="tuning_job_live", condition=models.Q(status__in=LIVE))]


class Objective(models.TextChoices):
    """What is known of the objective of a trial, in SageMaker's words."""

    PENDING = "Pending"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


class TuningTrial(models.Model):
    """One training of a search. `number` is that of Optuna's trial; `hyperparameters` are the searched ones.

    `definition`: the place of that which is searched, in a tuning job of several.
    """

    tuning_job = models.ForeignKey(HyperParameterTuningJob, models.CASCADE, related_name="trials", db_index=False)
    definition = models.PositiveSmallIntegerField(default=0, db_default=0)
    number = models.IntegerField()
    name = models.CharField(max_length=63)
    training_job = models.OneToOneField(TrainingJob, models.SET_NULL, null=True, related_name="tuning_trial")
    hyperparameters = models.JSONField()
    objective_status = models.CharField(max_length=10, choices=Objective, default=Objective.PENDING)
    objective_value = models.FloatField(null=True)
    # Ended by the search itself, because it fell behind.
    stopped_early = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tuning_job", "definition", "number"], name="tuning_trial_once")]
