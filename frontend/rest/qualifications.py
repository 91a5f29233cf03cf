"""A worker's qualifications, the tests they take for them, and the work that is closed to them."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.images import question_addresses, question_response
from frontend.rest import qualification_schemas as shapes
from frontend.rest import schemas
from frontend.rest.fields import AnswerField, Body
from frontend.rest.idempotency import idempotent
from frontend.rest.paging import ListView, listed
from frontend.rest.qualification_types import test_row, type_row
from frontend.rest.scope import worker_of
from labeling import task_types
from labeling.models import QualificationAnswer, QualificationAttempt, WorkQueue
from labeling.services.qualifications import earning, showing, taking
from marketplace import money
from marketplace.models import Qualification, QualificationType


class AttemptInput(Body):
    """Training, or the exam."""

    training = serializers.BooleanField(default=False)


class TestAnswerInput(Body):
    """The answer to a question of the attempt."""

    __test__ = False

    question = serializers.IntegerField()
    answer = AnswerField()


def mine_row(row: QualificationType, held: Qualification | None) -> dict[str, Any]:
    """A type as its worker sees it in lists."""
    return {
        **type_row(row),
        "requester": row.account.name if row.account is not None else None,
        "state": showing.state_of(held),
        "value": held.value if held is not None else None,
        "expires_at": held.expires_at if held is not None else None,
        "revoked_because": held.reason if held is not None and held.revoked_at is not None else None,
    }


def standing_row(found: showing.Standing) -> dict[str, Any]:
    """All that a worker is told about a type."""
    return {
        **mine_row(found.row, found.held),
        "test": test_row(found.test),
        "figure": found.figure.value if found.figure is not None else None,
        "refusal": found.refusal,
        "attempts": found.attempts,
    }


def attempt_row(attempt: QualificationAttempt) -> dict[str, Any]:
    """An attempt with the question that comes next."""
    test, asked = attempt.test, taking.current(attempt)
    return {
        "id": attempt.pk,
        "qualification_type": test.pk,
        "training": attempt.training,
        "task_type": test.task_type,
        "labels": test.labels,
        "instructions": test.instructions,
        "paid": money.text(0),
        "started_at": attempt.started_at,
        "due_at": attempt.due_at,
        "ended_at": attempt.ended_at,
        "score": attempt.score,
        "passed": attempt.passed,
        "questions": attempt.answers.count(),
        "answered": attempt.answers.exclude(answered_at=None).count(),
        "next": None if asked is None else question_row(asked),
    }


def question_row(asked: QualificationAnswer) -> dict[str, Any]:
    """A question, without its truth."""
    question = asked.question
    return {
        "question": question.pk,
        "place": asked.place + 1,
        **question_addresses(question),
        "width": question.width,
        "height": question.height,
    }


@listed(
    operation="list_my_qualifications",
    page=schemas.page("MyQualification", shapes.MyQualification),
    description="The qualifications that the caller has, had or may come by, by name.",
)
class MyQualificationsView(ListView):
    """The qualifications there are for the caller."""

    filters = {"granted_by": "granted_by"}
    ordering = ("name", "id")

    def rows(self, request: Request, **place: Any) -> QuerySet[QualificationType]:
        """Those that the caller may know of."""
        return showing.types(worker_of(request))

    def page(self, found: list[QualificationType]) -> list[tuple[QualificationType, Qualification | None]]:
        """With what the caller has of each, in one query."""
        return showing.rows(worker_of(self.request), found)

    def row(self, found: tuple[QualificationType, Qualification | None]) -> dict[str, Any]:
        """In short."""
        return mine_row(*found)


class MyQualificationView(APIView):
    """One qualification."""

    @extend_schema(responses={200: shapes.MyStanding}, operation_id="get_my_qualification")
    def get(self, request: Request, type_id: int) -> Response:
        """Whether the caller has it, how they come by it, and why not now."""
        worker = worker_of(request)
        return Response(standing_row(showing.standing(worker, showing.type_shown(worker, type_id))))


class AskView(APIView):
    """Asking for a qualification that one's own work earns."""

    @extend_schema(request=None, responses={200: shapes.MyStanding}, operation_id="ask_for_qualification")
    @idempotent
    def post(self, request: Request, type_id: int) -> Response:
        """Granted when the caller's approval rate or number of tasks reaches the mark."""
        worker = worker_of(request)
        row = showing.type_shown(worker, type_id)
        earning.ask(row=row, worker=worker)
        return Response(standing_row(showing.standing(worker, row)))


