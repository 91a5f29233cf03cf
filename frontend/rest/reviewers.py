"""Reviewers: the account names them for a job, and they list and decide about its answers as the account does."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.images import image_url
from frontend.networks import caller
from frontend.rest import review_schemas, reviews, schemas
from frontend.rest.fields import Body
from frontend.rest.idempotency import idempotent
from frontend.rest.paging import ListView, listed
from frontend.rest.scope import account_of, actor, worker_of
from labeling.models import AnswerReview, QueueReviewer, WorkQueue
from labeling.services import scope
from labeling.services.results import deciding, history, review_lists, reviewers
from labeling.services.results.review_lists import ReviewFilter
from marketplace.models import Role, Worker


class ReviewerInput(Body):
    """A worker by public id: on one of the account's teams, or for public work a holder of its qualifications."""

    worker = serializers.CharField(max_length=review_lists.WORKER_LENGTH.longest)


def reviewer_row(row: QueueReviewer) -> dict[str, Any]:
    """A reviewer as the account sees them."""
    return {"worker": row.worker.public_id, "added_at": row.added_at}


@listed(
    operation="list_reviewers",
    page=schemas.page("Reviewer", review_schemas.Reviewer),
    description="The workers who review the answers to a job.",
)
class ReviewersView(ListView):
    """The reviewers of a job."""

    ordering = "id"

    def rows(self, request: Request, **place: Any) -> QuerySet[QueueReviewer]:
        """Of one job of the account."""
        return reviewers.of_queue(scope.job(account_of(request), place["job_id"]).queue)

    def row(self, found: QueueReviewer) -> dict[str, Any]:
        """By public id."""
        return reviewer_row(found)

    @extend_schema(request=ReviewerInput, responses={201: review_schemas.Reviewer}, operation_id="add_reviewer")
    @idempotent
    def post(self, request: Request, job_id: int) -> Response:
        """Let a worker review the answers; they answer no more tasks of the job, also once removed. Safe to repeat."""
        queue = scope.job(account_of(request, Role.MEMBER), job_id).queue
        data = ReviewerInput(data=request.data)
        data.is_valid(raise_exception=True)
        worker = reviewers.candidate(queue, data.validated_data["worker"])
        made = reviewers.add(queue=queue, worker=worker, by=actor(request))
        return Response(reviewer_row(made), status=status.HTTP_201_CREATED)


