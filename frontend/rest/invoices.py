"""Invoices of vendors: for their vendor, for the requester who receives them, and for operators."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.rest import schemas, schemas_vendors
from frontend.rest.fields import Body
from frontend.rest.paging import ListView, listed
from frontend.rest.scope import account_of, actor, require_operator
from marketplace import money
from marketplace.models import Invoice
from marketplace.services import invoice_files, invoices


class InvoicePaidInput(Body):
    """The operator's own reference of the transfer."""

    reference = serializers.CharField(max_length=invoices.REFERENCE_LENGTH.longest)


def invoice_row(invoice: Invoice) -> dict[str, Any]:
    """An invoice without its lines."""
    return {
        "id": invoice.pk,
        "number": invoice.number,
        "contract_id": invoice.contract_id,
        "status": invoice.status,
        "vendor": invoice.vendor_name,
        "requester": invoice.requester_name,
        "period_start": invoice.period_start,
        "period_end": invoice.period_end,
        "issued_at": invoice.issued_at,
        "answers": invoice.answers,
        "amount": money.text(invoice.amount_micros),
        "fee": money.text(invoice.fee_micros),
        "total": money.text(invoice.total_micros),
        "payment_reference": invoice.payment_reference,
    }


def line_rows(invoice: Invoice) -> list[dict[str, Any]]:
    """The lines of an invoice."""
    return [
        {
            "queue_id": line.queue_id,
            "title": line.title,
            "task_type": line.task_type,
            "answers": line.answers,
            "price": money.text(line.price_micros),
            "amount": money.text(line.amount_micros),
            "fee": money.text(line.fee_micros),
            "total": money.text(line.total_micros),
        }
        for line in invoice.lines.order_by("queue_id", "price_micros")
    ]


@listed(
    operation="list_invoices",
    page=schemas.page(
        "Invoice", schemas_vendors.Invoice, accrued=serializers.CharField(), invoiced=serializers.CharField()
    ),
    description="Invoices that the account has sent as a vendor or received, newest first, and what it is owed.",
)
class InvoicesView(ListView):
    """The account's invoices."""

    filters = {"status": "status", "contract_id": "contract"}

    def rows(self, request: Request, **place: Any) -> QuerySet[Invoice]:
        """Sent and received."""
        return invoices.of_account(account_of(request))

    def row(self, found: Invoice) -> dict[str, Any]:
        """Without its lines."""
        return invoice_row(found)

    def beside(self, request: Request) -> dict[str, Any]:
        """What the account has earned as a vendor and not received: not invoiced yet, and invoiced."""
        owed = invoices.owed_to(account_of(request))
        return {"accrued": money.text(owed.accrued), "invoiced": money.text(owed.invoiced)}


class InvoiceView(APIView):
    """One invoice."""

    @extend_schema(responses={200: schemas_vendors.InvoiceWithLines}, operation_id="get_invoice")
    def get(self, request: Request, invoice_id: int) -> Response:
        """With its lines."""
        invoice = invoices.one_of(invoices.of_account(account_of(request)), invoice_id)
        return Response({**invoice_row(invoice), "lines": line_rows(invoice)})


class InvoiceFileView(APIView):
    """An invoice as a file."""

    @extend_schema(
        responses={(200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, "one line for each work queue, and the sum")},
        operation_id="get_invoice_file",
    )
    def get(self, request: Request, invoice_id: int) -> HttpResponse:
        """As CSV."""
        invoice = invoices.one_of(invoices.of_account(account_of(request)), invoice_id)
        return HttpResponse(invoice_files.as_csv(invoice), content_type="text/csv")


# --- for operators --------------------------------------------------------------------------------------------------


@listed(
    operation="list_all_invoices",
    page=schemas.page("InvoiceToPay", schemas_vendors.InvoiceToPay),
    description="The invoices of all vendors, newest first, with where they are to be paid; for operators.",
)
class OperatorInvoicesView(ListView):
    """Everybody's invoices."""

    filters = {"status": "status"}

    def rows(self, request: Request, **place: Any) -> QuerySet[Invoice]:
        """All of them, to operators."""
        require_operator(request)
        return invoices.everybodys()

    def row(self, found: Invoice) -> dict[str, Any]:
        """With the bank account."""
        listing = found.contract.vendor.vendor_listing
        return {**invoice_row(found), "holder": listing.holder, "destination": listing.destination}


class InvoicePaidView(APIView):
    """Paying an invoice."""

    @extend_schema(request=InvoicePaidInput, responses={200: schemas_vendors.Invoice}, operation_id="mark_invoice_paid")
    def post(self, request: Request, invoice_id: int) -> Response:
        """The operator has transferred its amount to the vendor; repeating it changes nothing."""
        require_operator(request)
        data = InvoicePaidInput(data=request.data)
        data.is_valid(raise_exception=True)
        invoice = invoices.one_of(invoices.everybodys(), invoice_id)
        invoices.mark_paid(invoice=invoice, by=actor(request), **data.validated_data)
        return Response(invoice_row(invoice))
