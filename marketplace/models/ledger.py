"""The double-entry ledger. Rows are written by services/ledger.py only and never changed.

A balance is the sum of an account's postings. Each entry's postings sum to zero, by a deferred constraint trigger.
"""

from django.db import models

from marketplace.models.accounts import Account
from marketplace.models.workforce import Worker


class LedgerKind(models.TextChoices):
    """What a ledger account holds."""

    OUTSIDE = "outside"  # the world money comes from and goes to; its balance mirrors all others
    WALLET = "wallet"  # a requester account's free money
    ESCROW = "escrow"  # money set aside for a job's open batches; `reference` names the job
    EARNINGS = "earnings"  # what a worker was paid and has not drawn
    FEES = "fees"  # the platform's share


class LedgerAccount(models.Model):
    """A pocket money can be in."""

    kind = models.CharField(max_length=10, choices=LedgerKind)
    account = models.ForeignKey(Account, models.PROTECT, null=True, related_name="ledger_accounts")
    worker = models.ForeignKey(Worker, models.PROTECT, null=True, related_name="ledger_accounts")
    reference = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "account", "worker", "reference"],
                name="ledger_account_once",
                nulls_distinct=False,
            )
        ]


class Entry(models.Model):
    """One fact that moved money. `reference` is the fact ("assignment:81:pay"), so a fact cannot be booked twice."""

    reference = models.CharField(max_length=120, unique=True)
    description = models.CharField(max_length=200, blank=True)
    by = models.CharField(max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)


class Posting(models.Model):
    """One side of an entry: plus is money arriving in the pocket, minus is money leaving it."""

    entry = models.ForeignKey(Entry, models.PROTECT, related_name="postings")
    ledger_account = models.ForeignKey(LedgerAccount, models.PROTECT, related_name="postings", db_index=False)
    amount_micros = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["ledger_account", "id"], include=["amount_micros"], name="posting_by_account")]
        constraints = [models.CheckConstraint(condition=~models.Q(amount_micros=0), name="posting_not_zero")]
