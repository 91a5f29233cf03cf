"""Vendors, their contracts with requesters, and the invoices under them.

A vendor is an account with a listing: its members, roles, invitations and teams are those of any account. Under a
contract a requester's jobs go to a work team of the vendor, and the vendor is paid as an organization.
"""

from typing import NamedTuple

from django.db import models

from marketplace.models.accounts import Account
from marketplace.models.ledger import Posting, Subject
from marketplace.models.workforce import Workteam


class ListingStatus(models.TextChoices):
    """Whether requesters see a listing; transitions.VENDOR_LISTING says what may follow."""

    DRAFT = "Draft"
    IN_REVIEW = "InReview"
    PUBLISHED = "Published"
    REFUSED = "Refused"


class VendorListing(models.Model):
    """What a vendor offers. Requesters see it while it is Published."""

    account = models.OneToOneField(Account, models.CASCADE, primary_key=True, related_name="vendor_listing")
    status = models.CharField(max_length=10, choices=ListingStatus, default=ListingStatus.DRAFT)
    status_changed_at = models.DateTimeField(null=True)
    title = models.CharField(max_length=80)
    description = models.CharField(max_length=2000, blank=True)
    services = models.CharField(max_length=500, blank=True)
    languages = models.JSONField(default=list)  # ["en", "pt-BR"]
    certifications = models.CharField(max_length=500, blank=True)
    turnaround_hours = models.IntegerField()
    # {task type: micro-dollars of one answer}; a contract may agree on others.
    prices = models.JSONField(default=dict)
    # Where invoices are paid to; shown to operators only.
    holder = models.CharField(max_length=70, blank=True)
    destination = models.CharField(max_length=70, blank=True)
    # Counted up with each change, so that nobody publishes what they have not read.
    revision = models.IntegerField(default=1)
    # Why an operator has refused it; the vendor reads it.
    refused_because = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["status", "account"], name="vendor_listing_by_status")]


class Employer(NamedTuple):
    """A vendor that is paid in the place of its worker, and the contract under which it is."""

    contract_id: int
    vendor_id: int

    @property
    def purpose(self) -> Subject:
        """The contract, as the purpose of a pocket. Stored, so never changed."""
        return Subject("contract", self.contract_id)


class InvoicePeriod(models.TextChoices):
    """What one invoice covers: a week from Monday, or a month of the calendar, in UTC."""

    WEEKLY = "Weekly"
    MONTHLY = "Monthly"


class ContractStatus(models.TextChoices):
    """How far a contract is; transitions.CONTRACT says what may follow."""

    PROPOSED = "Proposed"
    COUNTERED = "Countered"
    LIVE = "Live"
    ENDED = "Ended"
    DECLINED = "Declined"
    WITHDRAWN = "Withdrawn"


class Contract(models.Model):
    """What a requester and a vendor have agreed on, or negotiate about."""

    requester = models.ForeignKey(Account, models.PROTECT, related_name="contracts_as_requester")
    vendor = models.ForeignKey(Account, models.PROTECT, related_name="contracts_as_vendor")
    status = models.CharField(max_length=10, choices=ContractStatus, default=ContractStatus.PROPOSED)
    status_changed_at = models.DateTimeField(null=True)
    # {task type: micro-dollars of one accepted answer}
    prices = models.JSONField()
    ends_on = models.DateField()  # the last day, in UTC
    invoice_period = models.CharField(max_length=10, choices=InvoicePeriod)
    note = models.CharField(max_length=500, blank=True)
    # Counted up with each proposal: a side confirms the terms it has read.
    version = models.IntegerField(default=1)
    # The vendor's work team for this contract, from when it is Live.
    workteam = models.OneToOneField(Workteam, models.PROTECT, null=True, related_name="contract")
    live_at = models.DateTimeField(null=True)
    notice_at = models.DateTimeField(null=True)
    # The next invoice covers what was accepted before this moment and is on no invoice yet.
    next_invoice_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["requester", "vendor"],
                condition=models.Q(status__in=["Proposed", "Countered"]),
                name="contract_one_negotiated",
            ),
            models.CheckConstraint(
                condition=~models.Q(requester=models.F("vendor")), name="contract_between_two_accounts"
            ),
        ]
        indexes = [
            models.Index(fields=["vendor", "-id"], name="contract_by_vendor"),
            models.Index(fields=["requester", "-id"], name="contract_by_requester"),
            models.Index(fields=["ends_on"], condition=models.Q(status="Live"), name="contract_live_by_end"),
            models.Index(
                fields=["next_invoice_at"],
                condition=models.Q(next_invoice_at__isnull=False),
                name="contract_by_next_invoice",
            ),
        ]

    @property
    def employer(self) -> Employer:
        """The vendor, as who is paid under this contract."""
        return Employer(self.pk, self.vendor_id)


class InvoiceStatus(models.TextChoices):
    """Whether an invoice is paid."""

    ISSUED = "Issued"
    PAID = "Paid"


class Invoice(models.Model):
    """What a vendor is owed for one period of a contract. A trigger refuses every change but that of the status."""

    contract = models.ForeignKey(Contract, models.PROTECT, related_name="invoices")
    number = models.CharField(max_length=40, unique=True)
    status = models.CharField(max_length=10, choices=InvoiceStatus, default=InvoiceStatus.ISSUED)
    status_changed_at = models.DateTimeField(null=True)
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()  # not included
    requester_name = models.CharField(max_length=80)
    vendor_name = models.CharField(max_length=80)
    answers = models.IntegerField()
    amount_micros = models.BigIntegerField()  # what the vendor is owed
    fee_micros = models.BigIntegerField()  # the platform's share, which the requester has paid on top
    issued_at = models.DateTimeField()
    # The operator's own reference of the transfer, once it is Paid.
    payment_reference = models.CharField(max_length=120, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["contract", "period_end"], name="invoice_once_per_period"),
            models.CheckConstraint(condition=models.Q(amount_micros__gt=0), name="invoice_above_zero"),
        ]
        indexes = [models.Index(fields=["status", "-id"], name="invoice_by_status")]

    @property
    def total_micros(self) -> int:
        """What the period has cost the requester, the platform's share included."""
        return int(self.amount_micros + self.fee_micros)


class InvoiceLine(models.Model):
    """The accepted answers of one work queue. Never changed."""

    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="lines")
    queue_id = models.BigIntegerField()
    title = models.CharField(max_length=128)
    task_type = models.CharField(max_length=40)
    answers = models.IntegerField()
    price_micros = models.BigIntegerField()
    amount_micros = models.BigIntegerField()
    fee_micros = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["invoice", "queue_id", "price_micros"], name="invoice_line_once")
        ]

    @property
    def total_micros(self) -> int:
        """What these answers have cost the requester."""
        return int(self.amount_micros + self.fee_micros)


class InvoicedPosting(models.Model):
    """A payment is on an invoice: on one, and never on another."""

    posting = models.OneToOneField(Posting, models.PROTECT, primary_key=True, related_name="invoiced")
    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="postings")
