"""Trainings: create, list, read, stop; their curves, sample predictions and log."""

import dataclasses
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.images import image_response
from frontend.rest import schemas, schemas_trainings
from frontend.rest.download import file_response
from frontend.rest.fields import Body
from frontend.rest.idempotency import idempotent
from frontend.rest.paging import TEXT, ListView, listed
from frontend.rest.scope import account_of, actor
from labeling.services import scope as labeling_scope
from learning import queries
from learning.models import TrainingJob
from learning.services import run_figures, run_records, scope, training
from marketplace import names, strict
from marketplace.errors import InvalidFilter
from marketplace.models import Role
from marketplace.services.boundaries import URI_LENGTH

HOW_MANY = {"type": "integer", "minimum": run_figures.POINTS.low, "maximum": run_figures.POINTS.high}


def training_row(job: TrainingJob, *, detail: bool = False) -> dict[str, Any]:
    """A training as the API shows it; the time that is left takes a query, so that only `detail` has it."""
    return {
        "id": job.pk,
        "name": job.name,
        "status": job.status,
        "failure_reason": job.failure_reason or None,
        "hyperparameters": job.hyperparameters,
        "progress": job.progress,
        "objective": run_figures.newest(job, run_figures.OBJECTIVE),
        "seconds": training.seconds(job),
        "seconds_left": run_figures.seconds_left(job) if detail else None,
        "model": job.model_id,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "ended_at": job.ended_at,
    }


class TrainingInput(Body):
    """A training on the labels of a data set, or of the manifest at an address; the latter needs a name.

    Hyperparameters are texts, by their names here or in SageMaker. `model` is an earlier one to start from.
    """

    name = serializers.RegexField(names.PATTERN, max_length=names.LENGTH.longest, required=False)
    dataset = serializers.IntegerField(required=False)
    validation = serializers.IntegerField(required=False)
    manifest_uri = serializers.CharField(max_length=URI_LENGTH.longest, required=False)
    validation_uri = serializers.CharField(max_length=URI_LENGTH.longest, required=False)
    model = serializers.IntegerField(required=False)
    hyperparameters = serializers.DictField(child=serializers.CharField(), required=False)

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        """Exactly one thing to learn from, with what belongs to it."""
        if ("dataset" in given) == ("manifest_uri" in given):
            raise serializers.ValidationError({"dataset": "either a data set or a manifest_uri is expected"})
        strange, where = ("validation", "a manifest") if "manifest_uri" in given else ("validation_uri", "a data set")
        if strange in given:
            raise serializers.ValidationError({strange: f"does not belong to {where}"})
        if "manifest_uri" in given and "name" not in given:
            raise serializers.ValidationError({"name": "a training on a manifest needs a name"})
        return given


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
        """Train a detector on a data set's labels; label attribute and classes are known for imported labels."""
        account = account_of(request, Role.MEMBER)
        data = TrainingInput(data=request.data)
        data.is_valid(raise_exception=True)
        given = dict(data.validated_data)
        for key in {"dataset", "validation"} & given.keys():
            given[key] = labeling_scope.dataset(account, given[key])
        if "model" in given:
            given["earlier"] = scope.model(account, given.pop("model"))
        start = training.train_on_dataset if "dataset" in given else training.train_on_manifest
        job = start(account=account, by=actor(request), **given)
        return Response(training_row(job), status=status.HTTP_201_CREATED)


class TrainingJobView(APIView):
    """One training."""

    @extend_schema(responses={200: schemas_trainings.TrainingDetail}, operation_id="get_training_job")
    def get(self, request: Request, training_id: int) -> Response:
        """The training and its curves."""
        job = scope.training(account_of(request), training_id)
        newest = {name: point[0] for name, point in job.newest.items()}
        more = {"channels": job.channels, "newest": newest, "metrics": training.curves(job)}
        return Response({**training_row(job, detail=True), **more})


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


class TrainingMetricsView(APIView):
    """The curves of a training."""

    @extend_schema(
        parameters=[
            OpenApiParameter("name", TEXT, description="only this metric"),
            OpenApiParameter("points", HOW_MANY, description="about so many points of each curve at most"),
        ],
        responses={200: schemas_trainings.Curves},
        operation_id="get_training_job_metrics",
    )
    def get(self, request: Request, training_id: int) -> Response:
        """The curves, thinned: of a longer one each point is the mean of the values around it."""
        job = scope.training(account_of(request), training_id)
        asked = request.query_params
        if unknown := sorted(set(asked) - {"name", "points"}):
            raise InvalidFilter("this parameter does not exist; there are: name, points", field=unknown[0])
        given = asked.get("points", str(run_figures.DRAWN))
        points = strict.whole_number(given, allowed=run_figures.POINTS)
        if points is None:
            raise InvalidFilter(f"{given[:40]!r} found, {run_figures.POINTS} expected", field="points")
        name = asked.get("name")
        if name is not None and (problem := strict.text_problem(name)):
            raise InvalidFilter(problem, field="name")
        curves = run_figures.thinned(job, names=None if name is None else [name], points=points)
        return Response({"metrics": curves})


class TrainingSamplesView(APIView):
    """Sample predictions of a training."""

    @extend_schema(responses={200: schemas_trainings.Samples}, operation_id="get_training_job_samples")
    def get(self, request: Request, training_id: int) -> Response:
        """A few pictures of the validation split with the truth, and what each of the last evaluations found."""
        job = scope.training(account_of(request), training_id)
        found = dataclasses.asdict(run_records.samples(job))
        for number, image in enumerate(found["images"]):
            image["image_url"] = f"/api/v1/training-jobs/{job.pk}/samples/{number}/image"
            del image["file"]
        return Response(found)


class TrainingSampleImageView(APIView):
    """The picture of a sample."""

    @extend_schema(responses={(200, "image/jpeg"): OpenApiTypes.BINARY}, operation_id="get_training_job_sample_image")
    def get(self, request: Request, training_id: int, sample: int) -> HttpResponse:
        """A small copy."""
        job = scope.training(account_of(request), training_id)
        return image_response(run_records.sample_image_uri(job, sample), request)


class TrainingLogView(APIView):
    """The end of the log of a training."""

    @extend_schema(responses={(200, "text/plain"): OpenApiTypes.STR}, operation_id="get_training_job_log")
    def get(self, request: Request, training_id: int) -> HttpResponse:
        """The last 64 KiB so far, without the lines that only repeat metrics."""
        job = scope.training(account_of(request), training_id)
        return HttpResponse(run_records.log_tail(job), content_type="text/plain; charset=utf-8")


class TrainingLogFileView(APIView):
    """The whole log of a training."""

    @extend_schema(
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY}, operation_id="download_training_job_log"
    )
    def get(self, request: Request, training_id: int) -> HttpResponse | StreamingHttpResponse:
        """The log as a file, once the program has ended."""
        job = scope.training(account_of(request), training_id)
        return file_response(request, uri=run_records.log_uri(job), name=f"{job.name}-log.txt")
