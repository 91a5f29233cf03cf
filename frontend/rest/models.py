"""Trained models, trainings and their metrics, and the learning loop of a job."""

from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.rest import schemas
from frontend.rest.download import file_response
from frontend.rest.idempotency import idempotent
from frontend.rest.jobs import job_of
from frontend.rest.paging import Pages, filtered
from frontend.rest.scope import account_of, actor
from learning import queries
from learning.models import Model, TrainingJob, TrainingMetric
from learning.services import training
from marketplace import storage
from marketplace.errors import NotFound
from marketplace.models import Account, Role

PARTS = ("model.safetensors", "model.onnx", "config.json")


def model_row(model: Model) -> dict[str, Any]:
    """A model as the API shows it."""
    return {
        "id": model.pk,
        "name": model.name,
        "architecture": model.architecture,
        "labels": model.labels,
        "metrics": model.metrics,
        "artifact_url": f"/api/v1/models/{model.pk}/artifact",
        "parts": {part: f"/api/v1/models/{model.pk}/parts/{part}" for part in PARTS},
        "created_at": model.created_at,
    }


def model_of(account: Account, model_id: int) -> Model:
    """A model of the account. Raises NotFound."""
    found: Model | None = Model.objects.filter(pk=model_id, account=account).first()
    if found is None:
        raise NotFound(f"the account has no model {model_id}")
    return found


class ModelsView(APIView):
    """The account's models."""

    @extend_schema(responses={200: schemas.page("Model", schemas.Model)}, operation_id="list_models")
    def get(self, request: Request) -> Response:
        """Models, newest first; filters: name_contains, architecture."""
        rows = Model.objects.filter(account=account_of(request))
        rows = filtered(request, rows, {"name_contains": "name__icontains", "architecture": "architecture"})
        pages = Pages()
        page = pages.paginate_queryset(rows, request, self)
        return pages.get_paginated_response([model_row(m) for m in page or []])


class ModelView(APIView):
    """One model."""

    @extend_schema(responses={200: schemas.ModelDetail}, operation_id="get_model")
    def get(self, request: Request, model_id: int) -> Response:
        """The model with its configuration."""
        model = model_of(account_of(request), model_id)
        return Response({**model_row(model), "config": model.config})


class ModelArtifactView(APIView):
    """A model's archive."""

    @extend_schema(responses={(200, "application/gzip"): OpenApiTypes.BINARY}, operation_id="download_model")
    def get(self, request: Request, model_id: int) -> HttpResponse | StreamingHttpResponse:
        """model.tar.gz."""
        model = model_of(account_of(request), model_id)
        return file_response(request, uri=model.artifact_uri, name=f"{model.name}.tar.gz")


class ModelPartView(APIView):
    """One file of a model."""

    @extend_schema(
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY}, operation_id="download_model_part"
    )
    def get(self, request: Request, model_id: int, part: str) -> HttpResponse | StreamingHttpResponse:
        """model.safetensors, model.onnx or config.json."""
        model = model_of(account_of(request), model_id)
        if part not in PARTS:
            raise NotFound(f"a model has no part {part!r}; there are: {', '.join(PARTS)}")
        return file_response(request, uri=storage.join(model.parts_uri, part), name=f"{model.name}-{part}")


def training_row(job: TrainingJob) -> dict[str, Any]:
    """A training as the API shows it."""
    return {
        "id": job.pk,
        "name": job.name,
        "status": job.status,
        "failure_reason": job.failure_reason or None,
        "hyperparameters": job.hyperparameters,
        "progress": job.progress,
        "model": job.model_id,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "ended_at": job.ended_at,
    }


def training_of(account: Account, training_id: int) -> TrainingJob:
    """A training of the account. Raises NotFound."""
    found: TrainingJob | None = TrainingJob.objects.filter(pk=training_id, account=account).first()
    if found is None:
        raise NotFound(f"the account has no training job {training_id}")
    return found


class TrainingJobsView(APIView):
    """The account's trainings."""

    @extend_schema(responses={200: schemas.page("Training", schemas.Training)}, operation_id="list_training_jobs")
    def get(self, request: Request) -> Response:
        """Trainings, newest first; filters: status, name_contains."""
        rows = TrainingJob.objects.filter(account=account_of(request))
        rows = filtered(request, rows, {"status": "status", "name_contains": "name__icontains"})
        pages = Pages()
        page = pages.paginate_queryset(rows, request, self)
        return pages.get_paginated_response([training_row(t) for t in page or []])


class TrainingJobView(APIView):
    """One training."""

    @extend_schema(responses={200: schemas.TrainingDetail}, operation_id="get_training_job")
    def get(self, request: Request, training_id: int) -> Response:
        """The training and its curves."""
        job = training_of(account_of(request), training_id)
        curves: dict[str, list[dict[str, Any]]] = {}
        for m in TrainingMetric.objects.filter(training_job=job).order_by("name", "step"):
            curves.setdefault(m.name, []).append({"step": m.step, "epoch": m.epoch, "value": m.value, "at": m.at})
        return Response({**training_row(job), "metrics": curves})


class TrainingJobStopView(APIView):
    """Stopping a training."""

    @extend_schema(request=None, responses={200: schemas.Training}, operation_id="stop_training_job")
    @idempotent
    def post(self, request: Request, training_id: int) -> Response:
        """Stop; the model so far is kept."""
        job = training_of(account_of(request, Role.MEMBER), training_id)
        training.stop(training_job=job, by=actor(request))
        job.refresh_from_db()
        return Response(training_row(job))


class LoopView(APIView):
    """The learning loop of a job."""

    @extend_schema(responses={200: dict}, operation_id="get_learning_loop")
    def get(self, request: Request, job_id: int) -> Response:
        """Rounds with their figures, thresholds and curves."""
        view = queries.loop_view(job_of(account_of(request), job_id))
        if view is None:
            raise NotFound("the labeling job has no learning loop")
        return Response(view)
