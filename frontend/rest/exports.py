"""Downloads: exports made in the background, with progress and a resumable link."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.rest import schemas
from frontend.rest.download import file_response
from frontend.rest.fields import Body
from frontend.rest.idempotency import idempotent
from frontend.rest.paging import ListView, listed
from frontend.rest.scope import account_of, actor
from labeling.models import Export
from labeling.services import scope
from labeling.services.output import exports, rows
from marketplace.errors import WrongState
from marketplace.models import Role


class ExportInput(Body):
    """What to export; `which` restricts it to human or machine labels, `images` puts the images in as well."""

    kind = serializers.ChoiceField(choices=list(exports.EXTENSION))
    which = serializers.ChoiceField(choices=list(rows.WHICH), default="all")
    images = serializers.BooleanField(
        default=False,
        help_text="put the images into the file too, which is a zip archive then; not into worker-answers, conll or "
        "jsonl, nor into other files about texts",
    )


def export_row(row: Export) -> dict[str, Any]:
    """An export as the API shows it."""
    return {
        "id": row.pk,
        "kind": row.kind,
        "which": row.which,
        "images": row.images,
        "status": row.status,
        "failure_reason": row.failure_reason or None,
        "progress": row.progress,
        "objects_done": row.objects_done,
        "item_errors": row.item_errors,
        "size_bytes": row.size_bytes,
        "download_url": f"/api/v1/exports/{row.pk}/download" if row.status == "Completed" else None,
        "created_at": row.created_at,
    }


@listed(operation="list_exports", page=schemas.page("Export", schemas.Export), description="Exports, newest first.")
class JobExportsView(ListView):
    """The exports of a job."""

    filters = {"status": "status", "kind": "kind"}

    def rows(self, request: Request, **place: Any) -> QuerySet[Export]:
        """Of one job."""
        return Export.objects.filter(job=scope.job(account_of(request), place["job_id"]))

    def row(self, found: Export) -> dict[str, Any]:
        """As one alone is shown."""
        return export_row(found)

    @extend_schema(request=ExportInput, responses={201: schemas.Export}, operation_id="create_export")
    @idempotent
    def post(self, request: Request, job_id: int) -> Response:
        """Start an export; follow it by its id."""
        job = scope.job(account_of(request, Role.VIEWER), job_id)
        data = ExportInput(data=request.data)
        data.is_valid(raise_exception=True)
        row = exports.create_export(job=job, by=actor(request), **data.validated_data)
        return Response(export_row(row), status=status.HTTP_201_CREATED)


class ExportView(APIView):
    """One export."""

    @extend_schema(responses={200: schemas.Export}, operation_id="get_export")
    def get(self, request: Request, export_id: int) -> Response:
        """Status, progress, per-item errors, and the download link once it is done."""
        return Response(export_row(scope.export(account_of(request), export_id)))


class ExportStopView(APIView):
    """Stopping an export."""

    @extend_schema(request=None, responses={200: schemas.Export}, operation_id="stop_export")
    @idempotent
    def post(self, request: Request, export_id: int) -> Response:
        """Stop an export that is under way."""
        row = scope.export(account_of(request, Role.MEMBER), export_id)
        exports.stop_export(export=row, by=actor(request))
        row.refresh_from_db()
        return Response(export_row(row))


class ExportDownloadView(APIView):
    """The file of an export."""

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY}, operation_id="download_export")
    def get(self, request: Request, export_id: int) -> HttpResponse | StreamingHttpResponse:
        """The whole file, or the part named by a Range header."""
        row = scope.export(account_of(request), export_id)
        if row.status != "Completed":
            raise WrongState(f"the export is {row.status}", field="status")
        return file_response(request, uri=row.uri, name=exports.file_name(row))
