"""What changed state, when, by whom and why."""

from django.db import models


class AuditEvent(models.Model):
    """One change of state, or an action that changes none (then both statuses are empty)."""

    object_type = models.CharField(max_length=80)
    object_id = models.BigIntegerField()
    from_status = models.CharField(max_length=30, blank=True)
    to_status = models.CharField(max_length=30, blank=True)
    by = models.CharField(max_length=120)
    because = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["object_type", "object_id", "id"], name="audit_by_object")]
