"""How often each worker is right: the pieces of evidence, and their sums by task type and label.

Only services/reputation.py writes these tables. A sum can be made again from its evidence at any time.
"""

from django.db import models

from marketplace.models.workforce import Worker


class EvidenceSource(models.TextChoices):
    """Where a piece of evidence comes from."""

    GOLD = "gold"  # an answer to an object whose true label is known
    AGREEMENT = "agreement"  # an answer against what the others' answers make of the object
    REVIEW = "review"  # an answer that was accepted or rejected


class Evidence(models.Model):
    """One look at one answer of a worker: how far it was right (`correct`, 0 to 1), what that counts (`weight`)."""

    worker = models.ForeignKey(Worker, models.CASCADE, related_name="evidence", db_index=False)
    # The row of another room that it is about, as in ledger entries (marketplace.models.Subject).
    subject_type = models.CharField(max_length=40)
    subject_id = models.BigIntegerField()
    source = models.CharField(max_length=10, choices=EvidenceSource)
    task_type = models.CharField(max_length=40)
    label = models.CharField(max_length=256, blank=True)  # "" for all labels together
    correct = models.FloatField()
    weight = models.FloatField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["worker", "subject_type", "subject_id", "source", "label"], name="evidence_once"
            ),
            models.CheckConstraint(condition=models.Q(correct__gte=0, correct__lte=1), name="evidence_correct_share"),
            models.CheckConstraint(condition=models.Q(weight__gt=0), name="evidence_weight_positive"),
        ]
        indexes = [models.Index(fields=["subject_type", "subject_id"], name="evidence_by_subject")]


class Reputation(models.Model):
    """The sums of a worker's evidence for one task type and one label ("" for all labels together).

    `right` and `wrong` are sums of weight times correct, and of weight times the rest, each grown by the age that the
    evidence lacks (see services/reputation.py): decimals, so that adding and taking away is exact.
    """

    worker = models.ForeignKey(Worker, models.CASCADE, related_name="reputation", db_index=False)
    task_type = models.CharField(max_length=40)
    label = models.CharField(max_length=256, blank=True)
    right = models.DecimalField(max_digits=50, decimal_places=9, default=0)
    wrong = models.DecimalField(max_digits=50, decimal_places=9, default=0)
    pieces = models.IntegerField(default=0)  # of evidence, whatever their age and weight

    class Meta:
        constraints = [models.UniqueConstraint(fields=["worker", "task_type", "label"], name="reputation_once")]
