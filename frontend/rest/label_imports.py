"""Label imports: label files of other tools become data sets with labels, or golds of a job, with a report by line."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.rest import import_schemas, schemas
from frontend.rest.download import file_response
from frontend.rest.fields import Body
from frontend.rest.idempotency import idempotent
from frontend.rest.paging import ListView, listed
from frontend.rest.scope import account_of, actor
from labeling import task_types
from labeling.models import ImportedLine, LabelImport
from labeling.services import scope
from labeling.services.imports import creating, limits, reports
from labeling.services.jobs.limits import LABEL_ATTRIBUTE_NAME_LENGTH
from marketplace import names
from marketplace.errors import NotFound, WrongState
from marketplace.models import Role
from marketplace.services.boundaries import URI_LENGTH


class LabelImportInput(Body):
    """A label file, where its images or texts are, and what the labels become.

    `uri` is an address in a store, or that of a file which an upload answered. With the purpose `dataset`, `name` is
    the new data set's and `images` the data set that has the images, left out when they are packed with the labels;
    with `golds`, `job` is the job whose objects get them.
    """

    uri = serializers.CharField(max_length=URI_LENGTH.longest)
    purpose = serializers.ChoiceField(choices=list(limits.PURPOSES), default=limits.DATASET)
    name = serializers.RegexField(names.PATTERN, max_length=names.LENGTH.longest, required=False)
    images = serializers.IntegerField(required=False)
    job = serializers.IntegerField(required=False)
    format = serializers.ChoiceField(choices=list(limits.ASKED_FORMATS), default=limits.AUTO)
    label_attribute_name = serializers.CharField(required=False, max_length=LABEL_ATTRIBUTE_NAME_LENGTH.longest)
    read_attribute = serializers.CharField(required=False, max_length=LABEL_ATTRIBUTE_NAME_LENGTH.longest)
    task_type = serializers.ChoiceField(
        choices=[kind.name for kind in creating.readable_types()],
        default=task_types.DEFAULT,
        help_text="whose labels are read of the file; golds are read as their job needs them",
    )
    without_boxes = serializers.ChoiceField(choices=list(limits.WITHOUT_BOXES), default=limits.WITHOUT_BOXES[0])


def import_row(row: LabelImport) -> dict[str, Any]:
    """A label import as the API shows it."""
    forms = reports.KINDS if row.has_report else ()
    return {
        "id": row.pk,
        "purpose": row.purpose,
        "name": row.name or None,
        "status": row.status,
        "failure_reason": row.failure_reason or None,
        "uri": row.uri,
        "format": row.format or None,
        "task_type": row.task_type,
        "images": row.images_id,
        "job": row.job_id,
        "label_attribute_name": row.label_attribute_name or None,
        "without_boxes": row.without_boxes,
        "dataset": row.dataset_id,
        "labels": row.labels,
        "counts": row.counts,
        "progress": row.progress,
        "report_urls": {form: f"/api/v1/label-imports/{row.pk}/report/{form}" for form in forms},
        "created_at": row.created_at,
    }


@listed(
    operation="list_label_imports",
    page=schemas.page("LabelImport", import_schemas.LabelImport),
    description="Label imports, newest first.",
)
class LabelImportsView(ListView):
    """The account's label imports."""

    filters = {"status": "status", "purpose": "purpose", "name_contains": "name__icontains"}

    def rows(self, request: Request, **place: Any) -> QuerySet[LabelImport]:
        """Of the account."""
        return scope.label_imports(account_of(request))

    def row(self, found: LabelImport) -> dict[str, Any]:
        """As one alone is shown."""
        return import_row(found)

    @extend_schema(
        request=LabelImportInput, responses={201: import_schemas.LabelImport}, operation_id="create_label_import"
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Start importing labels; follow `status` and `progress`, then read its lines."""
        account = account_of(request, Role.MEMBER)
        data = LabelImportInput(data=request.data)
        data.is_valid(raise_exception=True)
        given = dict(data.validated_data)
        if "images" in given:
            given["images"] = scope.dataset(account, given["images"])
        if "job" in given:
            given["job"] = scope.job(account, given["job"])
        row = creating.create_import(account=account, by=actor(request), **given)
        return Response(import_row(row), status=status.HTTP_201_CREATED)


class LabelImportView(APIView):
    """One label import."""

    @extend_schema(responses={200: import_schemas.LabelImport}, operation_id="get_label_import")
    def get(self, request: Request, import_id: int) -> Response:
        """Status, counts and progress."""
        return Response(import_row(scope.label_import(account_of(request), import_id)))


class LabelImportStopView(APIView):
    """Stopping a label import."""

    @extend_schema(request=None, responses={200: import_schemas.LabelImport}, operation_id="stop_label_import")
    @idempotent
    def post(self, request: Request, import_id: int) -> Response:
        """Stop it; no data set is made, golds that were written stay."""
        row = scope.label_import(account_of(request, Role.MEMBER), import_id)
        creating.stop_import(label_import=row, by=actor(request))
        row.refresh_from_db()
        return Response(import_row(row))


@listed(
    operation="list_label_import_lines",
    page=schemas.page("ImportedLine", import_schemas.ImportedLine),
    description="What became of each image, and of each part of the label file that was not taken as it stands.",
)
class LabelImportLinesView(ListView):
    """The report of a label import."""

    filters = {"outcome": "outcome"}
    ordering = "number"

    def rows(self, request: Request, **place: Any) -> QuerySet[ImportedLine]:
        """Of one import."""
        return ImportedLine.objects.filter(label_import=scope.label_import(account_of(request), place["import_id"]))

    def row(self, found: ImportedLine) -> dict[str, Any]:
        """Number, place in the file, what was done, and why."""
        return {"number": found.number, "place": found.place, "outcome": found.outcome, "reason": found.reason}


class LabelImportReportView(APIView):
    """The report of a label import as a file."""

    @extend_schema(
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY}, operation_id="download_label_import_report"
    )
    def get(self, request: Request, import_id: int, form: str) -> HttpResponse | StreamingHttpResponse:
        """All lines as JSON Lines (`jsonl`) or as a table (`csv`)."""
        row = scope.label_import(account_of(request), import_id)
        if form not in reports.KINDS:
            raise NotFound(f"a report is {' or '.join(reports.KINDS)}")
        if not row.has_report:
            raise WrongState(f"the label import is {row.status} and has no report", field="status")
        return file_response(request, uri=reports.uri(row, form), name=f"label-import-{row.pk}.{form}")
