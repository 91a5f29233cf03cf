"""Objects of a job, their labels and answers, adjudication, and the images people see."""

from typing import Any

from django.core import signing
from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.rest import schemas
from frontend.rest.idempotency import idempotent
from frontend.rest.jobs import job_of
from frontend.rest.paging import ListView, listed
from frontend.rest.scope import account_of, actor
from frontend.rest.work import IMAGE_SALT, image_url, task_payload
from labeling import queries
from labeling.models import Assignment, DataObject, Label, LabelingJob, Task
from labeling.services.intake import images
from labeling.services.results import adjudication
from marketplace.errors import NotFound, WrongState
from marketplace.models import Membership, Role, User


class AdjudicationInput(serializers.Serializer):
    """The requester's own boxes for an object, in the crowd element's form."""

    answer = serializers.JSONField()


def label_row(label: Label) -> dict[str, Any]:
    """A label revision as the API shows it."""
    return {
        "revision": label.revision,
        "source": label.source,
        "algorithm": label.algorithm,
        "model_name": label.model_name or None,
        "confidence": label.confidence,
        "value": label.value,
        "explanation": label.explanation,
        "created_at": label.created_at,
    }


def object_row(row: DataObject, user: User) -> dict[str, Any]:
    """An object as lists show it."""
    return {
        "id": row.pk,
        "index": row.index,
        "state": row.state,
        "failure_reason": row.failure_reason or None,
        "source_ref": row.source_ref or None,
        "width": row.width,
        "height": row.height,
        "image_url": image_url(row.pk, user.pk),
        "label": row.label.value if row.label else None,
        "source": row.label.source if row.label else None,
        "confidence": row.label.confidence if row.label else None,
    }


def object_of(job: LabelingJob, object_id: int) -> DataObject:
    """An object of the job. Raises NotFound."""
    found: DataObject | None = DataObject.objects.select_related("label").filter(pk=object_id, job=job).first()
    if found is None:
        raise NotFound(f"the labeling job has no object {object_id}")
    return found


@listed(
    operation="list_objects",
    page=schemas.page("Object", schemas.ObjectRow),
    description="Objects in manifest order.",
)
class ObjectsView(ListView):
    """The objects of a job."""

    filters = {"state": "state", "source": "label__source"}
    ordering = "index"

    def rows(self, request: Request, **place: Any) -> QuerySet[DataObject]:
        """Of one job, with their labels."""
        job = job_of(account_of(request), place["job_id"])
        return DataObject.objects.filter(job=job).select_related("label")

    def row(self, found: DataObject) -> dict[str, Any]:
        """With an image address for the caller."""
        return object_row(found, self.request.user)


class ObjectView(APIView):
    """One object."""

    @extend_schema(responses={200: schemas.Object}, operation_id="get_object")
    def get(self, request: Request, job_id: int, object_id: int) -> Response:
        """All label revisions with their explanations, and every worker's answer."""
        row = object_of(job_of(account_of(request), job_id), object_id)
        return Response(
            {
                **object_row(row, request.user),
                "labels": [label_row(lb) for lb in row.labels.order_by("-revision")],
                "answers": queries.answers_of(row),
            }
        )


def preview_payload(job: LabelingJob, user_id: int) -> dict[str, Any]:
    """A task of the job's first usable object as a worker's page gets it. Raises WrongState before there is one."""
    row = DataObject.objects.filter(job=job).exclude(width=None).exclude(state="Failed").order_by("index").first()
    if row is None:
        raise WrongState("the job has taken in no image yet")
    return task_payload(Task(job=job), job, row, user_id)


class PreviewView(APIView):
    """A task of the job as a worker will see it."""

    @extend_schema(responses={200: schemas.Task}, operation_id="preview_task")
    def get(self, request: Request, job_id: int) -> Response:
        """The very document a worker's page gets for the job's first usable object; nothing is claimed."""
        return Response(preview_payload(job_of(account_of(request), job_id), request.user.pk))


class AdjudicationView(APIView):
    """The requester's word on an object."""

    @extend_schema(request=AdjudicationInput, responses={201: schemas.Label}, operation_id="adjudicate_object")
    @idempotent
    def post(self, request: Request, job_id: int, object_id: int) -> Response:
        """Store the requester's boxes as the newest revision; it counts as gold from now on."""
        row = object_of(job_of(account_of(request, Role.MEMBER), job_id), object_id)
        data = AdjudicationInput(data=request.data)
        data.is_valid(raise_exception=True)
        label = adjudication.adjudicate(data_object=row, content=data.validated_data["answer"], by=actor(request))
        return Response(label_row(label), status=status.HTTP_201_CREATED)


def may_see(data_object: DataObject, user: User) -> bool:
    """Members of the job's account, and workers of its team, may see an image."""
    job = data_object.job
    if Membership.objects.filter(account_id=job.account_id, user=user).exists():
        return True
    if Assignment.objects.filter(job=job, task__data_object=data_object, worker__user=user).exists():
        return True
    return job.open and job.workteam.memberships.filter(worker__user=user).exists()


def image_response(uri: str, request: Request) -> HttpResponse | StreamingHttpResponse:
    """Stream an image through the web: no bucket has to be public and no CORS rule is needed."""
    picture = images.picture(uri=uri, max_side=_side(request))
    if request.META.get("HTTP_IF_NONE_MATCH") == picture.etag:
        response: HttpResponse = HttpResponse(status=304)
    else:
        response = HttpResponse(picture.content, content_type=picture.content_type)
    response["ETag"] = picture.etag
    response["Cache-Control"] = "private, max-age=3600"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _side(request: Request) -> int | None:
    text = request.query_params.get("side", "")
    return min(2048, max(32, int(text))) if text.isdigit() else None


class ImageView(APIView):
    """An object's image, upright; `side` asks for a smaller copy."""

    @extend_schema(responses={(200, "image/*"): OpenApiTypes.BINARY}, operation_id="get_image")
    def get(self, request: Request, token: str) -> HttpResponse | StreamingHttpResponse:
        """The address is signed for one user and checked again against what they may see."""
        try:
            object_id, user_id = signing.loads(token, salt=IMAGE_SALT)
        except signing.BadSignature:
            raise NotFound("there is no such image") from None
        row = DataObject.objects.select_related("job__workteam").filter(pk=object_id).first()
        if row is None or user_id != request.user.pk or not may_see(row, request.user):
            raise NotFound("there is no such image")
        return image_response(images.image_uri(data_object=row), request)


class ExampleView(APIView):
    """An example picture of the instructions."""

    @extend_schema(responses={(200, "image/*"): OpenApiTypes.BINARY}, operation_id="get_example")
    def get(self, request: Request, job_id: int, kind: str, number: int) -> HttpResponse | StreamingHttpResponse:
        """Good and bad examples, for the account's members and the team's workers."""
        job = LabelingJob.objects.select_related("workteam").filter(pk=job_id).first()
        allowed = job is not None and (
            Membership.objects.filter(account_id=job.account_id, user=request.user).exists()
            or job.workteam.memberships.filter(worker__user=request.user).exists()
        )
        examples = job.instructions.get(kind, []) if job is not None and allowed else []
        if kind not in ("good_examples", "bad_examples") or number >= len(examples):
            raise NotFound("there is no such example")
        return image_response(examples[number]["uri"], request)
