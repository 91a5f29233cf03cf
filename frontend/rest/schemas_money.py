"""The shapes of bonuses, chargebacks, refunds, billing and statements, for the OpenAPI document; see schemas.py."""

from rest_framework import serializers as s

from frontend.rest.schemas import Money
from marketplace.transitions import WALLET_REFUND


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


class Chargeback(s.Serializer):
    """A deposit that was reversed."""

    account = s.CharField()
    amount = Money()
    owed = Money(help_text="of the amount, what the wallet did not hold any more: the account owes it")


class Refund(s.Serializer):
    """Money of a wallet that its account wants back."""

    id = s.IntegerField()
    amount = Money()
    status = s.ChoiceField(WALLET_REFUND.choices())
    reason = s.CharField(help_text="why it was refused")
    requested_by = s.CharField()
    created_at = s.DateTimeField()
    status_changed_at = s.DateTimeField(allow_null=True)


class OperatorRefund(Refund):
    """A refund as operators see it."""

    account = s.CharField()
