"""What a work queue has paid for an answer, and since when. A price is only ever raised."""

from django.db import models

from labeling.models.queues import WorkQueue


class PriceChange(models.Model):
    """One rise of a queue's price, in micro-dollars per answer; `reserved_micros` was set aside for open seats."""

    queue = models.ForeignKey(WorkQueue, models.CASCADE, related_name="price_changes", db_index=False)
    old_price_micros = models.BigIntegerField()
    price_micros = models.BigIntegerField()
    fee_micros = models.BigIntegerField()
    reserved_micros = models.BigIntegerField()
    because = models.CharField(max_length=200)
    changed_by = models.CharField(max_length=120)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(price_micros__gt=models.F("old_price_micros")), name="price_only_raised"
            )
        ]
        indexes = [models.Index(fields=["queue", "-id"], name="price_change_by_queue")]
