"""Study sessions: one visit of a panel's participant to one work queue."""

from decimal import Decimal

from django.db import models

from labeling import transitions
from labeling.models.queues import WorkQueue
from marketplace.models import Worker


class PanelSession(models.Model):
    """A participant's session on a queue, once for each study; what the panel said when it began holds to its end.

    The money is what the provider pays and charges outside; it is recorded here and is in no ledger.
    """

    queue = models.ForeignKey(WorkQueue, models.CASCADE, related_name="panel_sessions", db_index=False)
    worker = models.ForeignKey(Worker, models.CASCADE, related_name="panel_sessions", db_index=False)
    # The provider's ids of the study and of the visit; "" where it tells none.
    study = models.CharField(max_length=100, blank=True)
    provider_session = models.CharField(max_length=100, blank=True)
    status = models.CharField(max_length=11, choices=transitions.PANEL_SESSION.choices(), default="Active")
    status_changed_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    tasks_wanted = models.IntegerField()
    tasks_done = models.IntegerField(default=0)
    # How the participant was let out: a key of marketplace.services.panels.EXITS, "" without a code.
    left_by = models.CharField(max_length=12, blank=True)
    # Why it was rejected, or why there was nothing to do.
    reason = models.CharField(max_length=200, blank=True)
    reward_micros = models.BigIntegerField(default=0)
    provider_fee_percent = models.DecimalField(max_digits=5, decimal_places=2, default=Decimal(0))

    class Meta:
        constraints = [models.UniqueConstraint(fields=["worker", "queue", "study"], name="panel_session_once")]
        indexes = [
            models.Index(fields=["queue", "-id"], name="panel_session_by_queue"),
            models.Index(fields=["expires_at"], condition=models.Q(status="Active"), name="panel_session_active"),
        ]
