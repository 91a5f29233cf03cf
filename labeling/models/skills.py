"""How well each worker does each type of task: sums that outlive the job they come from."""

from django.db import models

from labeling.models.queues import WorkQueue
from marketplace.models import Worker


class WorkerSkill(models.Model):
    """A worker's counts in one queue, for one task type and one label ("" for all labels together).

    Each fit of a queue's worker models replaces that queue's rows, so sums over queues count every answer once.
    Recall is found / chances, the false positive rate false_positives / false_positive_chances; see
    labeling.consolidation.workers.skills.SkillRow.
    """

    worker = models.ForeignKey(Worker, models.CASCADE, related_name="skills", db_index=False)
    task_type = models.CharField(max_length=40)
    label = models.CharField(max_length=256, blank=True)
    queue = models.ForeignKey(WorkQueue, models.SET_NULL, null=True, related_name="skills")
    answers = models.FloatField(default=0)
    found = models.FloatField(default=0)
    chances = models.FloatField(default=0)
    false_positives = models.FloatField(default=0)
    false_positive_chances = models.FloatField(default=0)
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["worker", "task_type", "label", "queue"], name="worker_skill_once")
        ]
