"""The account's wallet, and what an operator may put into it."""

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.rest import schemas, schemas_money
from frontend.rest.fields import Body, DollarsField
from frontend.rest.idempotency import idempotent, key_of
from frontend.rest.paging import ListView, listed
from frontend.rest.scope import account_of, actor, require_operator
from labeling.queries.statements import StatementLine, statement_lines
from marketplace import arns, money
from marketplace.models import PaymentWay, Posting, Role
from marketplace.services import debts, scope, wallets
from marketplace.services.payments import registry


class DepositInput(Body):
    """Dollars as text, at most six decimals, and the account they are for."""

    account = serializers.RegexField(arns.ACCOUNT_NUMBER)
    amount = DollarsField()
    reference = serializers.CharField(
        max_length=wallets.REFERENCE_LENGTH.longest, help_text="the payment this deposit stands for; booked once"
    )


class CardDepositInput(Body):
    """How many dollars are to be paid by card, as text in whole cents."""

    amount = DollarsField()


class ChargebackInput(Body):
    """The reference of a deposit that the bank took back, and why."""

    reference = serializers.CharField(max_length=wallets.REFERENCE_LENGTH.longest)
    reason = serializers.CharField(max_length=debts.REASON_LENGTH.longest)


def statement_row(line: StatementLine, *, job: str | None) -> dict[str, Any]:
    """One line of a statement; `job` is what the reader knows the labeling job by."""
    return {
        "id": line.id,
        "kind": line.kind,
        "amount": money.text(line.amount_micros),
        "reference": line.reference,
        "description": line.description,
        "job_id": line.job.id if line.job else None,
        "job": job,
        "at": line.at,
    }


class WalletView(APIView):
    """The balance."""

    @extend_schema(responses={200: schemas.Wallet}, operation_id="get_wallet")
    def get(self, request: Request) -> Response:
        """Free money, what is held for running jobs, and what for answers under review."""
        account = account_of(request)
        return Response(
            {
                "balance": money.text(wallets.balance(account=account)),
                "held": money.text(wallets.held(account=account)),
                "under_review": money.text(wallets.under_review(account=account)),
                "owed": money.text(debts.owed(account)),
            }
        )


@listed(
    operation="get_wallet_statement",
    page=schemas.page("Movement", schemas.Movement),
    description="Every movement of the wallet, newest first.",
)
class StatementView(ListView):
    """The wallet's statement."""

    def rows(self, request: Request, **place: Any) -> QuerySet[Posting]:
        """Of the account."""
        return wallets.statement(account=account_of(request))

    def page(self, found: list[Posting]) -> list[StatementLine]:
        """With the jobs they belong to."""
        return statement_lines(found)

    def row(self, found: StatementLine) -> dict[str, Any]:
        """One movement."""
        return statement_row(found, job=found.job.name if found.job else None)


class DepositsView(APIView):
    """Deposits, by operators."""

    @extend_schema(request=DepositInput, responses={201: schemas.Deposit}, operation_id="deposit")
    @idempotent
    def post(self, request: Request) -> Response:
        """Book a deposit; the same reference is booked once."""
        require_operator(request)
        data = DepositInput(data=request.data)
        data.is_valid(raise_exception=True)
        given = data.validated_data
        account = scope.account_numbered(given["account"])
        micros = money.read(given["amount"], field="amount")
        wallets.deposit(account=account, amount_micros=micros, reference=given["reference"], by=actor(request))
        body = {
            "account": account.number,
            "amount": money.text(micros),
            "balance": money.text(wallets.balance(account=account)),
            "idempotency_key": key_of(request),
        }
        return Response(body, status=status.HTTP_201_CREATED)


class CardDepositsView(APIView):
    """Deposits by card, by owners of the account."""

    @extend_schema(
        request=CardDepositInput, responses={201: schemas_money.CardDeposit}, operation_id="start_card_deposit"
    )
    def post(self, request: Request) -> Response:
        """Prepare a payment at Stripe; it is made at `url`, and booked when Stripe reports it."""
        account = account_of(request, Role.OWNER)
        data = CardDepositInput(data=request.data)
        data.is_valid(raise_exception=True)
        micros = money.read(data.validated_data["amount"], field="amount")
        back = settings.PUBLIC_URL + reverse("requester:wallet")
        provider = registry.provider(PaymentWay.STRIPE)
        url = provider.start_deposit(account=account, amount_micros=micros, by=actor(request), back=back)
        return Response({"amount": money.text(micros), "url": url}, status=status.HTTP_201_CREATED)


class ChargebacksView(APIView):
    """Reversed deposits, by operators."""

    @extend_schema(request=ChargebackInput, responses={201: schemas_money.Chargeback}, operation_id="reverse_deposit")
    @idempotent
    def post(self, request: Request) -> Response:
        """Book that the bank took a deposit back; what was spent of it is owed, and the account's jobs wait for it."""
        require_operator(request)
        data = ChargebackInput(data=request.data)
        data.is_valid(raise_exception=True)
        done = debts.reverse_deposit(by=actor(request), **data.validated_data)
        body = {
            "account": done.account.number,
            "amount": money.text(done.amount_micros),
            "owed": money.text(done.owed_micros),
        }
        return Response(body, status=status.HTTP_201_CREATED)
