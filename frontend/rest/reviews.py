"""Answers under review: list them, accept and reject one or many, and draw a random sample to look at."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.images import image_url
from frontend.rest import paging, review_schemas, schemas
from frontend.rest.appeals import appeal_row
from frontend.rest.fields import Body, FiniteFloatField
from frontend.rest.idempotency import idempotent
from frontend.rest.paging import ListView, listed
from frontend.rest.scope import account_of, actor
from labeling.models import AnswerReview, WorkQueue
from labeling.services import scope
from labeling.services.jobs import limits
from labeling.services.results import deciding, history, review_lists, reviewers
from labeling.services.results.review_lists import ReviewFilter
from marketplace import money
from marketplace.models import Role

FILTERS = {
    "state": "state",
    "worker": "worker__public_id",
    "label": "labels__contains",
    "submitted_before": "submitted_at__lte",
    "most_agreement": "agreement__lte",
    "sampled": "sampled",
}
SHAPES = {"submitted_before": paging.MOMENT, "most_agreement": paging.SHARE, "sampled": paging.FLAG}
"""By what lists of answers under review are filtered."""


class FilterInput(Body):
    """Which pending answers; a part that is left out leaves all in."""

    worker = serializers.CharField(required=False, max_length=review_lists.WORKER_LENGTH.longest)
    label = serializers.CharField(required=False, max_length=limits.LABEL_LENGTH.longest)
    submitted_before = serializers.DateTimeField(required=False)
    most_agreement = FiniteFloatField(required=False, **review_lists.AGREEMENT.bounds)
    sampled = serializers.BooleanField(required=False, allow_null=True, default=None)

    def filter(self, reviewer: int | None = None) -> ReviewFilter:
        """The service's own, for a reviewer if one is given. Raises ValidationError naming what is wrong."""
        self.is_valid(raise_exception=True)
        given = {name: self.validated_data[name] for name in FilterInput().fields if name in self.validated_data}
        return ReviewFilter(**given, reviewer=reviewer)


class RejectionInput(Body):
    """Why, and whether the task goes back to the same worker first."""

    reason = serializers.CharField(max_length=deciding.REASON_LENGTH.longest)
    return_to_worker = serializers.BooleanField(default=False)


class RejectSomeInput(FilterInput):
    """Which pending answers, and why."""

    reason = serializers.CharField(max_length=deciding.REASON_LENGTH.longest)
    return_to_worker = serializers.BooleanField(default=False)


class SampleInput(FilterInput):
    """How many answers, of which pending ones."""

    size = serializers.IntegerField(**review_lists.SAMPLE.bounds)


def review_row(row: AnswerReview, deciders: Mapping[int, str] | None = None) -> dict[str, Any]:
    """A review as the API shows it; `deciders` names the reviewers who decided, else they are looked up."""
    deciders = reviewers.deciders([row]) if deciders is None else deciders
    return {
        "id": row.pk,
        "state": row.state,
        "assignment_id": row.assignment_id,
        "worker": row.worker.public_id,
        "price": money.text(row.price_micros),
        "submitted_at": row.submitted_at,
        "due_at": row.due_at,
        "decided_at": row.decided_at,
        "reviewer": deciders.get(row.pk),
        "reason": row.reason or None,
        "returned": row.returned,
        "labels": row.labels,
        "agreement": row.agreement,
        "sampled": row.sampled,
    }


@listed(
    operation="list_answer_reviews",
    page=schemas.page("AnswerReview", review_schemas.ReviewRow),
    description="Answers to a job with a review, newest first.",
)
class ReviewsView(ListView):
    """The answers to a job that are or were under review."""

    filters = FILTERS
    shapes = SHAPES

    def rows(self, request: Request, **place: Any) -> QuerySet[AnswerReview]:
        """With the answer, the object's label and the appeal."""
        job = scope.job(account_of(request), place["job_id"])
        return history.shown(review_lists.reviews(job.queue))

    def page(self, found: list[AnswerReview]) -> list[tuple[AnswerReview, dict[int, str]]]:
        """With the reviewers who decided."""
        deciders = reviewers.deciders(found)
        return [(row, deciders) for row in found]

    def row(self, found: tuple[AnswerReview, dict[int, str]]) -> dict[str, Any]:
        """The answer beside the label."""
        review, deciders = found
        shown = review.assignment.task.data_object
        return {
            **review_row(review, deciders),
            "object_id": shown.pk if shown else None,
            "object_index": shown.index if shown else None,
            "image_url": image_url(shown.pk, self.request.user.pk) if shown else None,
            "answer": history.content(review),
            "label": shown.label.value if shown and shown.label else None,
            "appeal": appeal_row(review.appeal) if hasattr(review, "appeal") else None,
        }


