"""Trainings and predictions over a data set: rows that the learner's supervisor turns into child processes."""

from django.db import models

from learning import transitions
from marketplace.addresses import AddressesField, AddressField
from marketplace.models import Account

LIVE = ["InProgress", "Stopping"]


class ProgramRun(models.Model):
    """What the supervisor needs to run, resume and kill one program; the base of every kind of program's model.

    A subclass adds `status`, with the choices of its state machine.
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="+")
    name = models.CharField(max_length=63)
    status_changed_at = models.DateTimeField(null=True)
    failure_reason = models.CharField(max_length=1024, blank=True)
    hyperparameters = models.JSONField(default=dict)
    channels = AddressesField(default=dict)
    # Below the folder of all programs, which may be moved.
    folder = models.CharField(max_length=1024, blank=True)
    progress = models.FloatField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    # The supervisor that holds it, and its last heartbeat; a silent one loses the run to another.
    claimed_by = models.CharField(max_length=120, blank=True)
    heartbeat_at = models.DateTimeField(null=True)
    # Starts without any progress since; `attempt_progress` is the progress the newest start began with.
    attempts = models.IntegerField(default=0)
    attempt_progress = models.FloatField(default=0)
    # All starts ever, which tells the programs of one run on a cluster from each other.
    starts = models.IntegerField(db_default=0, default=0)
    # No new start before this moment, after one that failed.
    not_before = models.DateTimeField(null=True)

    class Meta:
        abstract = True


class TrainingJob(ProgramRun):
    """A training: hyperparameters and channels in, metrics and a model out."""

    status = models.CharField(max_length=20, choices=transitions.TRAINING_JOB.choices(), default="InProgress")
    model = models.OneToOneField("learning.Model", models.SET_NULL, null=True, related_name="training_job")
    # Who asked for it, as the audit log names people; "learning" for a round of a learning loop.
    created_by = models.CharField(max_length=120, blank=True, default="")
    # The newest point of each curve, so that lists and pages need not look for it: {name: [value, step, ISO time]}.
    newest = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "name"], name="training_job_name_once")]
        indexes = [
            # For the claim: what is live, and an account's newest start.
            models.Index(fields=["account"], name="training_job_live", condition=models.Q(status__in=LIVE)),
            models.Index(fields=["account", "-started_at"], name="training_job_started"),
        ]


class TransformJob(ProgramRun):
    """A prediction over a manifest; its output is a file of predictions."""

    status = models.CharField(max_length=20, choices=transitions.TRANSFORM_JOB.choices(), default="InProgress")
    model = models.ForeignKey("learning.Model", models.PROTECT, related_name="transform_jobs")
    output_uri = AddressField(max_length=1024, blank=True)
    # What the labels are called in the output manifest; "" where only the predictions are wanted, as by a loop.
    label_attribute_name = models.CharField(max_length=127, blank=True, default="")
    # The data set that was predicted, when it was one.
    dataset = models.ForeignKey("labeling.Dataset", models.SET_NULL, null=True, related_name="+")
    created_by = models.CharField(max_length=120, blank=True, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "name"], name="transform_job_name_once")]
        indexes = [
            # For the claim: what is live, and an account's newest start.
            models.Index(fields=["account"], name="transform_job_live", condition=models.Q(status__in=LIVE)),
            models.Index(fields=["account", "-started_at"], name="transform_job_started"),
        ]


class TrainingMetric(models.Model):
    """One point of one curve."""

    training_job = models.ForeignKey(TrainingJob, models.CASCADE, related_name="metrics", db_index=False)
    name = models.CharField(max_length=60)
    step = models.IntegerField()
    epoch = models.FloatField(null=True)
    value = models.FloatField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["training_job", "name", "step"], name="training_metric_point_once")
        ]
