"""The audits of a loop: random samples of its machine labels that people label too."""

from django.db import models

from labeling.models import Batch, DataObject, Label
from learning import transitions
from learning.models.loops import LearningLoop


class LoopAudit(models.Model):
    """A random sample of the machine labels of the rounds up to `last_round` that no earlier audit was about.

    `figures`: "labels" (how many there are), "asked" (how many people are asked about), "note" (why nobody is); in an
    audit that follows the doubts its "draws" ([object, weight of its loss] each) and their "most_weight"; then what was
    found (selection/audits.py), "withdrawn_rounds" and "withdrawn" (how many labels).
    """

    loop = models.ForeignKey(LearningLoop, models.CASCADE, related_name="audits")
    number = models.IntegerField()
    status = models.CharField(max_length=20, choices=transitions.LOOP_AUDIT.choices(), default="Labeling")
    status_changed_at = models.DateTimeField(null=True)
    last_round = models.IntegerField()
    batch = models.OneToOneField(Batch, models.PROTECT, null=True, related_name="loop_audit")
    figures = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["loop", "number"], name="loop_audit_number_once")]


class AuditedObject(models.Model):
    """An object of an audit: the machine's `label`, made in `round_number`, and its `loss` against people's.

    `loss` is null where people gave no label.
    """

    audit = models.ForeignKey(LoopAudit, models.CASCADE, related_name="objects_of_audit")
    data_object = models.OneToOneField(DataObject, models.CASCADE, related_name="audited_in")
    label = models.ForeignKey(Label, models.CASCADE, related_name="+")
    round_number = models.IntegerField()
    loss = models.FloatField(null=True)
