"""Trained models, trainings and their metrics, and the learning loop of a job."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.rest import schemas
from frontend.rest.download import file_response
from frontend.rest.paging import ListView, listed
from frontend.rest.scope import account_of
from labeling.services import scope as labeling_scope
from learning import queries
from learning.contract import MODEL_FILES
from learning.models import Model
from learning.services import registry, scope
from marketplace.errors import NotFound


def model_row(model: Model) -> dict[str, Any]:
    """A model as the API shows it."""
    return {
        "id": model.pk,
        "name": model.name,
        "architecture": model.architecture,
        "labels": model.labels,
        "metrics": model.metrics,
        "artifact_url": f"/api/v1/models/{model.pk}/artifact",
        "parts": {part: f"/api/v1/models/{model.pk}/parts/{part}" for part in MODEL_FILES},
        "created_at": model.created_at,
    }


@listed(operation="list_models", page=schemas.page("Model", schemas.Model), description="Models, newest first.")
class ModelsView(ListView):
    """The account's models."""

    filters = {"name_contains": "name__icontains", "architecture": "architecture"}

    def rows(self, request: Request, **place: Any) -> QuerySet[Model]:
        """Of the account."""
        return queries.models(account_of(request))

    def row(self, found: Model) -> dict[str, Any]:
        """Without its configuration."""
        return model_row(found)


class ModelView(APIView):
    """One model."""

    @extend_schema(responses={200: schemas.ModelDetail}, operation_id="get_model")
    def get(self, request: Request, model_id: int) -> Response:
        """The model with its configuration."""
        model = scope.model(account_of(request), model_id)
        return Response({**model_row(model), "config": model.config})


class ModelArtifactView(APIView):
    """A model's archive."""

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY}, operation_id="download_model")
    def get(self, request: Request, model_id: int) -> HttpResponse | StreamingHttpResponse:
        """model.tar.gz."""
        model = scope.model(account_of(request), model_id)
        return file_response(request, uri=model.artifact_uri, name=f"{model.name}.tar.gz")


class ModelPartView(APIView):
    """One file of a model."""

    @extend_schema(
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY}, operation_id="download_model_part"
    )
    def get(self, request: Request, model_id: int, part: str) -> HttpResponse | StreamingHttpResponse:
        """model.safetensors, model.onnx or config.json."""
        model = scope.model(account_of(request), model_id)
        return file_response(request, uri=registry.part_uri(model, part), name=f"{model.name}-{part}")


class LoopView(APIView):
    """The learning loop of a job."""

    @extend_schema(responses={200: dict}, operation_id="get_learning_loop")
    def get(self, request: Request, job_id: int) -> Response:
        """Rounds with their figures, thresholds and curves."""
        view = queries.loop_view(labeling_scope.job(account_of(request), job_id))
        if view is None:
            raise NotFound("the labeling job has no learning loop")
        return Response(view)
