"""The shapes of payouts, for the OpenAPI document; see schemas.py."""

from rest_framework import serializers as s

from frontend.rest.schemas import Money
from marketplace.models import PaymentWay
from marketplace.transitions import PAYOUT


class PayoutDetails(s.Serializer):
    """Where a worker's pay is sent."""

    holder = s.CharField()
    destination = s.CharField()
    provider = s.ChoiceField(PaymentWay.choices, help_text="who sends it: the operator's bank, or Stripe")


class Payout(s.Serializer):
    """A payout to a worker."""

    id = s.IntegerField()
    reference = s.CharField(help_text="what the transfer is called in bank files")
    amount = Money()
    status = s.ChoiceField(PAYOUT.choices())
    provider = s.ChoiceField(PaymentWay.choices, help_text="who sends it: the operator's bank, or Stripe")
    holder = s.CharField()
    destination = s.CharField()
    failure_reason = s.CharField()
    created_at = s.DateTimeField()
    status_changed_at = s.DateTimeField(allow_null=True)


class OperatorPayout(Payout):
    """A payout as operators see it."""

    worker = s.CharField()
    sent_with = s.CharField(help_text="the bank file it was sent with")


class PayoutTransfers(s.Serializer):
    """Payouts that were handed over to Stripe."""

    sent = s.CharField(help_text="how many, in words")


class PayoutFile(s.Serializer):
    """A bank file that was made."""

    name = s.CharField()
    payouts = s.IntegerField()
