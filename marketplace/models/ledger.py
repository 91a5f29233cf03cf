"""The double-entry ledger. Rows are written by services/ledger.py only and never changed.

A balance is the sum of an account's postings. Each entry's postings sum to zero, by a deferred constraint trigger.
"""

from typing import NamedTuple

from django.db import models

from marketplace.models.accounts import Account
from marketplace.models.workforce import Worker


class Subject(NamedTuple):
    """A row of any room: a short stable word for its table ("batch") and its primary key."""

    type: str
    id: int


class LedgerKind(models.TextChoices):
    """What a ledger account holds."""

    OUTSIDE = "outside"  # where deposits come from and payouts go; its balance is minus the sum of all others
    WALLET = "wallet"  # a requester account's free money
    ESCROW = "escrow"  # money set aside for work; its purpose names the work
    EARNINGS = "earnings"  # what a worker was paid and has not withdrawn
    FEES = "fees"  # the platform's share
    PAYOUTS = "payouts"  # what a worker has asked to be paid out and the bank has not transferred yet
    HELD = "held"  # a worker's pay for answers to one requester account that are under review; a vendor's by contract
    HELD_FEES = "held-fees"  # the platform's share of them
    OWED = "owed"  # what an account owes, as a negative balance; jobs pause until it is settled
    REFUNDS = "refunds"  # what an account wants back from its wallet and the operator has not sent yet
    TAXES = "taxes"  # taxes on the platform's fees, collected for the authorities
    ACCRUED = "accrued"  # what a vendor was paid under the contract that is its purpose, and has not invoiced yet
    INVOICED = "invoiced"  # what a vendor has invoiced and was not transferred yet


class LedgerAccount(models.Model):
    """A place where money can be, called a pocket for short: `Account` is the requester's.

    An escrow pocket has a purpose: the row its money is set aside for. So has what is accrued or held for a vendor:
    the contract.
    """

    kind = models.CharField(max_length=10, choices=LedgerKind)
    account = models.ForeignKey(Account, models.PROTECT, null=True, related_name="ledger_accounts")
    worker = models.ForeignKey(Worker, models.PROTECT, null=True, related_name="ledger_accounts")
    purpose_type = models.CharField(max_length=40, blank=True, default="")
    purpose_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "account", "worker", "purpose_type", "purpose_id"],
                name="ledger_account_once",
                nulls_distinct=False,
            )
        ]


class EntryKind(models.TextChoices):
    """What an entry did."""

    DEPOSIT = "deposit"  # money arrived from outside in a wallet
    RESERVE = "reserve"  # from a wallet into escrow
    PAYMENT = "payment"  # from escrow to a worker, or the vendor that employs them, and the platform
    REFUND = "refund"  # from escrow back to the wallet
    WITHDRAWAL = "withdrawal"  # from a worker's earnings to what is paid out
    PAYOUT = "payout"  # it has reached the worker's bank, or a vendor's invoice was paid
    PAYBACK = "payback"  # it has not: back to the earnings
    HOLD = "hold"  # from escrow to what is held for a worker and the platform, until the answer is reviewed
    RELEASE = "release"  # from what was held to the worker and the platform: the answer was accepted
    RETURN = "return"  # from what was held back to escrow, or to the wallet: the answer was rejected
    APPEAL = "appeal"  # from a wallet to a worker and the platform: an appeal was upheld
    BONUS = "bonus"  # from a wallet to a worker and the platform, on top of what answers were paid
    CHARGEBACK = "chargeback"  # a deposit was reversed: out of the wallet, and what is spent already is owed
    SETTLEMENT = "settlement"  # from a wallet to what its account owes
    TAX = "tax"  # from a wallet, or owed, to the taxes on the fees of a month
    TAKE_BACK = "take-back"  # from a wallet to what its account wants back
    TAKEN_BACK = "taken-back"  # it has reached the account's bank
    KEPT = "kept"  # it was not sent: back into the wallet
    INVOICE = "invoice"  # from what a vendor was paid under a contract to what it has invoiced


class Entry(models.Model):
    """One fact that moved money: its kind and the row it is about.

    `reference` is made of them by services/ledger.py and is unique, so that a fact cannot be booked twice. The
    description is for reading only.
    """

    kind = models.CharField(max_length=10, choices=EntryKind)
    subject_type = models.CharField(max_length=40)
    subject_id = models.BigIntegerField()
    reference = models.CharField(max_length=140, unique=True)
    description = models.CharField(max_length=200, blank=True)
    by = models.CharField(max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)

    @property
    def subject(self) -> Subject:
        """The row the entry is about."""
        return Subject(self.subject_type, self.subject_id)


class Posting(models.Model):
    """One side of an entry: plus is money arriving in the pocket, minus is money leaving it."""

    entry = models.ForeignKey(Entry, models.PROTECT, related_name="postings")
    ledger_account = models.ForeignKey(LedgerAccount, models.PROTECT, related_name="postings", db_index=False)
    amount_micros = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["ledger_account", "id"], include=["amount_micros"], name="posting_by_account")]
        constraints = [models.CheckConstraint(condition=~models.Q(amount_micros=0), name="posting_not_zero")]
