"""Data sets: from a folder, a zip, a prefix or a manifest; uploads are streamed into the store first."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend import uploads
from frontend.bodies import takes_files
from frontend.rest import schemas
from frontend.rest.fields import Body, FiniteFloatField
from frontend.rest.idempotency import idempotent
from frontend.rest.paging import ListView, listed
from frontend.rest.parsing import FilesParser, JSONParser
from frontend.rest.scope import account_of, actor
from labeling.formats import inaturalist
from labeling.models import BadLine, Dataset
from labeling.services import scope
from labeling.services.intake import datasets, deletion, selection, sources
from labeling.services.intake.inaturalist import LICENSES_COUNT
from marketplace import names
from marketplace.errors import Invalid
from marketplace.models import Role
from marketplace.services.boundaries import URI_LENGTH

FORM = {
    "type": "object",
    "required": ["files"],
    "properties": {
        "folder": {
            "type": "string",
            "pattern": f"{uploads.FOLDER}|^$",
            "description": "what an earlier upload answered, to continue it",
        },
        "files": {"type": "array", "minItems": 1, "items": {"type": "string", "format": "binary"}},
    },
}
"""The form with which files are sent."""


class SelectionInput(Body):
    """Which objects: all, a random percentage, or only those that meet a condition."""

    kind = serializers.ChoiceField(choices=list(selection.KINDS))
    percent = FiniteFloatField(required=False, **selection.PERCENT.bounds)
    seed = serializers.IntegerField(required=False, **selection.SEED.bounds)
    where = serializers.CharField(required=False, max_length=selection.CONDITION_LENGTH.longest)


class DatasetInput(Body):
    """A data set's name and what it is made from. `uri` is an address in a store, or what an upload answered."""

    name = serializers.RegexField(names.PATTERN, max_length=names.LENGTH.longest)
    kind = serializers.ChoiceField(choices=list(sources.KINDS))
    uri = serializers.CharField(max_length=URI_LENGTH.longest)
    selection = SelectionInput(required=False)
    licenses = serializers.ListField(
        child=serializers.ChoiceField(choices=list(inaturalist.LICENSES)),
        required=False,
        min_length=LICENSES_COUNT.low,
        max_length=LICENSES_COUNT.longest,
        help_text="of an iNaturalist export: the licenses whose images are taken",
    )


class InaturalistExportInput(Body):
    """The address of an iNaturalist export: a CSV file, or the zip file with it."""

    uri = serializers.CharField(max_length=URI_LENGTH.longest)


def dataset_row(row: Dataset) -> dict[str, Any]:
    """A data set as the API shows it."""
    return {
        "id": row.pk,
        "name": row.name,
        "status": row.status,
        "failure_reason": row.failure_reason or None,
        "source": row.source,
        "manifest_uri": row.manifest_uri or None,
        "lines_read": row.lines_read,
        "objects_total": row.objects_total,
        "bad_lines": row.bad_lines,
        "progress": row.progress,
        "created_at": row.created_at,
    }


@listed(
    operation="list_datasets",
    page=schemas.page("Dataset", schemas.Dataset),
    description="Data sets, newest first.",
)
class DatasetsView(ListView):
    """The account's data sets."""

    filters = {"status": "status", "name_contains": "name__icontains"}

    def rows(self, request: Request, **place: Any) -> QuerySet[Dataset]:
        """Of the account."""
        return scope.datasets(account_of(request))

    def row(self, found: Dataset) -> dict[str, Any]:
        """As one alone is shown."""
        return dataset_row(found)

    @extend_schema(request=DatasetInput, responses={201: schemas.Dataset}, operation_id="create_dataset")
    @idempotent
    def post(self, request: Request) -> Response:
        """Start creating a data set; follow `status` and `progress`."""
        account = account_of(request, Role.MEMBER)
        data = DatasetInput(data=request.data)
        data.is_valid(raise_exception=True)
        given = data.validated_data
        source = {"kind": given["kind"], "uri": given["uri"]}
        if "selection" in given:
            source["selection"] = dict(given["selection"])
        if "licenses" in given:
            source["licenses"] = given["licenses"]
        row = datasets.create_dataset(account=account, name=given["name"], source=source, by=actor(request))
        return Response(dataset_row(row), status=status.HTTP_201_CREATED)


