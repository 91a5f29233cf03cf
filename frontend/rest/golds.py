"""Golds of a labeling job: objects whose true label is known, mixed into its work; how they are answered and kept."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from frontend.rest import schemas
from frontend.rest.fields import AnswerField, Body, FiniteFloatField
from frontend.rest.idempotency import idempotent
from frontend.rest.paging import ListView, listed
from frontend.rest.scope import account_of, actor
from labeling.models import Gold, LabelingJob
from labeling.services import scope
from labeling.services.golds import keeping, options
from marketplace.models import Role


class GoldInput(Body):
    """An object to become a gold: with `answer` it is decided by it first, else its label is the truth."""

    object = serializers.IntegerField()
    answer = AnswerField(required=False)


class CorrectionInput(Body):
    """The true answer: the crowd form's JSON."""

    answer = AnswerField()


class WithdrawalInput(Body):
    """Why the gold is withdrawn; may be empty."""

    reason = serializers.CharField(
        required=False, allow_blank=True, max_length=keeping.REASON_LENGTH.longest, default=""
    )


class GoldOptionsInput(Body):
    """What is to change; what is left out stays."""

    rate = FiniteFloatField(required=False, **options.RATE.bounds)
    mint = serializers.IntegerField(required=False, **options.MINT.bounds)
    pass_mark = FiniteFloatField(required=False, **options.PASS_MARK.bounds)


class GoldShape(serializers.Serializer):  # type: ignore[type-arg]
    """A gold with how it was answered."""

    id = serializers.IntegerField()
    object_id = serializers.IntegerField()
    object_index = serializers.IntegerField()
    source = serializers.CharField(help_text="manifest, minted or expert")
    state = serializers.CharField(
        help_text="Active; Suspect: most answers disagree with it; Retired: known among the workers; Withdrawn"
    )
    reason = serializers.CharField(allow_null=True)
    truth = serializers.JSONField()
    answers = serializers.IntegerField()
    passed = serializers.IntegerField()
    mean_seconds = serializers.FloatField(allow_null=True)
    created_at = serializers.DateTimeField()
    created_by = serializers.CharField()


class GoldOptions(serializers.Serializer):  # type: ignore[type-arg]
    """The options of a job's golds."""

    rate = serializers.FloatField()
    attribute = serializers.CharField()
    most = serializers.IntegerField()
    mint = serializers.IntegerField()
    pass_mark = serializers.FloatField()


def gold_row(gold: Gold) -> dict[str, Any]:
    """A gold of `scope.golds` as the API shows it."""
    return {
        "id": gold.pk,
        "object_id": gold.data_object_id,
        "object_index": gold.data_object.index,
        "source": gold.source,
        "state": gold.state,
        "reason": gold.reason or None,
        "truth": gold.truth,
        "answers": gold.answers,  # type: ignore[attr-defined]
        "passed": gold.passed,  # type: ignore[attr-defined]
        "mean_seconds": gold.seconds,  # type: ignore[attr-defined]
        "created_at": gold.created_at,
        "created_by": gold.created_by,
    }


def _job(request: Request, job_id: int) -> LabelingJob:
    return scope.job(account_of(request, Role.MEMBER), job_id)


@listed(operation="list_golds", page=schemas.page("Gold", GoldShape), description="The golds of a job, newest first.")
class GoldsView(ListView):
    """The golds of a labeling job."""

    filters = {"state": "state", "source": "source"}

    def rows(self, request: Request, **place: Any) -> QuerySet[Gold]:
        """Of one job of the account."""
        return scope.golds(scope.job(account_of(request), place["job_id"]))

    def row(self, found: Gold) -> dict[str, Any]:
        """With how it was answered."""
        return gold_row(found)

    @extend_schema(request=GoldInput, responses={201: GoldShape}, operation_id="add_gold")
    @idempotent
    def post(self, request: Request, job_id: int) -> Response:
        """Make an object of the running job a gold; it is mixed into the work from now on."""
        job = _job(request, job_id)
        data = GoldInput(data=request.data)
        data.is_valid(raise_exception=True)
        row = scope.data_object(job, data.validated_data["object"])
        gold = keeping.add(data_object=row, content=data.validated_data.get("answer"), by=actor(request))
        return Response(gold_row(scope.gold(job, gold.pk)), status=status.HTTP_201_CREATED)


class GoldView(APIView):
    """One gold."""

    @extend_schema(responses={200: GoldShape}, operation_id="get_gold")
    def get(self, request: Request, job_id: int, gold_id: int) -> Response:
        """With how it was answered."""
        return Response(gold_row(scope.gold(scope.job(account_of(request), job_id), gold_id)))


class GoldCorrectView(APIView):
    """Correcting a gold."""

    @extend_schema(request=CorrectionInput, responses={200: GoldShape}, operation_id="correct_gold")
    @idempotent
    def post(self, request: Request, job_id: int, gold_id: int) -> Response:
        """Store the true answer: everybody who answered the gold is scored again, and it is the object's label."""
        job = _job(request, job_id)
        gold = scope.gold(job, gold_id)
        data = CorrectionInput(data=request.data)
        data.is_valid(raise_exception=True)
        keeping.correct(gold=gold, content=data.validated_data["answer"], by=actor(request))
        return Response(gold_row(scope.gold(job, gold_id)))


class GoldConfirmView(APIView):
    """Confirming a suspect gold."""

    @extend_schema(request=None, responses={200: GoldShape}, operation_id="confirm_gold")
    @idempotent
    def post(self, request: Request, job_id: int, gold_id: int) -> Response:
        """The truth is right: the gold is given out again and not suspected any more."""
        job = _job(request, job_id)
        keeping.confirm(gold=scope.gold(job, gold_id), by=actor(request))
        return Response(gold_row(scope.gold(job, gold_id)))


class GoldWithdrawView(APIView):
    """Withdrawing a gold."""

    @extend_schema(request=WithdrawalInput, responses={200: GoldShape}, operation_id="withdraw_gold")
    @idempotent
    def post(self, request: Request, job_id: int, gold_id: int) -> Response:
        """Nobody gets it any more, and what was answered to it says nothing about anybody; it stays paid."""
        job = _job(request, job_id)
        gold = scope.gold(job, gold_id)
        data = WithdrawalInput(data=request.data)
        data.is_valid(raise_exception=True)
        keeping.withdraw(gold=gold, reason=data.validated_data["reason"], by=actor(request))
        return Response(gold_row(scope.gold(job, gold_id)))


class GoldOptionsView(APIView):
    """How a job uses golds."""

    @extend_schema(request=GoldOptionsInput, responses={200: GoldOptions}, operation_id="change_gold_options")
    @idempotent
    def post(self, request: Request, job_id: int) -> Response:
        """Change rate, mint or pass_mark of a running job; a rate of 0 gives no more golds."""
        job = _job(request, job_id)
        data = GoldOptionsInput(data=request.data)
        data.is_valid(raise_exception=True)
        found = options.of(options.change(job=job, by=actor(request), **data.validated_data))
        return Response({name: found[name] for name in options.DEFAULTS})
