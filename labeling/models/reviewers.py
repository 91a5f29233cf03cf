"""Reviewers: workers whom an account trusts to accept and reject the answers to one of its queues.

Only labeling/services/results/reviewers.py writes them. The SQL function labeling_refusal reads them, because whoever
has seen others' answers to a queue answers none of its tasks.
"""

from django.db import models

from labeling.models.queues import WorkQueue
from marketplace.models import Worker


class QueueReviewer(models.Model):
    """A worker who decides about answers to a queue. The row of one who was removed stays: they have seen answers."""

    queue = models.ForeignKey(WorkQueue, models.CASCADE, related_name="reviewers")
    worker = models.ForeignKey(Worker, models.CASCADE, related_name="queues_reviewed", db_index=False)
    added_at = models.DateTimeField()
    added_by = models.CharField(max_length=120)
    removed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["worker", "queue"], name="queue_reviewer_once")]