class InaturalistLicensesView(APIView):
    """What an iNaturalist export holds, before a data set is made of it."""

    @extend_schema(
        request=InaturalistExportInput,
        responses={200: schemas.InaturalistLicenses},
        operation_id="count_inaturalist_licenses",
    )
    def post(self, request: Request) -> Response:
        """Count the images by license, so that a choice can be made; nothing is stored or downloaded."""
        account = account_of(request, Role.MEMBER)
        data = InaturalistExportInput(data=request.data)
        data.is_valid(raise_exception=True)
        found = datasets.preview_inaturalist(account=account, uri=data.validated_data["uri"])
        bad = [{"number": row.line, "reason": row.reason, "excerpt": row.excerpt} for row in found.bad]
        told = {"rows": found.rows, "licenses": found.counted(), "bad_rows": found.bad_rows, "first_bad_rows": bad}
        return Response(told)


class DatasetView(APIView):
    """One data set."""

    @extend_schema(responses={200: schemas.Dataset}, operation_id="get_dataset")
    def get(self, request: Request, dataset_id: int) -> Response:
        """Status, counts and progress."""
        return Response(dataset_row(scope.dataset(account_of(request), dataset_id)))

    @extend_schema(responses={204: None}, operation_id="delete_dataset")
    def delete(self, request: Request, dataset_id: int) -> Response:
        """Delete a data set that has ended and that no labeling job uses; its files go after a while."""
        row = scope.dataset(account_of(request, Role.MEMBER), dataset_id)
        deletion.delete_dataset(dataset=row, by=actor(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class DatasetStopView(APIView):
    """Stopping a data set that is being created."""

    @extend_schema(request=None, responses={200: schemas.Dataset}, operation_id="stop_dataset")
    @idempotent
    def post(self, request: Request, dataset_id: int) -> Response:
        """Stop creating it; what was ingested so far is discarded."""
        row = scope.dataset(account_of(request, Role.MEMBER), dataset_id)
        datasets.stop_dataset(dataset=row, by=actor(request))
        row.refresh_from_db()
        return Response(dataset_row(row))


class BadLinesView(ListView):
    """Refused lines of an input, whatever it is the input of."""

    ordering = "number"

    def row(self, found: BadLine) -> dict[str, Any]:
        """Number, reason, and how the line begins."""
        return {"number": found.number, "reason": found.reason, "excerpt": found.excerpt}


@listed(
    operation="list_dataset_bad_lines",
    page=schemas.BAD_LINES,
    description="Refused lines with number and reason.",
)
class DatasetBadLinesView(BadLinesView):
    """What a data set refused."""

    def rows(self, request: Request, **place: Any) -> QuerySet[BadLine]:
        """Of one data set."""
        return BadLine.objects.filter(dataset=scope.dataset(account_of(request), place["dataset_id"]))


@takes_files
class UploadsView(APIView):
    """Files from the browser or a program, one or many at a time, streamed into the store."""

    parser_classes = [FilesParser, JSONParser]

    @extend_schema(request={"multipart/form-data": FORM}, responses={201: schemas.Upload}, operation_id="upload_files")
    def post(self, request: Request) -> Response:
        """Store the files of the form field `files` in one folder; `folder` continues an earlier upload.

        Any file name is taken, with folders or without, and kept as the file's name; files are stored under other keys.
        """
        account = account_of(request, Role.MEMBER)
        # A JSON body may be anything; it never holds a file.
        named = request.data.get("folder") if isinstance(request.data, dict) else None
        folder, root = uploads.folder_uri(account, str(named or ""))
        files = request.FILES.getlist("files")
        if not files:
            raise Invalid("no file was sent in the form field 'files'", field="files")
        stored = [file._asdict() for file in uploads.store_files(root, files)]
        return Response({"folder": folder, "uri": root, "files": stored}, status=status.HTTP_201_CREATED)
