"""Predictions of a model over a data set: create, follow, download, and make a data set of the labels."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.rest import schemas, schemas_registry
from frontend.rest.datasets import dataset_row
from frontend.rest.download import file_response
from frontend.rest.fields import Body, members
from frontend.rest.idempotency import idempotent
from frontend.rest.paging import ListView, listed
from frontend.rest.scope import account_of, actor
from labeling.services import scope as labeling_scope
from labeling.services.jobs.limits import LABEL_ATTRIBUTE_NAME_LENGTH
from learning import queries
from learning.models import TransformJob
from learning.services import run_deletion, scope, transform_outputs, transforms
from marketplace import names
from marketplace.models import Role


def transform_row(run: TransformJob) -> dict[str, Any]:
    """A prediction over a data set as the API shows it."""
    return {
        "id": run.pk,
        "name": run.name,
        "status": run.status,
        "failure_reason": run.failure_reason or None,
        "model": run.model_id,
        "dataset": run.dataset_id,
        "label_attribute_name": run.label_attribute_name or None,
        "hyperparameters": run.hyperparameters,
        "progress": run.progress,
        "parts": {part: f"/api/v1/transform-jobs/{run.pk}/parts/{part}" for part in transform_outputs.parts(run)},
        "created_at": run.created_at,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
    }


class TransformInput(Body):
    """A prediction of every image of a data set. Hyperparameters are texts, such as {"score_threshold": "0.5"}."""

    name = serializers.RegexField(names.PATTERN, max_length=names.LENGTH.longest)
    model = serializers.IntegerField()
    dataset = serializers.IntegerField()
    label_attribute_name = serializers.CharField(
        default=transforms.DEFAULT_ATTRIBUTE, max_length=LABEL_ATTRIBUTE_NAME_LENGTH.longest
    )
    hyperparameters = serializers.DictField(child=serializers.CharField(), required=False)


@listed(
    operation="list_transform_jobs",
    page=schemas.page("Transform", schemas_registry.Transform),
    description="Predictions over data sets, newest first.",
)
class TransformJobsView(ListView):
    """The account's predictions over data sets."""

    filters = {"status": "status", "name_contains": "name__icontains"}

    def rows(self, request: Request, **place: Any) -> QuerySet[TransformJob]:
        """Of the account."""
        return queries.transforms(account_of(request))

    def row(self, found: TransformJob) -> dict[str, Any]:
        """As one alone is shown."""
        return transform_row(found)

    @extend_schema(
        request=TransformInput, responses={201: schemas_registry.Transform}, operation_id="create_transform_job"
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Predict a data set; follow `status` and `progress`, then download `parts`."""
        account = account_of(request, Role.MEMBER)
        given = members(TransformInput, request)
        given["model"] = scope.model(account, given["model"])
        given["dataset"] = labeling_scope.dataset(account, given["dataset"])
        run = transforms.predict_dataset(account=account, by=actor(request), **given)
        return Response(transform_row(run), status=status.HTTP_201_CREATED)


class TransformJobView(APIView):
    """One prediction over a data set."""

    @extend_schema(responses={200: schemas_registry.Transform}, operation_id="get_transform_job")
    def get(self, request: Request, transform_id: int) -> Response:
        """Status, progress and, once it is Completed, its files."""
        return Response(transform_row(scope.transform(account_of(request), transform_id)))

    @extend_schema(request=None, responses={204: None}, operation_id="delete_transform_job")
    def delete(self, request: Request, transform_id: int) -> Response:
        """Delete a prediction that has ended, with its output and its log; data sets made of it stay."""
        run = scope.transform(account_of(request, Role.MEMBER), transform_id)
        run_deletion.delete_transform(transform_job=run, by=actor(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class TransformJobStopView(APIView):
    """Stopping a prediction."""

    @extend_schema(request=None, responses={200: schemas_registry.Transform}, operation_id="stop_transform_job")
    @idempotent
    def post(self, request: Request, transform_id: int) -> Response:
        """Stop; nothing of it is kept."""
        run = scope.transform(account_of(request, Role.MEMBER), transform_id)
        transforms.stop(transform_job=run, by=actor(request))
        run.refresh_from_db()
        return Response(transform_row(run))


class TransformJobPartView(APIView):
    """One file of a prediction's output."""

    @extend_schema(
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY}, operation_id="download_transform_job_part"
    )
    def get(self, request: Request, transform_id: int, output: str) -> HttpResponse | StreamingHttpResponse:
        """output.manifest (labels), annotations.jsonl (the built-in algorithm's JSON) or predictions.jsonl."""
        run = scope.transform(account_of(request), transform_id)
        return file_response(request, uri=transform_outputs.found_part(run, output), name=f"{run.name}-{output}")


class TransformDatasetInput(Body):
    """The name of the data set that is made of the labels."""

    name = serializers.RegexField(names.PATTERN, max_length=names.LENGTH.longest)


class TransformJobDatasetView(APIView):
    """Making a data set of a prediction's labels."""

    @extend_schema(
        request=TransformDatasetInput, responses={201: schemas.Dataset}, operation_id="create_dataset_of_transform_job"
    )
    @idempotent
    def post(self, request: Request, transform_id: int) -> Response:
        """Make a data set with these labels, for an adjustment or verification job to show to people."""
        run = scope.transform(account_of(request, Role.MEMBER), transform_id)
        given = members(TransformDatasetInput, request)
        row = transform_outputs.make_dataset(run=run, name=given["name"], by=actor(request))
        return Response(dataset_row(row), status=status.HTTP_201_CREATED)
