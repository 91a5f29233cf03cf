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

from frontend.rest import schemas, schemas_trainings
from frontend.rest.download import file_response
from frontend.rest.fields import Body, members
from frontend.rest.idempotency import idempotent
from frontend.rest.paging import ListView, listed
from frontend.rest.scope import account_of, actor
from labeling.services import scope as labeling_scope
from labeling.services.jobs import limits
from learning import queries
from learning.contract import model_files
from learning.models import Model, TrainingJob
from learning.services import channels as accepted
from learning.services import model_approval, registry, run_deletion, run_figures, scope, training
from learning.services.model_uses import uses_of
from learning.services.programs.channel_formats import CONTENT_TYPES
from learning.services.programs.channel_images import INPUT_MODES
from marketplace import arns, names
from marketplace.errors import Invalid, NotFound
from marketplace.models import Role
from marketplace.services import boundaries


def model_row(model: Model) -> dict[str, Any]:
    """A model as the API shows it."""
    return {
        "id": model.pk,
        "name": model.name,
        "architecture": model.architecture,
        "labels": model.labels,
        "metrics": model.metrics,
        "group": model.group.name if model.group else None,
        "version": model.version,
        "approval_status": model.status,
        "approval_comment": model.comment,
        "decided_by": model.decided_by or None,
        "decided_at": model.status_changed_at if model.decided_by else None,
        "artifact_url": f"/api/v1/models/{model.pk}/artifact",
        "parts": {part: f"/api/v1/models/{model.pk}/parts/{part}" for part in model_files(model.architecture)},
        "created_at": model.created_at,
    }


def model_detail(model: Model) -> dict[str, Any]:
    """A model as the API shows it alone."""
    return {
        **model_row(model),
        "config": model.config,
        "arn": registry.arn(model),
        "parent": model.lineage.get("parent"),
        "lineage": model.lineage,
        "uses": uses_of(model),
    }


@listed(operation="list_models", page=schemas.page("Model", schemas.Model), description="Models, newest first.")
class ModelsView(ListView):
    """The account's models."""

    filters = {
        "name_contains": "name__icontains",
        "architecture": "architecture",
        "group": "group__name",
        "approval_status": "status",
    }

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
        """The model with its configuration and where it comes from."""
        return Response(model_detail(scope.model(account_of(request), model_id)))

    @extend_schema(request=None, responses={204: None}, operation_id="delete_model")
    def delete(self, request: Request, model_id: int) -> Response:
        """Delete its files; refused while something uses the model. Its name stays taken, for those that come of it."""
        model = scope.model(account_of(request, Role.MEMBER), model_id)
        model_approval.delete(model=model, by=actor(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


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
        "objective": run_figures.newest(job, run_figures.OBJECTIVE),
        "seconds": training.seconds(job),
        "model": job.model_id,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "ended_at": job.ended_at,
    }


class ImageChannel(Body):
    """A channel of images with labels: an augmented manifest, or whatever its content type says.

    With the input mode Pipe or FastFile the images are read while the training runs, instead of being copied before.
    """

    uri = serializers.CharField(max_length=boundaries.URI_LENGTH.longest)
    content_type = serializers.ChoiceField(CONTENT_TYPES, required=False)
    input_mode = serializers.ChoiceField(INPUT_MODES, required=False)
    images_uri = serializers.CharField(max_length=boundaries.URI_LENGTH.longest, required=False)
    attribute_names = serializers.ListField(
        child=serializers.CharField(max_length=limits.LABEL_ATTRIBUTE_NAME_LENGTH.longest),
        min_length=accepted.ATTRIBUTE_NAMES.low,
        max_length=accepted.ATTRIBUTE_NAMES.longest,
        required=False,
    )


class AnnotationChannel(Body):
    """The folder with one JSON file for each image of a channel of images."""

    uri = serializers.CharField(max_length=boundaries.URI_LENGTH.longest)


class ModelChannel(Body):
    """The model to start from, by its name or ARN."""

    name = serializers.CharField(max_length=arns.LENGTH.longest)


class TrainingChannels(Body):
    """What a training reads."""

    train = ImageChannel()
    validation = ImageChannel(required=False)
    train_annotation = AnnotationChannel(required=False)
    validation_annotation = AnnotationChannel(required=False)
    model = ModelChannel(required=False)


class TrainingInput(Body):
    """A training on the labels of a data set, or on channels. Hyperparameters are texts, by their names here or in
    SageMaker."""

    name = serializers.RegexField(names.PATTERN, max_length=names.LENGTH.longest, required=False)
    dataset = serializers.IntegerField(required=False)
    validation = serializers.IntegerField(required=False)
    input_mode = serializers.ChoiceField(INPUT_MODES, required=False)
    channels = TrainingChannels(required=False)
    model = serializers.IntegerField(required=False, help_text="a model of the account to start from")
    hyperparameters = serializers.DictField(child=serializers.CharField(), required=False)


@listed(
    operation="list_training_jobs",
    page=schemas.page("Training", schemas_trainings.Training),
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

    @extend_schema(
        request=TrainingInput, responses={201: schemas_trainings.Training}, operation_id="create_training_job"
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Train a model on a data set's labels, whose import says the attribute, the classes and the learner, or on
        channels."""
        account = account_of(request, Role.MEMBER)
        given = members(TrainingInput, request)
        if ("dataset" in given) == ("channels" in given):
            raise Invalid("either a data set or channels are to be given", field="dataset")
        if "channels" in given:
            job = training.train_on_channels(account=account, by=actor(request), **given)
            return Response(training_row(job), status=status.HTTP_201_CREATED)
        for key in {"dataset", "validation"} & given.keys():
            given[key] = labeling_scope.dataset(account, given[key])
        if "model" in given:
            given["earlier"] = scope.model(account, given.pop("model"))
        job = training.train_on_dataset(account=account, by=actor(request), **given)
        return Response(training_row(job), status=status.HTTP_201_CREATED)


class TrainingJobView(APIView):
    """One training."""

    @extend_schema(responses={200: schemas_trainings.TrainingDetail}, operation_id="get_training_job")
    def get(self, request: Request, training_id: int) -> Response:
        """The training and its curves."""
        job = scope.training(account_of(request), training_id)
        newest = {name: point[0] for name, point in job.newest.items()}
        seen = {"channels": job.channels, "newest": newest, "seconds_left": run_figures.seconds_left(job)}
        return Response({**training_row(job), **seen, "metrics": training.curves(job)})

    @extend_schema(request=None, responses={204: None}, operation_id="delete_training_job")
    def delete(self, request: Request, training_id: int) -> Response:
        """Delete a training that has ended, with its curves, log and samples; the model that it made stays."""
        job = scope.training(account_of(request, Role.MEMBER), training_id)
        run_deletion.delete_training(training_job=job, by=actor(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class TrainingJobStopView(APIView):
    """Stopping a training."""

    @extend_schema(request=None, responses={200: schemas_trainings.Training}, operation_id="stop_training_job")
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
