"""Free money of a wallet that its account wants back, and what an operator does with everybody's requests."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.rest import schemas, schemas_money
from frontend.rest.fields import Body, DollarsField
from frontend.rest.idempotency import idempotent
from frontend.rest.paging import ListView, listed
from frontend.rest.scope import account_of, actor, require_operator
from marketplace import money
from marketplace.models import Role, WalletRefund
from marketplace.services import wallet_refunds


class RefundInput(Body):
    """How many dollars, as text in whole cents; without an amount, all that is free."""

    amount = DollarsField(required=False)


class RefusalInput(Body):
    """Why a refund is not sent; the account reads it."""

    reason = serializers.CharField(max_length=wallet_refunds.REASON_LENGTH.longest)


def refund_row(found: WalletRefund) -> dict[str, Any]:
    """A refund as its account sees it."""
    return {
        "id": found.pk,
        "amount": money.text(found.amount_micros),
        "status": found.status,
        "reason": found.reason,
        "requested_by": found.requested_by,
        "created_at": found.created_at,
        "status_changed_at": found.status_changed_at,
    }


@listed(operation="list_refunds", page=schemas.page("Refund", schemas_money.Refund), description="Newest first.")
class RefundsView(ListView):
    """The account's refunds."""

    filters = {"status": "status"}

    def rows(self, request: Request, **place: Any) -> QuerySet[WalletRefund]:
        """Of the account."""
        return wallet_refunds.of_account(account_of(request))

    def row(self, found: WalletRefund) -> dict[str, Any]:
        """As its account sees it."""
        return refund_row(found)

    @extend_schema(request=RefundInput, responses={201: schemas_money.Refund}, operation_id="request_refund")
    @idempotent
    def post(self, request: Request) -> Response:
        """Ask for free money back; an owner does. It leaves the wallet at once, and the operator sends it."""
        account = account_of(request, Role.OWNER)
        data = RefundInput(data=request.data)
        data.is_valid(raise_exception=True)
        wanted = data.validated_data.get("amount")
        micros = None if wanted is None else money.read(wanted, field="amount")
        refund = wallet_refunds.request(account=account, amount_micros=micros, by=actor(request))
        return Response(refund_row(refund), status=status.HTTP_201_CREATED)


class RefundCancelView(APIView):
    """Taking back a request."""

    @extend_schema(request=None, responses={200: schemas_money.Refund}, operation_id="cancel_refund")
    def post(self, request: Request, refund_id: int) -> Response:
        """Take back a request that was not sent yet; repeating it changes nothing."""
        refund = wallet_refunds.one_of(account_of(request, Role.OWNER), refund_id)
        wallet_refunds.cancel(refund=refund, by=actor(request))
        return Response(refund_row(refund))


# --- for operators --------------------------------------------------------------------------------------------------


@listed(
    operation="list_all_refunds",
    page=schemas.page("OperatorRefund", schemas_money.OperatorRefund),
    description="Refunds of all accounts, newest first; for operators.",
)
class OperatorRefundsView(ListView):
    """Everybody's refunds."""

    filters = {"status": "status"}

    def rows(self, request: Request, **place: Any) -> QuerySet[WalletRefund]:
        """All of them, to operators."""
        require_operator(request)
        return wallet_refunds.everybodys()

    def row(self, found: WalletRefund) -> dict[str, Any]:
        """With the account."""
        return refund_row(found) | {"account": found.account.number}


class RefundPaidView(APIView):
    """A refund that was sent."""

    @extend_schema(request=None, responses={200: schemas_money.Refund}, operation_id="mark_refund_paid")
    def post(self, request: Request, refund_id: int) -> Response:
        """The money was sent; repeating it changes nothing."""
        require_operator(request)
        refund = wallet_refunds.any_one(refund_id)
        wallet_refunds.mark_paid(refund=refund, by=actor(request))
        return Response(refund_row(refund))


class RefundRefusedView(APIView):
    """A refund that is not sent."""

    @extend_schema(request=RefusalInput, responses={200: schemas_money.Refund}, operation_id="refuse_refund")
    def post(self, request: Request, refund_id: int) -> Response:
        """The money is in the wallet again, and the account reads why."""
        require_operator(request)
        data = RefusalInput(data=request.data)
        data.is_valid(raise_exception=True)
        refund = wallet_refunds.any_one(refund_id)
        wallet_refunds.refuse(refund=refund, by=actor(request), **data.validated_data)
        return Response(refund_row(refund))
