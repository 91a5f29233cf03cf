"""The shapes of vendors, contracts and invoices, for the OpenAPI document; see schemas.py."""

from rest_framework import serializers as s

from frontend.rest.schemas import Money
from marketplace.models import InvoicePeriod
from marketplace.transitions import CONTRACT, INVOICE, VENDOR_LISTING


class TaskPrice(s.Serializer):
    """What one accepted answer of a task type costs, without the platform's fee."""

    task_type = s.CharField()
    price = Money()


class Vendor(s.Serializer):
    """A vendor's listing as requesters see it."""

    id = s.IntegerField()
    name = s.CharField()
    title = s.CharField()
    description = s.CharField()
    services = s.CharField()
    languages = s.ListField(child=s.CharField())
    certifications = s.CharField()
    turnaround_hours = s.IntegerField()
    prices = TaskPrice(many=True)


class VendorListing(Vendor):
    """A listing as its vendor and operators see it."""

    status = s.CharField(help_text=", ".join(VENDOR_LISTING.states))
    revision = s.IntegerField()
    refused_because = s.CharField()


class PaymentDetails(s.Serializer):
    """Where a vendor's invoices are paid to."""

    holder = s.CharField()
    destination = s.CharField()


class Contract(s.Serializer):
    """A contract between a requester and a vendor."""

    id = s.IntegerField()
    side = s.ChoiceField([("Requester", "Requester"), ("Vendor", "Vendor")], help_text="which one the account is")
    requester = s.CharField()
    vendor_id = s.IntegerField()
    vendor = s.CharField()
    status = s.CharField(help_text=", ".join(CONTRACT.states))
    version = s.IntegerField(help_text="of the terms; name it when you answer them")
    prices = TaskPrice(many=True)
    ends_on = s.DateField(help_text="the last day, in UTC")
    invoice_period = s.ChoiceField(InvoicePeriod.choices)
    note = s.CharField()
    notice_at = s.DateTimeField(allow_null=True)
    workteam = s.IntegerField(allow_null=True, help_text="to give labeling jobs to, while the contract is Live")
    workteam_arn = s.CharField(allow_null=True)
    created_at = s.DateTimeField()


class StaffMember(s.Serializer):
    """A worker of the vendor."""

    worker = s.CharField()
    email = s.EmailField()


class ContractQueue(s.Serializer):
    """Work under a contract as its vendor sees it."""

    queue_id = s.IntegerField()
    title = s.CharField()
    task_type = s.CharField()
    status = s.CharField()
    price = Money()
    open_tasks = s.IntegerField()
    answers = s.IntegerField(help_text="that count")


class StaffQuality(s.Serializer):
    """What one worker has done under a contract."""

    worker = s.CharField()
    answers = s.IntegerField()
    accepted = s.IntegerField()
    rejected = s.IntegerField()
    pending = s.IntegerField()
    agreement = s.FloatField(allow_null=True, help_text="with the objects' labels, 0 to 1, where there is a review")
    mean_seconds = s.FloatField(allow_null=True)
    earned = Money(help_text="by the vendor")


class StaffQualities(s.Serializer):
    """The quality of the vendor's staff under a contract, most answers first."""

    staff = StaffQuality(many=True)


class InvoiceLine(s.Serializer):
    """The accepted answers of one work queue."""

    queue_id = s.IntegerField()
    title = s.CharField()
    task_type = s.CharField()
    answers = s.IntegerField()
    price = Money()
    amount = Money()
    fee = Money()
    total = Money()


class Invoice(s.Serializer):
    """An invoice of a vendor."""

    id = s.IntegerField()
    number = s.CharField()
    contract_id = s.IntegerField()
    status = s.CharField(help_text=", ".join(INVOICE.states))
    vendor = s.CharField()
    requester = s.CharField()
    period_start = s.DateTimeField()
    period_end = s.DateTimeField(help_text="not included")
    issued_at = s.DateTimeField()
    answers = s.IntegerField()
    amount = Money(help_text="what the vendor is owed")
    fee = Money(help_text="the platform's, which the requester has paid on top")
    total = Money()
    payment_reference = s.CharField()


class InvoiceWithLines(Invoice):
    """With its lines."""

    lines = InvoiceLine(many=True)


class InvoiceToPay(Invoice):
    """As operators see it, with where it is to be paid."""

    holder = s.CharField()
    destination = s.CharField()
