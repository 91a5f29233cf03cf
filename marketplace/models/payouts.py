"""Payouts: money that leaves the ledger for a worker's bank account."""

from django.db import models

from marketplace.models.workforce import Worker


class PayoutStatus(models.TextChoices):
    """How far a payout is; transitions.PAYOUT says what may follow."""

    REQUESTED = "Requested"
    SENT = "Sent"
    PAID = "Paid"
    FAILED = "Failed"
    CANCELLED = "Cancelled"
    RETURNED = "Returned"


class PaymentWay(models.TextChoices):
    """Who moves the money. Stored, so never changed; services/payments has a provider for each."""

    MANUAL = "manual"  # the operator, with files for and from their bank
    STRIPE = "stripe"


UNDER_WAY = [PayoutStatus.REQUESTED, PayoutStatus.SENT]
"""The statuses of a payout whose money has left the earnings and not reached the bank."""


class PayoutDetails(models.Model):
    """Where a worker wants their pay to be sent."""

    worker = models.OneToOneField(Worker, models.CASCADE, primary_key=True, related_name="payout_details")
    holder = models.CharField(max_length=70)  # the name on the account; SEPA's own limit
    destination = models.CharField(max_length=70)  # an IBAN, or what the operator's bank takes instead
    # With Stripe, the destination is the worker's account there.
    provider = models.CharField(max_length=10, choices=PaymentWay, default=PaymentWay.MANUAL)
    changed_at = models.DateTimeField()


class Payout(models.Model):
    """One transfer to a worker. Provider, holder and destination are those of the time of the request."""

    worker = models.ForeignKey(Worker, models.PROTECT, related_name="payouts")
    amount_micros = models.BigIntegerField()
    holder = models.CharField(max_length=70)
    destination = models.CharField(max_length=70)
    provider = models.CharField(max_length=10, choices=PaymentWay, default=PaymentWay.MANUAL)
    status = models.CharField(max_length=10, choices=PayoutStatus, default=PayoutStatus.REQUESTED)
    status_changed_at = models.DateTimeField(null=True)
    # The bank file it was sent with, "" until then.
    sent_with = models.CharField(max_length=40, blank=True, default="")
    failure_reason = models.CharField(max_length=300, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(amount_micros__gt=0), name="payout_above_zero"),
            models.UniqueConstraint(
                fields=["worker"],
                condition=models.Q(status__in=UNDER_WAY),
                name="payout_one_under_way",
            ),
        ]
        indexes = [
            models.Index(fields=["status", "id"], name="payout_by_status"),
            models.Index(fields=["sent_with"], condition=models.Q(sent_with__gt=""), name="payout_by_file"),
            models.Index(fields=["worker", "-id"], name="payout_by_worker"),
        ]

    @property
    def reference(self) -> str:
        """What the transfer is called in bank files and statements."""
        return f"WG{self.pk}"
