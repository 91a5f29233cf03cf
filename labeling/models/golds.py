"""Golds: objects of a job whose true label is known, mixed into its work, and how each worker answered them."""

from django.db import models

from labeling.models.objects import DataObject
from labeling.models.queues import WorkQueue
from marketplace.models import Worker


class GoldSource(models.TextChoices):
    """Where a true label comes from."""

    MANIFEST = "manifest", "Data set"  # the requester's input manifest
    MINTED = "minted", "Unanimous answers"  # an object on which all of its answers agreed
    EXPERT = "expert", "A member"  # a member of the account


class GoldStatus(models.TextChoices):
    """Whether workers are given it."""

    ACTIVE = "Active"
    SUSPECT = "Suspect"  # most answers disagree with it: not given out until a member has looked
    RETIRED = "Retired"  # known among the workers; never given out again
    WITHDRAWN = "Withdrawn"  # by a member; what was answered to it says nothing about anybody


class Gold(models.Model):
    """An object with a known true label. An object is a gold once: a retired one is never used again."""

    queue = models.ForeignKey(WorkQueue, models.CASCADE, related_name="golds", db_index=False)
    data_object = models.OneToOneField(DataObject, models.CASCADE, related_name="gold")
    source = models.CharField(max_length=8, choices=GoldSource)
    state = models.CharField(max_length=9, choices=GoldStatus, default=GoldStatus.ACTIVE)
    # As `Label.value` of the job's task type.
    truth = models.JSONField()
    # Why it is in its state, "" while it is Active.
    reason = models.CharField(max_length=500, blank=True, default="")
    # A member has looked at a suspect gold and found it right: it is not suspected again.
    confirmed = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=120, blank=True)
    changed_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["queue", "state", "id"], name="gold_by_queue_state")]


class GoldResult(models.Model):
    """How a worker answered a gold; the claim writes the row, so that nobody is given a gold twice.

    Without an assignment the worker knows the object from other work, and is not given the gold at all.
    """

    gold = models.ForeignKey(Gold, models.CASCADE, related_name="results", db_index=False)
    worker = models.ForeignKey(Worker, models.CASCADE, related_name="gold_results", db_index=False)
    assignment = models.OneToOneField("labeling.Assignment", models.CASCADE, null=True, related_name="gold_result")
    # How right the answer is (TaskType.score_against_truth), null until it is known; then by class as well.
    score = models.FloatField(null=True)
    by_label = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    scored_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["gold", "worker"], name="gold_once_per_worker")]
        indexes = [
            models.Index(fields=["worker", "gold"], name="gold_result_by_worker"),
            models.Index(
                fields=["gold"], condition=models.Q(score=None, assignment__isnull=False), name="gold_result_to_score"
            ),
        ]
