"""The learning loop of a labeling job: its rounds, and what it knows of each object."""

from django.db import models

from labeling.models import Batch, DataObject, LabelingJob
from learning import transitions
from learning.models.registry import Model
from learning.models.training import TrainingJob, TransformJob


class LearningLoop(models.Model):
    """Automated labeling of one job. `settings`: seed, sizes, target quality, recipe; see services/active.py."""

    job = models.OneToOneField(LabelingJob, models.CASCADE, related_name="learning_loop")
    status = models.CharField(max_length=20, choices=transitions.LOOP.choices(), default="InProgress")
    status_changed_at = models.DateTimeField(null=True)
    failure_reason = models.CharField(max_length=1024, blank=True)
    settings = models.JSONField(default=dict)
    # Counts the requests to advance it, so that one that comes while it is being advanced is not lost.
    advance_requests = models.BigIntegerField(default=0)
    # The lease of whoever is advancing it (services/active/lease.py).
    advancing_by = models.CharField(max_length=32, blank=True)
    advancing_until = models.DateTimeField(null=True)
    final_model = models.ForeignKey(Model, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)


class Round(models.Model):
    """One turn of the loop. `threshold` is None when no score kept the promised quality."""

    loop = models.ForeignKey(LearningLoop, models.CASCADE, related_name="rounds")
    number = models.IntegerField()
    status = models.CharField(max_length=20, choices=transitions.ROUND.choices(), default="Labeling")
    status_changed_at = models.DateTimeField(null=True)
    batch = models.OneToOneField(Batch, models.PROTECT, null=True, related_name="learning_round")
    training_job = models.OneToOneField(TrainingJob, models.PROTECT, null=True, related_name="+")
    transform_job = models.OneToOneField(TransformJob, models.PROTECT, null=True, related_name="+")
    threshold = models.FloatField(null=True)
    # [{"threshold", "quality", "coverage"}]: what each cut-off would have meant on the validation labels.
    curve = models.JSONField(default=list)
    # The fitted rule that labels this round's objects (selection.uncertainty.Certainty as JSON).
    rule = models.JSONField(null=True)
    figures = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["loop", "number"], name="round_number_once")]


class Role(models.TextChoices):
    """What an object is used for; once validation, always validation."""

    TRAIN = "train"
    VALIDATION = "validation"


class LoopObject(models.Model):
    """What the loop knows of an object: its role, and the newest prediction's score (the expected quality).

    `round_number` is the round that decided about it: asked people for it, or labeled it. A validation object keeps
    people's label for ever; `passed_in` names the round whose rule would have labeled it, and `outcome` what that label
    came to, [[IoU by class], [boxes by class]]: it stands for the objects that were labeled by machine then.
    """

    loop = models.ForeignKey(LearningLoop, models.CASCADE, related_name="loop_objects", db_index=False)
    data_object = models.OneToOneField(DataObject, models.CASCADE, related_name="loop_object")
    role = models.CharField(max_length=10, choices=Role, blank=True)
    score = models.FloatField(null=True)
    uncertainty = models.FloatField(null=True)
    round_number = models.IntegerField(null=True)
    passed_in = models.IntegerField(null=True)
    outcome = models.JSONField(null=True)

    class Meta:
        indexes = [models.Index(fields=["loop", "role"], name="loop_object_by_role")]
