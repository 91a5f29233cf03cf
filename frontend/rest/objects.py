"""Objects of a job, their labels and answers, adjudication, the preview of a task, and the images people see."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.images import image_response, image_url, object_response, read_token
from frontend.masks import mask_response
from frontend.networks import caller
from frontend.rest import schemas, schemas_work
from frontend.rest.fields import AnswerField, Body
from frontend.rest.idempotency import idempotent
from frontend.rest.paging import ListView, listed
from frontend.rest.scope import account_of, actor
from frontend.tasks import preview_payload
from labeling.models import DataObject, Label
from labeling.queries import people
from labeling.services import scope
from labeling.services.golds import keeping
from labeling.services.results import likely_errors
from marketplace.errors import NotFound
from marketplace.models import Role, User


class AdjudicationInput(Body):
    """The requester's own answer for an object, in the crowd element's form."""

    answer = AnswerField()


def label_row(label: Label) -> dict[str, Any]:
    """A label revision as the API shows it."""
    return {
        "revision": label.revision,
        "source": label.source,
        "algorithm": label.algorithm,
        "model_name": label.model_name or None,
        "confidence": label.confidence,
        "confidence_interval": label.confidence_interval,
        "value": label.value,
        "explanation": label.explanation,
        "content": label.content,
        "created_at": label.created_at,
        "taken_back": label.withdrawal.reason if hasattr(label, "withdrawal") else None,
    }


def object_row(row: DataObject, user: User) -> dict[str, Any]:
    """An object as lists show it."""
    return {
        "id": row.pk,
        "index": row.index,
        "state": row.state,
        "failure_reason": row.failure_reason or None,
        "source_ref": row.source_ref or None,
        "source_name": row.source_name or None,
        "width": row.width,
        "height": row.height,
        "image_url": image_url(row.pk, user.pk),
        "label": row.label.value if row.label else None,
        "source": row.label.source if row.label else None,
        "confidence": row.label.confidence if row.label else None,
        "difficulty": row.difficulty,
        "guideline_gap": row.guideline_gap,
        "likely_error": likely_errors.document(row),
    }


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
        return scope.objects(account_of(request), place["job_id"])

    def row(self, found: DataObject) -> dict[str, Any]:
        """With an image address for the caller."""
        return object_row(found, self.request.user)


class ObjectView(APIView):
    """One object."""

    @extend_schema(responses={200: schemas.Object}, operation_id="get_object")
    def get(self, request: Request, job_id: int, object_id: int) -> Response:
        """All label revisions with their explanations, and every worker's answer."""
        row = scope.data_object(scope.job(account_of(request), job_id), object_id)
        return Response(
            {
                **object_row(row, request.user),
                "labels": [label_row(lb) for lb in row.labels.select_related("withdrawal").order_by("-revision")],
                "answers": people.answers_of(row),
            }
        )


class PreviewView(APIView):
    """A task of the job as a worker will see it."""

    @extend_schema(responses={200: schemas_work.Task}, operation_id="preview_task")
    def get(self, request: Request, job_id: int) -> Response:
        """The same document that a worker's page gets for the job's first usable object; nothing is claimed."""
        return Response(preview_payload(scope.job(account_of(request), job_id), request.user.pk))


class AdjudicationView(APIView):
    """The requester's own label of an object."""

    @extend_schema(request=AdjudicationInput, responses={201: schemas.Label}, operation_id="adjudicate_object")
    @idempotent
    def post(self, request: Request, job_id: int, object_id: int) -> Response:
        """Store the requester's answer as the newest revision; it counts as ground truth from now on."""
        row = scope.data_object(scope.job(account_of(request, Role.MEMBER), job_id), object_id)
        data = AdjudicationInput(data=request.data)
        data.is_valid(raise_exception=True)
        label = keeping.decide(data_object=row, content=data.validated_data["answer"], by=actor(request))
        return Response(label_row(label), status=status.HTTP_201_CREATED)


class ImageView(APIView):
    """An object's image, upright; `side` asks for a smaller copy. A text object's text, as plain text in UTF-8.

    Pages have addresses with a `mask`: a small copy of the masks of one layer.
    """

    @extend_schema(responses={(200, "image/*"): OpenApiTypes.BINARY}, operation_id="get_image")
    def get(self, request: Request, token: str) -> HttpResponse:
        """The address is signed for one user and checked again against what they may see."""
        object_id, user_id = read_token(token)
        if user_id != request.user.pk:
            raise NotFound("there is no such image")
        row = scope.object_shown_to(request.user, object_id, caller(request))
        if token_of_masks := request.GET.get("mask"):
            return mask_response(row, token_of_masks, request)
        return object_response(row, request)


class ExampleView(APIView):
    """An example picture of the instructions."""

    @extend_schema(responses={(200, "image/*"): OpenApiTypes.BINARY}, operation_id="get_example")
    def get(self, request: Request, queue_id: int, kind: str, number: int) -> HttpResponse:
        """Good and bad examples, for the account's members and the workers the queue is open to."""
        example = scope.example_shown_to(request.user, queue_id, kind, number, caller(request))
        return image_response(example["uri"], request)
