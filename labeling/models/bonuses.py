"""Bonuses: what a requester pays a worker on top of the price, for work that they have done."""

from django.db import models

from labeling.models.queues import WorkQueue
from marketplace.models import Account, Worker


class Bonus(models.Model):
    """One bonus. The amount is the worker's; the platform's fee comes on top. Its token makes paying safe to repeat."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="+")
    queue = models.ForeignKey(WorkQueue, models.CASCADE, related_name="bonuses")  # the work it is for
    worker = models.ForeignKey(Worker, models.PROTECT, related_name="bonuses")
    amount_micros = models.BigIntegerField()
    fee_micros = models.BigIntegerField()
    reason = models.CharField(max_length=180)
    token = models.CharField(max_length=64)
    paid_by = models.CharField(max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "token"], name="bonus_once"),
            models.CheckConstraint(condition=models.Q(amount_micros__gt=0), name="bonus_above_zero"),
        ]
        indexes = [models.Index(fields=["queue", "-id"], name="bonus_by_queue")]
