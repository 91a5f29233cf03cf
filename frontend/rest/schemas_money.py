"""The shapes of bonuses, chargebacks, refunds, billing and statements, for the OpenAPI document; see schemas.py."""

from rest_framework import serializers as s

from frontend.rest.schemas import Money


class Bonus(s.Serializer):
    """A bonus of a worker."""

    id = s.IntegerField()
    worker = s.CharField()
    amount = Money()
    fee = Money()
    reason = s.CharField()
    token = s.CharField()
    paid_by = s.CharField()
    created_at = s.DateTimeField()


class CardDeposit(s.Serializer):
    """A payment by card that was prepared."""

    amount = Money()
    url = s.URLField(help_text="where it is paid")


class Chargeback(s.Serializer):
    """A deposit that was reversed."""

    account = s.CharField()
    amount = Money()
    owed = Money(help_text="of the amount, what the wallet did not hold any more: the account owes it")


class Refund(s.Serializer):
    """Money of a wallet that its account wants back."""

    id = s.IntegerField()
    amount = Money()
    status = s.CharField()
    reason = s.CharField(help_text="why it was refused")
    requested_by = s.CharField()
    created_at = s.DateTimeField()
    status_changed_at = s.DateTimeField(allow_null=True)


class OperatorRefund(Refund):
    """A refund as operators see it."""

    account = s.CharField()


class StatementTotal(s.Serializer):
    """The lines of one kind together."""

    kind = s.CharField()
    what = s.CharField(help_text="bank, pay, fee or tax")
    lines = s.IntegerField()
    amount = Money()


class Statement(s.Serializer):
    """What somebody had when some days began, what moved, and what they had when the days were over."""

    first = s.DateField()
    last = s.DateField()
    opening = Money()
    closing = Money()
    totals = StatementTotal(many=True)


class Billing(s.Serializer):
    """How an account is billed."""

    billing_name = s.CharField()
    billing_address = s.CharField()
    tax_number = s.CharField()
    tax_percent = s.CharField(help_text="on the platform's fees, charged once a month is over")
    tax_label = s.CharField()


class Tax(s.Serializer):
    """The tax on an account's fees."""

    account = s.CharField()
    percent = s.CharField()
    label = s.CharField()
