"""Background work that failed with an unexpected error, counted until it is given up."""

from django.db import models


class FailedAttempt(models.Model):
    """How often in a row a background function failed for one row; deleted as soon as it succeeds."""

    work = models.CharField(max_length=80)  # the function's name in labeling/background.py
    row_id = models.BigIntegerField()
    failures = models.IntegerField(default=0)
    reason = models.CharField(max_length=500, blank=True)
    failed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["work", "row_id"], name="failed_attempt_once")]