class ReviewerView(APIView):
    """One reviewer of a job."""

    @extend_schema(responses={204: None}, operation_id="remove_reviewer")
    def delete(self, request: Request, job_id: int, reviewer_id: str) -> Response:
        """Let them decide no more; what they decided stands."""
        queue = scope.job(account_of(request, Role.MEMBER), job_id).queue
        reviewers.remove(queue=queue, worker=reviewers.named(queue, reviewer_id), by=actor(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


# --- for the reviewer -------------------------------------------------------------------------------------------------


def _mine(request: Request, reviewed_id: int) -> tuple[WorkQueue, Worker]:
    worker = worker_of(request)
    return reviewers.queue_of(worker, reviewed_id, caller(request)), worker


def reviewed_row(row: AnswerReview) -> dict[str, Any]:
    """A review as its reviewer sees it: without pay, object and appeal."""
    return {
        "id": row.pk,
        "state": row.state,
        "worker": row.worker.public_id,
        "submitted_at": row.submitted_at,
        "due_at": row.due_at,
        "decided_at": row.decided_at,
        "reason": row.reason or None,
        "returned": row.returned,
        "labels": row.labels,
        "agreement": row.agreement,
        "sampled": row.sampled,
    }


@listed(
    operation="list_queues_to_review",
    page=schemas.page("ReviewQueue", review_schemas.ReviewQueue),
    description="Work whose answers the caller reviews for its account, newest first. Reviewing is not paid by the "
    "answer.",
)
class MyQueuesView(ListView):
    """What the caller reviews."""

    def rows(self, request: Request, **place: Any) -> QuerySet[WorkQueue]:
        """As long as the account trusts the caller."""
        return reviewers.queues_of(worker_of(request), caller(request))

    def page(self, found: list[WorkQueue]) -> list[tuple[WorkQueue, int]]:
        """With the number of answers that wait."""
        waiting = reviewers.waiting(worker_of(self.request), found)
        return [(queue, waiting[queue.pk]) for queue in found]

    def row(self, found: tuple[WorkQueue, int]) -> dict[str, Any]:
        """With what has to be known to judge answers."""
        queue, waiting = found
        return {
            "queue_id": queue.pk,
            "title": queue.title,
            "description": queue.description,
            "requester": queue.account.name,
            "task_type": queue.task_type,
            "labels": queue.labels,
            "instructions": {part: queue.instructions.get(part, "") for part in ("short", "full")},
            "review_days": queue.review_days,
            "waiting": waiting,
        }


@listed(
    operation="list_answers_to_review",
    page=schemas.page("AnswerToReview", review_schemas.AnswerToReview),
    description="Answers that the caller may decide about, newest first: neither golds nor those to tasks that they "
    "worked on.",
)
class MyAnswersView(ListView):
    """The answers to one queue, for its reviewer."""

    filters = reviews.FILTERS
    shapes = reviews.SHAPES

    def rows(self, request: Request, **place: Any) -> QuerySet[AnswerReview]:
        """With the answer and the object's label."""
        queue, worker = _mine(request, place["reviewed_id"])
        return history.shown(review_lists.reviews(queue, ReviewFilter(reviewer=worker.pk)))

    def row(self, found: AnswerReview) -> dict[str, Any]:
        """The answer beside the label."""
        shown = found.assignment.task.data_object
        return {
            **reviewed_row(found),
            "image_url": image_url(shown.pk, self.request.user.pk) if shown else None,
            "answer": history.content(found),
            "label": shown.label.value if shown and shown.label else None,
        }


class MySampleView(APIView):
    """A random sample of the pending answers, for a reviewer."""

    @extend_schema(
        request=reviews.SampleInput, responses={200: review_schemas.SAMPLED}, operation_id="sample_answers_to_review"
    )
    @idempotent
    def post(self, request: Request, reviewed_id: int) -> Response:
        """Mark pending answers at random, instead of those that anybody marked before."""
        queue, worker = _mine(request, reviewed_id)
        return reviews.sampled(request, queue, reviewer=worker.pk)


class MyAcceptSomeView(APIView):
    """Accepting by filter, for a reviewer."""

    @extend_schema(
        request=reviews.FilterInput, responses={200: review_schemas.Decided}, operation_id="accept_answers_to_review"
    )
    @idempotent
    def post(self, request: Request, reviewed_id: int) -> Response:
        """Accept the pending answers that the filter keeps, oldest first, at most 500; `sampled: false` is the rest."""
        queue, worker = _mine(request, reviewed_id)
        return reviews.accepted_some(request, queue, by=reviewers.actor(worker), reviewer=worker.pk)


class MyRejectSomeView(APIView):
    """Rejecting by filter, for a reviewer."""

    @extend_schema(
        request=reviews.RejectSomeInput,
        responses={200: review_schemas.Decided},
        operation_id="reject_answers_to_review",
    )
    @idempotent
    def post(self, request: Request, reviewed_id: int) -> Response:
        """Reject the pending answers that the filter keeps, oldest first, at most 500, each with the reason."""
        queue, worker = _mine(request, reviewed_id)
        return reviews.rejected_some(request, queue, by=reviewers.actor(worker), reviewer=worker.pk)


class MyAcceptView(APIView):
    """Accepting one answer, for a reviewer."""

    @extend_schema(request=None, responses={200: review_schemas.ReviewedAnswer}, operation_id="accept_answer_to_review")
    @idempotent
    def post(self, request: Request, answer_id: int) -> Response:
        """Its pay is released to its worker; repeating it changes nothing."""
        worker = worker_of(request)
        row = reviewers.review(worker, answer_id, caller(request))
        return Response(reviewed_row(deciding.accept_one(review=row, by=reviewers.actor(worker))))


class MyRejectView(APIView):
    """Rejecting one answer, for a reviewer."""

    @extend_schema(
        request=reviews.RejectionInput,
        responses={200: review_schemas.ReviewedAnswer},
        operation_id="reject_answer_to_review",
    )
    @idempotent
    def post(self, request: Request, answer_id: int) -> Response:
        """It is not paid and counts no more; its worker reads the reason and may appeal to the account."""
        worker = worker_of(request)
        row = reviewers.review(worker, answer_id, caller(request))
        return Response(reviewed_row(reviews.rejected_one(request, row, by=reviewers.actor(worker))))