class AttemptsView(APIView):
    """Beginning a training or an exam."""

    @extend_schema(request=AttemptInput, responses={201: shapes.TestAttempt}, operation_id="start_test_attempt")
    @idempotent
    def post(self, request: Request, type_id: int) -> Response:
        """One that is under way goes on. Neither is paid."""
        worker = worker_of(request)
        data = AttemptInput(data=request.data)
        data.is_valid(raise_exception=True)
        row = showing.type_shown(worker, type_id)
        attempt = taking.start(row=row, worker=worker, training=data.validated_data["training"])
        return Response(attempt_row(attempt), status=status.HTTP_201_CREATED)


class AttemptView(APIView):
    """One training or exam of the caller."""

    @extend_schema(responses={200: shapes.TestAttempt}, operation_id="get_test_attempt")
    def get(self, request: Request, attempt_id: int) -> Response:
        """Where it stands, and the question that comes next."""
        return Response(attempt_row(showing.attempt(worker_of(request), attempt_id)))


class AttemptAnswerView(APIView):
    """Answering a question."""

    @extend_schema(request=TestAnswerInput, responses={200: shapes.TestAnswered}, operation_id="answer_test_question")
    def post(self, request: Request, attempt_id: int) -> Response:
        """Of a training the truth is shown at once; of an exam the score, once it has ended."""
        attempt = showing.attempt(worker_of(request), attempt_id)
        data = TestAnswerInput(data=request.data)
        data.is_valid(raise_exception=True)
        given = data.validated_data
        answered = taking.answer(attempt=attempt, question_id=given["question"], content=given["answer"])
        shown = attempt.training
        return Response(
            {
                **attempt_row(attempt),
                "answer_score": answered.score if shown else None,
                "truth": _truth(attempt, answered) if shown else None,
            }
        )


def _truth(attempt: QualificationAttempt, answered: QualificationAnswer) -> dict[str, Any]:
    kind, question = task_types.get(attempt.test.task_type), answered.question
    return kind.write_answer(kind.read_value(question.truth), size=(question.width, question.height))


class QuestionImageView(APIView):
    """The picture of a question, or its text as plain text in UTF-8."""

    @extend_schema(responses={(200, "image/*"): OpenApiTypes.BINARY}, operation_id="get_question_image")
    def get(self, request: Request, question_id: int) -> HttpResponse:
        """For workers who are, or were, asked it, and members of its account."""
        return question_response(showing.question_shown(request.user, question_id), request)


@listed(
    operation="list_closed_work",
    page=schemas.page("ClosedWork", shapes.ClosedWork),
    description="Open work of the caller's workforces that they may not do, with the reason and what would help.",
)
class ClosedWorkView(ListView):
    """Work that is closed to the caller."""

    def rows(self, request: Request, **place: Any) -> QuerySet[WorkQueue]:
        """Without what they are not to know of."""
        return showing.closed_queues(worker_of(request))

    def page(self, found: list[WorkQueue]) -> list[showing.ClosedWork]:
        """With the reasons in words, the types in one query."""
        return showing.closed(found)

    def row(self, found: showing.ClosedWork) -> dict[str, Any]:
        """What it is, why it is closed, and what to do."""
        queue = found.queue
        return {
            "queue_id": queue.pk,
            "title": queue.title,
            "requester": queue.account.name,
            "task_type": queue.task_type,
            "price": money.text(queue.price_micros),
            "reason": found.reason,
            "action": found.action,
            "qualification_type": found.qualification_type_id,
        }
