"""What is known of payments that a payment service carries out. The money itself is in the ledger and in payouts."""

import uuid

from django.db import models

from marketplace.models.accounts import Account
from marketplace.models.payouts import Payout
from marketplace.models.workforce import Worker


class StripePayee(models.Model):
    """The account at Stripe to which a worker is paid."""

    worker = models.OneToOneField(Worker, models.CASCADE, primary_key=True, related_name="stripe_payee")
    # Part of the idempotency keys and of what is told to Stripe: an installation that starts over counts from 1 again,
    # and must not be given what Stripe remembers of an earlier one.
    key = models.UUIDField(default=uuid.uuid4, unique=True)
    account_id = models.CharField(max_length=100, unique=True, null=True)
    # Whether Stripe has all it wants to know before it pays out.
    ready = models.BooleanField(default=False)
    first_ready_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)


class StripeDeposit(models.Model):
    """Money that somebody was asked to pay at Stripe for an account; booked once Stripe says that it was paid."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="stripe_deposits")
    amount_micros = models.BigIntegerField()
    key = models.UUIDField(default=uuid.uuid4, unique=True)
    session_id = models.CharField(max_length=200, unique=True, null=True)
    started_by = models.CharField(max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)
    booked_at = models.DateTimeField(null=True)
    # Stripe's own name of the payment, known once it was paid; the reference of the deposit in the ledger has it.
    payment_id = models.CharField(max_length=100, unique=True, null=True)
    # The charge or dispute by which the money was taken back, "" while it was not.
    reversed_by = models.CharField(max_length=100, blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(amount_micros__gt=0), name="stripe_deposit_above_zero")
        ]
        indexes = [models.Index(fields=["account", "-id"], name="stripe_deposit_by_account")]

    @property
    def reference(self) -> str:
        """What the deposit is called in the ledger."""
        return f"stripe:{self.payment_id}"


class StripeTransfer(models.Model):
    """How far Stripe is with a payout: a transfer to the worker's account there, and from it a payout to their bank."""

    payout = models.OneToOneField(Payout, models.PROTECT, primary_key=True, related_name="stripe_transfer")
    key = models.UUIDField(default=uuid.uuid4, unique=True)
    transfer_id = models.CharField(max_length=100, unique=True, null=True)
    bank_payout_id = models.CharField(max_length=100, unique=True, null=True)
    # How often Stripe has said that it did not do what was asked, so that the same may be asked under another key.
    refusals = models.IntegerField(default=0)
    # Why the money is to be brought back, "" while it is on its way to the worker.
    failure = models.CharField(max_length=300, blank=True, default="")
    # What keeps it from going on, for operators; "" when nothing does.
    problem = models.CharField(max_length=300, blank=True, default="")
    # When it is to be looked at (again), None when it waits for Stripe or is over.
    next_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["next_at"], condition=models.Q(next_at__isnull=False), name="stripe_transfer_due")
        ]


class StripeEvent(models.Model):
    """An event that Stripe has reported and that was dealt with, by Stripe's own id; it may report one many times."""

    id = models.CharField(max_length=100, primary_key=True)
    type = models.CharField(max_length=100)
    # The payment, payout or account that it is about.
    about = models.CharField(max_length=200)
    # Why it could not be booked, for operators; "" when it was, or needed not.
    problem = models.CharField(max_length=300, blank=True, default="")
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["about", "type"], name="stripe_event_about"),
            models.Index(fields=["-received_at"], condition=models.Q(problem__gt=""), name="stripe_event_problem"),
        ]
