"""What a worker does with tasks: claim, list those held, submit, return, decline, and see how long the lease runs."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.networks import caller
from frontend.rest import schemas, schemas_work
from frontend.rest.fields import AnswerField, Body, FiniteFloatField
from frontend.rest.idempotency import key_of
from frontend.rest.paging import ListView, listed
from frontend.rest.parsing import flag
from frontend.rest.scope import worker_of
from frontend.tasks import task_payload, upcoming_document
from labeling.conduct.observed import Activity
from labeling.models import Assignment, Task, WorkQueue
from labeling.queries import showing
from labeling.services import scope
from labeling.services.queue import assignments
from labeling.services.results import reviewing
from marketplace import money
from marketplace.errors import DomainError, Forbidden, RoutingFailed, SessionOver, TaskGone, TaskLimit
from marketplace.models import Worker

NO_TASK = {
    "Initializing": "job-not-started",
    "InProgress": "none-left",
}
"""Why a claim gives no task, by the status of the queue."""

NO_NEXT: dict[type[DomainError], str] = {
    Forbidden: "not-eligible",
    TaskLimit: "task-limit",
    TaskGone: "claimed-before",
    RoutingFailed: "routing-failed",
}
"""Why a submit claims no further task, by the error of the claim. TaskGone: it did when it was sent before."""

CLAIM_PARAMETERS = [
    OpenApiParameter(
        "Idempotency-Key",
        str,
        OpenApiParameter.HEADER,
        description="repeating a claim with the same key returns the same task; another key for each further task",
    ),
    OpenApiParameter("hint", bool, description="name the image of the task after it, to fetch it ahead"),
]


class ActivityInput(Body):
    """What the page counted while the task was shown; programs leave it out, which says nothing about them."""

    moves = serializers.IntegerField(**assignments.COUNTED.bounds)
    trusted = serializers.IntegerField(**assignments.COUNTED.bounds)
    untrusted = serializers.IntegerField(**assignments.COUNTED.bounds)
    keys = serializers.IntegerField(**assignments.COUNTED.bounds)
    focus_seconds = FiniteFloatField(**assignments.SECONDS.bounds)
    active_seconds = FiniteFloatField(**assignments.SECONDS.bounds)


class SubmitInput(Body):
    """A worker's answer: the crowd form's JSON, and how many seconds it took."""

    answer = AnswerField()
    seconds = FiniteFloatField(**assignments.SECONDS.bounds)
    activity = ActivityInput(required=False, allow_null=True, default=None)


class ReasonInput(Body):
    """Why a task is declined; may be empty."""

    reason = serializers.CharField(
        required=False, allow_blank=True, max_length=assignments.REASON_LENGTH.longest, default=""
    )


def assignment_payload(
    assignment: Assignment, task: Task, user_id: int, now: datetime, rejected_because: str | None = None
) -> dict[str, Any]:
    """A leased seat with its task. `rejected_because`: it came back, to improve an answer that was rejected."""
    return {
        "id": assignment.pk,
        "accepted_at": assignment.accepted_at,
        "lease_expires_at": assignment.lease_expires_at,
        "seconds_left": max(0.0, (assignment.lease_expires_at - now).total_seconds()),
        "rejected_because": rejected_because,
        **task_payload(task, user_id),
    }


def claim_payload(worker: Worker, queue_id: int, *, key: str, hint: bool, address: str) -> dict[str, Any]:
    """Claim the next task of a queue for a worker; `reason` says why there is none. `hint`: name the image after it."""
    now = timezone.now()
    queue = WorkQueue(pk=queue_id)
    try:
        assignment = assignments.claim(worker=worker, queue=queue, key=key, now=now, address=address)
    except SessionOver as over:
        return {"assignment": None, "reason": over.kind, "next": None}
    if assignment is None:
        status = WorkQueue.objects.values_list("status", flat=True).get(pk=queue_id)
        return {"assignment": None, "reason": NO_TASK.get(status, "job-closed"), "next": None}
    upcoming = assignments.peek(worker=worker, queue=queue) if hint else None
    task = showing.task_shown(assignment.task_id)
    return {
        "assignment": assignment_payload(assignment, task, worker.user_id, now),
        "next": upcoming_document(task.queue, shown=upcoming, user_id=worker.user_id) if upcoming else None,
    }


def claim_after_submit(
    worker: Worker, submitted: assignments.Submission, *, hint: bool, address: str
) -> dict[str, Any]:
    """Claim the next task in the request that submitted one; a repeat of the request gets the same task.

    The answer is stored already, so a refusal to give a further task is no error of the request, but its `reason`.
    """
    try:
        key = f"after:{submitted.assignment_id}"
        return claim_payload(worker, submitted.queue_id, key=key, hint=hint, address=address)
    except tuple(NO_NEXT) as refused:
        return {"assignment": None, "reason": NO_NEXT[type(refused)], "next": None}


def _hint(request: Request) -> bool:
    """Browsers prefetch the next image; programs have to ask for the hint."""
    return request.auth is None or flag(request, "hint")


def _claimed(request: Request, queue_id: int) -> dict[str, Any]:
    return claim_payload(
        worker_of(request), queue_id, key=key_of(request), hint=_hint(request), address=caller(request)
    )


class ClaimView(APIView):
    """Take the next task of a work queue."""

    @extend_schema(
        request=None, responses={200: schemas_work.Claim}, operation_id="claim_task", parameters=CLAIM_PARAMETERS
    )
    def post(self, request: Request, queue_id: int) -> Response:
        """A task with a lease, or null with the reason there is none."""
        return Response(_claimed(request, queue_id))


class JobClaimView(APIView):
    """Take the next task of a labeling job."""

    @extend_schema(
        request=None,
        responses={200: schemas_work.Claim},
        operation_id="claim_task_of_labeling_job",
        parameters=CLAIM_PARAMETERS,
    )
    def post(self, request: Request, job_id: int) -> Response:
        """A task with a lease, or null with the reason there is none."""
        queue_id = scope.queue_of_job(job_id)
        return Response(_claimed(request, queue_id))


@listed(
    operation="list_assignments",
    page=schemas.page("Assignment", schemas_work.Assignment),
    description="The tasks that the caller holds, latest first, so that work on them can be taken up again.",
)
class AssignmentsView(ListView):
    """The caller's leased seats with their tasks."""

    filters = {"queue_id": "queue_id"}

    def rows(self, request: Request, **place: Any) -> QuerySet[Assignment]:
        """Of queues that are still open to the caller."""
        return scope.assignments_held(worker_of(request), caller(request))

    def page(self, found: list[Assignment]) -> list[tuple[Assignment, str | None]]:
        """With the reasons of those that came back, in one query."""
        reasons = reviewing.reasons_of_returned(found)
        return [(seat, reasons.get(seat.pk)) for seat in found]

    def row(self, found: tuple[Assignment, str | None]) -> dict[str, Any]:
        """As the claim showed it."""
        seat, reason = found
        return assignment_payload(seat, seat.task, seat.worker.user_id, timezone.now(), reason)


