"""The learning loop of a labeling job: its rounds, and what it knows of each object."""

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from labeling.models import Batch, DataObject, LabelingJob
from learning import transitions
from learning.models.advanced import Advanced
from learning.models.registry import Model
from learning.models.training import TrainingJob, TransformJob


class LearningLoop(Advanced):
    """Automated labeling of one job. `settings`: services/active/loop_settings.py, with every size filled in."""

    job = models.OneToOneField(LabelingJob, models.CASCADE, related_name="learning_loop")
    status = models.CharField(max_length=20, choices=transitions.LOOP.choices(), default="InProgress")
    status_changed_at = models.DateTimeField(null=True)
    failure_reason = models.CharField(max_length=1024, blank=True)
    settings = models.JSONField(default=dict)
    final_model = models.ForeignKey(Model, models.SET_NULL, null=True, related_name="+")
    # When the sweep next requests an advance: of a loop that waits for people, seldom.
    look_at = models.DateTimeField(default=timezone.now, db_default=Now())
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["look_at"], condition=models.Q(status="InProgress"), name="learning_loop_due")]


class Round(models.Model):
    """One round of the loop. `threshold` is None when no cut-off keeps the promised quality."""

    loop = models.ForeignKey(LearningLoop, models.CASCADE, related_name="rounds")
    number = models.IntegerField()
    status = models.CharField(max_length=20, choices=transitions.ROUND.choices(), default="Labeling")
    status_changed_at = models.DateTimeField(null=True)
    batch = models.OneToOneField(Batch, models.PROTECT, null=True, related_name="learning_round")
    training_job = models.OneToOneField(TrainingJob, models.PROTECT, null=True, related_name="+")
    transform_job = models.OneToOneField(TransformJob, models.PROTECT, null=True, related_name="+")
    threshold = models.FloatField(null=True)
    # [{"threshold", "quality", "coverage"}]: the quality and coverage of each cut-off on the validation images; with a
    # promised share of wrong labels also the "risk", its "upper" bound, and whether it was "chosen".
    curve = models.JSONField(default=list)
    # The fitted rule by which this round's objects are labeled (selection.uncertainty.Certainty as JSON).
    rule = models.JSONField(null=True)
    figures = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["loop", "number"], name="round_number_once")]


class Split(models.TextChoices):
    """What the label of an object is used for; an object of the validation split stays in it."""

    TRAIN = "train"
    VALIDATION = "validation"


class LoopObject(models.Model):
    """What the loop knows of an object: its split, and the `score` (expected quality) of its newest prediction.

    `split` is empty for an object that was not selected for people. `round_number` is the round that selected it.
    An object of the validation split always keeps the label that people gave it. For such an object `passed_in` is the
    round whose rule would have labeled it by machine, and `outcome` how good that label would have been: for boxes
    [[sum of IoU of each class], [number of boxes of each class]], else see selection/candidates.py. It is the evidence
    for the objects that were labeled by machine in that round; so is `loss`, how wrong it would have been, where the
    job promises a share of wrong labels (selection/losses.py). For an object that was labeled by machine, `passed_in`
    is the round in which it was.
    """

    loop = models.ForeignKey(LearningLoop, models.CASCADE, related_name="loop_objects", db_index=False)
    data_object = models.OneToOneField(DataObject, models.CASCADE, related_name="loop_object")
    split = models.CharField(max_length=10, choices=Split, blank=True)
    score = models.FloatField(null=True)
    uncertainty = models.FloatField(null=True)
    round_number = models.IntegerField(null=True)
    passed_in = models.IntegerField(null=True)
    outcome = models.JSONField(null=True)
    loss = models.FloatField(null=True)

    class Meta:
        indexes = [models.Index(fields=["loop", "split"], name="loop_object_by_split")]
