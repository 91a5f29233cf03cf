"""What became of the classes of a work queue after labels existed."""

from django.db import models

from labeling.models.queues import WorkQueue


class ClassChangeKind(models.TextChoices):
    """What was done with a class."""

    RENAMED = "renamed"
    MERGED = "merged"


class ClassChange(models.Model):
    """One class that got another name, or became part of another class."""

    queue = models.ForeignKey(WorkQueue, models.CASCADE, related_name="class_changes", db_index=False)
    kind = models.CharField(max_length=7, choices=ClassChangeKind)
    old_name = models.CharField(max_length=256)
    new_name = models.CharField(max_length=256)
    labels = models.IntegerField()  # revisions that were written because of it
    # Whether what follows from answers and labels was made anew: the workers' models and skills, scores, reputation.
    settled = models.BooleanField(default=False)
    changed_by = models.CharField(max_length=120)
    changed_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["queue", "-id"], name="class_change_by_queue"),
            models.Index(fields=["queue"], condition=models.Q(settled=False), name="class_change_unsettled"),
        ]
