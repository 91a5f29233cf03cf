"""What can be seen of a training: its curves, its sample predictions and its log."""

import dataclasses

from django.http import HttpResponse, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.images import image_response
from frontend.rest import schemas_trainings
from frontend.rest.download import file_response
from frontend.rest.paging import TEXT
from frontend.rest.scope import account_of
from learning.services import run_figures, run_records, scope
from marketplace import strict
from marketplace.errors import InvalidFilter

HOW_MANY = {"type": "integer", "minimum": run_figures.POINTS.low, "maximum": run_figures.POINTS.high}


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
