"""A worker's payouts, and what an operator does with everybody's."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.rest import schemas, schemas_payouts
from frontend.rest.fields import Body, DollarsField
from frontend.rest.idempotency import idempotent
from frontend.rest.paging import ListView, listed
from frontend.rest.scope import actor, require_operator, worker_of
from marketplace import money
from marketplace.errors import NotFound
from marketplace.models import PaymentWay, Payout, PayoutDetails
from marketplace.services import bank_files, payouts
from marketplace.services.payments import registry


class PayoutDetailsInput(Body):
    """Where a worker's pay is to be sent."""

    holder = serializers.RegexField(
        payouts.HOLDER, max_length=payouts.TEXT_LENGTH.longest, help_text="the name on the account"
    )
    destination = serializers.RegexField(
        payouts.DESTINATION,
        max_length=payouts.TEXT_LENGTH.longest,
        help_text="an IBAN, or what the operator's bank takes instead",
    )


class PayoutInput(Body):
    """How many dollars, as text in whole cents; without an amount, all that was earned."""

    amount = DollarsField(required=False)


class PayoutFailedInput(Body):
    """Why the bank refused a transfer; the worker reads it."""

    reason = serializers.CharField(max_length=payouts.REASON_LENGTH.longest)


def details_row(found: PayoutDetails) -> dict[str, str]:
    """Where pay is sent, as its worker gave it."""
    return {"holder": found.holder, "destination": found.destination, "provider": found.provider}


def payout_row(found: Payout) -> dict[str, Any]:
    """A payout as its worker sees it."""
    return {
        "id": found.pk,
        "reference": found.reference,
        "amount": money.text(found.amount_micros),
        "status": found.status,
        "provider": found.provider,
        "holder": found.holder,
        "destination": found.destination,
        "failure_reason": found.failure_reason,
        "created_at": found.created_at,
        "status_changed_at": found.status_changed_at,
    }


class PayoutDetailsView(APIView):
    """Where the caller's pay is sent."""

    @extend_schema(responses={200: schemas_payouts.PayoutDetails}, operation_id="get_payout_details")
    def get(self, request: Request) -> Response:
        """As the caller gave it; 404 until they have."""
        found = payouts.details_of(worker_of(request))
        if found is None:
            raise NotFound("you have not said yet where your pay is to be sent")
        return Response(details_row(found))

    @extend_schema(
        request=PayoutDetailsInput, responses={200: schemas_payouts.PayoutDetails}, operation_id="set_payout_details"
    )
    def put(self, request: Request) -> Response:
        """Say where pay is to be sent. Payouts requested before go where they were going."""
        worker = worker_of(request)
        data = PayoutDetailsInput(data=request.data)
        data.is_valid(raise_exception=True)
        found = payouts.set_details(worker=worker, **data.validated_data)
        return Response(details_row(found))


@listed(operation="list_payouts", page=schemas.page("Payout", schemas_payouts.Payout), description="Newest first.")
class PayoutsView(ListView):
    """The caller's payouts."""

    filters = {"status": "status"}

    def rows(self, request: Request, **place: Any) -> QuerySet[Payout]:
        """The caller's own."""
        return payouts.of_worker(worker_of(request))

    def row(self, found: Payout) -> dict[str, Any]:
        """As its worker sees it."""
        return payout_row(found)

    @extend_schema(request=PayoutInput, responses={201: schemas_payouts.Payout}, operation_id="request_payout")
    @idempotent
    def post(self, request: Request) -> Response:
        """Ask for what was earned. One payout can be under way at a time."""
        worker = worker_of(request)
        data = PayoutInput(data=request.data)
        data.is_valid(raise_exception=True)
        wanted = data.validated_data.get("amount")
        micros = None if wanted is None else money.read(wanted, field="amount")
        payout = payouts.request(worker=worker, amount_micros=micros, by=actor(request))
        return Response(payout_row(payout), status=status.HTTP_201_CREATED)


class PayoutCancelView(APIView):
    """Taking back a payout."""

    @extend_schema(request=None, responses={200: schemas_payouts.Payout}, operation_id="cancel_payout")
    def post(self, request: Request, payout_id: int) -> Response:
        """Take back a payout that was not sent yet; repeating it changes nothing."""
        payout = payouts.one_of(worker_of(request), payout_id)
        payouts.cancel(payout=payout, by=actor(request))
        return Response(payout_row(payout))


# --- for operators --------------------------------------------------------------------------------------------------


@listed(
    operation="list_all_payouts",
    page=schemas.page("OperatorPayout", schemas_payouts.OperatorPayout),
    description="Payouts of all workers, newest first; for operators.",
)
class OperatorPayoutsView(ListView):
    """Everybody's payouts."""

    filters = {"status": "status", "sent_with": "sent_with"}

    def rows(self, request: Request, **place: Any) -> QuerySet[Payout]:
        """All of them, to operators."""
        require_operator(request)
        return payouts.everybodys()

    def row(self, found: Payout) -> dict[str, Any]:
        """With the worker and the bank file."""
        return payout_row(found) | {"worker": found.worker.public_id, "sent_with": found.sent_with}


class PayoutFilesView(APIView):
    """Making a bank file."""

    @extend_schema(request=None, responses={201: schemas_payouts.PayoutFile}, operation_id="send_payouts")
    @idempotent
    def post(self, request: Request) -> Response:
        """Put every requested payout in a new bank file and mark it as sent; `name` is "" when none was requested."""
        require_operator(request)
        name = registry.provider(PaymentWay.MANUAL).send_payouts(by=actor(request))
        count = len(payouts.in_file(name)) if name else 0
        return Response({"name": name, "payouts": count}, status=status.HTTP_201_CREATED)


class PayoutTransfersView(APIView):
    """Sending payouts by Stripe."""

    @extend_schema(
        request=None, responses={201: schemas_payouts.PayoutTransfers}, operation_id="send_payouts_by_stripe"
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Hand every requested payout that goes to Stripe over to it; `sent` is "" when none was requested."""
        require_operator(request)
        sent = registry.provider(PaymentWay.STRIPE).send_payouts(by=actor(request))
        return Response({"sent": sent}, status=status.HTTP_201_CREATED)


class PayoutFileView(APIView):
    """A bank file."""

    @extend_schema(
        responses={(200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, "one line for each transfer")},
        operation_id="get_payout_file",
    )
    def get(self, request: Request, name: str) -> HttpResponse:
        """The transfers as CSV."""
        require_operator(request)
        return HttpResponse(bank_files.payouts_as_csv(payouts.in_file(name)), content_type="text/csv")


class PayoutPaidView(APIView):
    """A transfer that was made."""

    @extend_schema(request=None, responses={200: schemas_payouts.Payout}, operation_id="mark_payout_paid")
    def post(self, request: Request, payout_id: int) -> Response:
        """The bank has made the transfer; repeating it changes nothing."""
        require_operator(request)
        payout = payouts.any_one(payout_id)
        payouts.mark_paid(payout=payout, by=actor(request))
        return Response(payout_row(payout))


class PayoutFailedView(APIView):
    """A transfer that was refused."""

    @extend_schema(
        request=PayoutFailedInput, responses={200: schemas_payouts.Payout}, operation_id="mark_payout_failed"
    )
    def post(self, request: Request, payout_id: int) -> Response:
        """The bank has refused the transfer: the money is the worker's again, who reads the reason."""
        require_operator(request)
        data = PayoutFailedInput(data=request.data)
        data.is_valid(raise_exception=True)
        payout = payouts.any_one(payout_id)
        payouts.mark_failed(payout=payout, by=actor(request), **data.validated_data)
        return Response(payout_row(payout))
