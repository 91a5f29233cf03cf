"""When an account is told that its money runs low."""

from django.db import models

from marketplace.models.accounts import Account


class FundsWatch(models.Model):
    """Below how many free micro-dollars an account is told, and what it has been told."""

    account = models.OneToOneField(Account, models.CASCADE, primary_key=True, related_name="funds_watch")
    # 0: only when open work cannot be paid for.
    threshold_micros = models.BigIntegerField(default=0)
    # When it was told that it has less than that, and that open work cannot be paid for; until a deposit not again.
    told_at = models.DateTimeField(null=True)
    told_short_at = models.DateTimeField(null=True)