def sampled(request: Request, queue: WorkQueue, *, reviewer: int | None = None) -> Response:
    """Draw a sample as the body says, of the answers that a reviewer may decide about if one is given."""
    data = SampleInput(data=request.data)
    wanted = data.filter(reviewer)
    return Response({"sampled": review_lists.draw_sample(queue=queue, size=data.validated_data["size"], wanted=wanted)})


def accepted_some(request: Request, queue: WorkQueue, *, by: str, reviewer: int | None = None) -> Response:
    """Accept what the filter in the body keeps, of the answers that a reviewer may decide about if one is given."""
    wanted = FilterInput(data=request.data).filter(reviewer)
    return Response(deciding.accept_where(queue=queue, wanted=wanted, by=by)._asdict())


def rejected_some(request: Request, queue: WorkQueue, *, by: str, reviewer: int | None = None) -> Response:
    """Reject what the filter in the body keeps, of the answers that a reviewer may decide about if one is given."""
    data = RejectSomeInput(data=request.data)
    wanted = data.filter(reviewer)
    done = deciding.reject_where(
        queue=queue,
        wanted=wanted,
        reason=data.validated_data["reason"],
        return_to_worker=data.validated_data["return_to_worker"],
        by=by,
    )
    return Response(done._asdict())


def rejected_one(request: Request, row: AnswerReview, *, by: str) -> AnswerReview:
    """Reject one answer for the reason in the body."""
    data = RejectionInput(data=request.data)
    data.is_valid(raise_exception=True)
    return deciding.reject_one(
        review=row,
        reason=data.validated_data["reason"],
        return_to_worker=data.validated_data["return_to_worker"],
        by=by,
    )


def _queue(request: Request, job_id: int) -> WorkQueue:
    return scope.job(account_of(request, Role.MEMBER), job_id).queue


class SampleView(APIView):
    """A random sample of the pending answers."""

    @extend_schema(request=SampleInput, responses={200: review_schemas.SAMPLED}, operation_id="sample_answer_reviews")
    @idempotent
    def post(self, request: Request, job_id: int) -> Response:
        """Mark pending answers at random, instead of those marked before; list them with `sampled=true`."""
        return sampled(request, _queue(request, job_id))


class AcceptSomeView(APIView):
    """Accepting by filter."""

    @extend_schema(request=FilterInput, responses={200: review_schemas.Decided}, operation_id="accept_answer_reviews")
    @idempotent
    def post(self, request: Request, job_id: int) -> Response:
        """Accept the pending answers that the filter keeps, oldest first, at most 500; `sampled: false` is the rest."""
        return accepted_some(request, _queue(request, job_id), by=actor(request))


class RejectSomeView(APIView):
    """Rejecting by filter."""

    @extend_schema(
        request=RejectSomeInput, responses={200: review_schemas.Decided}, operation_id="reject_answer_reviews"
    )
    @idempotent
    def post(self, request: Request, job_id: int) -> Response:
        """Reject the pending answers that the filter keeps, oldest first, at most 500, each with the reason."""
        return rejected_some(request, _queue(request, job_id), by=actor(request))


class AcceptView(APIView):
    """Accepting one answer."""

    @extend_schema(request=None, responses={200: review_schemas.Review}, operation_id="accept_answer_review")
    @idempotent
    def post(self, request: Request, review_id: int) -> Response:
        """Its pay is released to the worker; repeating it changes nothing."""
        row = scope.review(account_of(request, Role.MEMBER), review_id)
        return Response(review_row(deciding.accept_one(review=row, by=actor(request))))


class RejectView(APIView):
    """Rejecting one answer."""

    @extend_schema(request=RejectionInput, responses={200: review_schemas.Review}, operation_id="reject_answer_review")
    @idempotent
    def post(self, request: Request, review_id: int) -> Response:
        """It is not paid and counts no more; `returned` says whether the same worker has the task again."""
        row = scope.review(account_of(request, Role.MEMBER), review_id)
        return Response(review_row(rejected_one(request, row, by=actor(request))))
