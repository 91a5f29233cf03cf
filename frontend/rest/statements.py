"""Statements of accounts and workers: balances and totals as JSON, every line as CSV."""

from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend import statement_files
from frontend.rest import schemas_money
from frontend.rest.scope import account_of, worker_of
from frontend.statement_files import Whose
from marketplace import money

DAYS = [
    OpenApiParameter(
        "first", OpenApiTypes.DATE, description="first day (UTC); without it the month of `last`, or this one"
    ),
    OpenApiParameter("last", OpenApiTypes.DATE, description="last day, included"),
]
CSV = {(200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, "opening balance, one movement a line, closing balance")}


def _found(whose: Whose, request: Request) -> Response:
    found = whose.statement(statement_files.period_of(request.query_params))
    body: dict[str, Any] = {
        "first": found.period.first,
        "last": found.period.last,
        "opening": money.text(found.opening_micros),
        "closing": money.text(found.closing_micros),
        "totals": [
            {"kind": row.kind, "what": row.what, "lines": row.lines, "amount": money.text(row.amount_micros)}
            for row in found.totals
        ],
    }
    return Response(body)


def _file(whose: Whose, request: Request) -> HttpResponse | StreamingHttpResponse:
    return statement_files.csv_response(whose, statement_files.period_of(request.query_params), name="statement")


class AccountStatementView(APIView):
    """The account's statement."""

    @extend_schema(parameters=DAYS, responses={200: schemas_money.Statement}, operation_id="get_account_statement")
    def get(self, request: Request) -> Response:
        """All the account has, in the wallet, set aside, held and owed: at the beginning, what moved, at the end."""
        return _found(statement_files.of_account(account_of(request)), request)


class AccountLinesView(APIView):
    """Its lines."""

    @extend_schema(parameters=DAYS, responses=CSV, operation_id="get_account_statement_lines")
    def get(self, request: Request) -> HttpResponse | StreamingHttpResponse:
        """Every line; they add up to the difference of the balances."""
        return _file(statement_files.of_account(account_of(request)), request)


class WorkerStatementView(APIView):
    """The worker's statement."""

    @extend_schema(parameters=DAYS, responses={200: schemas_money.Statement}, operation_id="get_worker_statement")
    def get(self, request: Request) -> Response:
        """The caller's earnings: at the beginning, what moved, at the end."""
        return _found(statement_files.of_worker(worker_of(request)), request)


class WorkerLinesView(APIView):
    """Its lines."""

    @extend_schema(parameters=DAYS, responses=CSV, operation_id="get_worker_statement_lines")
    def get(self, request: Request) -> HttpResponse | StreamingHttpResponse:
        """Every line; they add up to the difference of the balances."""
        return _file(statement_files.of_worker(worker_of(request)), request)
