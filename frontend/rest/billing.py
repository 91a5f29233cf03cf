"""What invoices say of an account, and the tax on its fees, which an operator sets."""

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.rest import schemas_money
from frontend.rest.fields import Body
from frontend.rest.idempotency import idempotent
from frontend.rest.scope import account_of, actor, require_operator
from marketplace import arns
from marketplace.models import BillingTerms, Role
from marketplace.services import billing, scope


class BillingInput(Body):
    """What invoices say of the account."""

    billing_name = serializers.CharField(max_length=billing.NAME_LENGTH.longest, allow_blank=True)
    billing_address = serializers.CharField(max_length=billing.ADDRESS_LENGTH.longest, allow_blank=True)
    tax_number = serializers.CharField(
        max_length=billing.NUMBER_LENGTH.longest,
        allow_blank=True,
        help_text="a number that begins like a VAT number of the EU has to be one",
    )


class TaxInput(Body):
    """The rate in percent as text, and what the tax is called."""

    account = serializers.RegexField(arns.ACCOUNT_NUMBER)
    percent = serializers.RegexField(billing.PERCENT_TEXT, max_length=billing.PERCENT_LENGTH.longest)
    label = serializers.CharField(max_length=billing.LABEL_LENGTH.longest, allow_blank=True)


def billing_row(found: BillingTerms) -> dict[str, Any]:
    """How the account is billed."""
    return {
        "billing_name": found.billing_name,
        "billing_address": found.billing_address,
        "tax_number": found.tax_number,
        "tax_percent": str(found.tax_percent),
        "tax_label": found.tax_label,
    }


class BillingView(APIView):
    """How the account is billed."""

    @extend_schema(responses={200: schemas_money.Billing}, operation_id="get_billing")
    def get(self, request: Request) -> Response:
        """What invoices say, and the tax on fees."""
        return Response(billing_row(billing.terms(account_of(request))))

    @extend_schema(request=BillingInput, responses={200: schemas_money.Billing}, operation_id="set_billing")
    def put(self, request: Request) -> Response:
        """Say what invoices say of the account. The tax is set by an operator."""
        account = account_of(request, Role.ADMIN)
        data = BillingInput(data=request.data)
        data.is_valid(raise_exception=True)
        given = data.validated_data
        billing.set_invoicing(
            account=account,
            name=given["billing_name"],
            address=given["billing_address"],
            number=given["tax_number"],
        )
        return Response(billing_row(billing.terms(account)))


class TaxesView(APIView):
    """The tax on an account's fees, by operators."""

    @extend_schema(request=TaxInput, responses={200: schemas_money.Tax}, operation_id="set_tax")
    @idempotent
    def post(self, request: Request) -> Response:
        """Charge this tax on the account's fees from the current month on; 0 charges none."""
        require_operator(request)
        data = TaxInput(data=request.data)
        data.is_valid(raise_exception=True)
        given = data.validated_data
        account = scope.account_numbered(given["account"])
        found = billing.set_tax(
            account=account, percent=Decimal(given["percent"]), label=given["label"], by=actor(request)
        )
        body = {"account": account.number, "percent": str(found.tax_percent), "label": found.tax_label}
        return Response(body)