class SubmitView(APIView):
    """Hand in an answer."""

    @extend_schema(
        request=SubmitInput,
        responses={200: schemas_work.Submitted},
        operation_id="submit_assignment",
        parameters=[
            OpenApiParameter("claim_next", bool, description="also claim the next task in the same trip"),
            OpenApiParameter("hint", bool, description="name the image of the task after it, to fetch it ahead"),
        ],
    )
    def post(self, request: Request, assignment_id: int) -> Response:
        """Stores and pays the answer; repeating it with the same Idempotency-Key changes nothing."""
        worker = worker_of(request)
        claim_next = flag(request, "claim_next")
        data = SubmitInput(data=request.data)
        if not data.is_valid():
            # Whose seat it is comes first: only the holder of the seat is told what is wrong with the answer.
            scope.assignment(worker, assignment_id)
            raise serializers.ValidationError(data.errors)
        done = assignments.submit(
            assignment=Assignment(pk=assignment_id),
            worker=worker,
            content=data.validated_data["answer"],
            seconds=data.validated_data["seconds"],
            key=key_of(request) or None,
            activity=Activity(**counted) if (counted := data.validated_data["activity"]) is not None else None,
            address=caller(request),
        )
        earned = 0 if done.to_employer else done.paid_micros
        held = earned if done.held_until is not None else 0
        body: dict[str, Any] = {
            "status": "Submitted",
            "paid": money.text(earned - held),
            "held": money.text(held),
            "held_until": done.held_until,
            "repeated": done.repeated,
        }
        if claim_next:
            # In a transaction of its own: a submit holds its task while a claim may wait for another.
            upcoming = claim_after_submit(worker, done, hint=_hint(request), address=caller(request))
            body |= {"next_assignment": upcoming["assignment"], "next": upcoming["next"]}
            if upcoming["assignment"] is None:
                body["reason"] = upcoming["reason"]
        return Response(body)


class ReturnView(APIView):
    """Give a task back unanswered; it may be offered again."""

    @extend_schema(request=None, responses={200: schemas_work.SeatState}, operation_id="return_assignment")
    def post(self, request: Request, assignment_id: int) -> Response:
        """The seat is free for the next worker at once."""
        worker = worker_of(request)
        assignments.give_back(assignment=scope.assignment(worker, assignment_id), worker=worker)
        return Response({"status": "Returned"})


class DeclineView(APIView):
    """Refuse a task; it is never offered to this worker again."""

    @extend_schema(request=ReasonInput, responses={200: schemas_work.SeatState}, operation_id="decline_assignment")
    def post(self, request: Request, assignment_id: int) -> Response:
        """The seat goes to somebody else."""
        data = ReasonInput(data=request.data)
        data.is_valid(raise_exception=True)
        worker = worker_of(request)
        assignments.decline(
            assignment=scope.assignment(worker, assignment_id), worker=worker, reason=data.validated_data["reason"]
        )
        return Response({"status": "Declined"})


class HeartbeatView(APIView):
    """How long the lease still runs."""

    @extend_schema(responses={200: schemas_work.SeatState}, operation_id="assignment_time_left")
    def get(self, request: Request, assignment_id: int) -> Response:
        """The state of the seat and the seconds left; reading extends nothing."""
        found = scope.assignment(worker_of(request), assignment_id)
        left = max(0.0, (found.lease_expires_at - timezone.now()).total_seconds())
        return Response({"status": found.state, "seconds_left": left if found.state == "Leased" else 0.0})
