"""The account's audit log, for its admins, and when they are told that its money runs low."""

from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend import audit_trail
from frontend.audit_trail import Line
from frontend.rest import schemas, schemas_told
from frontend.rest.fields import Body, DollarsField
from frontend.rest.paging import MOMENT, TEXT, ListView, filtered, listed
from frontend.rest.scope import account_of, actor
from marketplace import money
from marketplace.models import AuditEvent, Role
from marketplace.services import audit, funds

FILTERS = {"by": "by", "kind": "kind", "since": "at__gte", "until": "at__lt"}
SHAPES = {"since": MOMENT, "until": MOMENT}
PARAMETERS = [OpenApiParameter(name, SHAPES.get(name, TEXT), description=how) for name, how in FILTERS.items()]


class LowFundsInput(Body):
    """Dollars as text; zero: only when open work cannot be paid for."""

    threshold = DollarsField(zero=True)


@listed(
    operation="list_audit_events",
    page=schemas.page("AuditLine", schemas_told.AuditLine),
    description=f"Who did what, newest first; for admins. `by` is user: and the key of a member, or system; `kind` is "
    f"one of {', '.join(audit_trail.KINDS)}.",
)
class AuditEventsView(ListView):
    """The account's audit log."""

    filters = FILTERS
    shapes = SHAPES

    def rows(self, request: Request, **place: Any) -> QuerySet[AuditEvent]:
        """Of the account."""
        self.account = account_of(request, Role.ADMIN)
        return audit_trail.with_kind(audit.of_account(self.account))

    def page(self, found: list[AuditEvent]) -> list[Line]:
        """With names."""
        return audit_trail.lines(self.account, found)

    def row(self, found: Line) -> dict[str, Any]:
        """One line."""
        event = found.event
        return {
            "id": event.pk,
            "at": event.at,
            "by": found.by,
            "kind": found.kind,
            "object_id": event.object_id,
            "from_status": event.from_status or None,
            "to_status": event.to_status or None,
            "because": found.because,
        }


class AuditFileView(APIView):
    """The audit log as a file."""

    @extend_schema(
        parameters=PARAMETERS,
        responses={(200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, "a heading, then a line for each event")},
        operation_id="get_audit_file",
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """The lines that the filters of `list_audit_events` keep, as CSV, at most 100,000."""
        account = account_of(request, Role.ADMIN)
        rows = filtered(request, audit_trail.with_kind(audit.of_account(account)), FILTERS, SHAPES)
        response = StreamingHttpResponse(audit_trail.as_csv(account, rows), content_type="text/csv; charset=utf-8")
        response["Cache-Control"] = "private, no-store"
        return response


class LowFundsView(APIView):
    """When the account is told that its money runs low."""

    @extend_schema(responses={200: schemas_told.LowFunds}, operation_id="get_low_funds")
    def get(self, request: Request) -> Response:
        """The threshold."""
        return Response({"threshold": money.text(funds.threshold(account_of(request)))})

    @extend_schema(request=LowFundsInput, responses={200: schemas_told.LowFunds}, operation_id="set_low_funds")
    def put(self, request: Request) -> Response:
        """Say below how much free money the admins are told, once until a deposit."""
        account = account_of(request, Role.ADMIN)
        data = LowFundsInput(data=request.data)
        data.is_valid(raise_exception=True)
        micros = money.read(data.validated_data["threshold"], field="threshold", zero=True)
        funds.set_threshold(account=account, amount_micros=micros, by=actor(request))
        return Response({"threshold": money.text(micros)})
