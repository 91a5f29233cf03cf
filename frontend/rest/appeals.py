"""A worker's history with the fate of each answer, and appeals against rejections for everybody concerned."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.rest import review_schemas, schemas
from frontend.rest.fields import Body
from frontend.rest.idempotency import idempotent
from frontend.rest.paging import ListView, listed
from frontend.rest.scope import account_of, actor, require_operator, worker_of
from labeling.models import Appeal, Assignment
from labeling.queries.golds import ToldGold
from labeling.services import scope
from labeling.services.results import appeals, history
from labeling.services.results.history import Fate
from marketplace import money
from marketplace.models import Role

DECISIONS = {"uphold": appeals.uphold, "deny": appeals.deny}
"""How an appeal is answered, by the word of the API."""


class AppealInput(Body):
    """Why the rejection was wrong."""

    text = serializers.CharField(max_length=appeals.TEXT_LENGTH.longest)


class AppealAnswerInput(Body):
    """Uphold the appeal, which pays, or deny it; with a text for the worker."""

    decision = serializers.ChoiceField(choices=list(DECISIONS))
    text = serializers.CharField(max_length=appeals.TEXT_LENGTH.longest)


def appeal_row(appeal: Appeal) -> dict[str, Any]:
    """An appeal as everybody concerned sees it."""
    return {
        "id": appeal.pk,
        "state": appeal.state,
        "text": appeal.text,
        "filed_at": appeal.filed_at,
        "due_at": appeal.due_at,
        "answer": appeal.answer or None,
        "answered_at": appeal.answered_at,
    }


def my_appeal_row(appeal: Appeal) -> dict[str, Any]:
    """An appeal with what it is about."""
    review = appeal.review
    return {
        **appeal_row(appeal),
        "assignment_id": review.assignment_id,
        "title": review.queue.title,
        "rejected_because": review.reason,
        "price": money.text(0 if review.queue.contract_id is not None else review.price_micros),
    }


def appeal_to_answer_row(appeal: Appeal) -> dict[str, Any]:
    """An appeal with what whoever answers it has to know."""
    return {
        **my_appeal_row(appeal),
        "price": money.text(appeal.review.price_micros),
        "review_id": appeal.review_id,
        "worker": appeal.review.worker.public_id,
        "attention": appeal.attention or None,
    }


def told_gold(gold: ToldGold) -> dict[str, Any]:
    """A gold that is not in use any more, as its worker sees it."""
    return {"score": gold.score, "passed": gold.passed, "truth": gold.truth}


@listed(
    operation="list_my_answers",
    page=schemas.page("AnswerFate", review_schemas.AnswerFate),
    description="The caller's answers, newest first, with what became of each.",
)
class HistoryView(ListView):
    """What became of the caller's answers."""

    filters = {"queue_id": "queue_id"}

    def rows(self, request: Request, **place: Any) -> QuerySet[Assignment]:
        """The caller's own."""
        return history.answered(worker_of(request))

    def page(self, found: list[Assignment]) -> list[Fate]:
        """With their reviews and appeals."""
        return history.fates(found)

    def row(self, found: Fate) -> dict[str, Any]:
        """One answer."""
        review = found.review
        return {
            "assignment_id": found.assignment.pk,
            "title": found.assignment.queue.title,
            "state": found.state,
            "price": money.text(found.price_micros),
            "submitted_at": review.submitted_at if review else found.assignment.ended_at,
            "due_at": review.due_at if review else None,
            "reason": (review.reason or None) if review else None,
            "may_appeal": found.may_appeal,
            "appeal_until": found.appeal_until,
            "appeal": appeal_row(found.appeal) if found.appeal else None,
            "gold": told_gold(found.gold) if found.gold else None,
        }


class FileAppealView(APIView):
    """Appealing against a rejection."""

    @extend_schema(request=AppealInput, responses={201: review_schemas.Appeal}, operation_id="appeal_rejection")
    @idempotent
    def post(self, request: Request, assignment_id: int) -> Response:
        """Ask the requester to look at a rejected answer again, within 7 days; filing the same text again is safe."""
        worker = worker_of(request)
        review = scope.rejected_review(worker, assignment_id)
        data = AppealInput(data=request.data)
        data.is_valid(raise_exception=True)
        appeal = appeals.file_appeal(review=review, worker=worker, text=data.validated_data["text"])
        return Response(appeal_row(appeal), status=status.HTTP_201_CREATED)


@listed(
    operation="list_my_appeals",
    page=schemas.page("MyAppeal", review_schemas.MyAppeal),
    description="The caller's appeals, newest first.",
)
class MyAppealsView(ListView):
    """The caller's appeals."""

    filters = {"state": "state"}

    def rows(self, request: Request, **place: Any) -> QuerySet[Appeal]:
        """The caller's own."""
        return scope.appeals(worker=worker_of(request))

    def row(self, found: Appeal) -> dict[str, Any]:
        """With what it is about."""
        return my_appeal_row(found)


@listed(
    operation="list_appeals",
    page=schemas.page("AppealToAnswer", review_schemas.AppealToAnswer),
    description="Appeals against the account's rejections, newest first.",
)
class AppealsView(ListView):
    """The appeals that the account answers."""

    filters = {"state": "state"}

    def rows(self, request: Request, **place: Any) -> QuerySet[Appeal]:
        """To the account."""
        return scope.appeals(account_of(request))

    def row(self, found: Appeal) -> dict[str, Any]:
        """With what has to be known to answer it."""
        return appeal_to_answer_row(found)


@listed(
    operation="list_all_appeals",
    page=schemas.page("AnyAppeal", review_schemas.AppealToAnswer),
    description="The appeals of the whole installation, newest first, for operators.",
)
class AllAppealsView(ListView):
    """Every account's appeals."""

    filters = {"state": "state"}

    def rows(self, request: Request, **place: Any) -> QuerySet[Appeal]:
        """All of them, for operators."""
        require_operator(request)
        return scope.appeals()

    def row(self, found: Appeal) -> dict[str, Any]:
        """With what has to be known to answer it."""
        return appeal_to_answer_row(found)


def _answer(request: Request, appeal: Appeal) -> Response:
    data = AppealAnswerInput(data=request.data)
    data.is_valid(raise_exception=True)
    decide = DECISIONS[data.validated_data["decision"]]
    done = decide(appeal=appeal, text=data.validated_data["text"], by=actor(request))
    return Response(appeal_row(done))


class AppealAnswerView(APIView):
    """The account's answer to an appeal."""

    @extend_schema(request=AppealAnswerInput, responses={200: review_schemas.Appeal}, operation_id="answer_appeal")
    @idempotent
    def post(self, request: Request, appeal_id: int) -> Response:
        """Uphold it, which pays from the wallet and lets the answer count again, or deny it."""
        return _answer(request, scope.appeal(appeal_id, account_of(request, Role.MEMBER)))


class OperatorAnswerView(APIView):
    """An operator's answer in place of the account's."""

    @extend_schema(request=AppealAnswerInput, responses={200: review_schemas.Appeal}, operation_id="answer_any_appeal")
    @idempotent
    def post(self, request: Request, appeal_id: int) -> Response:
        """Uphold it, which pays from the account's wallet, or deny it."""
        require_operator(request)
        return _answer(request, scope.appeal(appeal_id))
