"""Trained models, trainings and their metrics, and the learning loop of a job."""

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
from labeling.services import scope as labeling_scope
from learning import queries
from learning.contract import model_files
from learning.models import Model, TrainingJob
from learning.services import registry, scope, training
from marketplace import names
from marketplace.errors import NotFound
from marketplace.models import Role


def model_row(model: Model) -> dict[str, Any]:
    """A model as the API shows it."""
    return {
        "id": model.pk,
        "name": model.name,
        "architecture": model.architecture,
        "labels": model.labels,
        "metrics": model.metrics,
        "artifact_url": f"/api/v1/models/{model.pk}/artifact",
        "parts": {part: f"/api/v1/models/{model.pk}/parts/{part}" for part in model_files(model.architecture)},
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


class TrainingInput(Body):
    """A training on the labels of a data set. Hyperparameters are texts, by their names here or in SageMaker."""

    name = serializers.RegexField(names.PATTERN, max_length=names.LENGTH.longest, required=False)
    dataset = serializers.IntegerField()
    validation = serializers.IntegerField(required=False)
    hyperparameters = serializers.DictField(child=serializers.CharField(), required=False)


@listed(
    operation="list_training_jobs",
    page=schemas.page("Training", schemas.Training),
    description="Trainings, newest first.",
)
class TrainingJobsView(ListView):
    """The account's trainings."""

    filters = {"status": "status", "name_contains": "name__icontains"}

    def rows(self, request: Request, **place: Any) -> QuerySet[TrainingJob]:
        """Of the account."""
        return queries.trainings(account_of(request))

    def row(self, found: TrainingJob) -> dict[str, Any]:
        """Without its curves."""
        return training_row(found)

    @extend_schema(request=TrainingInput, responses={201: schemas.Training}, operation_id="create_training_job")
    @idempotent
    def post(self, request: Request) -> Response:
        """Train a model on a data set's labels; label attribute, classes and learner are known for imported labels."""
        account = account_of(request, Role.MEMBER)
        data = TrainingInput(data=request.data)
        data.is_valid(raise_exception=True)
        given = dict(data.validated_data)
        for key in {"dataset", "validation"} & given.keys():
            given[key] = labeling_scope.dataset(account, given[key])
        job = training.train_on_dataset(account=account, by=actor(request), **given)
        return Response(training_row(job), status=status.HTTP_201_CREATED)


class TrainingJobView(APIView):
    """One training."""

    @extend_schema(responses={200: schemas.TrainingDetail}, operation_id="get_training_job")
    def get(self, request: Request, training_id: int) -> Response:
        """The training and its curves."""
        job = scope.training(account_of(request), training_id)
        return Response({**training_row(job), "metrics": training.curves(job)})


class TrainingJobStopView(APIView):
    """Stopping a training."""

    @extend_schema(request=None, responses={200: schemas.Training}, operation_id="stop_training_job")
    @idempotent
    def post(self, request: Request, training_id: int) -> Response:
        """Stop; the model so far is kept."""
        job = scope.training(account_of(request, Role.MEMBER), training_id)
        training.stop(training_job=job, by=actor(request))
        job.refresh_from_db()
        return Response(training_row(job))


class LoopView(APIView):
    """The learning loop of a job."""

    @extend_schema(responses={200: dict}, operation_id="get_learning_loop")
    def get(self, request: Request, job_id: int) -> Response:
        """Rounds with their figures, thresholds and curves."""
        view = queries.loop_view(labeling_scope.job(account_of(request), job_id))
        if view is None:
            raise NotFound("the labeling job has no learning loop")
        return Response(view)
